"""Hours of the circulation pump, out of answers five minutes apart."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from apps.metrics.circulation import CirculationDay, circulation_day, hours_a_day

BERLIN = ZoneInfo("Europe/Berlin")
DAY = date(2026, 10, 24)


def answers(day: date, zone: ZoneInfo, on: range, lost: range = range(0)) -> list[tuple[int, float | None]]:
    """A local day's steps of five minutes: the pump on in the hours ``on``, nobody answered in ``lost``."""
    start = int(datetime(day.year, day.month, day.day, tzinfo=zone).timestamp())
    after = day + timedelta(days=1)
    end = int(datetime(after.year, after.month, after.day, tzinfo=zone).timestamp())
    found: list[tuple[int, float | None]] = []
    for at in range(start, end, 300):
        hour = datetime.fromtimestamp(at, zone).hour
        found.append((at, None if hour in lost else float(hour in on)))
    return found


def counted(day: date, zone: ZoneInfo, on: range, lost: range = range(0)) -> tuple[float, float, float]:
    found = circulation_day(day, answers(day, zone, on, lost), zone)
    return round(found.on_h, 6), round(found.known_h, 6), round(found.night_on_h, 6)


def test_each_answer_with_the_pump_on_stands_for_five_minutes() -> None:
    assert counted(DAY, BERLIN, range(6, 14)) == (8.0, 24.0, 0.0)


def test_what_nobody_answered_is_neither_on_nor_off() -> None:
    assert counted(DAY, BERLIN, range(6, 14), lost=range(10, 15)) == (4.0, 19.0, 0.0)


def test_the_night_is_from_eleven_to_five_and_counts_with_its_day() -> None:
    assert counted(DAY, BERLIN, range(0, 24)) == (24.0, 24.0, 6.0)


@pytest.mark.parametrize(
    ("day", "expected"),
    [(date(2026, 10, 25), (7.0, 25.0, 7.0)), (date(2026, 3, 29), (5.0, 23.0, 5.0))],
)
def test_a_night_in_which_the_clock_changes_has_the_hours_that_passed(
    day: date, expected: tuple[float, float, float]
) -> None:
    """On from midnight to six: with the hour twice, or without it; the last of them is no longer night."""
    on_h, known_h, night_on_h = counted(day, BERLIN, range(0, 6))
    assert (on_h, known_h, night_on_h + 1) == expected


def test_days_of_a_zone_with_half_hours_begin_at_their_midnight() -> None:
    assert counted(DAY, ZoneInfo("Asia/Kolkata"), range(0, 1)) == (1.0, 24.0, 1.0)


def test_an_interval_whose_answers_differ_is_on_from_the_half_of_them_on() -> None:
    at = int(datetime(2026, 10, 24, 12, tzinfo=UTC).timestamp())
    found = circulation_day(DAY, [(at, 0.5), (at + 300, 0.4)], BERLIN)
    assert [found.on_h, found.known_h] == pytest.approx([1 / 12, 1 / 6])


def day_of(on_h: float, known_h: float) -> CirculationDay:
    return CirculationDay(day=DAY, on_h=on_h, known_h=known_h, night_on_h=0.0)


def test_a_mean_day_is_that_of_the_days_known_for_twenty_hours() -> None:
    """A morning alone, in which it ran all the time, says little about a day."""
    assert hours_a_day([day_of(8.0, 24.0), day_of(5.0, 20.0), day_of(6.0, 6.0)]) == pytest.approx(
        24 * 13 / 44
    )


def test_where_no_day_is_known_for_so_long_all_of_them_tell_it_from_twelve_hours_on() -> None:
    assert hours_a_day([day_of(2.0, 6.0), day_of(4.0, 6.0)]) == 12.0
    assert hours_a_day([day_of(2.0, 6.0), day_of(4.0, 5.9)]) is None
    assert hours_a_day([]) is None
