"""A reader's own account page, and pages without links to what a reader may not open."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from urllib.parse import urljoin

import pytest
import time_machine
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.test import Client
from django.urls import resolve

from apps.accounts.models import AuditEntry
from apps.accounts.roles import create_reader, may_use
from apps.alerts.models import Alert
from apps.changelog.notes import add_note
from apps.devices.models import SourceState
from apps.devices.options import default_site
from apps.metrics.store.sqlite import SqliteStore
from tests.dashboard import house

from .conftest import NOW, PASSWORD
from .test_access import all_addresses

NEW = "a tank of warm water in the cellar"


@pytest.fixture
def reader(db: None, owner: User) -> User:
    return create_reader("ben", PASSWORD, notes=False)  # type: ignore[no-any-return]


def signed_in_as(name: str, password: str = PASSWORD) -> Client:
    client = Client()
    assert client.post("/login", {"username": name, "password": password}).status_code == 302
    return client


def change(client: Client, present: str = PASSWORD, new: str = NEW, **other: str):  # type: ignore[no-untyped-def]
    data = {"section": "password", "present": present, "password": new, "password_again": new}
    return client.post("/account", {**data, **other})


def test_a_reader_changes_the_password_with_the_present_one_and_all_other_sessions_end(reader: User) -> None:
    here, elsewhere = signed_in_as("ben"), signed_in_as("ben")
    assert change(here)["Location"] == "/account"
    assert "The password is changed." in here.get("/account").content.decode()
    assert elsewhere.get("/").status_code == 302
    assert elsewhere.get("/")["Location"].startswith("/login")
    signed_in_as("ben", NEW)
    assert Client().post("/login", {"username": "ben", "password": PASSWORD}).status_code == 200
    assert AuditEntry.objects.filter(action="password_changed", actor="ben").count() == 1


def test_the_owner_changes_the_own_one_there_too_and_nobody_elses(owner: User, reader: User) -> None:
    assert change(signed_in_as("anna"), username="ben").status_code == 302
    signed_in_as("anna", NEW)
    signed_in_as("ben")


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({"present": "not this one, I think"}, "This is not your present password."),
        ({"present": ""}, "This field is required."),
        ({"password_again": "another sentence here"}, "The two passwords do not match."),
        ({"password": "short", "password_again": "short"}, "too short"),
        ({"password": "benbenbenben", "password_again": "benbenbenben"}, "too similar to the user name"),
    ],
)
def test_a_change_that_will_not_do_is_refused_in_words_and_shows_no_password(
    reader: User, sent: dict[str, str], said: str
) -> None:
    client = signed_in_as("ben")
    answer = change(client, **sent)
    page = answer.content.decode()
    assert (answer.status_code, said in page) == (400, True)
    assert NEW not in page
    assert PASSWORD not in page
    signed_in_as("ben")


def test_five_wrong_present_passwords_close_the_door_as_at_the_login_whatever_name_is_sent(
    reader: User,
) -> None:
    client = signed_in_as("ben")
    answers = [change(client, f"guess number {n} of many", username=f"x{n}").status_code for n in range(6)]
    assert answers == [400, 400, 400, 400, 429, 429]
    assert change(client).status_code == 429, "the right one neither"
    assert Client().post("/login", {"username": "ben", "password": PASSWORD}).status_code == 429
    assert client.get("/").status_code == 200, "who is signed in stays so"


def test_the_door_stays_closed_ever_longer_whatever_name_is_sent(reader: User) -> None:
    with time_machine.travel(NOW, tick=False) as traveller:
        client = signed_in_as("ben")
        for minutes in (1, 4, 16):
            for n in range(5):
                answer = change(client, f"guess {n}", username=f"x{n}")
            assert answer["Retry-After"] == str(minutes * 60)
            traveller.shift(timedelta(minutes=minutes, seconds=1))


def test_a_right_one_forgets_the_wrong_ones_before_it(reader: User) -> None:
    client = signed_in_as("ben")
    for present, new in ((PASSWORD, NEW), (NEW, PASSWORD)):
        assert [change(client, f"guess {n}", new).status_code for n in range(4)] == [400] * 4
        assert change(client, present, new).status_code == 302


def test_where_a_password_would_travel_in_the_clear_none_is_changed(
    reader: User, settings: LazySettings
) -> None:
    client = signed_in_as("ben")
    settings.PLAIN_HTTP = False
    assert change(client).status_code == 403
    signed_in_with_tls = Client().post("/login", {"username": "ben", "password": PASSWORD}, secure=True)
    assert signed_in_with_tls.status_code == 302


def test_a_reader_chooses_language_and_theme(reader: User) -> None:
    client = signed_in_as("ben")
    answer = client.post("/account", {"section": "language", "language": "de", "theme": "dark"})
    assert answer["Location"] == "/account"
    assert '<html lang="de" data-theme="dark">' in client.get("/account").content.decode()
    assert client.post("/account", {"section": "language", "language": "fr"}).status_code == 400


def test_in_the_demo_there_is_no_account_to_change(client: Client, db: None, settings: LazySettings) -> None:
    settings.DEMO = True
    assert client.get("/account")["Location"] == "/settings"
    assert change(client)["Location"] == "/settings"


def prepare(kind: str, store: SqliteStore, owner: User) -> None:
    """Bring the home into a state: nothing set up, an hour old, or with days, notes, faults and alerts."""
    site = default_site()
    if kind == "empty":
        return
    house.set_up(site)
    house.fill(store, site, NOW - timedelta(hours=1 if kind == "an hour" else 24 * 12), NOW)
    if kind == "days":
        add_note(site, "new window", NOW - timedelta(days=3), owner)
        Alert.objects.create(site=site, kind="backup_old", details={"failure": "no_room"}, raised_at=NOW)
        for source in SourceState.Source.values:
            SourceState.objects.create(site=site, source=source, error_code="other_meter", last_error_at=NOW)


def links_and_forms(page: str, address: str) -> set[tuple[str, bool]]:
    """Return the addresses of this server that a page leads or sends to."""
    links = {
        (urljoin(address, unescape(one)), False) for one in re.findall(r'<a\b[^>]*? href="([^"]*)"', page)
    }
    forms = {
        (urljoin(address, unescape((re.findall(r' action="([^"]*)"', form) or [address])[0])), True)
        for form in re.findall(r"<form\b[^>]*>", page)
        if 'method="post"' in form
    }
    found = {(one.partition("#")[0].partition("?")[0], sends) for one, sends in links | forms}
    return {(one, sends) for one, sends in found if one.startswith("/")}


@pytest.mark.parametrize("kind", ["empty", "an hour", "days"])
def test_no_page_of_a_reader_leads_or_sends_to_what_a_reader_may_not(
    kind: str, reader: User, owner: User, store: SqliteStore
) -> None:
    prepare(kind, store, owner)
    client = signed_in_as("ben")
    closed = []
    pages = [one for one in all_addresses() if not one.startswith(("/api/", "/admin/", "/logout"))]
    for address in pages:
        answer = client.get(address)
        if answer.status_code == 200 and "text/html" in answer["Content-Type"]:
            for target, sends in links_and_forms(answer.content.decode(), address):
                if not may_use(reader, resolve(target).view_name, changes=sends):
                    closed.append((address, target, sends))
    assert closed == []
    assert len(pages) > 20
