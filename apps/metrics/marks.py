"""Marks on what must be derived again.

Late data, corrected data and changed options mark the stretch of time they touch. The marks outlive a
crash: they go only after the stretch has been derived (see ``stale``).
"""

from __future__ import annotations

from dataclasses import astuple
from datetime import UTC, datetime
from hashlib import sha256

from .codes import METHOD_VERSION
from .models import StaleRange
from .parameters import SiteParameters
from .running import INTERVAL_S
from .store.base import TimeSeriesStore

# A row may change its interval and those up to two away: runs, rods and flags reach that far.
REACH_S = 2 * INTERVAL_S
RAW_MEASUREMENTS = ("meter", "meter_minute", "meter_counter", "heat_pump")


def made_with(parameters: SiteParameters) -> str:
    """A short name of method and parameters: where it differs, derived numbers are out of date."""
    return f"{METHOD_VERSION}:{sha256(repr(astuple(parameters)).encode()).hexdigest()[:16]}"


def mark_stale(site_id: int, start: int, end: int) -> None:
    """Raw rows in [start, end) (epoch s) came, changed or went: derive what they touch again."""
    if end <= start:
        return
    begin, to = reach(start, end)
    if not StaleRange.objects.filter(site_id=site_id, start__lte=begin, end__gte=to).exists():
        StaleRange.objects.create(site_id=site_id, start=begin, end=to)


def reach(start: int, end: int) -> tuple[datetime, datetime]:
    """The whole intervals that rows in [start, end) may change."""
    first = start - start % INTERVAL_S - REACH_S
    last = end + -end % INTERVAL_S + REACH_S
    return datetime.fromtimestamp(max(0, first), UTC), datetime.fromtimestamp(last, UTC)


def mark_everything_stale(store: TimeSeriesStore, site_id: int) -> None:
    """Derive all there is anew, in the background."""
    extent = raw_extent(store, site_id)
    if extent is not None:
        mark_stale(site_id, *extent)


def raw_extent(store: TimeSeriesStore, site_id: int) -> tuple[int, int] | None:
    """[first, last + 1) over all raw rows of a site; None without any."""
    extents = [extent for name in RAW_MEASUREMENTS if (extent := store.extent(site_id, name)) is not None]
    if not extents:
        return None
    return min(first for first, _ in extents), max(last for _, last in extents) + 1
