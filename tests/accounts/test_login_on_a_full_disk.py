"""A full disk keeps nobody out, and lets nobody guess."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.backends.base import UpdateError
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.db import OperationalError, connection
from django.test import Client

from apps.accounts.models import ApiToken, AuditEntry
from apps.accounts.tokens import create_token
from apps.devices.options import default_site
from tests.full_disk import full_disk, make_room

from .conftest import NOW, PASSWORD
from .test_login import attempt

pytestmark = pytest.mark.skipif(connection.vendor != "sqlite", reason="on a server the disk is the server's")
WRONG = "Wrong user name or password"


@pytest.fixture
def full(transactional_db: None, owner: User) -> Iterator[None]:
    default_site()
    User.objects.create_user("bert", password=PASSWORD)
    with full_disk():
        yield


def test_sqlite_refuses_what_changes_a_row_and_takes_what_changes_none(full: None) -> None:
    assert User.objects.filter(username="nobody").update(first_name="N.") == 0
    assert User.objects.filter(username="nobody").delete() == (0, {})
    for write in (
        lambda: User.objects.update(first_name="A."),
        lambda: User.objects.filter(username="anna").delete(),
        lambda: User.objects.create_user("carl"),
    ):
        with pytest.raises(OperationalError, match="database or disk is full"):
            write()
    assert list(User.objects.order_by("pk").values_list("username", "first_name")) == [
        ("anna", ""),
        ("bert", ""),
    ]


@pytest.mark.parametrize("name", ["anna", "bert"])
def test_everybody_can_sign_in_stays_signed_in_and_can_sign_out(
    client: Client, full: None, name: str
) -> None:
    answer = attempt(client, name, PASSWORD)
    assert (answer.status_code, answer["Location"]) == (302, "/")
    assert [client.get("/account").status_code for _ in range(3)] == [200, 200, 200]
    stolen = client.cookies["heatmon_session"].value
    assert client.post("/logout").status_code == 302
    for who in (client, Client()):
        who.cookies["heatmon_session"] = stolen
        assert who.get("/account").status_code == 302


def test_who_is_signed_in_stays_so_and_can_sign_out(
    client: Client, owner: User, transactional_db: None
) -> None:
    default_site()
    attempt(client, "anna", PASSWORD)
    stolen = client.cookies["heatmon_session"].value
    with full_disk():
        assert client.get("/settings").status_code == 200
        client.post("/logout")
        client.cookies["heatmon_session"] = stolen
        assert client.get("/settings").status_code == 302


def test_a_session_that_began_on_a_full_disk_is_kept_once_there_is_room(client: Client, full: None) -> None:
    attempt(client, "anna", PASSWORD)
    make_room()
    assert client.get("/settings").status_code == 200
    session = client.session
    session["seen"] = True
    for _ in range(2):
        session.save()
    assert Session.objects.count() == 1
    cache.clear()  # as a restart does
    assert client.get("/settings").status_code == 200
    client.post("/logout")
    assert Session.objects.count() == 0


def test_a_request_that_ends_after_signing_out_brings_no_session_back(client: Client, full: None) -> None:
    attempt(client, "anna", PASSWORD)
    late = client.session
    late["seen"] = True
    stolen = client.cookies["heatmon_session"].value
    client.post("/logout")
    with pytest.raises(UpdateError):
        late.save()
    client.cookies["heatmon_session"] = stolen
    assert client.get("/settings").status_code == 302


def test_a_wrong_password_reads_as_ever_whoever_is_named(client: Client, full: None) -> None:
    for name in ("anna", "bert", "nobody"):
        answer = attempt(client, name, "wrong")
        assert (answer.status_code, WRONG in answer.content.decode()) == (200, True)


def test_nobody_guesses_more_often_than_otherwise(client: Client, full: None) -> None:
    assert [attempt(client, "anna", "wrong").status_code for _ in range(5)] == [200, 200, 200, 200, 429]
    refused = attempt(client, "anna", PASSWORD)
    assert (refused.status_code, refused["Retry-After"]) == (429, "3600")
    assert attempt(client, "anna", PASSWORD, address="192.168.1.30").status_code == 302


def test_with_room_again_failures_are_counted_in_the_database(client: Client, full: None) -> None:
    attempt(client, "anna", "wrong")
    make_room()
    attempt(client, "anna", "wrong")
    assert list(AuditEntry.objects.values_list("action", flat=True)) == ["login_failed"]


def test_a_token_reads_on_though_its_use_cannot_be_noted(
    client: Client, owner: User, transactional_db: None
) -> None:
    default_site()
    _token, plain = create_token("script", write=False, at=NOW)
    with full_disk():
        answer = client.get("/api/status", headers={"Authorization": f"Bearer {plain}"})
    assert (answer.status_code, ApiToken.objects.get().last_used_at) == (200, None)


def test_values_can_be_taken_away_and_the_log_says_who_did(
    client: Client, owner: User, transactional_db: None, caplog: pytest.LogCaptureFixture
) -> None:
    default_site()
    client.force_login(owner)
    with full_disk():
        answer = client.get("/energy?format=csv")
    assert (answer.status_code, AuditEntry.objects.filter(action="export").count()) == (200, 0)
    assert [record.getMessage() for record in caplog.records if record.name == "heatmon.access"] == [
        "not written down, as nothing can be: anna exported /energy?format=csv"
    ]


def test_nobody_guesses_links_more_often_than_otherwise(client: Client, full: None) -> None:
    for _ in range(5):
        assert client.get("/v/guess").status_code == 404
    closed = client.get("/v/guess")
    assert (closed.status_code, closed["Retry-After"]) == (429, "3600")
    assert client.get("/v/guess", REMOTE_ADDR="192.168.1.30").status_code == 404
    assert attempt(client, "anna", PASSWORD, address="127.0.0.1").status_code == 302
