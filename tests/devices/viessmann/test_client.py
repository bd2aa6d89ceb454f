"""The client against a cloud on a real port: which calls it makes, and what each answer becomes."""

from __future__ import annotations

import socket
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from apps.devices.budget import CallBudget
from apps.devices.errors import (
    BudgetExhausted,
    DeviceBusy,
    DeviceError,
    DeviceRefused,
    DeviceUnreachable,
    PayloadInvalid,
    WrongDevice,
)
from apps.devices.models import ApiCall, QuotaState
from apps.devices.viessmann.client import ViessmannClient
from apps.devices.viessmann.features import heat_pump_reading
from apps.devices.viessmann.tokens import TokenStore
from apps.devices.wording import words_of
from tests.payloads.viessmann.cu401b import device, error, installations

from .cloud import Answer, Cloud
from .conftest import NOON, Clock, MakeClient


def test_a_first_poll_logs_in_looks_up_and_reads(client: ViessmannClient, cloud: Cloud) -> None:
    snapshot = client.fetch()
    assert cloud.called() == ["POST authorize", "POST token", "GET installations", "GET features"]
    assert (snapshot.device, snapshot.model, snapshot.received_at) == ("7700000000000001", "CU401B_G", NOON)
    assert snapshot.payload == cloud.payload
    assert heat_pump_reading(snapshot).outside_temperature_c == -2.3


def test_a_poll_is_one_call(client: ViessmannClient, cloud: Cloud, clock: Clock) -> None:
    client.fetch()
    cloud.called()
    clock.pass_(minutes=5)
    client.fetch()
    assert cloud.called() == ["GET features"]


def test_a_restart_costs_no_login_and_no_look_up(make_client: MakeClient, cloud: Cloud) -> None:
    make_client().fetch()
    cloud.called()
    make_client(user=None, password=None).fetch()
    assert cloud.called() == ["GET features"]


def test_a_day_costs_one_call_each_five_minutes_and_one_refresh_an_hour(
    client: ViessmannClient, cloud: Cloud, clock: Clock, budget: CallBudget
) -> None:
    client.fetch()
    cloud.called()
    for _ in range(288):
        clock.pass_(minutes=5)
        client.fetch()
    calls = cloud.called()
    assert (calls.count("GET features"), calls.count("POST token"), len(calls)) == (288, 24, 312)
    assert budget.used_24h(clock()) == 312


def test_every_call_is_in_the_ledger_with_purpose_and_status(client: ViessmannClient, cloud: Cloud) -> None:
    client.fetch()
    host = cloud.base.removeprefix("http://")
    assert list(ApiCall.objects.order_by("id").values_list("purpose", "status", "host")) == [
        ("login", 302, host),
        ("login", 200, host),
        ("look up", 200, host),
        ("poll", 200, host),
    ]


def test_no_call_is_made_without_budget(client: ViessmannClient, cloud: Cloud, clock: Clock) -> None:
    client.fetch()
    cloud.called()
    ApiCall.objects.bulk_create(
        ApiCall(at=NOON - timedelta(hours=2), account="client-1", purpose="poll", host="h")
        for _ in range(1301)
    )
    clock.pass_(minutes=5)
    with pytest.raises(BudgetExhausted) as refused:
        client.fetch()
    assert cloud.called() == []
    assert refused.value.retry_at == datetime(2026, 1, 23, 10, 0, tzinfo=UTC)


def test_a_rate_limit_stops_all_calls_until_its_end(
    client: ViessmannClient, cloud: Cloud, clock: Clock, budget: CallBudget
) -> None:
    client.fetch()
    reset = NOON + timedelta(hours=3)
    cloud.features.append(
        Answer(429, error(429, "RATE_LIMIT_EXCEEDED", requestCountLimit=1000, limitReset=_ms(reset)))
    )
    with pytest.raises(DeviceBusy) as busy:
        client.fetch()
    assert (busy.value.retry_at, busy.value.code) == (reset, "rate_limit")
    assert budget.stops_at == 900
    cloud.called()
    clock.pass_(hours=2, minutes=59)
    with pytest.raises(BudgetExhausted) as refused:
        client.fetch()
    assert refused.value.retry_at == reset
    assert cloud.called() == []
    clock.pass_(minutes=1)
    client.fetch()
    assert cloud.called() == ["POST token", "GET features"]


