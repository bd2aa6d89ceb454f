"""◇ Calendar periods of a place, as UTC instants.

Local days may last 23, 24 or 25 hours (23.5 and 24.5 on Lord Howe Island). Inside heatmon times are
UTC; this module and the templates are the only places that know local time. Edges are epoch seconds.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from itertools import pairwise

PERIODS = ("day", "week", "month", "year")


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """One calendar period: local dates ``first`` to ``last`` and their edges [epoch s), end exclusive."""

    label: str
    first: date
    last: date
    start: int
    end: int

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1


def local_midnight(day: date, zone: tzinfo) -> datetime:
    """Return the first instant of a local day as UTC.

    Where the clock jumps over midnight (Santiago in September) the day starts at the jump; where midnight
    comes twice it starts at the first.
    """
    wall = datetime.combine(day, time(0), tzinfo=zone)
    instant = wall.astimezone(UTC)
    if instant.astimezone(zone).replace(tzinfo=None) == wall.replace(tzinfo=None):
        return instant
    return _jump_before(instant, day, zone)


def _jump_before(inside: datetime, day: date, zone: tzinfo) -> datetime:
    """Return the first instant of ``day`` when 00:00 does not exist, by halving between the day before and
    ``day``."""
    low, high = int(inside.timestamp()) - 6 * 3600, int(inside.timestamp()) + 6 * 3600
    while high - low > 1:
        middle = (low + high) // 2
        if datetime.fromtimestamp(middle, UTC).astimezone(zone).date() < day:
            low = middle
        else:
            high = middle
    return datetime.fromtimestamp(high, UTC)


def local_day_bounds(day: date, zone: tzinfo) -> tuple[int, int]:
    """Return [start, end) of a local day, epoch seconds."""
    return _edge(day, zone), _edge(day + timedelta(days=1), zone)


def local_date(at: datetime, zone: tzinfo) -> date:
    """Return the local calendar day of an instant."""
    return at.astimezone(zone).date()


def day_edges(first: date, last: date, zone: tzinfo) -> list[int]:
    """Return all local midnights from the start of ``first`` to the end of ``last``."""
    return [_edge(first + timedelta(days=number), zone) for number in range((last - first).days + 2)]


def period_first(day: date, period: str) -> date:
    """Return the first day of the period that ``day`` lies in. Raises ValueError for an unknown period."""
    if period == "day":
        return day
    if period == "week":
        return day - timedelta(days=day.weekday())
    if period == "month":
        return day.replace(day=1)
    if period == "year":
        return day.replace(month=1, day=1)
    raise ValueError(f"unknown period {period!r}; known are {', '.join(PERIODS)}")


def next_first(first: date, period: str) -> date:
    """Return the first day of the following period."""
    if period == "day":
        return first + timedelta(days=1)
    if period == "week":
        return first + timedelta(days=7)
    if period == "month":
        return (first + timedelta(days=32)).replace(day=1)
    if period == "year":
        return first.replace(year=first.year + 1)
    raise ValueError(f"unknown period {period!r}; known are {', '.join(PERIODS)}")


def period_label(first: date, period: str) -> str:
    """Return ``2026-03-29``, ``2026-W13`` (ISO year and week), ``2026-03`` or ``2026``."""
    if period == "day":
        return first.isoformat()
    if period == "week":
        iso = first.isocalendar()
        return f"{iso.year}-W{iso.week:02d}"
    if period == "month":
        return f"{first.year:04d}-{first.month:02d}"
    return f"{first.year:04d}"


def periods(period: str, first: date, last: date, zone: tzinfo) -> list[Period]:
    """Return all periods that touch the local days ``first`` to ``last``, in order."""
    starts = []
    start = period_first(first, period)
    while start <= last:
        starts.append(start)
        start = next_first(start, period)
    edges = [_edge(each, zone) for each in (*starts, start)]
    return [
        Period(
            label=period_label(begin, period),
            first=begin,
            last=following - timedelta(days=1),
            start=from_s,
            end=to_s,
        )
        for (begin, following), (from_s, to_s) in zip(
            pairwise((*starts, start)), pairwise(edges), strict=True
        )
    ]


def days(first: date, last: date) -> Iterator[date]:
    """Yield ``first`` to ``last``, both included."""
    for number in range((last - first).days + 1):
        yield first + timedelta(days=number)


def parse_date(text: str) -> date:
    """Parse ``2026-03-29``. Raises ValueError for anything else."""
    return date.fromisoformat(text.strip())


@lru_cache(maxsize=20_000)
def _edge(day: date, zone: tzinfo) -> int:
    return int(local_midnight(day, zone).timestamp())
