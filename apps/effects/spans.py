"""The calendar of an alternating test, with its pauses."""

from __future__ import annotations

from datetime import date, timedelta

from apps.metrics.windows import days

from .alternating import Block, Design, calendar
from .models import AlternatingTest

DAY = timedelta(days=1)


def is_paused(test: AlternatingTest) -> bool:
    return bool(test.paused) and test.paused[-1][1] is None


def paused_days(test: AlternatingTest, today: date) -> set[date]:
    """Return the days left out; a pause that lasts reaches to tomorrow."""
    found: set[date] = set()
    for first, last in test.paused:
        begin = date.fromisoformat(first)
        found.update(days(begin, max(begin, today + DAY) if last is None else date.fromisoformat(last)))
    return found


def design_of(test: AlternatingTest) -> Design:
    return Design(blocks=test.blocks, length=test.length)


def blocks_of(test: AlternatingTest, today: date) -> list[Block]:
    return calendar(test.first_day, design_of(test), paused_days(test, today))


def covers(span: tuple[date, date], day: date) -> bool:
    """Return whether a change of its setting on ``day`` belongs to a test of this span: the first value is
    set on the evening before."""
    first, last = span
    return first - DAY <= day <= last


def span_of(test: AlternatingTest, today: date) -> tuple[date, date]:
    """Return the first and last local day of a test, planned or really."""
    return test.first_day, test.ended_on or blocks_of(test, today)[-1].last
