"""Marks on what must be derived again.

Late data, corrected data and changed options mark the stretch of time they touch. The marks outlive a
crash: they go only after the stretch has been derived (see ``stale``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import astuple
from datetime import UTC, datetime
from hashlib import sha256

from django.db import transaction

from apps.devices.sql import first_row
from apps.devices.times import stored_time

from .codes import METHOD_VERSION
from .grid import INTERVAL_S, edge_from, interval_of
from .models import DerivedState, StaleRange
from .parameters import SiteParameters
from .store.base import Row, TimeSeriesStore

# A row may change its interval and those up to two away: runs, rods and flags reach that far.
REACH_S = 2 * INTERVAL_S
_UNTIL = "SELECT derived_until FROM metrics_derivedstate WHERE site_id = %s"
RAW_MEASUREMENTS = ("meter", "meter_minute", "meter_counter", "heat_pump")


def made_with(parameters: SiteParameters) -> str:
    """Return a short name of method and parameters: where it differs, derived numbers are out of date."""
    return f"{METHOD_VERSION}:{sha256(repr(astuple(parameters)).encode()).hexdigest()[:16]}"


def mark_stale(site_id: int, start: int, end: int) -> None:
    """Mark what raw rows that came, changed or went in [start, end) (epoch s) touch, to be derived again.

    Always a mark of its own: one that covers the stretch already may be being worked off just now, from
    what was there before.
    """
    if end > start:
        first, last = interval_of(start) - REACH_S, edge_from(end) + REACH_S
        StaleRange.objects.create(site_id=site_id, start=_utc(max(0, first)), end=_utc(last))


def write_marked(
    store: TimeSeriesStore,
    site_id: int,
    rows: Sequence[Row],
    mark: Callable[[int, int, int], None] = mark_stale,
) -> None:
    """Store raw rows and mark what they touch: before, so that a kill in between forgets nothing, and after,
    because the first mark may have been worked off before the rows were there."""
    if not rows:
        return
    times = [row.at for row in rows]
    first, last = min(times), max(times) + 1
    mark(site_id, first, last)
    store.write(rows)
    mark(site_id, first, last)


def mark_late(site_id: int, start: int, end: int) -> None:
    """Mark raw rows in [start, end) that came after the last of them was polled, unless the turn of deriving
    that takes up new rows (see ``mark_new``) is still ahead."""
    until = derived_until(site_id)
    if until is not None and start < until:
        mark_stale(site_id, start, end)


def mark_new(store: TimeSeriesStore, site_id: int, end: int) -> None:
    """Mark what was polled since the last turn, up to the interval edge ``end``; at the first turn all
    there is. A turn may have been missed, or the process ended before it."""
    if derived_until(site_id) == end:
        return
    with transaction.atomic():
        state, _ = DerivedState.objects.get_or_create(site_id=site_id)
        until = state.derived_until
        if until == _utc(end):
            return
        DerivedState.objects.filter(pk=state.pk).update(derived_until=_utc(end))
        if until is None:
            mark_everything_stale(store, site_id)
            return
        # A clock that was ahead and set back: at least the interval just over is new.
        since = min(int(until.timestamp()), end - INTERVAL_S)
        StaleRange.objects.create(site_id=site_id, start=_utc(since - REACH_S), end=_utc(end))


def derived_until(site_id: int) -> int | None:
    """Return until when (epoch s) intervals are derived or marked; None before the first turn."""
    row = first_row(_UNTIL, site_id)
    until = stored_time(row[0]) if row else None
    return None if until is None else int(until.timestamp())


def mark_everything_stale(store: TimeSeriesStore, site_id: int) -> None:
    """Derive everything again, in the background."""
    extent = raw_extent(store, site_id)
    if extent is not None:
        mark_stale(site_id, *extent)


def raw_extent(store: TimeSeriesStore, site_id: int) -> tuple[int, int] | None:
    """Return [first, last + 1) over all raw rows of a site; None without any."""
    extents = [extent for name in RAW_MEASUREMENTS if (extent := store.extent(site_id, name)) is not None]
    if not extents:
        return None
    return min(first for first, _ in extents), max(last for _, last in extents) + 1


def _utc(at: int) -> datetime:
    return datetime.fromtimestamp(at, UTC)
