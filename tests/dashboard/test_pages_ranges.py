"""The range of a chart in the address."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from apps.dashboard.pages.ranges import Range, RangeInvalid, parse_range

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 23, 13, 5, tzinfo=UTC)
STORED_FROM = datetime(2025, 10, 3, 8, 0, tzinfo=UTC)


def parsed(**query: str) -> Range:
    return parse_range(query, now=NOW, stored_from=STORED_FROM, zone=BERLIN)


def test_without_a_wish_today_is_shown_from_midnight_to_midnight_of_the_house() -> None:
    today = parsed()
    assert (today.kind, today.start, today.end) == (
        "day",
        datetime(2026, 11, 22, 23, tzinfo=UTC),
        datetime(2026, 11, 23, 23, tzinfo=UTC),
    )


def test_the_arrow_forward_stops_at_today_and_the_arrow_back_at_the_first_stored_day() -> None:
    assert parsed(range="day", date="2026-11-23").later == ""
    assert parsed(range="day", date="2026-11-22").later == "range=day&date=2026-11-23"
    assert parsed(range="day", date="2025-10-04").earlier == "range=day&date=2025-10-03"
    assert parsed(range="day", date="2025-10-03").earlier == ""


def test_a_day_in_the_future_is_named() -> None:
    with pytest.raises(RangeInvalid) as refused:
        parsed(range="day", date="2030-01-01")
    assert (refused.value.field, refused.value.fault) == ("date", "future")
    assert parsed(range="month", date="2026-11-30").first == date(2026, 11, 1)


@pytest.mark.parametrize(
    ("kind", "first", "end", "earlier"),
    [
        ("week", date(2026, 10, 19), datetime(2026, 10, 25, 23, tzinfo=UTC), "range=week&date=2026-10-12"),
        ("month", date(2026, 10, 1), datetime(2026, 10, 31, 23, tzinfo=UTC), "range=month&date=2026-09-01"),
        ("year", date(2026, 1, 1), datetime(2026, 12, 31, 23, tzinfo=UTC), "range=year&date=2025-01-01"),
    ],
)
def test_weeks_begin_on_monday_and_months_and_years_are_those_of_the_calendar(
    kind: str, first: date, end: datetime, earlier: str
) -> None:
    shown = parsed(range=kind, date="2026-10-21")
    assert (shown.first, shown.end, shown.earlier) == (first, end, earlier)


def test_the_day_of_25_hours_is_shown_whole() -> None:
    assert (
        parsed(range="day", date="2026-10-25").end_s - parsed(range="day", date="2026-10-25").start_s == 90000
    )


def test_a_time_without_offset_is_that_of_the_house() -> None:
    shown = parsed(**{"from": "2026-11-20T14:05", "to": "2026-11-23T14:05"})
    assert (shown.kind, shown.start, shown.end) == (
        "custom",
        datetime(2026, 11, 20, 13, 5, tzinfo=UTC),
        datetime(2026, 11, 23, 13, 5, tzinfo=UTC),
    )


def test_a_time_with_offset_is_understood_even_when_the_plus_became_a_blank() -> None:
    assert parsed(**{"from": "2026-11-20T14:05:00 01:00"}).start == datetime(2026, 11, 20, 13, 5, tzinfo=UTC)
    assert parsed(**{"from": "2026-11-20T13:05:00Z"}).start == datetime(2026, 11, 20, 13, 5, tzinfo=UTC)


def test_exact_ends_move_by_their_own_length() -> None:
    shown = parsed(**{"from": "2026-11-20T00:00:00Z", "to": "2026-11-21T00:00:00Z"})
    assert shown.earlier == "from=2026-11-19T00%3A00%3A00Z&to=2026-11-20T00%3A00%3A00Z"
    assert shown.later == "from=2026-11-21T00%3A00%3A00Z&to=2026-11-22T00%3A00%3A00Z"


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"range": "fortnight"}, "range"),
        ({"range": "day", "date": "yesterday"}, "date"),
        ({"range": "day", "date": "0001-01-01"}, "date"),
        ({"from": "noon"}, "from"),
        ({"from": "2026-11-21T00:00:00Z", "to": "2026-11-20T00:00:00Z"}, "to"),
        ({"from": "1991-01-01T00:00:00Z", "to": "2026-11-20T00:00:00Z"}, "to"),
        ({"from": "1901-01-01T00:00:00Z", "to": "2026-11-20T00:00:00Z"}, "from"),
        ({"from": "0001-01-01T00:00:00+01:00"}, "from"),
    ],
)
def test_nonsense_is_refused_with_its_field(query: dict[str, str], field: str) -> None:
    with pytest.raises(RangeInvalid) as refused:
        parsed(**query)
    assert refused.value.field == field
