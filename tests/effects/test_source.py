"""The source of the heat beside the weather."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from apps.effects.fortnights import Group, windows
from apps.effects.samples import EffectDay
from apps.effects.source import source_share
from apps.effects.verdicts import electricity_effect

from .known import FIRST, house_days

CHANGE = FIRST + timedelta(days=14)


def fortnights(source_c: Callable[[EffectDay], float | None]) -> tuple[list[EffectDay], list[EffectDay]]:
    found = [
        replace(day, source_c=source_c(day)) for day in house_days(FIRST, 29).values() if day.day != CHANGE
    ]
    return found[:14], found[14:]


def test_ground_that_is_two_kelvin_colder_costs_a_twentieth() -> None:
    assert source_share(*fortnights(lambda day: 8.0 - 2.0 * (day.day > CHANGE))) == pytest.approx(0.05)


def test_what_the_ground_follows_of_the_weather_is_weather() -> None:
    sides = fortnights(lambda day: 8.0 + 0.1 * (day.outside_c or 0.0) - 2.0 * (day.day > CHANGE))
    assert source_share(*sides) == pytest.approx(0.05)


def test_outside_air_is_no_source_of_its_own() -> None:
    assert source_share(*fortnights(lambda day: (day.outside_c or 0.0) - 4.0)) == 0.0


def test_a_source_that_is_not_measured_explains_nothing() -> None:
    assert source_share(*fortnights(lambda day: None)) == 0.0
    assert source_share(*fortnights(lambda day: 8.0 if day.day < CHANGE else None)) == 0.0


def test_a_verdict_is_at_equal_source() -> None:
    before, after = windows(Group(ids=(1,), first=CHANGE, last=CHANGE), ())
    even, colder = (
        electricity_effect(before, after, {day.day: day for side in sides for day in side}, "total", None)
        for sides in (fortnights(lambda day: 8.0), fortnights(lambda day: 8.0 - 2.0 * (day.day > CHANGE)))
    )
    assert even is not None and colder is not None
    assert colder.percent == pytest.approx(even.percent - 5.0)
    assert colder.half_width_percent == pytest.approx(even.half_width_percent)
