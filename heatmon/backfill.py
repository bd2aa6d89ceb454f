"""Minutes that heatmon missed, or has from the counters only, are fetched from the meter's own memory.

``refine_minutes`` looks after the last hour, ``backfill`` after everything before: hour by hour, the newest
first. An hour that fails is tried again later and keeps no other waiting; it is given up as lost once the
meter has shown three times, in every way it has, that it does not have the rest.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db.models import Q

from apps.devices.errors import IMPOSSIBLE, DeviceError
from apps.devices.memory import hours_open
from apps.devices.models import Device, HistoryGap, MemorySearch
from apps.devices.readings import HistoryExtent, MinuteRecord
from apps.devices.sources import MeterMemory
from apps.metrics.grid import interval_of
from apps.metrics.marks import mark_late, mark_stale, write_marked
from apps.metrics.recording import minute_rows

from .collection import Collection
from .fetching import Fetched, Fetching
from .gaps import (
    HOUR,
    SETTLED,
    hour_of,
    lacking_minutes,
    note_gaps,
    reason_gone,
    remembered_from,
    stretches,
)
from .source_states import METER, is_responding

log = logging.getLogger(__name__)

REMEMBERED = timedelta(days=60)
DAY = timedelta(days=1)
REFINED = timedelta(minutes=65)
SEARCH_EVERY = timedelta(minutes=1)
SEARCHED_AGAIN = timedelta(hours=2)
LOOK_AGAIN = timedelta(minutes=1)
FILL_FOR = timedelta(seconds=50)
HOUR_WITHIN = timedelta(seconds=40)
PAUSE_S = 0.3
READABLE_S = 5.0
GIVE_UP_AFTER = 3
RETRY_AFTER = timedelta(minutes=10)
RETRY_FAILED_AFTER = timedelta(minutes=2)
LONGEST_PAUSE = timedelta(hours=6)
PAGE_MINUTES = 6


def refine_minutes(collection: Collection, at: datetime) -> list[MinuteRecord]:
    """Fetch the last hour's minutes that are missing or provisional, up to the interval that has ended."""
    connected = collection.connected()
    device, memory = connected.meter_device, connected.memory
    if device is None or memory is None or device.clock_wrong_since is not None:
        return []
    if not collection.store.wait_until_readable(READABLE_S):
        return []
    end = datetime.fromtimestamp(interval_of(int(at.timestamp())), UTC)
    lacking = _wanted(collection, device, end)
    records: list[MinuteRecord] = []
    for start, stop in stretches(lacking, joined_minutes=PAGE_MINUTES):
        records += memory.fetch_recent(start, stop, device.profile)
    rows = minute_rows(collection.site.pk, records, connected.options.heat_pump_channels)
    write_marked(collection.store, collection.site.pk, rows, mark_late)
    return records


def _wanted(collection: Collection, device: Device, end: datetime) -> list[int]:
    """Return the lacking minutes of the last hour that the meter may have."""
    lacking = lacking_minutes(collection.store, collection.site.pk, end - REFINED, end)
    if len(lacking) <= PAGE_MINUTES:
        return lacking
    search = MemorySearch.objects.filter(site=collection.site, device=device.identifier).first()
    begins_at = remembered_from(device, search) if search is not None else device.history_from
    lost = dict(
        HistoryGap.objects.filter(
            site=collection.site,
            device=device.identifier,
            state=HistoryGap.State.LOST,
            start__gt=end - REFINED - HOUR,
        ).values_list("start", "last_attempt_at")
    )

    def is_wanted(at: datetime) -> bool:
        asked_at = lost.get(hour_of(at))
        return (begins_at is None or at >= begins_at) and (asked_at is None or at >= asked_at - SETTLED)

    return [minute for minute in lacking if is_wanted(datetime.fromtimestamp(minute, UTC))]


