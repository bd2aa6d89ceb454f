"""Which days a change is judged by, and when they cannot tell."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from apps.effects.fortnights import Group, Refusal, Window, drift_allowance, group_of, refusal, windows
from apps.effects.null import own_null
from apps.effects.samples import EffectDay
from apps.effects.targets import Target, target_of, told_apart

from .known import house_days

CHANGE = date(2026, 1, 20)
DAYS = house_days(date(2026, 1, 1), 60)
OVER = date(2026, 3, 1)


def single(day: date = CHANGE) -> Group:
    return Group(ids=(1,), first=day, last=day)


def asked(
    days: dict[date, EffectDay] = DAYS,
    *,
    today: date = OVER,
    target: str = "total",
    group: Group | None = None,
) -> Refusal | None:
    group = group or single()
    return refusal(group, *windows(group, ()), days, target, today)


def test_a_fortnight_before_and_one_from_the_day_after() -> None:
    before, after = windows(single(), ())
    assert before == Window(first=date(2026, 1, 6), last=date(2026, 1, 19))
    assert after == Window(first=date(2026, 1, 21), last=date(2026, 2, 3))
    assert len(before.days) == len(after.days) == 14


def test_a_window_stops_at_the_next_other_change() -> None:
    before, after = windows(single(), [date(2026, 1, 8), date(2026, 2, 1)])
    assert before.first == date(2026, 1, 9)
    assert after.last == date(2026, 1, 31)


def test_changes_close_together_are_one() -> None:
    days = {1: CHANGE, 2: CHANGE + timedelta(days=3), 3: CHANGE + timedelta(days=30)}
    assert group_of(2, days) == Group(ids=(1, 2), first=CHANGE, last=CHANGE + timedelta(days=3))
    assert group_of(3, days).ids == (3,)


def test_changes_with_ten_days_between_them_are_two() -> None:
    assert group_of(1, {1: CHANGE, 2: CHANGE + timedelta(days=10)}).ids == (1, 2)
    assert group_of(1, {1: CHANGE, 2: CHANGE + timedelta(days=11)}).ids == (1,)


@pytest.mark.parametrize(
    ("degrees_k", "target", "allowance"),
    [(12.0, "space", 0.03), (6.0, "space", 0.06), (12.0, "dhw", 0.06)],
)
def test_the_drift_is_larger_in_mild_weather_and_for_hot_water(
    degrees_k: float, target: str, allowance: float
) -> None:
    before, after = windows(single(), ())
    assert drift_allowance(before, after, degrees_k, target) == pytest.approx(allowance * 15 / 28)


def test_windows_farther_apart_drift_more_and_near_ones_a_little() -> None:
    near = Window(first=date(2026, 1, 1), last=date(2026, 1, 2))
    assert drift_allowance(near, near, 12.0, "total") == pytest.approx(0.01)
    far = Window(first=date(2026, 2, 26), last=date(2026, 2, 27))
    assert drift_allowance(near, far, 12.0, "total") == pytest.approx(0.06)


def test_two_full_fortnights_of_winter_are_answered() -> None:
    assert asked() is None


def test_after_a_few_days_it_is_too_early_and_says_until_when() -> None:
    known = {day: each for day, each in DAYS.items() if day < date(2026, 1, 25)}
    assert asked(known, today=date(2026, 1, 25)) == Refusal(
        reason="not_over", available_from=date(2026, 1, 31)
    )


def test_days_that_stay_missing_put_the_answer_off_or_end_it() -> None:
    known = {day: each for day, each in DAYS.items() if day < date(2026, 1, 23) or day > date(2026, 1, 25)}
    known = {day: each for day, each in known.items() if day < date(2026, 1, 28)}
    # four of the seven days since are valid: six more are needed, seven are to come
    assert asked(known, today=date(2026, 1, 28)) == Refusal(
        reason="not_over", available_from=date(2026, 2, 3)
    )
    without = {day: each for day, each in known.items() if day < date(2026, 1, 23)}
    assert asked(without, today=date(2026, 1, 28)) == Refusal(reason="few_days_after")


def test_too_few_days_before_are_never_made_up_for() -> None:
    known = {day: each for day, each in DAYS.items() if day > date(2026, 1, 11)}
    assert asked(known, today=date(2026, 1, 22)) == Refusal(reason="few_days_before")


def test_hardly_any_heating_is_refused_for_heating_alone() -> None:
    warm = house_days(date(2026, 1, 1), 60, mean_c=16.0)
    assert asked(warm, target="space") == Refusal(reason="little_heating")
    assert asked(warm, target="dhw") is None


def test_weather_that_was_not_there_before_is_refused() -> None:
    cold, mild = house_days(date(2026, 1, 1), 20, mean_c=-14.0), house_days(date(2026, 1, 21), 30, mean_c=8.0)
    assert asked({**cold, **mild}) == Refusal(reason="other_weather")


def test_a_mild_or_other_fortnight_may_still_turn_while_it_lasts() -> None:
    mild = house_days(date(2026, 1, 21), 30, mean_c=14.0)
    known = {day: each for day, each in {**DAYS, **mild}.items() if day < date(2026, 2, 1)}
    assert asked(known, target="space", today=date(2026, 2, 1)) == Refusal(
        reason="little_heating", available_from=date(2026, 2, 4)
    )
    assert asked({**DAYS, **mild}, target="space") == Refusal(reason="little_heating")
    cold = house_days(date(2026, 1, 1), 20, mean_c=-14.0)
    others = {**cold, **house_days(date(2026, 1, 21), 30, mean_c=8.0)}
    # none of eleven days is alike, and three to come are too few
    assert asked(others, today=date(2026, 2, 1)) == Refusal(reason="other_weather")


def test_many_changes_in_a_row_are_no_one_change() -> None:
    group = Group(ids=(1, 2, 3), first=CHANGE, last=CHANGE + timedelta(days=29))
    assert asked(group=group) == Refusal(reason="many_changes")


@pytest.mark.parametrize(
    ("keys", "energy", "leads"),
    [
        (["circuits.1.curve.shift"], "space", "efficiency"),
        (["circuits.1.target_temperature.normal_c"], "space", "electricity"),
        (["circuits.0.schedule"], "space", "electricity"),
        (["dhw.target_temperature_c"], "dhw", "efficiency"),
        (["dhw.schedule"], "dhw", "electricity"),
        (["circulation.schedule"], "dhw", "electricity"),
        (["circuits.1.curve.shift", "circuits.1.schedule"], "space", "electricity"),
        (["circuits.1.curve.shift", "dhw.schedule"], "total", "electricity"),
        (["ventilation.mode"], "total", "electricity"),
        ([], "total", "electricity"),
    ],
)
def test_a_setting_acts_on_its_part_of_the_electricity(keys: list[str], energy: str, leads: str) -> None:
    assert target_of(keys) == Target(energy=energy, leads=leads)


def test_a_pump_that_does_not_say_what_it_runs_for_is_judged_by_everything() -> None:
    target = target_of(["circuits.1.schedule"])
    blind = [replace(day, space_kwh=None, dhw_kwh=None) for day in DAYS.values()]
    assert told_apart(target, blind) == Target(energy="total", leads="electricity")
    assert told_apart(target, DAYS.values()) == target
    assert told_apart(target, []) == target


def test_a_homes_own_null_comes_from_a_season_without_changes() -> None:
    season = house_days(date(2025, 10, 1), 180, noise=0.05)
    null = own_null(season, (), "total")
    assert null is not None
    assert 1.0 < null.percent < 15.0
    assert null.dates >= 15


def test_dates_near_a_change_are_not_quiet() -> None:
    season = house_days(date(2025, 10, 1), 120)
    changes = [date(2025, 10, 1) + timedelta(days=number) for number in range(0, 120, 20)]
    assert own_null(season, changes, "total") is None
