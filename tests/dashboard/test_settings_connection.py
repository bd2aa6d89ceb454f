"""Trying a device out says in one sentence what was found, or what is wrong and what to do."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import requests
from django.utils import translation

from apps.devices import connection
from apps.devices.budget import CallBudget
from apps.devices.models import ApiCall
from apps.devices.typed_address import permitted_typed_ip
from apps.devices.viessmann.client import ViessmannAccount
from tests.devices.shelly.meters import InProcess, Reply, session_with
from tests.devices.shelly.payloads import payload
from tests.devices.viessmann.cloud import CLIENT_ID, PASSWORD, USER, Answer, Cloud
from tests.payloads.viessmann.cu401b import installations

AT = datetime(2026, 1, 22, 12, tzinfo=UTC)


def clock() -> datetime:
    return AT


def meter(info: object, status: object) -> requests.Session:
    def answer(path: str, query: dict[str, str]) -> Reply:
        found = info if path == "/shelly" else status
        return found if isinstance(found, Reply) else Reply(found)

    return session_with(InProcess(answer))


def status_of_now() -> dict[str, Any]:
    status: dict[str, Any] = copy.deepcopy(payload("status_triphase"))
    status["sys"]["unixtime"] = int(AT.timestamp())
    return status


def try_meter(session: requests.Session, password: str | None = None) -> connection.ConnectionReport:
    return connection.test_meter("http://meter.test", password, clock, session)


def test_a_meter_is_described_in_one_sentence_with_its_phases_below() -> None:
    report = try_meter(meter(payload("device_info"), status_of_now()))
    assert report.ok
    assert report.title == "Shelly Pro 3EM, triphase, firmware 1.7.0; 1,388 W now"
    assert report.detail[0] == "A: 702 W, 231.4 V, 3.21 A"
    assert report.hint == ""


def test_a_german_reader_gets_the_description_in_german() -> None:
    with translation.override("de"):
        report = try_meter(meter(payload("device_info"), payload("status_triphase")))
    assert report.title == "Shelly Pro 3EM, triphase, Firmware 1.7.0; jetzt 1.388\u00a0W"
    assert report.detail[0] == "A: 702 W, 231,4 V, 3,21 A"


def test_a_clamp_that_counts_backwards_is_named() -> None:
    status = status_of_now()
    status["em:0"]["b_act_power"] = -698.1
    report = try_meter(meter(payload("device_info"), status))
    assert report.ok
    assert report.hint.startswith("B counts backwards: turn the clamp around")


def test_a_dead_phase_a_fault_and_a_wrong_clock_are_told() -> None:
    status = status_of_now()
    status["em:0"] |= {"b_act_power": 0.0, "b_voltage": 0.0, "errors": ["phase_sequence"]}
    report = try_meter(meter(payload("device_info"), status))
    assert report.detail[1] == "B: not connected"
    assert report.hint == "The meter reports: wrong sequence of the phases. See its web page."
    status["sys"]["unixtime"] += 3660
    report = try_meter(meter(payload("device_info"), status))
    assert report.hint == "Its clock is 61 min ahead: give it access to a time server."


@pytest.mark.parametrize(
    ("info", "status", "code", "sentence"),
    [
        ("device_info_plug", None, "shelly_without_meter", "The Shelly at meter.test has no energy meter."),
        (
            "device_info_first_generation",
            None,
            "old_shelly",
            "The Shelly at meter.test is a first-generation",
        ),
        (Reply(b"<html>Router</html>"), None, "not_a_shelly", "The device at meter.test is not a Shelly."),
        (Reply(b"", 404), None, "not_a_shelly", "The device at meter.test is not a Shelly."),
        (
            "device_info",
            Reply(b"", 401, {"WWW-Authenticate": 'Digest realm="a", nonce="b", qop="auth"'}),
            "password_needed",
            "The meter at meter.test requires a password.",
        ),
    ],
)
def test_each_thing_that_can_be_wrong_with_a_meter_has_its_sentence_and_a_hint(
    info: str | Reply, status: Reply | None, code: str, sentence: str
) -> None:
    report = try_meter(meter(payload(info) if isinstance(info, str) else info, status))
    assert not report.ok
    assert report.code == code
    assert report.title.startswith(sentence)
    assert report.hint
    assert "settings" not in report.hint, "whoever tries it out is there already"


def test_nothing_at_the_address_is_said_so() -> None:
    report = connection.test_meter("http://127.0.0.1:9", None, clock)
    assert (report.ok, report.code) == (False, "unreachable")
    assert report.title == "The meter at 127.0.0.1:9 is not responding."


def test_a_typed_address_may_not_lead_to_this_computer() -> None:
    report = connection.test_meter("http://127.0.0.1:9", None, clock, permitted_ip=permitted_typed_ip)
    assert (report.ok, report.code) == (False, "address_refused")


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    running = Cloud()
    yield running
    running.close()


def try_heat_pump(
    cloud: Cloud, *, user: str = USER, password: str = PASSWORD, client_id: str = CLIENT_ID
) -> connection.ConnectionReport:
    account = ViessmannAccount(
        user=user,
        password=password,
        client_id=client_id,
        api_url=f"{cloud.base}/iot/v2",
        iam_url=f"{cloud.base}/idp/v3",
    )
    return connection.test_heat_pump(account, CallBudget(client_id, clock=clock), clock)


@pytest.mark.django_db(transaction=True)
def test_a_heat_pump_is_found_and_its_values_are_listed(cloud: Cloud) -> None:
    report = try_heat_pump(cloud)
    assert report.ok, report
    assert "CU401B" in report.title
    assert any(line.startswith("outdoor temperature: ") for line in report.detail)
    assert ApiCall.objects.count() == 4


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"password": "wrong"}, "wrong_credentials"),
        ({"client_id": "unknown"}, "wrong_client_id"),
    ],
)
def test_a_wrong_login_says_what_is_wrong(cloud: Cloud, changes: dict[str, str], code: str) -> None:
    report = try_heat_pump(cloud, **changes)
    assert (report.ok, report.code) == (False, code)
    assert report.hint
    assert PASSWORD not in f"{report.title}{report.hint}"


@pytest.mark.django_db(transaction=True)
def test_an_account_without_a_heat_pump_says_so(cloud: Cloud) -> None:
    account = installations()
    account["data"] = []
    cloud.installations = account
    report = try_heat_pump(cloud)
    assert (report.ok, report.code) == (False, "no_heat_pump")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (Answer(402, {"statusCode": 402, "errorType": "PACKAGE_NOT_PAID_FOR"}), "paid_plan"),
        (Answer(403, {"statusCode": 403, "errorType": "FORBIDDEN"}), "forbidden"),
        (Answer(502, b"<html>bad gateway</html>"), "cloud_error"),
    ],
)
def test_what_the_cloud_refuses_has_its_own_sentence(cloud: Cloud, answer: Answer, code: str) -> None:
    cloud.features.append(answer)
    report = try_heat_pump(cloud)
    assert (report.ok, report.code) == (False, code)
    assert report.title
    assert report.hint


@pytest.mark.django_db(transaction=True)
def test_a_locked_account_is_told_apart_from_a_wrong_password(cloud: Cloud) -> None:
    cloud.authorize.append(Answer(423, b"locked"))
    assert try_heat_pump(cloud).code == "account_locked"


@pytest.mark.django_db(transaction=True)
def test_a_used_up_budget_makes_no_call(cloud: Cloud) -> None:
    account = CLIENT_ID
    ApiCall.objects.bulk_create(
        ApiCall(at=AT, account=account, purpose="poll", host="api") for _ in range(1305)
    )
    report = try_heat_pump(cloud)
    assert (report.ok, report.code) == (False, "budget")
    assert cloud.requests == []