def backfill(
    collection: Collection, at: datetime, go_on: Callable[[], bool] = lambda: True, *, whole: bool = False
) -> int:
    """Fetch missing minutes from the meter's memory; return how many were stored.

    At first, once a day and with ``whole``, all that the meter remembers is compared with the store, else
    what is new since the last time. One turn fetches for less than a minute; the next one goes on. While the
    meter does not respond, what the store lacks is written down all the same.
    """
    connected = collection.connected()
    device, memory = connected.meter_device, connected.memory
    if device is None or memory is None or device.clock_wrong_since is not None:
        return 0
    if not collection.store.wait_until_readable(READABLE_S):
        return 0  # what was written, but cannot be read yet, is no gap
    search, _ = MemorySearch.objects.get_or_create(site=collection.site, device=device.identifier)
    filling = Filling(collection, device, memory, search)
    if not is_responding(collection.site, METER):
        filling.search_store(at)
        return 0
    filling.search(at, whole=whole)
    until = collection.clock() + FILL_FOR
    return filling.fill(lambda: go_on() and collection.clock() < until)


@dataclass(slots=True)
class Filling:
    """One turn on the memory of one meter."""

    collection: Collection
    device: Device
    memory: MeterMemory
    state: MemorySearch
    stored: int = 0

    def search(self, at: datetime, *, whole: bool = False) -> None:
        """Write down what the store lacks, where it is time to look. Raises DeviceError."""
        state = self.state
        is_new = state.profile != self.device.profile
        if whole or is_new or not _within(state.whole_at, at, DAY):
            if not whole and _within_future(state.retry_at, at, LOOK_AGAIN):
                return
            start = at - REMEMBERED
            extent = self._look(at)
            if extent is None:
                return  # it begins to remember with its next minute
            if is_new and state.profile:
                state.switched_at = extent.start
            note_gaps(self.collection.store, self.device, state, start, at)
            state.whole_at, state.profile, state.searched_until = at, self.device.profile, at
            state.save()
        else:
            self.search_store(at)

    def search_store(self, at: datetime) -> None:
        """Write down what the store lacks since the last time, once a minute; the meter is not asked."""
        state = self.state
        if state.whole_at is None or _within(state.searched_until, at, SEARCH_EVERY):
            return
        since = hour_of(min(state.searched_until or at, at) - SEARCHED_AGAIN)
        note_gaps(self.collection.store, self.device, state, max(since, at - REMEMBERED), at)
        state.searched_until = at
        state.save()

    def _look(self, at: datetime) -> HistoryExtent | None:
        """Ask what the meter holds; not again at once where that gave nothing."""
        MemorySearch.objects.filter(pk=self.state.pk).update(retry_at=at + LOOK_AGAIN)
        extent = self.memory.extent(self.device.profile)
        if extent is not None:
            self.state.begins_at, self.state.retry_at = extent.start, None
        return extent

    def fill(self, go_on: Callable[[], bool]) -> int:
        """Fetch open hours, the newest first, one at a time, while ``go_on()``; return the minutes stored."""
        clock = self.collection.clock
        began, hours = clock(), 0
        while go_on() and (gap := self._next_gap(clock())) is not None:
            if hours:
                self.collection.sleep(PAUSE_S)
            self._fill(gap)
            hours += 1
        if hours:
            hour_s = (clock() - began).total_seconds() / hours
            MemorySearch.objects.filter(pk=self.state.pk).update(hour_s=hour_s)
        return self.stored

    def _next_gap(self, now: datetime) -> HistoryGap | None:
        if not hours_open(self.collection.site):
            return None  # as in most turns
        waits = Q(retry_at__gt=now, retry_at__lte=now + LONGEST_PAUSE)  # unless our clock was set back
        gaps = HistoryGap.objects.filter(
            site=self.collection.site, device=self.device.identifier, state=HistoryGap.State.OPEN
        )
        return gaps.exclude(waits).order_by("-start").first()

    def _fill(self, gap: HistoryGap) -> None:
        now = self.collection.clock()
        start, end = self._bounds(gap, now)
        fetching = Fetching(
            self.memory,
            self.device.profile,
            keep=self._keep,
            clock=self.collection.clock,
            within=HOUR_WITHIN,
        )
        gap.last_attempt_at = now
        try:
            fetched = fetching.stretch(start, end, timedelta(minutes=gap.piece_minutes))
            lacking = self._lacking(start, end)
            if lacking and fetched.failure is None:
                # An export without the rows proves nothing: pages are another way to them.
                fetched = self._pages(fetching, lacking, fetched)
                lacking = self._lacking(start, end)
        except DeviceError as error:
            # What the meter as a whole does is no failure of this hour, and says nothing of what it has.
            gap.reason, gap.reason_details = error.code, error.details
            gap.save()
            raise
        gap.missing_minutes = len(lacking)
        self._conclude(gap, fetched, lacking, now)
        gap.save()

    def _bounds(self, gap: HistoryGap, now: datetime) -> tuple[datetime, datetime]:
        """Return the part of the hour that the meter can have: not all of that in which its memory begins."""
        end = min(gap.start + HOUR, now.replace(second=0, microsecond=0))
        begins_at = remembered_from(self.device, self.state)
        if begins_at is not None and gap.start < begins_at < end:
            return begins_at, end
        return gap.start, end

    def _lacking(self, start: datetime, end: datetime) -> list[int]:
        return lacking_minutes(self.collection.store, self.collection.site.pk, start, end)

    def _pages(self, fetching: Fetching, lacking: Sequence[int], fetched: Fetched) -> Fetched:
        failure: DeviceError | None = None
        for start, end in stretches(lacking, joined_minutes=PAGE_MINUTES):
            failure = fetching.pages(start, end).failure or failure
        return Fetched(failure, fetched.piece)

    def _conclude(self, gap: HistoryGap, fetched: Fetched, lacking: Sequence[int], now: datetime) -> None:
        gap.piece_minutes = fetched.piece // timedelta(minutes=1)
        gap.reason, gap.reason_details, gap.retry_at = "", {}, None
        if not lacking:
            gap.state, gap.failures = HistoryGap.State.FILLED, 0
            return
        if fetched.failure is not None:
            gap.failures += 1
            gap.reason, gap.reason_details = fetched.failure.code, fetched.failure.details
            gap.retry_at = now + _pause(RETRY_FAILED_AFTER, gap.failures)
            if fetched.failure.code == IMPOSSIBLE and gap.failures >= GIVE_UP_AFTER:
                gap.state = HistoryGap.State.LOST
            return
        gap.attempts, gap.failures = gap.attempts + 1, 0
        gap.retry_at = now + _pause(RETRY_AFTER, gap.attempts - GIVE_UP_AFTER + 1)
        if gap.attempts < GIVE_UP_AFTER:
            return
        if self._is_held(lacking, now):
            gap.reason = "not_given"
        else:
            gap.state = HistoryGap.State.LOST
            gap.reason = reason_gone(self.device, self.state, gap.start)

    def _is_held(self, lacking: Sequence[int], now: datetime) -> bool:
        """Return whether the meter says that it has one of the minutes, or nothing that could be believed."""
        extent = self._look(now)
        if extent is None:
            return True
        self.state.save()
        return any(
            extent.start.timestamp() <= minute and block.start.timestamp() <= minute < block.end.timestamp()
            for minute in lacking
            for block in extent.blocks
        )

    def _keep(self, records: Sequence[MinuteRecord]) -> None:
        site = self.collection.site.pk
        rows = minute_rows(site, records, self.collection.options.heat_pump_channels)
        write_marked(self.collection.store, site, rows, mark_stale)
        self.stored += len(records)


def _pause(first: timedelta, times: int) -> timedelta:
    doubled: timedelta = first * 2 ** max(0, min(times, 16) - 1)
    return min(doubled, LONGEST_PAUSE)


def _within(since: datetime | None, at: datetime, length: timedelta) -> bool:
    """Return whether ``since`` lies less than ``length`` before ``at``; not after it, as when our clock was
    ahead."""
    return since is not None and timedelta(0) <= at - since < length


def _within_future(until: datetime | None, at: datetime, length: timedelta) -> bool:
    return until is not None and timedelta(0) < until - at <= length
