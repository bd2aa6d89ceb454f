"""Calendar edges in awkward places."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.metrics.windows import (
    PERIODS,
    day_edges,
    local_date,
    local_day_bounds,
    local_midnight,
    parse_date,
    periods,
)

ZONES = ("Europe/Berlin", "Australia/Lord_Howe", "Asia/Kathmandu", "America/Santiago", "UTC", "Africa/Cairo")
DATES = st.dates(date(1990, 1, 1), date(2040, 12, 31))


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Berlin", date(2026, 3, 29), 23.0),
        ("Europe/Berlin", date(2026, 10, 25), 25.0),
        ("Europe/Berlin", date(2026, 6, 1), 24.0),
        ("Australia/Lord_Howe", date(2026, 4, 5), 24.5),
        ("Australia/Lord_Howe", date(2026, 10, 4), 23.5),
        ("Asia/Kathmandu", date(2026, 3, 29), 24.0),
        ("America/Santiago", date(2026, 9, 6), 23.0),
        ("America/Santiago", date(2026, 4, 4), 25.0),
    ],
)
def test_a_local_day_has_its_true_length(zone: str, day: date, hours: float) -> None:
    start, end = local_day_bounds(day, ZoneInfo(zone))
    assert (end - start) / 3600 == hours


def test_a_day_whose_midnight_does_not_exist_starts_at_the_jump() -> None:
    start = local_midnight(date(2026, 9, 6), ZoneInfo("America/Santiago"))
    assert start == datetime(2026, 9, 6, 4, 0, tzinfo=UTC)
    assert start.astimezone(ZoneInfo("America/Santiago")).hour == 1


@given(zone=st.sampled_from(ZONES), day=DATES)
def test_every_instant_between_the_edges_of_a_day_is_of_that_day(zone: str, day: date) -> None:
    place = ZoneInfo(zone)
    start, end = local_day_bounds(day, place)
    assert start % 300 == 0
    assert local_date(datetime.fromtimestamp(start, UTC), place) == day
    assert local_date(datetime.fromtimestamp(end - 1, UTC), place) == day
    assert local_date(datetime.fromtimestamp(end, UTC), place) == day + timedelta(days=1)
    assert local_date(datetime.fromtimestamp(start - 1, UTC), place) == day - timedelta(days=1)


@given(zone=st.sampled_from(ZONES), first=DATES, length=st.integers(0, 800), period=st.sampled_from(PERIODS))
def test_periods_follow_each_other_without_a_hole_and_hold_the_range(
    zone: str, first: date, length: int, period: str
) -> None:
    place, last = ZoneInfo(zone), first + timedelta(days=length)
    found = periods(period, first, last, place)
    assert found[0].first <= first <= found[0].last
    assert found[-1].first <= last <= found[-1].last
    assert all(
        a.end == b.start and a.last + timedelta(days=1) == b.first
        for a, b in zip(found, found[1:], strict=False)
    )
    assert len({each.label for each in found}) == len(found)
    assert set(day_edges(found[0].first, found[-1].last, place)) >= {each.start for each in found}


@pytest.mark.parametrize(
    ("period", "labels"),
    [
        ("day", ["2026-12-31", "2027-01-01"]),
        ("week", ["2026-W53"]),
        ("month", ["2026-12", "2027-01"]),
        ("year", ["2026", "2027"]),
    ],
)
def test_labels_around_a_new_year_in_week_53(period: str, labels: list[str]) -> None:
    found = periods(period, date(2026, 12, 31), date(2027, 1, 1), ZoneInfo("Europe/Berlin"))
    assert [each.label for each in found] == labels


def test_a_leap_year_has_366_days() -> None:
    (year,) = periods("year", date(2028, 2, 29), date(2028, 2, 29), ZoneInfo("Europe/Berlin"))
    assert year.days == 366
    assert year.end - year.start == 366 * 86_400


def test_an_unknown_period_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown period 'decade'"):
        periods("decade", date(2027, 1, 1), date(2027, 1, 1), ZoneInfo("UTC"))
    with pytest.raises(ValueError, match="Invalid isoformat"):
        parse_date("29.3.2026")
