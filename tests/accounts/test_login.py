"""The login page and its guard."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
import time_machine
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client

from apps.accounts.models import AuditEntry

from .conftest import PASSWORD

START = datetime(2026, 11, 24, 12, tzinfo=UTC)


def attempt(client: Client, username: str, password: str, address: str = "192.168.1.20"):  # type: ignore[no-untyped-def]
    return client.post("/login", {"username": username, "password": password}, REMOTE_ADDR=address)


def test_the_right_password_opens_the_overview_with_a_new_session(client: Client, owner: User) -> None:
    client.get("/login")
    before = client.session.session_key
    response = attempt(client, "anna", PASSWORD)
    assert (response.status_code, response["Location"]) == (302, "/")
    assert client.session.session_key != before


def test_the_address_to_return_to_must_be_our_own(client: Client, owner: User) -> None:
    response = client.post("/login?next=https://evil.example/", {"username": "anna", "password": PASSWORD})
    assert response["Location"] == "/"


def test_an_unknown_user_reads_the_same_as_a_wrong_password(client: Client, owner: User) -> None:
    token = re.compile(r'(csrfmiddlewaretoken" value=|X-CSRFToken": )"[^"]+"')
    known = token.sub("", attempt(client, "anna", "wrong").content.decode())
    unknown = token.sub("", attempt(client, "nobody", "wrong").content.decode())
    assert "Wrong user name or password" in known
    assert known == unknown.replace("nobody", "anna")


def test_five_failures_close_the_door_for_a_minute_even_to_the_right_password(
    client: Client, owner: User
) -> None:
    with time_machine.travel(START, tick=False) as traveller:
        for _ in range(5):
            response = attempt(client, "anna", "wrong")
        assert response.status_code == 429
        assert response["Retry-After"] == "60"
        assert attempt(client, "anna", PASSWORD).status_code == 429
        traveller.shift(timedelta(seconds=61))
        assert attempt(client, "anna", PASSWORD).status_code == 302


def test_tries_at_the_closed_door_are_not_written_down(client: Client, owner: User) -> None:
    for _ in range(5 + 20):
        attempt(client, "anna", "wrong")
    assert AuditEntry.objects.filter(action="login_failed").count() == 5


def test_each_further_five_failures_close_it_four_times_as_long(client: Client, owner: User) -> None:
    with time_machine.travel(START, tick=False) as traveller:
        for minutes in (1, 4, 16, 60, 60):
            for _ in range(5):
                response = attempt(client, "anna", "wrong")
            assert response["Retry-After"] == str(minutes * 60)
            traveller.shift(timedelta(minutes=minutes, seconds=1))


def test_the_owner_at_another_address_is_not_locked_out(client: Client, owner: User) -> None:
    for _ in range(8):
        attempt(client, "anna", "wrong", address="192.168.1.66")
    assert attempt(client, "anna", PASSWORD, address="192.168.1.20").status_code == 302


def test_a_forwarded_address_counts_only_from_the_configured_proxy(client: Client, owner: User) -> None:
    for number in range(5):
        response = client.post(
            "/login",
            {"username": "anna", "password": "wrong"},
            REMOTE_ADDR="192.168.1.66",
            headers={"X-Forwarded-For": f"10.0.0.{number}"},
        )
    assert response.status_code == 429


def test_a_session_is_dead_after_logout(client: Client, owner: User) -> None:
    attempt(client, "anna", PASSWORD)
    stolen = client.cookies["heatmon_session"].value
    assert client.post("/logout").status_code == 302
    other = Client()
    other.cookies["heatmon_session"] = stolen
    assert other.get("/settings").status_code == 302


def test_a_session_is_dead_after_the_password_was_changed(client: Client, owner: User) -> None:
    attempt(client, "anna", PASSWORD)
    owner.set_password("another-long-password-7")
    owner.save()
    assert client.get("/settings").status_code == 302


def test_a_get_does_not_log_out(signed_in: Client) -> None:
    assert signed_in.get("/logout").status_code == 405
    assert signed_in.get("/settings").status_code == 200


@pytest.mark.parametrize("address", ["/login", "/setup"])
def test_no_password_is_asked_for_where_it_would_travel_in_the_clear(
    client: Client, owner: User, settings: LazySettings, address: str
) -> None:
    settings.PLAIN_HTTP = False
    response = client.get(address)
    assert response.status_code == 403
    assert "HEATMON_LAN_HTTP" in response.content.decode()
    assert client.post(address, {"username": "anna", "password": PASSWORD}).status_code == 403
    assert client.get("/login", secure=True).status_code == 200


def test_logins_and_failures_are_written_down_without_the_password(client: Client, owner: User) -> None:
    attempt(client, "anna", "wrong-canary")
    attempt(client, "anna", PASSWORD)
    client.post("/logout")
    entries = list(AuditEntry.objects.order_by("id"))
    assert [(entry.action, entry.actor) for entry in entries] == [
        ("login_failed", "anna"),
        ("login", "anna"),
        ("logout", "anna"),
    ]
    assert entries[0].address == "192.168.1.20"
    assert not any("canary" in f"{entry.detail}{entry.actor}" for entry in entries)


@pytest.mark.parametrize("typed", ["anna ", " anna", "ａnna", "anna\u00a0"])
def test_a_name_typed_in_another_way_is_the_same_account_to_the_guard(
    client: Client, owner: User, typed: str
) -> None:
    with time_machine.travel(START, tick=False) as traveller:
        for _ in range(2):
            for _ in range(5):
                attempt(client, "anna", "wrong")
            traveller.shift(timedelta(seconds=61))
        assert attempt(client, typed, PASSWORD).status_code == 429
        assert attempt(client, "anna", PASSWORD).status_code == 429


def test_a_failure_of_another_account_does_not_shorten_the_delay(client: Client, owner: User) -> None:
    with time_machine.travel(START, tick=False) as traveller:
        for _ in range(2):
            for _ in range(5):
                attempt(client, "anna", "wrong")
            traveller.shift(timedelta(seconds=61))
        attempt(client, "nobody", "wrong")
        assert attempt(client, "anna", PASSWORD).status_code == 429


def test_a_success_forgets_the_failures_before_it(client: Client, owner: User) -> None:
    with time_machine.travel(START, tick=False) as traveller:
        for _ in range(2):
            for _ in range(5):
                attempt(client, "anna", "wrong")
            traveller.shift(timedelta(minutes=4, seconds=1))
        assert attempt(client, "anna", PASSWORD).status_code == 302
        client.post("/logout")
        for _ in range(5):
            response = attempt(client, "anna", "wrong")
        assert response["Retry-After"] == "60"


@pytest.mark.parametrize("arguments", [("axes_reset",), ("axes_reset_username", "anna")])
def test_a_reset_on_the_server_forgets_the_failures(
    client: Client, owner: User, arguments: tuple[str, ...]
) -> None:
    with time_machine.travel(START, tick=False):
        for _ in range(5):
            attempt(client, "anna", "wrong")
        call_command(*arguments, stdout=StringIO())
        for _ in range(5):
            response = attempt(client, "anna", "wrong")
        assert response["Retry-After"] == "60"
