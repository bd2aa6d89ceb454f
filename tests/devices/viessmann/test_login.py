"""Login, refresh and what goes wrong with them, against a cloud on a real port."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from apps.devices.errors import DeviceBusy, DeviceError, DeviceRefused, DeviceUnreachable
from apps.devices.reports import login_ends_soon
from apps.devices.viessmann.client import ViessmannClient
from apps.devices.viessmann.tokens import Login, TokenStore
from apps.devices.wording import words_of

from .cloud import Answer, Cloud
from .conftest import NOON, Clock, MakeClient

LOGIN, REFRESH = ["POST authorize", "POST token"], ["POST token"]


def test_an_access_token_is_refreshed_in_its_last_minute(
    client: ViessmannClient, cloud: Cloud, clock: Clock
) -> None:
    client.fetch()
    cloud.called()
    clock.pass_(minutes=58, seconds=59)
    client.fetch()
    assert cloud.called() == ["GET features"]
    clock.pass_(seconds=1)
    client.fetch()
    assert cloud.called() == [*REFRESH, "GET features"]


def test_a_new_refresh_token_is_saved_and_used(client: ViessmannClient, cloud: Cloud, clock: Clock) -> None:
    cloud.rotates = True
    client.fetch()
    for _ in range(3):
        clock.pass_(hours=1)
        client.fetch()
    cloud.called()
    clock.pass_(hours=1)
    client.fetch()
    assert cloud.called() == [*REFRESH, "GET features"]


def test_the_login_is_warned_of_from_day_166(client: ViessmannClient, clock: Clock) -> None:
    client.fetch()
    ends_at = client.login.refresh_expires_at
    assert ends_at == NOON + timedelta(days=180)
    assert not login_ends_soon(ends_at, NOON + timedelta(days=165, hours=23))
    assert login_ends_soon(ends_at, NOON + timedelta(days=166))


def test_refreshing_without_rotation_does_not_prolong_the_login(
    client: ViessmannClient, clock: Clock
) -> None:
    client.fetch()
    clock.pass_(days=100)
    client.fetch()
    assert client.login.refresh_expires_at == NOON + timedelta(days=180)


def test_an_ended_refresh_token_leads_to_a_login_with_the_password(
    client: ViessmannClient, cloud: Cloud, clock: Clock
) -> None:
    client.fetch()
    cloud.called()
    cloud.refresh_tokens.clear()
    clock.pass_(hours=1)
    client.fetch()
    assert cloud.called() == [*REFRESH, *LOGIN, "GET features"]


def test_without_password_an_ended_login_asks_for_one_and_tries_once_an_hour(
    make_client: MakeClient, cloud: Cloud, clock: Clock
) -> None:
    make_client().fetch()
    cloud.called()
    cloud.refresh_tokens.clear()
    clock.pass_(hours=1)
    client = make_client(user=None, password=None)
    for _ in range(12):
        with pytest.raises(DeviceRefused) as refused:
            client.fetch()
        clock.pass_(minutes=5)
    assert (refused.value.code, words_of(refused.value).hint) == (
        "login_needed",
        "Enter user name and password on the settings page. Next attempt: 22 Jan 2026, 14:00.",
    )
    assert cloud.called() == REFRESH
    with pytest.raises(DeviceRefused):
        client.fetch()
    assert cloud.called() == REFRESH
    make_client().fetch()
    assert cloud.called() == [*REFRESH, *LOGIN, "GET features"]


def test_without_login_and_password_no_call_is_made(make_client: MakeClient, cloud: Cloud) -> None:
    with pytest.raises(DeviceRefused) as refused:
        make_client(user=None, password=None).fetch()
    assert refused.value.code == "login_needed"
    assert cloud.called() == []


def test_a_refused_password_is_sent_again_after_growing_pauses(
    make_client: MakeClient, cloud: Cloud, clock: Clock
) -> None:
    wrong = make_client(password="guess")
    sent_at_minute = []
    for minute in range(0, 26 * 60, 5):
        with pytest.raises(DeviceRefused) as refused:
            wrong.fetch()
        assert refused.value.code == "wrong_credentials"
        sent_at_minute += [minute for _call in cloud.called()]
        clock.pass_(minutes=5)
    assert sent_at_minute == [0, 15, 45, 105, 225, 465, 825, 1185, 1545]
    make_client().fetch()
    assert cloud.called() == [*LOGIN, "GET installations", "GET features"]


def test_a_person_who_tests_the_connection_is_not_made_to_wait(make_client: MakeClient, cloud: Cloud) -> None:
    client = make_client(password="guess")
    for _ in range(2):
        with pytest.raises(DeviceRefused):
            client.find_heat_pumps()
    with pytest.raises(DeviceRefused):
        client.fetch("test")
    assert cloud.called() == ["POST authorize"] * 3


def test_a_wrong_client_id_has_its_own_sentence(make_client: MakeClient) -> None:
    with pytest.raises(DeviceRefused) as refused:
        make_client(client_id="unknown").fetch()
    assert refused.value.code == "wrong_client_id"
    assert "vicare://oauth-callback/everest" in words_of(refused.value).hint


@pytest.mark.parametrize(
    ("answer", "kind", "code"),
    [
        (Answer(500, b"<html>"), DeviceUnreachable, "login_unavailable"),
        (Answer(503, {"error": "invalid_client"}), DeviceUnreachable, "login_unavailable"),
        (Answer(401, {"error": "access_denied"}), DeviceRefused, "wrong_credentials"),
        (Answer(401, b"<html>"), DeviceRefused, "wrong_credentials"),
        (Answer(400, {"error": "unauthorized_client"}), DeviceRefused, "wrong_client_id"),
        (Answer(403, {"error": "account_locked"}), DeviceRefused, "account_locked"),
        (Answer(200, b"<html>Your account is Locked</html>"), DeviceRefused, "account_locked"),
        (Answer(423, b""), DeviceRefused, "account_locked"),
        (
            Answer(302, b"", {"Location": "vicare://oauth-callback/everest?error=invalid_client"}),
            DeviceRefused,
            "wrong_client_id",
        ),
        (
            Answer(302, b"", {"Location": "vicare://oauth-callback/everest?code=c&state=other"}),
            DeviceRefused,
            "wrong_credentials",
        ),
        (Answer(429, b""), DeviceBusy, "rate_limit"),
    ],
)
def test_each_answer_to_a_login_has_its_own_error(
    client: ViessmannClient, cloud: Cloud, answer: Answer, kind: type[DeviceError], code: str
) -> None:
    cloud.authorize.append(answer)
    with pytest.raises(kind) as failed:
        client.fetch()
    assert failed.value.code == code
    assert cloud.called() == ["POST authorize"]


@pytest.mark.parametrize(
    "answer",
    [
        Answer(500, {"error": "server_error"}),
        Answer(400, b"<html>"),
        Answer(400, {"error": "temporarily_unavailable"}),
        Answer(200, b"null"),
        Answer(200, {"token_type": "Bearer"}),
        Answer(200, {"access_token": 7}),
    ],
)
def test_a_fault_of_the_token_endpoint_keeps_the_login(
    client: ViessmannClient, cloud: Cloud, clock: Clock, answer: Answer
) -> None:
    client.fetch()
    clock.pass_(hours=1)
    cloud.called()
    cloud.token.append(answer)
    with pytest.raises(DeviceUnreachable) as failed:
        client.fetch()
    assert failed.value.code == "login_unavailable"
    client.fetch()
    assert cloud.called() == [*REFRESH, *REFRESH, "GET features"]


def test_a_login_whose_answer_was_never_saved_is_made_anew(
    client: ViessmannClient, cloud: Cloud, clock: Clock
) -> None:
    # Killed between the token endpoint's answer and the save: the rotated refresh token is lost.
    cloud.rotates = True
    client.fetch()
    cloud.called()
    cloud.refresh_tokens = {"refresh-lost"}
    clock.pass_(hours=1)
    client.fetch()
    assert cloud.called() == [*REFRESH, *LOGIN, "GET features"]


@pytest.mark.parametrize(
    "content", [b"", b"   ", b"{", b"[1]", b"\x80\x04pickle", b'{"login": {"access_token": 1}}']
)
def test_a_broken_login_file_leads_to_a_login(
    client: ViessmannClient, cloud: Cloud, tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "token.json").write_bytes(content)
    client.fetch()
    assert cloud.called()[:2] == LOGIN


def test_a_broken_login_file_is_set_aside(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "token.json"
    path.write_text("{")
    assert TokenStore(path).login() is None
    assert (tmp_path / "token.json.broken").read_text() == "{"
    assert not path.exists()
    assert "signs in again" in caplog.text


def test_a_login_is_replaced_as_a_whole(tmp_path: Path) -> None:
    store = TokenStore(tmp_path / "token.json")
    store.save_login(Login(client_id="c", access_token="a", expires_at=1.0, refresh_token="r"))
    store.save_login(Login(client_id="c", access_token="b", expires_at=2.0))
    assert store.login() == Login(client_id="c", access_token="b", expires_at=2.0)
    assert json.loads(store.path.read_text())["login"]["refresh_token"] is None
    assert sorted(one.name for one in tmp_path.iterdir()) == ["device-secrets.key", "token.json"]


def test_a_clock_set_back_does_not_keep_a_token_for_ever(
    client: ViessmannClient, cloud: Cloud, clock: Clock
) -> None:
    clock.at = datetime(2027, 6, 1, tzinfo=UTC)
    client.fetch()
    cloud.called()
    clock.at = NOON
    client.fetch()
    assert cloud.called() == [*REFRESH, "GET features"]


def test_the_tokens_on_disk_are_encrypted(tmp_path: Path) -> None:
    store = TokenStore(tmp_path / "token.json")
    login = Login(client_id="c", access_token="CANARY-1", expires_at=1.0, refresh_token="CANARY-2")
    store.save_login(login)
    assert "CANARY" not in store.path.read_text()
    assert TokenStore(store.path).login() == login


def test_tokens_under_another_key_mean_signing_in_again(tmp_path: Path) -> None:
    store = TokenStore(tmp_path / "token.json")
    store.save_login(Login(client_id="c", access_token="a", expires_at=1.0))
    (tmp_path / "device-secrets.key").unlink()
    assert TokenStore(store.path).login() is None
