"""What happens, and when devices meet the store: the only place where they do.

Every job takes the collection and the time it is due, is idempotent (twice, late or from two schedulers
changes nothing and spends nothing extra) and raises DeviceError or BudgetExhausted for what the outside
did; the runner records that and goes on.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import NamedTuple

from django.db import transaction

from apps.accounts import audit
from apps.alerts.facts import facts_of
from apps.alerts.watching import deliver, forget_old, look
from apps.changelog.models import Entry
from apps.changelog.observe import add_event, observe, telling
from apps.devices import crash_points, storage
from apps.devices.answers import forget_answers, keep_answers
from apps.devices.errors import BudgetExhausted, DeviceError, WrongDevice
from apps.devices.locks import LockHeld
from apps.devices.models import ApiCall, Device, JobRun, Site
from apps.devices.readings import HeatPumpReading, PowerReading
from apps.devices.reports import heat_pump_report, meter_report
from apps.devices.sources import HeatPumpAnswer, HeatPumpSource
from apps.effects.advising import note_advice
from apps.effects.effects import judge_all
from apps.metrics.child import ChildFailed
from apps.metrics.grid import interval_of
from apps.metrics.home import Home
from apps.metrics.marks import mark_late, mark_new
from apps.metrics.models import MeterEvent
from apps.metrics.parameters import site_parameters
from apps.metrics.recording import heat_pump_rows, meter_rows, minute_rows, newest_of
from apps.metrics.stale import PIECE, derive_stale, stale_intervals
from apps.metrics.store.base import Row, StoreRefused, StoreUnavailable, TimeSeriesStore

from .backfill import backfill, refine_minutes
from .backing_up import asked_for, nightly
from .collection import Collection
from .device_care import note_clock, note_seen
from .replay import unstored_answers
from .source_states import HEAT_PUMP, METER, last_success, note_failure, note_success, warn_of_login
from .upkeep import damages

__all__ = [
    "back_up",
    "back_up_asked",
    "backfill",
    "derive",
    "judge_changes",
    "keep_house",
    "poll_heat_pump",
    "poll_power",
    "refine_minutes",
    "watch",
]

log = logging.getLogger(__name__)

DERIVE_AT_ONCE = 4 * 8640
KEEP_ANSWERS = timedelta(days=90)
KEEP_CALLS = timedelta(days=60)
LONG_OUTAGE = timedelta(hours=6)
DAY = timedelta(days=1)
READABLE_WITHIN_S = 60.0
MINUTES_COME_WITHIN_S = 30
FEW_INTERVALS = 288
STORED_WITHIN_S = 2.0


class HeatPumpPoll(NamedTuple):
    """What one poll of the cloud brought."""

    reading: HeatPumpReading
    entry_id: int | None


def poll_power(collection: Collection, at: datetime) -> PowerReading | None:
    """Store one reading of the meter; return None while no meter is set up. What cannot be stored now is
    stored with a later one."""
    with storage.impatient(STORED_WITHIN_S):
        return _poll_power(collection, at)


def _poll_power(collection: Collection, at: datetime) -> PowerReading | None:
    connected = collection.connected()
    if connected.meter is None:
        return None
    try:
        reading = connected.meter.poll()
        _check_meter(collection, connected.meter_device, reading)
    except DeviceError as error:
        note_failure(collection.site, METER, at, error, connected.options.zone)
        raise
    channels = connected.options.heat_pump_channels
    rows = meter_rows(collection.site.pk, reading, channels)
    minute = connected.meter.closed_minute(reading)
    if minute is not None:
        rows += minute_rows(collection.site.pk, [minute], channels, provisional=True)
    collection.live_rows.write(rows)
    note_success(collection.site, METER, at, report=meter_report(reading))
    device = collection.connected().meter_device
    if device is not None:
        note_seen(device, reading.measured_at, connected.meter)
        if note_clock(device, reading):
            collection.reload()
    return reading


def _check_meter(collection: Collection, known: Device | None, reading: PowerReading) -> None:
    if known is not None and known.identifier != reading.device:
        raise WrongDevice("other_meter", found=reading.device, known=known.identifier)
    collection.remember_device(
        Device.Kind.METER, reading.device, reading.measured_at, profile=reading.profile
    )


def poll_heat_pump(collection: Collection, at: datetime, *, by_hand: bool = False) -> HeatPumpPoll | None:
    """Store one answer of the cloud, with its settings history; return None while no account is set up.

    ``by_hand``: a person asks, so that what was refused lately is tried again.
    """
    connected = collection.connected()
    if connected.heat_pump is None:
        return None
    try:
        poll = _record(collection, connected.heat_pump, connected.heat_pump.poll(by_hand=by_hand))
    except (DeviceError, BudgetExhausted) as error:
        note_failure(collection.site, HEAT_PUMP, at, error, connected.options.zone)
        raise
    _note_outage(collection.site, at)
    note_success(
        collection.site,
        HEAT_PUMP,
        at,
        report=heat_pump_report(poll.reading),
        login_ends_at=connected.heat_pump.login_ends_at(),
    )
    device = collection.connected().heat_pump_device
    if device is not None:
        note_seen(device, poll.reading.measured_at)
    return poll


def _note_outage(site: Site, at: datetime) -> None:
    """Note an outage: what the heat pump did while nobody asked is lost for good; the meter's minutes come
    back."""
    before = last_success(site, HEAT_PUMP)
    if before is not None and at - before >= LONG_OUTAGE:
        details = {"source": HEAT_PUMP.value, "duration_s": (at - before).total_seconds()}
        add_event(site, before, "long_outage", details, ended_at=at)


def _record(collection: Collection, source: HeatPumpSource, answer: HeatPumpAnswer) -> HeatPumpPoll:
    site, store, reading = collection.site, collection.store, answer.reading
    collection.live_answers.keep(answer)  # first: what fails from here on is made up for by the next one
    crash_points.reached("answer.kept")
    collection.remember_device(
        Device.Kind.HEAT_PUMP, reading.device, reading.measured_at, model=reading.model or ""
    )
    missed = unstored_answers(site, store, source, reading.device, reading.measured_at)
    times = [int(one.reading.measured_at.timestamp()) for one in missed]
    if times:
        mark_late(site.pk, times[0], times[-1] + 1)
    entries = _store_answers(site, store, [*missed, answer])
    if times:
        mark_late(site.pk, times[0], times[-1] + 1)
    return HeatPumpPoll(reading, entries[-1].pk if entries else None)


def record_answers(site: Site, store: TimeSeriesStore, answers: Sequence[HeatPumpAnswer]) -> list[Entry]:
    """Store answers of one device, live or imported, in the order of their time. Return the entries that
    they confirmed. Of two answers in one interval the later one stays."""
    keep_answers(site, answers)
    return _store_answers(site, store, answers)


def _store_answers(site: Site, store: TimeSeriesStore, answers: Sequence[HeatPumpAnswer]) -> list[Entry]:
    store.write(_newest_rows(site, store, [answer.reading for answer in answers]))
    with transaction.atomic():
        seen = [observe(site, one) for one in telling([answer.configuration for answer in answers])]
    return [entry for entry in seen if entry is not None]


def _newest_rows(site: Site, store: TimeSeriesStore, readings: Sequence[HeatPumpReading]) -> list[Row]:
    rows = [row for reading in readings for row in heat_pump_rows(site.pk, reading)]
    times = [row.at for row in rows]
    try:
        stored = list(store.rows(site.pk, "heat_pump", min(times), max(times) + 1, fields=["requested_at"]))
    except StoreRefused:
        raise
    except StoreUnavailable:
        if len(readings) > 1:
            raise
        stored = []  # one answer is a poll, the newest: its rows may be kept until the store is back
    requested_at = {
        row.at: asked
        for row in stored
        if row.device == rows[0].device and (asked := row.values["requested_at"]) is not None
    }
    return newest_of(rows, requested_at)


def derive(collection: Collection, at: datetime, go_on: Callable[[], bool] = lambda: True) -> int:
    """Compute what became stale, the last closed intervals included; return how many intervals.

    An interval is taken up half a minute after its end, when its last minutes have come from the meter.
    """
    site, store = collection.site, collection.store
    if not store.wait_until_readable(READABLE_WITHIN_S):
        log.warning("Nothing was derived this time: the rows written last cannot be read yet.")
        return 0
    mark_new(store, site.pk, interval_of(int(at.timestamp()) - MINUTES_COME_WITHIN_S))
    done, count = 0, PIECE
    try:
        while count >= PIECE and done < DERIVE_AT_ONCE and go_on():
            count = derive_stale(store, site.pk, partial(site_parameters, site), at, PIECE)
            done += count
    except LockHeld as error:
        log.warning("Nothing was derived this time: %s.", error)
    if done:
        note_meter_events(site)
    return done


def note_meter_events(site: Site) -> None:
    """Add what the counters showed (reset, another meter or profile) to the changes."""
    for event in MeterEvent.objects.filter(site=site, noted=False):
        add_event(site, event.at, event.kind, {"device": event.device})
        MeterEvent.objects.filter(pk=event.pk).update(noted=True)


def judge_changes(collection: Collection, at: datetime) -> None:
    """Make the verdicts on what was changed, and look for advice, once a day is over, and after changes and
    imports; not while much is still to be derived."""
    if stale_intervals(collection.site.pk, at) > FEW_INTERVALS:
        return
    home = Home(site=collection.site, options=collection.options, store=collection.store, at=at)
    try:
        judge_all(home)
    except ChildFailed as error:
        log.error("The effects of changes could not be calculated: %s", error)
    note_advice(home)


def back_up(collection: Collection, at: datetime) -> None:
    """Make the backup of the night, once, and keep seven daily and four weekly ones."""
    nightly(collection.store, at)


def back_up_asked(collection: Collection, at: datetime) -> None:
    """Make the backup that somebody asked for on the Settings page."""
    asked_for(collection.store, at)


def watch(collection: Collection, at: datetime) -> None:
    """Raise and solve alerts, and send the messages that are due."""
    look(collection.site, facts_of(collection.site, at), at)
    deliver(collection.site, at)


def keep_house(collection: Collection, at: datetime) -> None:
    """Remove what is old (answers, calls, turns, audit entries), check the files, and warn of a login that
    ends (nightly)."""
    forget_answers(at - KEEP_ANSWERS)
    ApiCall.objects.filter(at__lt=at - KEEP_CALLS).delete()
    JobRun.objects.filter(due_at__lt=at - DAY).delete()
    forget_old(at)
    audit.forget_old(at)
    warn_of_login(collection.site, at, collection.options.zone)
    collection.store.tidy()
    for what, fault in damages(collection.store):
        log.error("%s is damaged (%s). Stop heatmon and restore the last backup.", what, fault)
