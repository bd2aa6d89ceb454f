"""What the store lacks of the meter's minutes, written down as hours to fetch.

An hour is a gap when minute rows are missing or provisional. Counts are of what is stored, never of what
a meter has answered.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from apps.devices.models import Device, HistoryGap, MemorySearch
from apps.metrics.grid import MINUTE_S, interval_of, minutes
from apps.metrics.store.front import Store

HOUR = timedelta(hours=1)
SETTLED = timedelta(minutes=3)
# The running hour is refined by the five-minute job; only a whole interval missing is a gap.
RUNNING_HOUR_MAY_LACK = 6


def lacking_minutes(
    store: Store, site_id: int, start: datetime, end: datetime, *, provisional_will_do: bool = False
) -> list[int]:
    """Return the minutes in [start, end) (epoch s) without a row of the meter's own, or with
    ``provisional_will_do`` without any."""
    first, last = int(start.timestamp()), int(end.timestamp())
    if first >= last:
        return []
    there = {
        row.at
        for row in store.rows(site_id, "meter_minute", first, last, fields=["energy_wh", "provisional"])
        if row.values.get("energy_wh") is not None
        and (provisional_will_do or not row.values.get("provisional"))
    }
    return [minute for minute in minutes(first, last) if minute not in there]


def stretches(lacking: Sequence[int], joined_minutes: int = 1) -> list[tuple[datetime, datetime]]:
    """Return [start, end) of minutes that lie at most ``joined_minutes`` apart, in order."""
    if not lacking:
        return []
    edges = [
        number for number, (one, other) in enumerate(pairwise(lacking), 1)
        if other - one > joined_minutes * MINUTE_S
    ]  # fmt: skip
    groups = [lacking[start:end] for start, end in zip([0, *edges], [*edges, len(lacking)], strict=True)]
    return [(_utc(group[0]), _utc(group[-1] + MINUTE_S)) for group in groups]


def note_gaps(store: Store, device: Device, search: MemorySearch, start: datetime, at: datetime) -> None:
    """Write down the hours in [start, at) that lack minutes, and those filled meanwhile, up to the interval
    whose minutes have surely been refined.

    What the meter cannot have is no gap before it was known, and lost afterwards.
    """
    first, end = hour_of(start), _utc(interval_of(int((at - SETTLED).timestamp())))
    begins_at = remembered_from(device, search) or first
    known = {
        gap.start: gap
        for gap in HistoryGap.objects.filter(
            site=device.site_id, device=device.identifier, start__gte=first, start__lt=end
        )
    }
    for hour, rows, provisional in _hours(store, device.site_id, first, end):
        begin, stop = max(hour, begins_at, start), min(hour + HOUR, end)
        if stop - begin == HOUR:
            missing = max(0, 60 - rows) + provisional
        else:
            missing = len(lacking_minutes(store, device.site_id, begin, stop))
        gap = known.get(hour)
        is_closed = stop == hour + HOUR
        if missing == 0 and hour < begins_at:
            gone = _absent_minutes(store, device, hour, min(begins_at, hour + HOUR))
            _note_gone(device, search, hour, gone, gap)
        elif gap is None:
            if missing > (0 if is_closed else RUNNING_HOUR_MAY_LACK):
                _new(device, hour, missing).save()
        else:
            _note_again(gap, missing, is_closed=is_closed)


def _absent_minutes(store: Store, device: Device, start: datetime, end: datetime) -> int:
    """Return how many minutes of [start, end) have no row at all, since the meter was known."""
    first = max(start, device.first_seen_at.replace(second=0, microsecond=0))
    return len(lacking_minutes(store, device.site_id, first, end, provisional_will_do=True))


def remembered_from(device: Device, search: MemorySearch) -> datetime | None:
    """Return from when on the meter's rows are there and believed; None while that is not known."""
    known = [at for at in (search.begins_at, device.history_from) if at is not None]
    return max(known, default=None)


def _hours(store: Store, site_id: int, first: datetime, end: datetime) -> Iterator[tuple[datetime, int, int]]:
    """Yield (hour, minute rows in it, provisional ones of them) of each hour that begins in [first, end)."""
    begin, stop = int(first.timestamp()), int(end.timestamp())
    counts = store.series(site_id, "energy_wh", begin, stop, 3600)
    provisional = store.series(site_id, "provisional", begin, stop, 3600)
    unsettled = dict(zip(provisional.time, provisional.sum, strict=True))
    for t, count in zip(counts.time, counts.count, strict=True):
        yield _utc(t), count, int(unsettled.get(t) or 0)


def _new(device: Device, hour: datetime, missing: int) -> HistoryGap:
    return HistoryGap(site_id=device.site_id, device=device.identifier, start=hour, missing_minutes=missing)


def _note_again(gap: HistoryGap, missing: int, *, is_closed: bool) -> None:
    was_filled, was_lost = gap.state == HistoryGap.State.FILLED, gap.state == HistoryGap.State.LOST
    if missing == 0:
        if not was_filled:
            gap.state, gap.missing_minutes = HistoryGap.State.FILLED, 0
            gap.save(update_fields=["state", "missing_minutes"])
        return
    worth_it = is_closed or missing > RUNNING_HOUR_MAY_LACK
    # Of a lost hour more is missing than what the meter was found not to have: ask again.
    if (was_filled and worth_it) or (was_lost and missing > gap.missing_minutes):
        gap.state, gap.missing_minutes = HistoryGap.State.OPEN, missing
        gap.attempts = gap.failures = 0
        gap.retry_at = None
        gap.save()
    elif not was_filled and gap.missing_minutes != missing:
        gap.missing_minutes = missing
        gap.save(update_fields=["missing_minutes"])


def _note_gone(
    device: Device, search: MemorySearch, hour: datetime, missing: int, gap: HistoryGap | None
) -> None:
    """Note what is missing from before the meter's memory: lost, if heatmon was there to want it."""
    state = HistoryGap.State.LOST if missing else HistoryGap.State.FILLED
    gap = gap if gap is not None or not missing else _new(device, hour, missing)
    if gap is None or (gap.state, gap.missing_minutes) == (state, missing):
        return
    gap.state, gap.missing_minutes = state, missing
    gap.reason, gap.reason_details = reason_gone(device, search, hour) if missing else "", {}
    gap.save()


def reason_gone(device: Device, search: MemorySearch, hour: datetime) -> str:
    """Return why the meter cannot have an hour, as a code."""
    if device.history_from is not None and hour < device.history_from:
        return "clock_was_wrong"
    if search.switched_at is not None and hour < search.switched_at:
        return "profile_switched"
    if search.begins_at is not None and hour < search.begins_at:
        return "memory_begins_later"
    return "not_remembered"


def hour_of(at: datetime) -> datetime:
    """Return the start of the hour."""
    return at.replace(minute=0, second=0, microsecond=0)


def _utc(at: int) -> datetime:
    return datetime.fromtimestamp(at, UTC)
