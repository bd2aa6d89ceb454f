"""Estimator G: known answer 23 and what must not matter."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta

import pytest

from apps.effects.estimator import Estimate, effect, efficiency_effect, middle_percent
from apps.effects.null import OwnNull, with_null

from .known import FIRST, house_days, known_23

ALLOWANCE = 0.01


def estimate(days: object) -> Estimate:
    found = effect(days, ALLOWANCE)  # type: ignore[arg-type]
    assert found is not None
    return found


def noisy(seed: int = 3) -> list:  # type: ignore[type-arg]
    chance = random.Random(seed)
    return [replace(day, value=day.value + chance.gauss(0, 0.6)) for day in known_23(less_kwh=1.0)]


def test_known_answer_23_two_kwh_less() -> None:
    found = estimate(known_23(less_kwh=2.0))
    assert found.kwh_per_day == pytest.approx(-2.0, abs=0.01)
    assert found.percent == pytest.approx(-17.28, abs=0.01)
    assert found.is_found


def test_known_answer_23_a_tenth_less() -> None:
    assert estimate(known_23(times=0.9)).percent == pytest.approx(-10.0, abs=0.01)


def test_an_exact_fit_gives_numbers() -> None:
    found = estimate(known_23())
    assert found.percent == pytest.approx(0.0, abs=1e-6)
    assert not found.is_found


def test_other_units_give_the_same_percentages() -> None:
    first, second = (
        estimate([replace(day, value=day.value * scale) for day in noisy()]) for scale in (1.0, 1000.0)
    )
    assert second.percent == pytest.approx(first.percent)
    assert second.low_percent == pytest.approx(first.low_percent)
    assert second.kwh_per_day == pytest.approx((first.kwh_per_day or 0.0) * 1000.0)


def test_more_of_what_never_changes_gives_the_same_kwh() -> None:
    first, second = (
        estimate([replace(day, value=day.value + base) for day in noisy()]) for base in (0.0, 40.0)
    )
    assert second.kwh_per_day == pytest.approx(first.kwh_per_day)


def test_another_year_gives_the_same_numbers() -> None:
    assert estimate([replace(day, number=day.number + 3650) for day in noisy()]) == estimate(noisy())


def test_the_order_of_days_does_not_matter() -> None:
    mixed = noisy()
    random.Random(1).shuffle(mixed)
    assert estimate(mixed) == estimate(noisy())


def test_the_same_days_give_the_same_interval() -> None:
    assert estimate(noisy()) == estimate(noisy())


def test_a_gap_changes_an_exact_answer_not_at_all() -> None:
    gaps = [day for number, day in enumerate(known_23(less_kwh=2.0)) if number not in (2, 3, 20)]
    assert estimate(gaps).kwh_per_day == pytest.approx(-2.0, abs=0.01)


def test_days_apart_count_as_far_as_they_are_apart() -> None:
    """Days with gaps between them are less alike than neighbours: their real numbers matter."""
    close = noisy()
    apart = [replace(day, number=day.number * 5) for day in close]
    assert estimate(close).low_percent != estimate(apart).low_percent


def test_more_drift_allowed_widens_the_interval_only() -> None:
    narrow, wide = effect(noisy(), 0.01), effect(noisy(), 0.06)
    assert narrow is not None and wide is not None
    assert wide.percent == narrow.percent
    assert wide.half_width_percent > narrow.half_width_percent + 4


def test_one_side_alone_tells_nothing() -> None:
    days = [day for day in known_23() if day.after]
    assert effect(days, ALLOWANCE) is None
    assert middle_percent(days) is None


def test_energy_that_was_never_used_tells_nothing() -> None:
    assert effect([replace(day, value=0.0) for day in known_23()], ALLOWANCE) is None


def test_without_any_heating_the_weather_is_left_out() -> None:
    days = [replace(day, outside_c=25.0, before_c=25.0, value=4.0 - day.after) for day in known_23()]
    assert estimate(days).percent == pytest.approx(-25.0, abs=0.01)


def test_a_better_pump_shows_in_the_heat_per_kwh() -> None:
    before = list(house_days(FIRST, 14).values())
    after = [
        replace(day, efficiency=(day.efficiency or 0.0) + 0.08)
        for day in house_days(FIRST + timedelta(days=15), 14, seed=2).values()
    ]
    found = efficiency_effect(before, after)
    assert found is not None
    assert found.is_found
    assert found.low_percent < 100 * 0.0833 < found.high_percent


def test_an_air_pump_has_its_source_in_the_weather_already() -> None:
    days = [replace(day, source_c=(day.outside_c or 0.0) - 4) for day in house_days(FIRST, 28).values()]
    assert efficiency_effect(days[:14], days[14:]) is not None


def test_days_without_heat_leave_the_efficiency_open() -> None:
    days = [replace(day, efficiency=None) for day in house_days(FIRST, 28).values()]
    assert efficiency_effect(days[:14], days[14:]) is None


def test_days_that_differ_much_are_taken_to_drift_much() -> None:
    """The scatter of these days is a twentieth of their energy: 0.5 times that is 2.5 %."""
    calm, restless = effect(noisy(), 0.001), effect(noisy(), 0.001, of_scatter=0.5)
    assert calm is not None and restless is not None
    assert restless.percent == calm.percent
    assert restless.half_width_percent > calm.half_width_percent + 0.5
    assert effect(noisy(), 0.10, of_scatter=0.5) == effect(noisy(), 0.10)


def test_scatter_is_a_share_whatever_the_unit() -> None:
    first, second = (
        effect([replace(day, value=day.value * scale) for day in noisy()], 0.0, of_scatter=1.0)
        for scale in (1.0, 1000.0)
    )
    assert first is not None and second is not None
    assert second.half_width_percent == pytest.approx(first.half_width_percent)


def test_no_verdict_is_narrower_than_the_homes_own_null() -> None:
    found = Estimate(percent=-6.0, low_percent=-8.0, high_percent=-4.0, without_kwh=20.0)
    wide = with_null(found, OwnNull(percent=9.0, dates=31))
    assert (wide.low_percent, wide.percent, wide.high_percent) == (-15.0, -6.0, 3.0)
    assert not wide.is_found


def test_an_interval_wider_than_the_homes_own_null_comes_half_way() -> None:
    """√((14² + 2²) / 2) = 10: five sevenths as wide, each side by as much."""
    found = Estimate(percent=-20.0, low_percent=-30.5, high_percent=-2.5, without_kwh=20.0)
    near = with_null(found, OwnNull(percent=2.0, dates=31))
    assert near.low_percent == pytest.approx(-27.5)
    assert near.high_percent == pytest.approx(-7.5)
    assert near.percent == -20.0


def test_an_exact_fit_is_as_wide_as_the_homes_own_null() -> None:
    found = Estimate(percent=-6.0, low_percent=-6.0, high_percent=-6.0, without_kwh=20.0)
    wide = with_null(found, OwnNull(percent=9.0, dates=31))
    assert (wide.low_percent, wide.high_percent) == (-15.0, 3.0)


def test_what_has_another_cause_is_taken_off() -> None:
    """11 kWh after, 10 without the change; 4 % of the 10 have another cause."""
    found = Estimate(percent=10.0, low_percent=6.0, high_percent=15.0, without_kwh=10.0).less(0.04)
    assert (found.percent, found.low_percent, found.high_percent) == (6.0, 2.0, 11.0)
    assert found.without_kwh == pytest.approx(11.0 / 1.06)
