"""No request, however odd, ends in an error of the server: make fuzz sends 500 to each address, this a few.

A request that once did stands in KNOWN with its answer.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.core.exceptions import TooManyFieldsSent
from django.test import Client

from apps.accounts.tokens import create_token
from apps.changelog.notes import add_note
from apps.devices import clock
from apps.devices.options import default_site
from apps.metrics.apps import use_store
from apps.metrics.store.sqlite import SqliteStore
from tests.accounts.test_access import all_addresses
from tests.dashboard.house import fill, set_up
from tests.fuzzing import Sent, requests

pytestmark = pytest.mark.slow

REQUESTS = int(os.environ.get("HEATMON_FUZZ_REQUESTS", "2"))
SEED = int(os.environ.get("HEATMON_FUZZ_SEED", "1"))
NOW = datetime(2026, 11, 23, 13, 5, 8, tzinfo=UTC)
FORM = "application/x-www-form-urlencoded"
MANY = "&".join(f"a{number}=1" for number in range(1500))


@pytest.fixture(autouse=True)
def home(tmp_path: Path, settings: LazySettings, db: None) -> Iterator[None]:
    """A house with data and a note, whose clouds and meters are not reached."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.HOME_DATA_DIR = settings.DATA_DIR = tmp_path
    nowhere = {"viessmann_api_url": "http://127.0.0.1:9", "viessmann_iam_url": "http://127.0.0.1:9"}
    settings.HEATMON = replace(settings.HEATMON, values={**settings.HEATMON.values, **nowhere})
    store = SqliteStore(tmp_path / "timeseries.sqlite3", synchronous="OFF")
    with use_store(store), clock.fixed(NOW):
        site = default_site()
        set_up(site, shelly_url="http://127.0.0.1:9")
        fill(store, site, NOW - timedelta(hours=1), NOW, polls=False)
        add_note(site, "a note", NOW - timedelta(hours=1), "anna", now=NOW)
        yield
    store.close()


def client_of(who: str) -> Client:
    """A browser that shows errors of the server as their answer."""
    client = Client(raise_request_exception=False)
    owner = User.objects.filter(username="anna").first() or User.objects.create_superuser("anna")
    if who == "owner":
        client.force_login(owner)
    if who == "reader":
        client.force_login(User.objects.filter(username="ben").first() or User.objects.create_user("ben"))
    if who == "token":
        _token, plain = create_token("script", write=True, at=NOW, user=owner)
        client.defaults["HTTP_AUTHORIZATION"] = f"Bearer {plain}"
    return client


def send(client: Client, sent: Sent) -> int:
    given: Any = sent.headers
    try:
        response = client.generic(sent.method, sent.path, sent.body, sent.content_type, **given)
    except TooManyFieldsSent:
        return 400  # before there is a request: heatmon/wsgi.py answers, see test_wsgi.py
    return int(response.status_code)


@pytest.mark.parametrize("address", all_addresses())
@pytest.mark.parametrize("who", ["nobody", "owner", "reader"])
@pytest.mark.filterwarnings("ignore")
def test_no_request_ends_in_an_error_of_the_server(address: str, who: str) -> None:
    if address == "/logout":
        who = "nobody"
    failed = []
    for number, sent in enumerate(requests(address, SEED, REQUESTS)):
        if number % 20 == 0:
            client = client_of(who)
        status = send(client, sent)
        if status >= 500:
            failed.append((status, sent))
    assert failed == []


UTF_16 = f"{FORM}; charset=utf-16"
CONFUSED = {"HTTP_HX_REQUEST": "true", "HTTP_HX_CURRENT_URL": "http://[x"}
JSON = "application/json"
LARGE = b"a" * 1_000_001


def post(path: str, body: bytes, content_type: str = FORM) -> Sent:
    return Sent(method="POST", path=path, body=body, content_type=content_type)


def get(path: str, **headers: str) -> Sent:
    return Sent(method="GET", path=path, headers=headers)


KNOWN = [
    ("nobody", get("/", **CONFUSED), 401),
    ("owner", get("/history?to=9999-12-31"), 400),
    ("owner", get("/history?to=1969-12-31"), 400),
    ("owner", get("/history?from=0001-01-01&to=0001-01-02"), 400),
    ("owner", get("/history?from=9999-12-30&to=9999-12-31"), 400),
    ("owner", get(f"/history?{MANY}"), 400),
    ("owner", get(f"/api/status?{MANY}"), 400),
    ("owner", post("/settings", MANY.encode()), 400),
    ("owner", post("/settings", "section=house".encode("utf-16"), UTF_16), 400),
    ("nobody", post("/login", "username=anna".encode("utf-16"), UTF_16), 400),
    ("nobody", post("/login", b"a=1", f"{FORM}; charset=nonsense"), 200),
    ("owner", get("/admin/changelog/entry/?text__iregex=["), 400),
    ("owner", get("/admin/auth/user/?username__regex=["), 400),
    ("owner", get("/admin/changelog/entry/add/?at=2026-11-23T12:00:00Z"), 200),
    ("owner", get("/api/"), 302),
    ("owner", Sent(method="POST", path="/settings", headers={"CONTENT_LENGTH": "x"}), 400),
    ("owner", post("/settings", LARGE), 413),
    ("nobody", post("/login", LARGE, "multipart/form-data; boundary=x"), 413),
    ("token", post("/api/changelog", LARGE, JSON), 413),
]


@pytest.mark.parametrize(("who", "sent", "status"), KNOWN)
@pytest.mark.filterwarnings("ignore")
def test_what_once_was_an_error_of_the_server_is_refused(who: str, sent: Sent, status: int) -> None:
    assert send(client_of(who), sent) == status


@pytest.mark.parametrize(
    ("sent", "status"), [(get(f"/api/status?{MANY}"), 400), (post("/api/changelog", LARGE, JSON), 413)]
)
def test_under_the_api_a_refusal_has_the_documented_shape(sent: Sent, status: int) -> None:
    response = client_of("token").generic(sent.method, sent.path, sent.body, sent.content_type)
    assert response.status_code == status
    error = response.json()["error"]
    assert (error["code"], set(error)) == ("invalid", {"code", "message", "field"})


def test_a_page_refused_says_so_and_a_wrong_name_says_what_to_do() -> None:
    assert (
        "This request could not be understood." in client_of("owner").get(f"/history?{MANY}").content.decode()
    )
    elsewhere = client_of("nobody").get("/login", headers={"Host": "evil.example"})
    assert "HEATMON_ALLOWED_HOSTS" in elsewhere.content.decode()
