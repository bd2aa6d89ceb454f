"""One shape of every error, the framework's own too."""

from __future__ import annotations

from datetime import datetime

import pytest
from django.contrib.auth.models import User
from django.test import Client

from apps.devices.models import Site
from apps.metrics.store.base import StoreUnavailable
from apps.metrics.store.front import Store

pytestmark = pytest.mark.usefixtures("store", "now")


@pytest.fixture
def owner(db: None) -> User:
    return User.objects.create_superuser("anna", password="brine-and-copper-42")


@pytest.fixture
def api(client: Client, owner: User) -> Client:
    client.force_login(owner)
    return client


def error(response) -> dict[str, str | None]:  # type: ignore[no-untyped-def]
    assert response["Content-Type"] == "application/json"
    body = response.json()
    assert list(body) == ["error"]
    assert set(body["error"]) == {"code", "message", "field"}
    assert body["error"]["message"]
    return dict(body["error"])


def test_nobody_gets_401_anywhere_under_the_api(client: Client, owner: User) -> None:
    for address in ("/api/status", "/api/openapi.json", "/api/docs", "/api/nothing", "/api/"):
        response = client.get(address)
        assert (address, response.status_code, error(response)["code"]) == (address, 401, "unauthorized")


def test_an_unknown_address_is_404(api: Client) -> None:
    response = api.get("/api/nothing")
    assert (response.status_code, error(response)["code"]) == (404, "not_found")


def test_a_wrong_method_is_405_and_says_which_are_right(api: Client) -> None:
    response = api.delete("/api/status")
    assert (response.status_code, error(response)["code"]) == (405, "invalid")
    assert response["Allow"] == "GET"


def test_a_write_without_csrf_token_is_403(owner: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(owner)
    response = client.post("/api/changelog", {"text": "x"}, content_type="application/json")
    assert (response.status_code, error(response)["code"]) == (403, "forbidden")


def test_a_write_with_the_csrf_token_of_the_cookie_is_taken(owner: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(owner)
    client.get("/settings")
    response = client.post(
        "/api/changelog",
        {"text": "x"},
        content_type="application/json",
        headers={"X-CSRFToken": client.cookies["csrftoken"].value},
    )
    assert response.status_code == 201


def test_a_body_that_is_no_json_is_400(api: Client) -> None:
    response = api.post("/api/changelog", "{", content_type="application/json")
    assert (response.status_code, error(response)["code"]) == (400, "invalid")
    response = api.post("/api/changelog", {"text": "x"})
    assert (response.status_code, error(response)["code"]) == (400, "invalid")


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("", "series"),
        ("series=power_w&to=2026-11-23T12:00:00Z", "from"),
        ("series=power_w&from=2026-11-23T12:00:00&to=2026-11-23T13:00:00Z", "from"),
        ("series=power_w&from=2026-11-23&to=2026-11-23T13:00:00Z", "from"),
        ("series=power_w&from=yesterday&to=2026-11-23T13:00:00Z", "from"),
        ("series=power_w&from=2026-11-23T12:00:00Z&to=9999-12-31T23:00:00Z", "to"),
        ("series=power_w&from=0001-01-01T00:00:00Z&to=2026-11-23T12:00:00Z", "from"),
        ("series=power_w&from=2026-11-23T12:00:00Z&to=2026-11-23T12:00:00Z", "to"),
        ("series=power_w&from=2026-11-23T12:00:00Z&to=2026-11-23T13:00:00Z&points=9", "points"),
        ("series=power_w&from=2026-11-23T12:00:00Z&to=2026-11-23T13:00:00Z&points=5001", "points"),
        ("series=power_w&from=2026-11-23T12:00:00Z&to=2026-11-23T13:00:00Z&points=many", "points"),
        ("series=power_w&from=2026-11-23T12:00:00Z&to=2026-11-23T13:00:00Z&format=xml", "format"),
        ("series=power&from=2026-11-23T12:00:00Z&to=2026-11-23T13:00:00Z", "series"),
        ("series='%20OR%201=1&from=2026-11-23T12:00:00Z&to=2026-11-23T13:00:00Z", "series"),
        ('series=")%20|>%20drop()&from=2026-11-23T12:00:00Z&to=2026-11-23T13:00:00Z', "series"),
        ("series=power_w&from=2026-11-23T12:00:00Z&to=2026-11-23T13:00:00Z&site=x", "site"),
    ],
)
def test_nonsense_in_a_query_is_400_and_names_the_field(api: Client, query: str, field: str) -> None:
    response = api.get(f"/api/history?{query}")
    told = error(response)
    assert (response.status_code, told["code"], told["field"]) == (400, "invalid", field)


def test_an_unknown_series_is_answered_with_the_names(api: Client) -> None:
    response = api.get("/api/history?series=x&from=2026-11-23T12:00:00Z&to=2026-11-23T13:00:00Z")
    assert "outside_temperature_c" in str(error(response)["message"])


@pytest.mark.parametrize("site_id", ["99", "0", "-1", str(2**63)])
def test_an_unknown_site_is_404(api: Client, site: Site, site_id: str) -> None:
    response = api.get(f"/api/status?site={site_id}")
    assert (response.status_code, error(response)["field"]) == (404, "site")


def test_a_store_that_does_not_answer_is_503(api: Client, store: Store) -> None:
    store.close()
    with pytest.raises(StoreUnavailable):
        store.extent(1, "meter")
    response = api.get("/api/status")
    assert (response.status_code, error(response)["code"]) == (503, "unavailable")


def test_sentences_follow_the_readers_language(api: Client, now: datetime) -> None:
    api.cookies["django_language"] = "de"
    assert api.get("/api/status").status_code == 200
