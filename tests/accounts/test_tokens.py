"""API tokens: made, used, refused, revoked."""

from __future__ import annotations

from datetime import datetime, timedelta
from io import StringIO

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client

from apps.accounts.models import ApiToken, AuditEntry
from apps.accounts.tokens import create_token
from apps.devices import clock


def get(client: Client, plain: str, address: str = "/api/status"):  # type: ignore[no-untyped-def]
    return client.get(address, headers={"Authorization": f"Bearer {plain}"})


def write(client: Client, plain: str):  # type: ignore[no-untyped-def]
    return client.post(
        "/api/changelog",
        {"text": "Filter cleaned"},
        content_type="application/json",
        headers={"Authorization": f"Bearer {plain}"},
    )


def test_the_command_prints_a_token_that_reads_but_does_not_write(client: Client, owner: User) -> None:
    out = StringIO()
    call_command("create_api_token", "Spreadsheet", stdout=out)
    plain = out.getvalue().strip()
    assert plain.startswith("hm_")
    assert get(client, plain).status_code == 200
    refused = write(client, plain)
    assert refused.status_code == 403
    assert refused.json()["error"]["code"] == "forbidden"
    assert ApiToken.objects.get().user == owner


def test_a_token_with_write_writes_notes_under_its_name(client: Client, owner: User) -> None:
    _, plain = create_token("Home Assistant", write=True, at=clock.now(), user=owner)
    response = write(client, plain)
    assert response.status_code == 201
    assert response.json()["author"] == "Home Assistant"


def test_only_the_hash_is_stored(client: Client, owner: User) -> None:
    token, plain = create_token("Spreadsheet", write=False, at=clock.now())
    assert len(token.digest) == 64
    stored = " ".join(str(value) for value in ApiToken.objects.values().get().values())
    assert plain not in stored
    assert plain.startswith(token.prefix)


@pytest.mark.parametrize("plain", ["", "hm_wrong", "x" * 5000, "hm_ä"])
def test_an_unknown_token_is_refused(client: Client, owner: User, plain: str) -> None:
    response = get(client, plain)
    assert response.status_code == 401
    assert response.json()["error"]["code"] == "unauthorized"


def test_a_token_ends_when_it_expires_or_is_revoked(client: Client, owner: User, now: datetime) -> None:
    token, plain = create_token("a", write=False, at=now, expires_at=now + timedelta(days=1))
    with clock.fixed(now + timedelta(hours=23)):
        assert get(client, plain).status_code == 200
    with clock.fixed(now + timedelta(hours=24)):
        assert get(client, plain).status_code == 401
    token.revoked_at = now
    token.save()
    assert get(client, plain).status_code == 401


def test_its_use_is_noted_at_most_once_a_minute(client: Client, owner: User, now: datetime) -> None:
    token, plain = create_token("a", write=False, at=now)
    get(client, plain)
    with clock.fixed(now + timedelta(seconds=59)):
        get(client, plain)
    token.refresh_from_db()
    assert token.last_used_at == now
    with clock.fixed(now + timedelta(seconds=61)):
        get(client, plain)
    token.refresh_from_db()
    assert token.last_used_at == now + timedelta(seconds=61)


def test_a_token_of_a_closed_account_opens_nothing(client: Client, owner: User) -> None:
    _, plain = create_token("a", write=False, at=clock.now(), user=owner)
    owner.is_active = False
    owner.save()
    assert get(client, plain).status_code == 401


def test_a_token_does_not_open_pages(client: Client, owner: User) -> None:
    _, plain = create_token("a", write=True, at=clock.now(), user=owner)
    assert get(client, plain, "/settings").status_code == 302


@pytest.mark.parametrize(
    "arguments", [["a", "--user", "nobody"], [""], ["a", "--expires", "0"], ["a", "--expires", "soon"], []]
)
def test_wrong_use_of_the_command_makes_no_token(owner: User, arguments: list[str]) -> None:
    with pytest.raises(CommandError):
        call_command("create_api_token", *arguments)
    assert not ApiToken.objects.exists()


def test_an_unknown_user_ends_the_command_with_2(owner: User) -> None:
    with pytest.raises(CommandError) as ended:
        call_command("create_api_token", "a", "--user", "nobody")
    assert ended.value.returncode == 2


def test_the_settings_page_shows_a_new_token_once_and_revokes_it(signed_in: Client) -> None:
    page = signed_in.post("/settings", {"section": "tokens", "name": "Wall display", "expires": "30"})
    assert page.status_code == 200
    plain = page.context["new_token"]["plain"]
    assert page.content.decode().count(plain) == 1
    assert plain not in signed_in.get("/settings").content.decode()
    assert get(Client(), plain).status_code == 200
    token = ApiToken.objects.get()
    assert signed_in.post("/settings", {"section": "tokens", "revoke": token.pk}).status_code == 302
    assert get(Client(), plain).status_code == 401
    actions = [entry.action for entry in AuditEntry.objects.order_by("id")]
    assert actions[-2:] == ["token_created", "token_revoked"]


def test_another_users_token_cannot_be_revoked(client: Client, owner: User) -> None:
    token, _ = create_token("a", write=False, at=clock.now(), user=owner)
    other = User.objects.create_user("berta", password="some-long-password")
    client.force_login(other)
    assert client.post("/settings", {"section": "tokens", "revoke": token.pk}).status_code == 403
    token.refresh_from_db()
    assert token.revoked_at is None
