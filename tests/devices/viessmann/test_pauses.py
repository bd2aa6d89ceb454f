"""What the cloud says no to for long is asked for rarely, and again at once when a person asks."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from apps.devices import connection
from apps.devices.budget import CallBudget
from apps.devices.errors import DeviceError, DeviceRefused
from apps.devices.models import ApiCall
from apps.devices.viessmann.client import ViessmannClient
from apps.devices.wording import words_of
from tests.payloads.viessmann.cu401b import device, installations

from .cloud import Answer, Cloud
from .conftest import NOON, Clock, MakeClient

LOGIN = ["POST authorize", "POST token"]
FEATURES, LOOK_UP = "GET features", "GET installations"


def error(status: int, kind: str, **extended: Any) -> dict[str, Any]:
    return {
        "viErrorId": "1",
        "statusCode": status,
        "errorType": kind,
        "message": "",
        "extendedPayload": extended,
    }


def polls(client: ViessmannClient, clock: Clock, count: int) -> list[str]:
    """The codes of ``count`` polls, one each five minutes; empty for a good one."""
    codes = []
    for _ in range(count):
        try:
            client.fetch()
            codes.append("")
        except DeviceError as failed:
            codes.append(failed.code)
        clock.pass_(minutes=5)
    return codes


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (Answer(402, error(402, "PACKAGE_NOT_PAID_FOR")), "paid_plan"),
        (Answer(410, error(410, "GONE")), "gone"),
    ],
)
def test_no_right_and_no_interface_are_probed_once_an_hour(
    client: ViessmannClient, cloud: Cloud, clock: Clock, answer: Answer, code: str
) -> None:
    client.fetch()
    cloud.called()
    cloud.features.extend([answer] * 100)
    assert polls(client, clock, 36) == [code] * 36
    assert cloud.called().count(FEATURES) == 3
    cloud.features.clear()
    assert polls(client, clock, 1) == [""]


@pytest.mark.parametrize("status", [403, 404])
def test_a_heat_pump_that_may_not_be_read_is_looked_up_once_and_then_probed_once_an_hour(
    client: ViessmannClient, cloud: Cloud, clock: Clock, status: int
) -> None:
    client.fetch()
    cloud.called()
    cloud.features.extend([Answer(status, error(status, "X"))] * 100)
    polls(client, clock, 37)
    assert cloud.called().count(FEATURES) == 1 + 3


def test_an_account_without_heat_pump_is_looked_up_once_an_hour(
    client: ViessmannClient, cloud: Cloud, clock: Clock
) -> None:
    cloud.installations = installations(device("0", "VScotHO1_72", "type:boiler"))
    assert polls(client, clock, 36) == ["no_heat_pump"] * 36
    assert cloud.called() == [*LOGIN, LOOK_UP, "POST token", LOOK_UP, "POST token", LOOK_UP]


def test_a_restart_does_not_end_the_pause_but_another_choice_does(
    make_client: MakeClient, cloud: Cloud, clock: Clock
) -> None:
    cloud.installations = installations(device("0"), device("1", "CU401B_S"))
    assert polls(make_client(), clock, 1) == ["several_heat_pumps"]
    cloud.called()
    assert polls(make_client(), clock, 1) == ["several_heat_pumps"]
    assert cloud.called() == []
    assert polls(make_client(device_serial="7700000000000001/0"), clock, 1) == [""]


def test_the_pause_names_the_cause_and_the_time_of_the_next_try(
    client: ViessmannClient, cloud: Cloud, clock: Clock
) -> None:
    cloud.features.append(Answer(402, error(402, "PACKAGE_NOT_PAID_FOR")))
    polls(client, clock, 1)
    with pytest.raises(DeviceRefused) as refused:
        client.fetch()
    said = words_of(refused.value)
    assert said.sentence == "The Viessmann account's plan does not include this data."
    assert said.hint.endswith("Next attempt: 22 Jan 2026, 13:00.")


def test_a_person_who_asks_gets_an_answer_of_now_which_ends_the_pause(
    make_client: MakeClient, cloud: Cloud, clock: Clock
) -> None:
    running = make_client()
    cloud.features.append(Answer(402, error(402, "PACKAGE_NOT_PAID_FOR")))
    assert polls(running, clock, 2) == ["paid_plan", "paid_plan"]
    make_client().fetch("test")
    assert polls(running, clock, 1) == [""]


def test_a_switched_off_interface_says_since_when_and_what_replaces_it(
    client: ViessmannClient, cloud: Cloud
) -> None:
    told = {"sunsetDate": "2025-10-31", "replacement": "/iot/v2/features"}
    cloud.features.append(Answer(410, error(410, "GONE", **told)))
    with pytest.raises(DeviceRefused) as refused:
        client.fetch()
    said = str(words_of(refused.value))
    assert "shut down this API (2025-10-31)" in said
    assert "Its successor is /iot/v2/features" in said


def test_the_password_is_sent_twice_a_day_while_the_tokens_for_it_are_refused(
    make_client: MakeClient, cloud: Cloud, clock: Clock
) -> None:
    polls(make_client(), clock, 1)
    cloud.called()
    cloud.reject_all = {"error": "EXPIRED TOKEN"}
    client = make_client()
    codes = polls(client, clock, 12 * 47)
    assert set(codes) == {"token_rejected"}
    # One by password at noon, one after the refusal, and from the next day on two again.
    assert cloud.called().count("POST authorize") == 3
    cloud.reject_all = None
    client.fetch("test")
    assert polls(client, clock, 1) == [""]


def test_without_a_good_token_the_time_of_the_next_login_is_told(
    make_client: MakeClient, cloud: Cloud, clock: Clock
) -> None:
    client = make_client()
    polls(client, clock, 1)
    cloud.reject_all = {"error": "EXPIRED TOKEN"}
    polls(client, clock, 36)
    with pytest.raises(DeviceRefused) as refused:
        client.fetch()
    assert refused.value.details["until"] == (NOON + timedelta(days=1)).isoformat()


def test_the_ledger_knows_the_newest_call_and_the_password_logins(
    client: ViessmannClient, budget: CallBudget, clock: Clock
) -> None:
    assert budget.last_call_at() is None
    client.fetch()
    assert budget.last_call_at() == NOON
    ApiCall.objects.create(account="another", at=NOON + timedelta(minutes=1), purpose="poll", host="h")
    assert budget.last_call_at() == NOON
    assert budget.logins_allowed_from(2, NOON) is None
    assert budget.logins_allowed_from(1, NOON) == NOON + timedelta(days=1)
    assert budget.logins_allowed_from(1, NOON + timedelta(days=1)) is None
    assert ApiCall.objects.filter(purpose="login").count() == 2


def test_a_good_connection_test_ends_what_the_running_program_waits_for(
    make_client: MakeClient, cloud: Cloud, clock: Clock, budget: CallBudget
) -> None:
    running = make_client()
    cloud.authorize.append(Answer(401, {"error": "access_denied"}))  # an outage, not a wrong password
    assert polls(running, clock, 2) == ["wrong_credentials", "wrong_credentials"]
    tested = make_client()
    report = connection.test_heat_pump(tested._account, budget, clock, token_store=tested._store, afresh=True)
    assert report.ok
    assert polls(running, clock, 1) == [""]
