"""Working off marks of stale stretches, in the background and in pieces. Restartable at any point.

Whoever derives a site holds its lock, in whichever process: the running program, ``recalculate``, imports.
Pieces are short, so that none of them waits for long; options are read anew for each, so that all agree.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from django.db import transaction
from django.db.models import F

from apps.devices.locks import held
from apps.devices.sql import first_row

from .derive import derive_intervals
from .grid import INTERVAL_S, interval_of
from .marks import made_with, mark_everything_stale, mark_stale, raw_extent
from .models import DerivedState, StaleRange
from .parameters import SiteParameters
from .store.base import TimeSeriesStore

__all__ = ["derive_stale", "mark_everything_stale", "mark_stale", "raw_extent", "stale_intervals"]

PIECE = 7 * 288
_MADE_WITH = "SELECT made_with FROM metrics_derivedstate WHERE site_id = %s"
WAIT_S = 60.0


def derive_stale(
    store: TimeSeriesStore,
    site_id: int,
    parameters: Callable[[], SiteParameters],
    at: datetime,
    limit: int = 8640,
) -> int:
    """Work off marks, the newest first, about ``limit`` intervals now. Return how many were derived; 0
    means that nothing is left. What lies after ``at`` stays marked.

    Raises LockHeld when another process derives one piece for more than a minute.
    """
    now = interval_of(int(at.timestamp()))
    done, is_left = 0, True
    while is_left and done < limit:
        with held(f"derive-{site_id}", WAIT_S):
            count, is_left = _newest_piece(store, site_id, parameters(), now, min(PIECE, limit - done))
        done += count
    return done


def _newest_piece(
    store: TimeSeriesStore, site_id: int, parameters: SiteParameters, now: int, most: int
) -> tuple[int, bool]:
    """Derive the newest marked intervals. Return how many, and whether more were marked before."""
    _check_made_with(store, site_id, parameters)
    marks = list(StaleRange.objects.filter(site_id=site_id))
    stretches = _stretches(marks, now)
    if not stretches:
        return 0, False
    start, end = stretches[-1]
    first = max(start, end - most * INTERVAL_S)
    count = derive_intervals(store, site_id, parameters, first, end, now)
    with transaction.atomic():
        DerivedState.objects.filter(site_id=site_id).update(version=F("version") + 1)
        _forget(marks, first, end)
    return count, len(stretches) > 1 or first > start


def stale_intervals(site_id: int, at: datetime) -> int:
    """Return how many intervals before ``at`` are marked."""
    now = interval_of(int(at.timestamp()))
    stretches = _stretches(list(StaleRange.objects.filter(site_id=site_id)), now)
    return sum((end - start) // INTERVAL_S for start, end in stretches)


def _check_made_with(store: TimeSeriesStore, site_id: int, parameters: SiteParameters) -> None:
    """Mark everything, once, after an upgrade or a change of options."""
    name = made_with(parameters)
    if first_row(_MADE_WITH, site_id) == (name,):
        return
    state, is_new = DerivedState.objects.get_or_create(site_id=site_id, defaults={"made_with": name})
    if is_new:
        return
    with transaction.atomic():
        if state.made_with:
            mark_everything_stale(store, site_id)
        DerivedState.objects.filter(pk=state.pk).update(made_with=name)


def _stretches(ranges: list[StaleRange], now: int) -> list[tuple[int, int]]:
    """Return the marks before ``now``, joined where they touch, in order."""
    stretches: list[tuple[int, int]] = []
    for start, end in sorted(
        (int(each.start.timestamp()), min(now, int(each.end.timestamp()))) for each in ranges
    ):
        if start >= end:
            continue
        if stretches and start <= stretches[-1][1]:
            stretches[-1] = (stretches[-1][0], max(stretches[-1][1], end))
        else:
            stretches.append((start, end))
    return stretches


def _forget(ranges: list[StaleRange], start: int, end: int) -> None:
    """Take [start, end) out of these marks, in the caller's transaction; marks made meanwhile are others and
    stay."""
    first, last = datetime.fromtimestamp(start, UTC), datetime.fromtimestamp(end, UTC)
    touched = [each for each in ranges if each.start < last and each.end > first]
    for each in touched:
        if each.start < first:
            StaleRange.objects.create(site_id=each.site_id, start=each.start, end=first)
        if each.end > last:
            StaleRange.objects.create(site_id=each.site_id, start=last, end=each.end)
    StaleRange.objects.filter(pk__in=[each.pk for each in touched]).delete()
