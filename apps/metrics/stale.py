"""Working off marks of stale stretches, in the background and in pieces. Restartable at any point."""

from __future__ import annotations

from datetime import UTC, datetime

from django.db import transaction

from .derive import derive_intervals
from .marks import made_with, mark_everything_stale, mark_stale, raw_extent
from .models import DerivedState, StaleRange
from .parameters import SiteParameters
from .running import INTERVAL_S
from .store.base import TimeSeriesStore

__all__ = ["derive_stale", "mark_everything_stale", "mark_stale", "raw_extent"]


def derive_stale(
    store: TimeSeriesStore, site_id: int, parameters: SiteParameters, at: datetime, limit: int = 8640
) -> int:
    """Work off marks, the newest first, at most ``limit`` intervals now. Returns how many were derived; 0
    means that nothing is left. What lies after ``at`` stays marked."""
    _check_made_with(store, site_id, parameters)
    now = int(at.timestamp())
    now -= now % INTERVAL_S
    budget = limit
    done = 0
    while budget > 0:
        ranges = list(StaleRange.objects.filter(site_id=site_id))
        stretch = _newest(ranges, now)
        if stretch is None:
            break
        start, end = stretch
        first = max(start, end - budget * INTERVAL_S)
        done += derive_intervals(store, site_id, parameters, first, end)
        _forget(ranges, first, end)
        budget -= (end - first) // INTERVAL_S
    return done


def _check_made_with(store: TimeSeriesStore, site_id: int, parameters: SiteParameters) -> None:
    """After an upgrade or a change of options everything is marked, once."""
    name = made_with(parameters)
    state = DerivedState.objects.filter(site_id=site_id).first()
    if state is None or state.made_with == name:
        return
    with transaction.atomic():
        mark_everything_stale(store, site_id)
        DerivedState.objects.filter(pk=state.pk).update(made_with=name)


def _newest(ranges: list[StaleRange], now: int) -> tuple[int, int] | None:
    """The newest stretch of joined marks before ``now``."""
    edges = sorted((int(each.start.timestamp()), min(now, int(each.end.timestamp()))) for each in ranges)
    stretch: tuple[int, int] | None = None
    for start, end in edges:
        if start >= end:
            continue
        if stretch is not None and start <= stretch[1]:
            stretch = (stretch[0], max(stretch[1], end))
        else:
            stretch = (start, end)
    return stretch


def _forget(ranges: list[StaleRange], start: int, end: int) -> None:
    """Take [start, end) out of these marks; marks made meanwhile are others and stay."""
    first, last = datetime.fromtimestamp(start, UTC), datetime.fromtimestamp(end, UTC)
    touched = [each for each in ranges if each.start < last and each.end > first]
    with transaction.atomic():
        for each in touched:
            if each.start < first:
                StaleRange.objects.create(site_id=each.site_id, start=each.start, end=first)
            if each.end > last:
                StaleRange.objects.create(site_id=each.site_id, start=last, end=each.end)
        StaleRange.objects.filter(pk__in=[each.pk for each in touched]).delete()