@pytest.mark.parametrize(
    ("extended", "pause"),
    [
        ({}, timedelta(minutes=10)),
        ({"limitReset": 1_584_462_010_106}, timedelta(minutes=10)),
        ({"limitReset": "soon"}, timedelta(minutes=10)),
        ({"limitReset": 4_070_908_800_000}, timedelta(hours=24)),
        ({"limitReset": 1e300}, timedelta(hours=24)),
        ({"limitReset": True}, timedelta(minutes=10)),
    ],
)
def test_a_rate_limit_without_a_believable_end_pauses_between_ten_minutes_and_a_day(
    client: ViessmannClient, cloud: Cloud, budget: CallBudget, extended: dict[str, Any], pause: timedelta
) -> None:
    cloud.features.append(Answer(429, error(429, "RATE_LIMIT_EXCEEDED", **extended)))
    with pytest.raises(DeviceBusy) as busy:
        client.fetch()
    assert busy.value.retry_at == NOON + pause
    assert budget.blocked_until(NOON) == NOON + pause


def test_the_limit_of_ten_minutes_is_not_taken_for_that_of_the_day(
    client: ViessmannClient, cloud: Cloud, budget: CallBudget
) -> None:
    soon = NOON + timedelta(minutes=9)
    cloud.features.append(
        Answer(429, error(429, "RATE_LIMIT_EXCEEDED", requestCountLimit=120, limitReset=_ms(soon)))
    )
    with pytest.raises(DeviceBusy):
        client.fetch()
    assert budget.stops_at == 1305
    assert budget.blocked_until(NOON) == soon


HTML = b"<html><body>Bad gateway</body></html>"


@pytest.mark.parametrize(
    ("answer", "kind", "code"),
    [
        (Answer(402, error(402, "PACKAGE_NOT_PAID_FOR")), DeviceRefused, "paid_plan"),
        (Answer(200, error(402, "PACKAGE_NOT_PAID_FOR")), DeviceRefused, "paid_plan"),
        (Answer(403, error(403, "FORBIDDEN")), DeviceRefused, "forbidden"),
        (Answer(404, error(404, "DEVICE_NOT_FOUND")), WrongDevice, "not_found"),
        (Answer(410, error(410, "GONE")), DeviceRefused, "gone"),
        (
            Answer(400, error(400, "DEVICE_COMMUNICATION_ERROR", code="404", reason="DEVICE_OFFLINE")),
            DeviceUnreachable,
            "device_offline",
        ),
        (
            Answer(400, error(400, "DEVICE_COMMUNICATION_ERROR", code="404", reason="GATEWAY_OFFLINE")),
            DeviceUnreachable,
            "gateway_offline",
        ),
        (
            Answer(502, error(502, "DEVICE_COMMUNICATION_ERROR", reason="INTERNAL_SERVER_ERROR")),
            DeviceUnreachable,
            "device_communication",
        ),
        (Answer(500, error(500, "INTERNAL_ERROR")), DeviceUnreachable, "cloud_error"),
        (Answer(502, error(502, "REACHED_MAX_IAM_CONNECTIONS")), DeviceUnreachable, "cloud_error"),
        (Answer(200, {"statusCode": "500"}), DeviceUnreachable, "cloud_error"),
        (Answer(200, error(0, "X", code="503", reason="busy")), DeviceUnreachable, "cloud_error"),
        (Answer(503, HTML), DeviceUnreachable, "cloud_error"),
        (Answer(400, HTML), DeviceUnreachable, "cloud_error"),
        (Answer(302, b"", {"Location": "http://127.0.0.1:9/portal"}), DeviceUnreachable, "cloud_redirected"),
        (Answer(200, HTML), PayloadInvalid, "not_json"),
        (Answer(200, b""), PayloadInvalid, "not_json"),
        (Answer(200, b'{"data": [{"feature": "heating'), PayloadInvalid, "not_json"),
        (Answer(200, []), PayloadInvalid, "no_data"),
        (Answer(200, "x"), PayloadInvalid, "no_data"),
        (Answer(200, 7), PayloadInvalid, "no_data"),
        (Answer(200, {}), PayloadInvalid, "no_data"),
        (Answer(200, {"statusCode": None}), PayloadInvalid, "no_data"),
        (Answer(200, {"data": []}), PayloadInvalid, "no_features"),
        (Answer(200, {"data": None}), PayloadInvalid, "no_features"),
        (Answer(200, {"data": {"feature": 1}}), PayloadInvalid, "no_features"),
        (Answer(200, b"null"), PayloadInvalid, "not_json"),
        (Answer(200, b"[" * 200_000), PayloadInvalid, "not_json"),
        (Answer(200, b" " * 8_000_001), PayloadInvalid, "answer_too_big"),
    ],
)
def test_each_answer_has_its_own_error_and_costs_one_call(
    client: ViessmannClient, cloud: Cloud, answer: Answer, kind: type[DeviceError], code: str
) -> None:
    client.fetch()
    cloud.called()
    cloud.features.append(answer)
    with pytest.raises(kind) as failed:
        client.fetch()
    assert type(failed.value) is kind
    assert failed.value.code == code
    assert words_of(failed.value).sentence.endswith(".")
    assert cloud.called() == ["GET features"]


