"""Minutes that heatmon missed are fetched from the meter's own memory, hour by hour.

An hour is written down as a gap when minute rows are missing or provisional, fetched in one request,
and closed as filled, or as lost once the meter has shown three times that it does not have the rest.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from apps.devices.errors import DeviceError
from apps.devices.models import Device, HistoryGap
from apps.devices.readings import MinuteRecord
from apps.devices.sources import MeterMemory
from apps.metrics.marks import write_marked
from apps.metrics.recording import minute_rows

from .collection import Collection

log = logging.getLogger(__name__)

HOUR = timedelta(hours=1)
REMEMBERED = timedelta(days=60)
RECENT = timedelta(hours=48)
SETTLED = timedelta(minutes=3)
GIVE_UP_AFTER = 3
RETRY_AFTER = timedelta(minutes=10)


def find_gaps(collection: Collection, device: str, start: datetime, at: datetime) -> int:
    """Write down the hours in [start, at) that lack minute rows; return how many are open. What lies before
    the meter's memory is not a gap."""
    start = max(start, collection.remembered_from or start)
    first = _hour(start)
    end = at - SETTLED
    counts = collection.store.series(
        collection.site.pk, "energy_wh", int(first.timestamp()), int(end.timestamp()), 3600
    )
    provisional = collection.store.series(
        collection.site.pk, "provisional", int(first.timestamp()), int(end.timestamp()), 3600
    )
    unsettled = dict(zip(provisional.time, provisional.sum, strict=True))
    known = {
        gap.start: gap
        for gap in HistoryGap.objects.filter(site=collection.site, device=device, start__gte=first)
    }
    for t, count in zip(counts.time, counts.count, strict=True):
        hour = datetime.fromtimestamp(t, UTC)
        expected = _minutes(max(hour, start), min(hour + HOUR, end))
        missing = max(0, expected - count) + int(unsettled.get(t) or 0)
        _note(collection, device, hour, missing, known.get(hour), closed=end - hour >= HOUR)
    return HistoryGap.objects.filter(site=collection.site, device=device, state=HistoryGap.State.OPEN).count()


def _note(
    collection: Collection, device: str, hour: datetime, missing: int, gap: HistoryGap | None, *, closed: bool
) -> None:
    if gap is None:
        # The running hour is refined by the five-minute job; only a whole interval missing is a gap.
        if missing > (0 if closed else 6):
            HistoryGap.objects.create(
                site=collection.site, device=device, start=hour, missing_minutes=missing
            )
        return
    if missing == 0 and gap.state != HistoryGap.State.FILLED:
        gap.state, gap.missing_minutes = HistoryGap.State.FILLED, 0
        gap.save(update_fields=["state", "missing_minutes"])
    elif missing > 0 and (gap.state == HistoryGap.State.FILLED or _lost_less(gap, missing)):
        gap.state, gap.missing_minutes, gap.attempts = HistoryGap.State.OPEN, missing, 0
        gap.save(update_fields=["state", "missing_minutes", "attempts"])
    elif missing > 0 and gap.missing_minutes != missing:
        gap.missing_minutes = missing
        gap.save(update_fields=["missing_minutes"])


def _lost_less(gap: HistoryGap, missing: int) -> bool:
    """Return whether more is missing than the meter was found not to have, so that it is worth asking
    again."""
    return gap.state == HistoryGap.State.LOST and missing > gap.missing_minutes


def fill_gaps(
    collection: Collection,
    history: MeterMemory,
    device: Device,
    at: datetime,
    *,
    go_on: Callable[[], bool],
) -> int:
    """Fetch open hours, oldest first, one at a time, while ``go_on()``; return the minutes stored."""
    stored = 0
    gaps = HistoryGap.objects.filter(
        site=collection.site, device=device.identifier, state=HistoryGap.State.OPEN
    ).exclude(last_attempt_at__gt=at - RETRY_AFTER)
    for gap in gaps.order_by("start"):
        if not go_on():
            break
        stored += _fill(collection, history, device, gap, at)
    return stored


def _fill(collection: Collection, history: MeterMemory, device: Device, gap: HistoryGap, at: datetime) -> int:
    end = min(gap.start + HOUR, _minute(at))
    gap.last_attempt_at = at
    records: list[MinuteRecord] = []
    try:
        records.extend(history.fetch_chunk(gap.start, end, device.profile))
    except DeviceError as error:
        # Only answers count as attempts: a meter that is away has not said that it forgot.
        gap.reason, gap.reason_details = error.code, error.details
        gap.save(update_fields=["last_attempt_at", "reason", "reason_details"])
        raise
    finally:
        _keep(collection, gap, records)
    gap.attempts += 1
    missing = _minutes(_remembered_part(collection, gap, end), end) - len(records)
    gap.missing_minutes = max(0, missing)
    gap.reason, gap.reason_details = "", {}
    if missing <= 0:
        gap.state = HistoryGap.State.FILLED
    elif gap.attempts >= GIVE_UP_AFTER:
        gap.state = HistoryGap.State.LOST
        before = device.history_from is not None and gap.start < device.history_from
        gap.reason = "clock_was_wrong" if before else "not_remembered"
    gap.save()
    return len(records)


def _keep(collection: Collection, gap: HistoryGap, records: list[MinuteRecord]) -> None:
    """Store what came, be it the part before a fault."""
    if not records:
        return
    channels = collection.options.heat_pump_channels
    write_marked(collection.store, collection.site.pk, minute_rows(collection.site.pk, records, channels))


def _remembered_part(collection: Collection, gap: HistoryGap, end: datetime) -> datetime:
    """Return from when on the meter can have this hour: not from the start in the first hour of its
    memory."""
    remembered_from = collection.remembered_from
    if remembered_from is not None and gap.start < remembered_from < end:
        return remembered_from
    return gap.start


def _minutes(start: datetime, end: datetime) -> int:
    return int((end - start).total_seconds() // 60)


def _hour(at: datetime) -> datetime:
    return at.replace(minute=0, second=0, microsecond=0)


def _minute(at: datetime) -> datetime:
    return at.replace(second=0, microsecond=0)
