"""What data alone suggest: each observation with its numbers, and none where too little is known."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from apps.effects.advice import (
    LIMITS,
    HeatedHour,
    HotWaterRun,
    Observation,
    RoomHour,
    SetbackDay,
    Trial,
    circulation,
    hot_flow,
    lower_shift,
    rod_runs,
    setback,
    short_cycles,
)
from apps.metrics.circulation import CirculationDay
from apps.metrics.cycles import CyclingDay

FIRST = date(2026, 11, 1)
SETTINGS: dict[str, Any] = {
    "circuits.1.curve.shift": 2,
    "circuits.1.curve.slope": 0.6,
    "circuits.1.target_temperature.normal_c": 21,
    "circuits.1.target_temperature.reduced_c": 17,
    "dhw.target_temperature_c": 52,
}


def day(number: int) -> date:
    return FIRST + timedelta(days=number)


def flows(hot: int, known: int, *, excess_k: float = 7.0) -> list[HeatedHour]:
    """Ten heated hours a day at a curve of 32 °C, the first ``hot`` of them too hot."""
    return [
        HeatedHour(day=day(number // 10), flow_c=32 + excess_k if number < hot else 32.5, asked_c=32.0)
        for number in range(known)
    ]


def test_flow_above_the_curve_is_told_with_hours_and_kelvin() -> None:
    found = hot_flow("1", flows(40, 200), SETTINGS)
    assert found is not None
    assert (found.code, found.circuit, found.times, found.known) == ("hot_flow", "1", 40, 200)
    assert dict(found.numbers) == {"excess_k": pytest.approx(7.0)}
    assert (found.first, found.last, found.seen_on) == (day(0), day(19), day(3))
    assert found.trial == Trial(key="circuits.1.curve.shift", other=0.0)


def test_a_minimum_flow_above_the_curve_is_named_as_the_cause_and_tested() -> None:
    settings = SETTINGS | {"circuits.1.supply_temperature.min_c": 40}
    found = hot_flow("1", flows(40, 200), settings)
    assert found is not None
    assert found.numbers["lowest_c"] == 40.0
    assert found.trial == Trial(key="circuits.1.supply_temperature.min_c", other=33.0)


@pytest.mark.parametrize(
    ("hours", "why"),
    [
        (flows(40, 99), "fewer than 100 heated hours"),
        (flows(23, 200), "hot in less than 24 hours"),
        (flows(30, 320), "hot in less than a tenth"),
        (flows(100, 200, excess_k=5.0), "within the hysteresis"),
        ([], "nothing heated"),
    ],
)
def test_of_flow_nothing_is_said_on_thin_ground(hours: list[HeatedHour], why: str) -> None:
    assert hot_flow("1", hours, SETTINGS) is None


def rooms(warm: int, known: int, excess_k: float = 2.4) -> list[RoomHour]:
    return [
        RoomHour(day=day(number // 8), room_c=21 + excess_k if number < warm else 20.9, target_c=21.0)
        for number in range(known)
    ]


def test_warm_rooms_leave_room_for_a_lower_shift() -> None:
    found = lower_shift("1", rooms(240, 240), SETTINGS)
    assert found is not None
    assert (found.times, found.known) == (240, 240)
    assert found.numbers["excess_k"] == pytest.approx(2.4)
    assert found.trial == Trial(key="circuits.1.curve.shift", other=0.0)  # from 2 by two whole kelvins


@pytest.mark.parametrize(
    "hours", [rooms(199, 199), rooms(240, 240, excess_k=0.9), rooms(170, 240, excess_k=3.0), []]
)
def test_of_rooms_nothing_is_said_on_thin_ground(hours: list[RoomHour]) -> None:
    assert lower_shift("1", hours, SETTINGS) is None


def cycling(short: int, known: int) -> dict[date, CyclingDay]:
    often = CyclingDay(peak_starts_per_hour=7, cycles_s=(540.0, 600.0, 660.0))
    seldom = CyclingDay(peak_starts_per_hour=1, cycles_s=(7200.0,))
    return {day(number): often if number < short else seldom for number in range(known)}


def test_short_cycling_is_told_with_days_and_minutes_and_tests_a_wider_hysteresis() -> None:
    found = short_cycles(cycling(4, 20), SETTINGS | {"circuits.1.hysteresis.on_k": 3})
    assert found is not None
    assert (found.times, found.known, found.seen_on) == (4, 20, day(3))
    assert dict(found.numbers) == {"most_starts": 7, "cycle_min": 10.0}
    assert found.trial == Trial(key="circuits.1.hysteresis.on_k", other=5.0)


def test_short_cycling_without_a_setting_that_acts_on_it_has_no_test() -> None:
    found = short_cycles(cycling(4, 20), SETTINGS)
    assert found is not None and found.trial is None


@pytest.mark.parametrize(("short", "known"), [(2, 20), (4, 13)])
def test_few_short_or_few_known_days_are_no_short_cycling(short: int, known: int) -> None:
    assert short_cycles(cycling(short, known), SETTINGS) is None


def runs(with_rod: int, known: int) -> list[HotWaterRun]:
    """Two runs a day, the last ones with ten minutes of the rod."""
    return [
        HotWaterRun(day=day(number // 2), rod_s=600.0 if number >= known - with_rod else 0.0)
        for number in range(known)
    ]


def test_runs_that_end_on_the_rod_are_counted_with_what_it_used() -> None:
    found = rod_runs(runs(6, 28), SETTINGS, 6.0)
    assert found is not None
    assert (found.times, found.known) == (6, 28)
    assert dict(found.numbers) == {"rod_h": 1.0, "rod_kwh": 6.0}
    assert found.trial == Trial(key="dhw.target_temperature_c", other=49.0)
    unknown_power = rod_runs(runs(6, 28), SETTINGS, None)
    assert unknown_power is not None and dict(unknown_power.numbers) == {"rod_h": 1.0}


@pytest.mark.parametrize(("with_rod", "known"), [(2, 28), (6, 13)])
def test_a_run_a_week_against_legionella_is_meant(with_rod: int, known: int) -> None:
    assert rod_runs(runs(with_rod, known), SETTINGS, 6.0) is None


def pumped(on_h: float, count: int, known_h: float = 24.0) -> list[CirculationDay]:
    return [
        CirculationDay(day=day(number), on_h=on_h, known_h=known_h, night_on_h=0.5) for number in range(count)
    ]


def test_a_long_circulation_is_told_in_hours_a_day() -> None:
    found = circulation(pumped(7.5, 20))
    assert found is not None
    assert (found.times, found.known, found.seen_on) == (20, 20, day(19))
    assert dict(found.numbers) == {"on_h": 7.5, "night_h": 0.5}
    assert found.trial is None


def test_hours_not_known_are_not_hours_off() -> None:
    found = circulation(pumped(7.5, 20, known_h=20.0))
    assert found is not None
    assert (found.numbers["on_h"], found.trial) == (9.0, None)


@pytest.mark.parametrize("days", [pumped(6.0, 20), pumped(9.0, 13)])
def test_six_hours_of_circulation_or_few_days_are_nothing_to_tell(days: list[CirculationDay]) -> None:
    assert circulation(days) is None


def nights(ratio: float, count: int = 24, swing: float = 0.02) -> list[SetbackDay]:
    """Evenings of 60 Wh a degree hour, nights of ``ratio`` as much, which swing from day to day."""
    return [
        SetbackDay(
            day=day(number),
            setback_wh=60.0 * ratio * 100 * (1 + swing * (-1) ** number),
            setback_degree_h=100.0,
            evening_wh=60.0 * 50,
            evening_degree_h=50.0,
        )
        for number in range(count)
    ]


def test_a_set_back_that_needs_more_than_the_evenings_is_told_with_both() -> None:
    found = setback("1", nights(1.25), SETTINGS)
    assert found is not None
    assert (found.times, found.known) == (24, 24)
    assert found.numbers["used_kwh"] == pytest.approx(7.5)
    assert found.numbers["like_evenings_kwh"] == pytest.approx(6.0)
    assert found.trial == Trial(key="circuits.1.target_temperature.reduced_c", other=21.0)


@pytest.mark.parametrize(
    "days",
    [
        nights(0.8),
        nights(1.1),
        nights(1.25, count=19),
        nights(1.25, swing=0.5),
        [*nights(1.25, count=19), SetbackDay(day=day(30), setback_wh=0, setback_degree_h=0, evening_wh=0,
                                             evening_degree_h=0)],
    ],
)  # fmt: skip
def test_a_set_back_that_saves_or_cannot_be_told_is_left_alone(days: list[SetbackDay]) -> None:
    assert setback("1", days, SETTINGS) is None


def test_an_observation_is_kept_as_it_was() -> None:
    found = hot_flow("1", flows(40, 200), SETTINGS)
    assert found is not None
    assert Observation.from_json(found.as_json()) == found


def test_every_limit_says_why() -> None:
    assert all(len(each.reason) > 5 for each in LIMITS.values())