def test_a_token_that_the_cloud_expired_early_is_renewed_once_within_the_poll(
    client: ViessmannClient, cloud: Cloud
) -> None:
    client.fetch()
    cloud.called()
    cloud.valid.clear()
    client.fetch()
    assert cloud.called() == ["GET features", "POST token", "GET features"]


@pytest.mark.parametrize(
    "body",
    [
        {"error": "EXPIRED TOKEN"},
        {"statusCode": 401, "error": "UNAUTHORIZED", "message": "NO TOKEN AVAILABLE"},
    ],
)
def test_a_cloud_that_rejects_every_token_is_asked_three_times_then_once_a_poll(
    client: ViessmannClient, cloud: Cloud, clock: Clock, body: dict[str, Any]
) -> None:
    client.fetch()
    cloud.called()
    cloud.reject_all = body
    with pytest.raises(DeviceRefused) as failed:
        client.fetch()
    assert (failed.value.code, failed.value.permanent) == ("token_rejected", False)
    assert cloud.called() == ["GET features", "POST token", "GET features"]
    clock.pass_(minutes=5)
    with pytest.raises(DeviceRefused):
        client.fetch()
    assert cloud.called() == ["POST authorize", "POST token", "GET features"]
    clock.pass_(minutes=5)
    with pytest.raises(DeviceRefused):
        client.fetch()
    assert cloud.called() == ["GET features"]
    cloud.reject_all = None
    clock.pass_(minutes=5)
    client.fetch()
    assert cloud.called() == ["GET features"]


