"""Who may see what, over every address that heatmon has."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

OPEN = {"/login", "/setup", "/healthz", "/readyz", "/favicon.ico", "/v/1"} | {
    "/manifest.webmanifest",
    "/service-worker.js",
    "/offline",
}


def addresses(patterns: list[URLPattern | URLResolver], prefix: str = "/") -> Iterator[str]:
    """Every address, with a plausible value for each parameter."""
    for pattern in patterns:
        part = str(pattern.pattern).lstrip("^").rstrip("$").replace("\\Z", "")
        for name, value in (
            ("<int:object_id>", "1"),
            ("<path:object_id>", "1"),
            ("<int:content_type_id>", "1"),
            ("<slug:name>", "meter"),
            ("<app_label>", "auth"),
            ("<entry_id>", "1"),
        ):
            part = part.replace(name, value)
        if "<" in part or "(" in part:
            part = part.split("<")[0].split("(")[0] + "1"
        if isinstance(pattern, URLResolver):
            yield from addresses(pattern.url_patterns, prefix + part)
        else:
            yield prefix + part


def all_addresses() -> list[str]:
    return sorted(set(addresses(get_resolver().url_patterns)))


def test_the_walk_finds_the_addresses_it_is_about() -> None:
    found = all_addresses()
    assert {"/", "/settings", "/health", "/login", "/setup", "/admin/", "/api/status"} <= set(found)
    assert len(found) > 40


@pytest.mark.parametrize("method", ["get", "post"])
def test_only_login_setup_probes_and_the_icon_answer_anonymously(
    client: Client, owner: User, method: str
) -> None:
    answered = {}
    for address in all_addresses():
        response = (
            getattr(client, method)(address, content_type="application/json")
            if (method == "post")
            else client.get(address)
        )
        refused = response.status_code in {401, 405} or (
            response.status_code == 302 and response["Location"].startswith("/login")
        )
        if not refused:
            answered[address] = response.status_code
    expected = OPEN if method == "get" else {"/login"}
    # It does not exist unless HEATMON_METRICS says so.
    assert answered.pop("/metrics", 404) == 404
    # setup is closed since there is an account: it leads to the login.
    assert set(answered) == expected - {"/setup"}


def test_without_an_account_every_page_leads_to_setup(client: Client, db: None) -> None:
    for address in ("/", "/settings", "/health", "/admin/", "/login"):
        response = client.get(address)
        assert (address, response.status_code, response["Location"]) == (address, 302, "/setup")


def test_the_login_leads_back_to_where_one_was_going(client: Client, owner: User) -> None:
    assert client.get("/history?range=7d")["Location"] == "/login?next=%2Fhistory%3Frange%3D7d"


def test_a_poll_of_an_ended_session_is_sent_to_the_login(client: Client, owner: User) -> None:
    response = client.get(
        "/", headers={"HX-Request": "true", "HX-Current-URL": "http://testserver/history?range=7d"}
    )
    assert response.status_code == 401
    assert response["HX-Redirect"] == "/login?next=%2Fhistory%3Frange%3D7d"
    assert response.content == b""


def test_in_the_demo_pages_are_open_but_admin_is_closed(
    client: Client, db: None, settings: LazySettings
) -> None:
    settings.DEMO = True
    assert client.get("/health").status_code == 200
    for address in ("/admin/", "/admin/login/", "/admin/auth/user/"):
        response = client.get(address)
        assert response.status_code == 403
        assert "Connect your devices" in response.content.decode()


@pytest.mark.parametrize("section", ["meter", "heat_pump", "tokens"])
def test_in_the_demo_device_credentials_and_tokens_cannot_be_saved(
    client: Client, db: None, settings: LazySettings, section: str
) -> None:
    settings.DEMO = True
    response = client.post("/settings", {"section": section, "shelly_url": "http://192.168.1.9"})
    assert response.status_code == 403


def test_no_page_is_kept_by_a_cache(signed_in: Client) -> None:
    for address in ("/settings", "/health", "/api/status"):
        assert signed_in.get(address)["Cache-Control"] == "no-store, private"


def test_a_form_without_its_csrf_token_is_refused(owner: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(owner)
    assert client.post("/settings", {"section": "house"}).status_code == 403
    assert client.post("/settings", {"section": "house"}, headers={"HX-Request": "true"}).status_code == 403


def test_security_headers_stand_on_every_page(signed_in: Client) -> None:
    response = signed_in.get("/settings")
    policy = response["Content-Security-Policy"]
    for part in ("default-src 'self'", "object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"):
        assert part in policy
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["X-Frame-Options"] == "DENY"


def test_another_host_name_is_refused(client: Client, db: None) -> None:
    assert client.get("/healthz", headers={"Host": "evil.example"}).status_code == 400
