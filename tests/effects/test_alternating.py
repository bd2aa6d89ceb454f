"""The alternating test: its calendar, what a day counts for, what it can show."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from apps.effects.alternating import (
    DESIGNS,
    Design,
    calendar,
    estimate,
    lived_days,
    planned_days,
    power,
)

from .known import house_days

ZONE = ZoneInfo("Europe/Berlin")
FIRST = date(2026, 1, 5)
SMALL = Design(blocks=4, length=3)


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 1, day, hour, minute, tzinfo=ZONE)


def sides(*values: tuple[datetime, float], days: int = 6, **more: object) -> list[tuple[float | None, str]]:
    asked = [FIRST + timedelta(days=number) for number in range(days)]
    found = lived_days(asked, values, 0.8, 0.9, ZONE, **more)  # type: ignore[arg-type]
    return [(day.side, day.reason) for day in found]


def test_the_designs_are_those_of_the_study() -> None:
    assert [(design.blocks, design.length, design.days) for design in DESIGNS] == [
        (18, 3, 54), (28, 2, 56), (8, 7, 56),
    ]  # fmt: skip


def test_blocks_follow_each_other_the_present_value_first() -> None:
    blocks = calendar(FIRST, SMALL)
    assert [(block.first.day, block.last.day, block.is_new) for block in blocks] == [
        (5, 7, False), (8, 10, True), (11, 13, False), (14, 16, True),
    ]  # fmt: skip


def test_paused_days_move_the_rest() -> None:
    paused = [date(2026, 1, 9), date(2026, 1, 10)]
    blocks = calendar(FIRST, SMALL, paused)
    assert [(block.first.day, block.last.day) for block in blocks] == [(5, 7), (8, 12), (13, 15), (16, 18)]


def test_a_switch_in_the_evening_before_costs_no_day() -> None:
    assert sides((at(1, 12), 0.8), (at(7, 20), 0.9)) == [(0.0, "")] * 3 + [(1.0, "")] * 3


def test_a_switch_noticed_just_after_midnight_is_in_time() -> None:
    assert sides((at(1, 12), 0.8), (at(8, 0, 4), 0.9))[3] == (1.0, "")


def test_the_day_of_a_late_switch_does_not_count() -> None:
    assert sides((at(1, 12), 0.8), (at(8, 9), 0.9))[3:] == [(None, "switched"), (1.0, ""), (1.0, "")]


def test_a_missed_switch_counts_for_what_was_really_set() -> None:
    assert sides((at(1, 12), 0.8)) == [(0.0, "")] * 6


def test_a_third_value_counts_for_neither() -> None:
    assert sides((at(1, 12), 1.4))[0] == (None, "other_value")


def test_before_the_value_is_known_no_day_counts() -> None:
    assert sides((at(6, 12), 0.8), days=3) == [(None, "unknown"), (None, "unknown"), (0.0, "")]


def test_paused_days_and_days_of_other_changes_do_not_count() -> None:
    found = sides((at(1, 12), 0.8), days=2, paused=[FIRST], other_changes=[FIRST + timedelta(days=1)])
    assert found == [(None, "paused"), (None, "other_change")]


def test_a_true_effect_of_a_tenth_is_found() -> None:
    planned = planned_days(FIRST, DESIGNS[0])
    days = house_days(FIRST, 54, noise=0.02)
    for each in planned:
        day = days[each.day]
        if each.side:
            days[each.day] = replace(day, energy_kwh=0.9 * (day.energy_kwh or 0.0))
    found = estimate(days, planned, "total", 3)
    assert found is not None
    assert found.is_found
    assert found.percent == pytest.approx(-10.0, abs=2.0)


def test_longer_blocks_are_allowed_more_drift() -> None:
    planned, days = planned_days(FIRST, DESIGNS[0]), house_days(FIRST, 54, noise=0.1)
    short, long = (estimate(days, planned, "total", length) for length in (2, 7))
    assert short is not None and long is not None
    assert long.percent == short.percent
    assert long.half_width_percent > short.half_width_percent + 0.1


def test_too_few_days_give_no_estimate() -> None:
    assert estimate(house_days(FIRST, 12), planned_days(FIRST, DESIGNS[0]), "total", 3) is None


def test_a_home_without_a_season_is_told_what_is_typical() -> None:
    known = power({}, (), "total", DESIGNS[0])
    assert not known.own
    assert known.half_width == 6.0
    assert known.shows_percent == pytest.approx(8.6, abs=0.1)
    assert known.chance(known.shows_percent) == pytest.approx(0.8, abs=0.001)


def test_a_calm_home_is_told_that_it_can_show_more() -> None:
    calm, restless = (
        power(house_days(date(2025, 10, 1), 180, noise=noise), (), "total", DESIGNS[0])
        for noise in (0.02, 0.10)
    )
    assert calm.own and restless.own
    assert calm.shows_percent < restless.shows_percent
    assert calm.chance(5.0) > restless.chance(5.0)


def test_a_design_that_ends_in_summer_is_not_tried_there() -> None:
    assert not power(house_days(date(2026, 6, 1), 120, mean_c=20.0), (), "space", DESIGNS[0]).own