def test_a_slow_drip_is_cut_off_at_the_deadline(
    client: ViessmannClient, cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.fetch()
    monkeypatch.setattr(client._transport._adapter, "_deadline_s", 0.2)
    cloud.features.append(Answer(200, {"data": ["x" * 2000]}, drip_s=0.02))
    started = time.monotonic()
    with pytest.raises(DeviceUnreachable) as failed:
        client.fetch()
    assert failed.value.code == "cloud_timeout"
    assert time.monotonic() - started < 5.0
    client.fetch()


def test_a_refused_connection_is_no_answer(make_client: MakeClient, cloud: Cloud) -> None:
    make_client().fetch()
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{closed.getsockname()[1]}"
    with pytest.raises(DeviceUnreachable) as failed:
        make_client(api_url=nobody).fetch()
    assert failed.value.code == "no_answer"


def test_the_heat_pump_is_found_by_its_role_behind_the_gateway(client: ViessmannClient) -> None:
    found = client.find_heat_pumps()
    assert [(one.device, one.model, one.device_id, one.online) for one in found] == [
        ("7700000000000001", "CU401B_G", "0", True)
    ]


def test_a_heat_pump_without_roles_is_known_by_its_model(client: ViessmannClient, cloud: Cloud) -> None:
    bare = device("0", "Vitocal200S")
    del bare["roles"]
    cloud.installations = installations(device("gateway", "Heatbox1", "type:gateway;VitoconnectOpto1"), bare)
    assert [one.model for one in client.find_heat_pumps()] == ["Vitocal200S"]


@pytest.mark.parametrize("listed", [{"data": []}, installations(device("0", "VScotHO1_72", "type:boiler"))])
def test_an_account_without_heat_pump_says_so(
    client: ViessmannClient, cloud: Cloud, listed: dict[str, Any]
) -> None:
    cloud.installations = listed
    assert client.find_heat_pumps() == []
    with pytest.raises(WrongDevice) as failed:
        client.fetch()
    assert (failed.value.code, words_of(failed.value).sentence) == (
        "no_heat_pump",
        "The Viessmann account has no heat pump.",
    )


@pytest.mark.parametrize(
    "listed",
    [
        {"data": None},
        {"data": [1]},
        {"data": [{"id": 1}]},
        {"data": {"x": 1}},
        {"data": [{"gateways": [None]}]},
    ],
)
def test_a_list_of_devices_that_cannot_be_read_is_an_invalid_payload(
    client: ViessmannClient, cloud: Cloud, listed: dict[str, Any]
) -> None:
    cloud.installations = listed
    with pytest.raises(PayloadInvalid):
        client.find_heat_pumps()


def test_of_several_heat_pumps_the_configured_one_is_read(make_client: MakeClient, cloud: Cloud) -> None:
    both = installations(device("0"), device("1", "CU401B_S"))
    cloud.installations = both
    with pytest.raises(WrongDevice) as failed:
        make_client().fetch()
    assert failed.value.code == "several_heat_pumps"
    hint = words_of(failed.value).hint
    assert hint.startswith("CU401B_G (7700000000000001/0), CU401B_S (7700000000000001/1)")
    chosen = make_client(device_serial="7700000000000001/0").fetch()
    assert chosen.device == "7700000000000001/0"
    with pytest.raises(WrongDevice) as unknown:
        make_client(device_serial="42").fetch()
    assert unknown.value.code == "other_heat_pump"


def test_after_a_gateway_was_replaced_the_next_poll_looks_up_again(
    client: ViessmannClient, cloud: Cloud, clock: Clock
) -> None:
    client.fetch()
    cloud.features.append(Answer(404, error(404, "DEVICE_NOT_FOUND")))
    with pytest.raises(WrongDevice):
        client.fetch()
    cloud.called()
    clock.pass_(minutes=5)
    client.fetch()
    assert cloud.called() == ["GET installations", "GET features"]


def test_another_client_id_uses_neither_login_nor_address_of_the_old_one(
    make_client: MakeClient, cloud: Cloud
) -> None:
    make_client().fetch()
    cloud.called()
    cloud.client_id = "client-2"
    make_client(client_id="client-2").fetch()
    assert cloud.called() == ["POST authorize", "POST token", "GET installations", "GET features"]


def test_the_environment_decides_neither_proxy_nor_credentials(
    client: ViessmannClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login other password wrong\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    assert client.fetch().device == "7700000000000001"


@pytest.mark.django_db(transaction=True)
def test_two_threads_never_poll_at_the_same_time(client: ViessmannClient, cloud: Cloud) -> None:
    from django.db import connection

    client.fetch()
    cloud.called()
    failures: list[BaseException] = []

    def poll() -> None:
        try:
            client.fetch()
        except (DeviceError, BudgetExhausted) as failure:
            failures.append(failure)
        finally:
            connection.close()

    threads = [threading.Thread(target=poll) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert cloud.called() == ["GET features"] * 4


def test_no_secret_stands_in_an_error_or_in_a_repr(
    make_client: MakeClient, cloud: Cloud, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    client = make_client()
    client.fetch()
    texts = [repr(client._account), repr(client._store.login())]
    cloud.features.append(Answer(500, HTML))
    with pytest.raises(DeviceUnreachable) as failed:
        client.fetch()
    clock.pass_(hours=2)
    cloud.token.append(Answer(500, {"error": "server_error"}))
    with pytest.raises(DeviceUnreachable) as refresh:
        client.fetch()
    texts += [str(failed.value), str(words_of(failed.value)), str(refresh.value), caplog.text]
    secrets = ("correct horse", "access-", "refresh-", "code-")
    assert [secret for secret in secrets for text in texts if secret in text] == []


def test_a_limit_that_the_cloud_reported_outlives_a_restart(
    client: ViessmannClient, cloud: Cloud, clock: Clock
) -> None:
    cloud.features.append(Answer(429, error(429, "RATE_LIMIT_EXCEEDED", requestCountLimit=1000)))
    with pytest.raises(DeviceBusy):
        client.fetch()
    assert QuotaState.objects.get(account="client-1").reported_limit == 1000
    assert CallBudget("client-1", limit=1450, clock=clock).quota(NOON).limit == 1000


def test_the_login_file_can_be_read_by_its_owner_only(client: ViessmannClient, tmp_path: Path) -> None:
    client.fetch()
    path = tmp_path / "token.json"
    assert path.stat().st_mode & 0o777 == 0o600
    login = TokenStore(path).login()
    assert login is not None
    assert login.refresh_token == "refresh-2"
    assert sorted(one.name for one in tmp_path.iterdir()) == [
        "device-secrets.key",
        "token.json",
        "token.json.lock",
    ]


def _ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)
