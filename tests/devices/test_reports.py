"""What the meter says of itself, and whether its clock is right."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from apps.devices.meter_clock import is_wrong, started_at, trusted_offset_s, was_ours
from apps.devices.readings import PhaseReading, PowerReading
from apps.devices.reports import alarming, is_news, login_ends_soon, meter_report

NOON = datetime(2026, 1, 22, 12, 0, tzinfo=UTC)
LIVE = PhaseReading(power_w=742.0, voltage_v=231.5, current_a=3.2)
DEAD = PhaseReading(power_w=0.0, voltage_v=0.0, current_a=0.027)
ABSENT = PhaseReading()


def reading(*phases: PhaseReading, **values: Any) -> PowerReading:
    a, b, c = phases or (LIVE, LIVE, LIVE)
    return PowerReading(measured_at=NOON, device="M", profile="triphase", phases=(a, b, c), **values)


def test_a_phase_without_voltage_is_not_connected() -> None:
    assert [phase.is_connected for phase in (LIVE, DEAD, ABSENT)] == [True, False, True]
    assert replace(DEAD, power_w=None).is_connected is False
    assert replace(LIVE, power_w=0.0).is_connected is True
    assert replace(LIVE, voltage_v=0.0, power_w=12.0).is_connected is True


def test_a_report_names_faults_of_meter_and_phases_dead_phases_and_what_was_fed_back() -> None:
    faulty = replace(LIVE, errors=("out_of_range:voltage",))
    report = meter_report(
        reading(
            faulty,
            DEAD,
            ABSENT,
            errors=("phase_sequence", "n:out_of_range:current"),
            energy_returned_counter_wh=12.5,
            clock_offset_s=-3601.4,
        )
    )
    assert report == {
        "errors": ["phase_sequence", "n:out_of_range:current"],
        "phases": {"a": ["out_of_range:voltage"]},
        "not_connected": ["b"],
        "returned_wh": 12.5,
        "clock_offset_s": -3601,
    }


def test_a_meter_without_faults_reports_none() -> None:
    assert meter_report(reading()) == {
        "errors": [],
        "phases": {},
        "not_connected": [],
        "returned_wh": None,
        "clock_offset_s": None,
    }


def test_a_new_fault_and_a_clock_that_went_wrong_are_news_and_a_counter_is_not() -> None:
    plain = meter_report(reading(clock_offset_s=3.0, energy_returned_counter_wh=1.0))
    for changed in (
        reading(errors=("database_error",), clock_offset_s=3.0),
        reading(LIVE, DEAD, LIVE, clock_offset_s=3.0),
        reading(LIVE, LIVE, replace(LIVE, errors=("out_of_range:voltage",)), clock_offset_s=3.0),
        reading(clock_offset_s=61.0),
    ):
        assert is_news(plain, meter_report(changed))
        assert is_news(meter_report(changed), plain)
    assert not is_news(plain, meter_report(reading(clock_offset_s=4.0, energy_returned_counter_wh=2.0)))


@pytest.mark.parametrize(
    ("fault", "is_alarming"),
    [
        ("no_load", False),
        ("missing:emdata:0", False),
        ("power_meter_failure", True),
        ("phase_sequence", True),
        ("ct_type_not_set", True),
        ("database_error", True),
        ("out_of_range:current", True),
    ],
)
def test_faults_that_make_values_wrong_are_alarming(fault: str, is_alarming: bool) -> None:
    faulty = replace(LIVE, errors=(fault,))
    assert alarming(meter_report(reading(errors=(fault,)))) == ([fault] if is_alarming else [])
    assert alarming(meter_report(reading(LIVE, faulty, LIVE))) == ([f"b:{fault}"] if is_alarming else [])


def test_the_neutral_conductor_may_be_out_of_range_too() -> None:
    assert alarming(meter_report(reading(errors=("n:out_of_range:current",)))) == ["n:out_of_range:current"]


def test_a_login_is_warned_of_fourteen_days_before_its_end() -> None:
    ends_at = NOON + timedelta(days=14)
    assert login_ends_soon(ends_at, NOON)
    assert not login_ends_soon(ends_at, NOON - timedelta(seconds=1))
    assert not login_ends_soon(None, NOON)


@pytest.mark.parametrize(
    ("offset_s", "wrong", "trusted_s"),
    [
        (None, False, 0.0),
        (0.0, False, 0.0),
        (60.0, False, 60.0),
        (-60.0, False, -60.0),
        (60.5, True, 0.5),
        (3600.0, True, 0.0),
        (-86_400.0, True, 0.0),
        (3620.0, True, 20.0),
    ],
)
def test_a_clock_is_wrong_from_a_minute_on(offset_s: float | None, wrong: bool, trusted_s: float) -> None:
    assert is_wrong(offset_s) is wrong
    assert trusted_offset_s(offset_s) == pytest.approx(trusted_s)


def test_a_difference_was_ours_if_the_meters_clock_was_not_set_meanwhile() -> None:
    a_day = timedelta(days=1)
    while_ours_is_ahead = started_at(NOON + a_day, -86_400.0, 5000)
    after = started_at(NOON + timedelta(minutes=5), 0.4, 5300)
    assert was_ours(while_ours_is_ahead, after)
    while_the_meters_is_ahead = started_at(NOON, 3600.0, 5000)
    assert not was_ours(while_the_meters_is_ahead, after)
    assert not was_ours(None, after)
    assert started_at(NOON, None, 5000) is None
