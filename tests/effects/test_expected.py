"""Expected use of a day, and the watch for lasting deviations."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta

import pytest

from apps.effects.expected import Deviation, ExpectedDay, Watch, WeatherDay, expected_days, watch

from .known import house_days

FIRST = date(2025, 1, 1)


def lived(count: int, *, from_day: int = 10_000, until: int = 10_000, times: float = 1.0) -> list[WeatherDay]:
    days = house_days(FIRST, count, noise=0.05).values()
    return [
        WeatherDay(
            day=day.day,
            energy_kwh=(day.energy_kwh or 0.0) * (times if from_day <= number < until else 1.0),
            outside_c=day.outside_c,
            before_c=day.before_c,
        )
        for number, day in enumerate(days)
    ]


def deviations(days: Iterable[ExpectedDay]) -> list[Deviation]:
    seen = Watch()
    for day in days:
        seen.see(day)
    return seen.found


def test_the_first_sixty_days_only_teach() -> None:
    found = list(expected_days(lived(90)))
    assert {day.reason for day in found[:60]} == {"few_days"}
    assert found[75].reason is None


def test_four_of_five_days_lie_inside_the_band() -> None:
    found = [day for day in expected_days(lived(400)) if day.low_kwh is not None]
    held = [(day.low_kwh or 0.0) <= (day.energy_kwh or 0.0) <= (day.high_kwh or 0.0) for day in found]
    assert 0.75 < sum(held) / len(held) < 0.90


def test_a_day_that_was_not_measured_has_an_expectation_all_the_same() -> None:
    days = lived(100)
    days[80] = WeatherDay(day=days[80].day, energy_kwh=None, outside_c=3.0, before_c=3.0)
    found = list(expected_days(days))[80]
    assert found.expected_kwh is not None
    assert found.reason == "not_measured"


def test_weather_never_seen_is_not_guessed() -> None:
    days = lived(100)
    days[80] = WeatherDay(day=days[80].day, energy_kwh=2.0, outside_c=28.0, before_c=28.0)
    assert list(expected_days(days))[80].reason == "other_weather"


def test_a_later_day_never_changes_what_was_expected_of_an_earlier_one() -> None:
    assert list(expected_days(lived(200)))[:150] == list(expected_days(lived(150)))


def test_a_quiet_house_has_no_deviation() -> None:
    assert deviations(expected_days(lived(500))) == []


def test_a_lasting_deviation_is_found_once_and_dated() -> None:
    (found,) = deviations(expected_days(lived(460, from_day=400, times=1.3)))
    assert abs((found.since - (FIRST + timedelta(days=400))).days) <= 7
    assert found.until is None
    assert (found.noticed - found.since).days <= 28
    assert found.low_percent < 30.0 < found.high_percent
    assert found.percent == pytest.approx(30.0, abs=6.0)
    assert found.kwh_per_day > 1.0


def test_a_deviation_that_is_over_has_an_end() -> None:
    (found,) = deviations(expected_days(lived(480, from_day=380, until=430, times=1.3)))
    assert found.until is not None
    assert abs((found.until - (FIRST + timedelta(days=429))).days) <= 7


def test_a_deviation_that_is_over_teaches_nothing() -> None:
    """What follows is what this home is, not "below expected"."""
    days = lived(480, from_day=330, until=390, times=1.6)
    found, alarms = watch(days)
    assert [(alarm.percent > 40.0, alarm.over is not None) for alarm in alarms] == [(True, True)]
    later = [day.share for day in found[440:] if day.share is not None]
    assert abs(sum(later) / len(later)) < 0.03
    taught = [day.share for day in list(expected_days(days))[440:] if day.share is not None]
    assert sum(taught) / len(taught) < -0.05


def test_after_a_year_the_new_state_is_the_expected_one() -> None:
    found = deviations(expected_days(lived(900, from_day=400, times=1.3)))
    assert len(found) == 1
    assert found[0].until is not None


def test_what_lasts_is_one_deviation_of_a_year_and_not_over_because_it_was_learned() -> None:
    _found, (alarm,) = watch(lived(900, from_day=400, times=1.3))
    assert alarm.percent == pytest.approx(30.0, abs=3.0)
    assert alarm.until is not None and alarm.over is None
    assert 360 <= (alarm.until - alarm.since).days <= 366


def test_what_is_usual_is_known_from_half_a_year_on() -> None:
    """80 days of an autumn say little of a winter, that may be what deviates."""
    young, _alarms = watch(lived(200, from_day=90, times=1.3))
    known, _alarms = watch(lived(400, from_day=250, times=1.3))
    assert [day.usual_kwh for day in young if day.usual_kwh is not None] == []
    assert [day.usual_kwh for day in known[:250] if day.usual_kwh is not None] == []
    shares = [day.judged[0] / day.judged[1] for day in known[300:] if day.judged is not None]
    assert sum(shares) / len(shares) == pytest.approx(1.3, abs=0.03)


def test_a_short_visit_is_no_deviation() -> None:
    assert deviations(expected_days(lived(500, from_day=400, until=405, times=1.3))) == []


def shares_of_twenty_kwh(*shares: float | None) -> list[ExpectedDay]:
    return [
        ExpectedDay(
            day=FIRST + timedelta(days=number),
            energy_kwh=None if share is None else 20.0 * (1 + share),
            expected_kwh=20.0,
        )
        for number, share in enumerate(shares)
    ]


def test_days_of_a_deviation_that_is_over_show_no_second_one() -> None:
    """Its last days are still in the sum when the home's own scatter is known and the threshold falls; the
    day on which that shows was not measured, nor did any since the end differ."""
    days = shares_of_twenty_kwh(*[0.0] * 86, *[0.25] * 28, *[0.0] * 18, *[None] * 5)
    assert [alarm.over is not None for alarm in deviations(days)] == [True]


def test_a_restless_home_has_to_differ_by_more() -> None:
    """15 % more for four weeks: in a steady home they show, among days that differ by as much anyway not."""
    steady = shares_of_twenty_kwh(*[0.02, -0.02] * 75, *[0.17, 0.13] * 14)
    restless = shares_of_twenty_kwh(*[0.2, -0.2] * 75, *[0.35, -0.05] * 14)
    assert [round(alarm.percent) for alarm in deviations(steady)] == [15]
    assert deviations(restless) == []


def heating_only(warmest_c: int) -> list[WeatherDay]:
    """80 days from 0 °C up to ``warmest_c`` of a pump that makes no hot water, and at last one that is 3 K
    warmer. It needs more than a line where it is cold, so that the line runs below zero where it is warm."""
    outside_c = [number % (warmest_c + 1) for number in range(80)] + [warmest_c + 3]
    return [
        WeatherDay(
            day=FIRST + timedelta(days=number),
            energy_kwh=0.05 + 0.05 * max(0, 16 - outside) ** 2,
            outside_c=float(outside),
            before_c=float(outside),
        )
        for number, outside in enumerate(outside_c)
    ]


@pytest.mark.parametrize("warmest_c", [9, 18])
def test_a_pump_that_only_heats_is_expected_to_need_little_where_it_is_warm(warmest_c: int) -> None:
    found = list(expected_days(heating_only(warmest_c)))[-1]
    assert found.reason is None
    assert found.low_kwh is not None and found.expected_kwh is not None and found.high_kwh is not None
    assert 0.0 <= found.low_kwh < found.expected_kwh < found.high_kwh
    assert found.expected_kwh < 1.0


def test_one_day_is_no_deviation_however_much_it_needs() -> None:
    """70 kWh instead of 20, as when the heating rod ran for a night; the sum of 28 days is 9 % higher."""
    quiet = [0.02, -0.02] * 75
    assert deviations(shares_of_twenty_kwh(*quiet, 2.5, *quiet)) == []


def test_a_day_of_a_fault_does_not_date_the_deviation_that_follows() -> None:
    quiet, more = [0.02, -0.02], [0.17, 0.13]
    (found,) = deviations(shares_of_twenty_kwh(*quiet * 75, 2.5, *quiet * 20, *more * 20))
    assert found.since == FIRST + timedelta(days=191)


def test_more_and_then_less_are_two_deviations() -> None:
    """What lies between was not measured, so that no sum near zero told them apart."""
    quiet = [0.02, -0.02] * 75
    days = shares_of_twenty_kwh(*quiet, *[0.3] * 40, *[None] * 15, *[-0.3] * 40)
    more, less = deviations(days)
    assert more.percent == pytest.approx(30.0)
    assert less.percent == pytest.approx(-30.0)
    assert (more.until is None, less.until is None) == (False, True)


def test_a_deviation_lasts_no_longer_than_anything_is_known() -> None:
    quiet = [0.02, -0.02] * 75
    (found,) = deviations(shares_of_twenty_kwh(*quiet, *[0.3] * 40, *[None] * 27))
    assert found.until is None
    (found,) = deviations(shares_of_twenty_kwh(*quiet, *[0.3] * 40, *[None] * 28))
    assert (found.until, found.over) == (FIRST + timedelta(days=189), None)


def test_nobody_needs_less_than_nothing() -> None:
    days = shares_of_twenty_kwh(*[0.02, -0.02] * 75, *[-0.98] * 40)
    assert [alarm.low_percent for alarm in deviations(days)] == [-100.0]


def test_the_band_is_wider_where_weeks_differ() -> None:
    """A home whose use is 15 % higher in every other month is judged by months, not by days alone."""
    steady, drifting = lived(200), lived(200)
    drifting = [
        replace(day, energy_kwh=(day.energy_kwh or 0.0) * (1.15 if number // 28 % 2 else 0.85))
        for number, day in enumerate(drifting)
    ]
    narrow, wide = (
        (found.high_kwh or 0.0) / (found.expected_kwh or 1.0) - 1.0
        for found in (list(expected_days(days))[196] for days in (steady, drifting))
    )
    assert narrow < 0.10
    assert wide > 0.25  # the days alone give 0.22


def test_a_restless_summer_does_not_hide_what_a_winter_shows() -> None:
    """200 days of 4 kWh that are 15 % off for weeks on end, 150 even ones of 30 kWh, then 12 % more."""
    shares = [0.15 if number // 40 % 2 else -0.15 for number in range(200)] + [0.0] * 150 + [0.12] * 40
    days = [
        ExpectedDay(
            day=FIRST + timedelta(days=number),
            energy_kwh=expected_kwh * (1 + share),
            expected_kwh=expected_kwh,
        )
        for number, share in enumerate(shares)
        for expected_kwh in (4.0 if number < 200 else 30.0,)
    ]
    (found,) = deviations(days)
    assert found.since == FIRST + timedelta(days=350)
    assert found.percent == pytest.approx(12.0)
