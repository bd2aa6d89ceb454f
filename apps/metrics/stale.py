"""Working off marks of stale stretches, in the background and in pieces. Restartable at any point."""

from __future__ import annotations

from datetime import UTC, datetime

from django.db import transaction

from .derive import derive_intervals
from .guards import exists
from .marks import made_with, mark_everything_stale, mark_stale, raw_extent, reach
from .models import DerivedState, StaleRange
from .parameters import SiteParameters
from .running import INTERVAL_S
from .store.base import TimeSeriesStore

__all__ = ["derive_stale", "mark_everything_stale", "mark_stale", "raw_extent", "stale_intervals"]


def derive_stale(
    store: TimeSeriesStore,
    site_id: int,
    parameters: SiteParameters,
    at: datetime,
    limit: int = 8640,
    *,
    fresh: tuple[int, int] | None = None,
) -> int:
    """Work off marks, the newest first, at most ``limit`` intervals now. Returns how many were derived; 0
    means that nothing is left. What lies after ``at`` stays marked.

    ``fresh``: a stretch [start, end) of new rows that needs no mark, because the caller knows it again
    after a crash.
    """
    _check_made_with(store, site_id, parameters)
    now = int(at.timestamp())
    now -= now % INTERVAL_S
    budget = limit
    done = 0
    unmarked = [StaleRange(start=touched[0], end=touched[1])] if fresh and (touched := reach(*fresh)) else []
    while budget > 0:
        marked = exists(StaleRange, "site_id = %s", site_id)
        ranges = list(StaleRange.objects.filter(site_id=site_id)) if marked else []
        stretches = _stretches([*ranges, *unmarked], now)
        if not stretches:
            break
        start, end = stretches[-1]
        first = max(start, end - budget * INTERVAL_S)
        done += derive_intervals(store, site_id, parameters, first, end)
        _forget(ranges, first, end)
        unmarked = []
        if len(stretches) == 1 and first == start:
            break  # what was marked meanwhile waits for the next turn
        budget -= (end - first) // INTERVAL_S
    return done


def stale_intervals(site_id: int, at: datetime) -> int:
    """How many intervals before ``at`` are marked."""
    now = int(at.timestamp())
    stretches = _stretches(list(StaleRange.objects.filter(site_id=site_id)), now - now % INTERVAL_S)
    return sum((end - start) // INTERVAL_S for start, end in stretches)


def _check_made_with(store: TimeSeriesStore, site_id: int, parameters: SiteParameters) -> None:
    """After an upgrade or a change of options everything is marked, once."""
    name = made_with(parameters)
    state = DerivedState.objects.filter(site_id=site_id).first()
    if state is None or state.made_with == name:
        return
    with transaction.atomic():
        mark_everything_stale(store, site_id)
        DerivedState.objects.filter(pk=state.pk).update(made_with=name)


def _stretches(ranges: list[StaleRange], now: int) -> list[tuple[int, int]]:
    """Marks before ``now``, joined where they touch, in order."""
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
    """Take [start, end) out of these marks; marks made meanwhile are others and stay."""
    first, last = datetime.fromtimestamp(start, UTC), datetime.fromtimestamp(end, UTC)
    touched = [each for each in ranges if each.start < last and each.end > first]
    if not touched:
        return
    with transaction.atomic():
        for each in touched:
            if each.start < first:
                StaleRange.objects.create(site_id=each.site_id, start=each.start, end=first)
            if each.end > last:
                StaleRange.objects.create(site_id=each.site_id, start=last, end=each.end)
        StaleRange.objects.filter(pk__in=[each.pk for each in touched]).delete()
