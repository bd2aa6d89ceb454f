"""What a reader may do, beside the owner who may do all."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from apps.accounts.models import AuditEntry
from apps.accounts.roles import NEEDED, allow_notes, create_reader
from apps.accounts.tokens import create_token
from apps.changelog.models import Entry

from .conftest import NOW, PASSWORD
from .test_access import all_addresses

CHANGES = ("post", "put", "patch", "delete")


@pytest.fixture
def reader(db: None, owner: User) -> User:
    return create_reader("ben", PASSWORD, notes=False)  # type: ignore[no-any-return]


@pytest.fixture
def reading(reader: User) -> Client:
    client = Client()
    client.force_login(reader)
    return client


def test_the_table_of_what_is_needed_names_addresses_that_exist() -> None:
    with_number = ("changelog:note_edit", "changelog:note_delete")
    for name in NEEDED:
        with_name = name in ("dashboard:setup_step", "dashboard:setup_later")
        arguments = [1] if name in with_number else ["meter"] if with_name else []
        assert reverse(name, args=arguments)


@pytest.mark.parametrize(
    "address", ["/", "/history", "/energy", "/efficiency", "/changes", "/health", "/documentation"]
)
def test_a_reader_sees_the_pages(reading: Client, address: str) -> None:
    page = reading.get(address)
    assert page.status_code == 200
    assert 'aria-label="Settings"' not in page.content.decode()


def test_a_reader_sees_no_settings_no_setup_and_no_admin(reading: Client) -> None:
    closed = [one for one in all_addresses() if one.startswith(("/settings", "/setup/", "/admin/"))]
    assert len(closed) > 10
    for address in closed:
        for method in ("get", "post"):
            assert (address, getattr(reading, method)(address).status_code) == (address, 403)
    assert "Ask the owner" in reading.get("/settings").content.decode()


def test_a_reader_changes_nothing_anywhere_but_the_own_session(reading: Client, reader: User) -> None:
    """Whatever address comes later is closed until it is opened by name."""
    for address in all_addresses():
        if address in {"/login", "/setup", "/logout", "/account", "/healthz", "/readyz"}:
            continue
        for method in CHANGES:
            answer = getattr(reading, method)(address, content_type="application/json")
            # The API looks at the body first.
            refused = {400, 403, 405} if address.startswith("/api/") else {403, 405}
            assert answer.status_code in refused, (method, address, answer.status_code)
    assert reading.post("/logout").status_code == 302


def test_the_price_is_the_owners(reading: Client, signed_in: Client) -> None:
    form = {"section": "price", "electricity_price": "0.31"}
    assert reading.post("/settings", form).status_code == 403
    assert signed_in.post("/settings", form).status_code == 302


def test_a_reader_makes_and_revokes_no_tokens(reading: Client, signed_in: Client) -> None:
    signed_in.post("/settings", {"section": "tokens", "name": "script"})
    for form in ({"section": "tokens", "name": "mine", "write": "on"}, {"section": "tokens", "revoke": "1"}):
        assert reading.post("/settings", form).status_code == 403


def test_notes_are_the_readers_where_the_owner_allows_them(reading: Client, reader: User) -> None:
    note = {"text": "new window"}
    assert 'name="text"' not in reading.get("/changes").content.decode()
    assert reading.post("/changes/add", note).status_code == 403
    allow_notes(reader, True)
    assert 'name="text"' in reading.get("/changes").content.decode()
    assert reading.post("/changes/add", note).status_code == 302
    entry = Entry.objects.get()
    assert entry.author_name == "ben"
    allow_notes(reader, False)
    for address in (f"/changes/{entry.pk}/edit", f"/changes/{entry.pk}/delete"):
        assert reading.get(address).status_code == 403
        assert reading.post(address, {"version": "1", "text": "x"}).status_code == 403


@pytest.mark.parametrize(("allowed", "status"), [(False, 403), (True, 201)])
def test_the_api_writes_for_a_reader_only_what_the_pages_do(
    reading: Client, reader: User, allowed: bool, status: int
) -> None:
    allow_notes(reader, allowed)
    body = {"text": "new window"}
    assert reading.get("/api/status").status_code == 200
    assert reading.post("/api/changelog", body, content_type="application/json").status_code == status
    _token, plain = create_token("script", write=True, at=NOW, user=reader)
    sent = {"Authorization": f"Bearer {plain}"}
    answer = Client().post("/api/changelog", body, content_type="application/json", headers=sent)
    assert answer.status_code == status


def test_the_owner_adds_a_reader_allows_notes_and_removes_the_account(
    signed_in: Client, reading: Client, reader: User
) -> None:
    form = {"section": "accounts", "username": "cleo", "password": PASSWORD}
    assert signed_in.post("/settings", form)["Location"] == "/settings#accounts"
    cleo = User.objects.get(username="cleo")
    assert (cleo.is_superuser, cleo.is_staff, cleo.has_perm("changelog.add_entry")) == (False, False, False)
    assert Client().post("/login", {"username": "cleo", "password": PASSWORD})["Location"] == "/"
    signed_in.post("/settings", {"section": "accounts", "allow": str(reader.pk)})
    assert User.objects.get(username="ben").has_perm("changelog.add_entry")
    signed_in.post("/settings", {"section": "accounts", "remove": str(reader.pk)})
    assert reading.get("/")["Location"].startswith("/login"), "the session ended with the account"
    kept = AuditEntry.objects.exclude(action="login").order_by("id").values_list("action", "actor", "detail")
    assert list(kept) == [
        ("account_created", "anna", "cleo"),
        ("account_changed", "anna", "ben: allow notes"),
        ("account_removed", "anna", "ben"),
    ]


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        ({"username": "ben", "password": PASSWORD}, "A user with that username already exists."),
        ({"username": "cleo", "password": "short"}, "This password is too short."),
        ({"username": "c leo", "password": PASSWORD}, "Enter a valid username."),
        ({"username": "", "password": PASSWORD}, "This field is required."),
    ],
)
def test_an_account_that_will_not_do_is_not_made(
    signed_in: Client, reader: User, form: dict[str, str], sentence: str
) -> None:
    answer = signed_in.post("/settings", {"section": "accounts", **form})
    assert answer.status_code == 400
    assert sentence in answer.content.decode()
    assert User.objects.count() == 2


@pytest.mark.parametrize("pk", ["1", "x", "9" * 30])
def test_an_owner_is_not_removed_on_the_settings_page(signed_in: Client, owner: User, pk: str) -> None:
    signed_in.post("/settings", {"section": "accounts", "remove": str(owner.pk) if pk == "1" else pk})
    assert User.objects.filter(pk=owner.pk).exists()
