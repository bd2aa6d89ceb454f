"""What happens, and when devices meet the store: the only place where they do.

Every job takes the collection and the time it is due, is idempotent (twice, late or from two schedulers
changes nothing and spends nothing extra) and raises DeviceError or BudgetExhausted for what the outside
did; the runner records that and goes on.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from apps.changelog.observe import add_event, observe
from apps.devices.errors import BudgetExhausted, DeviceError, PayloadInvalid, WrongDevice
from apps.devices.models import ApiCall, Device, JobRun
from apps.devices.readings import HeatPumpReading, MinuteRecord, PowerReading
from apps.devices.shelly.client import ShellyClient
from apps.devices.viessmann.answers import forget_answers, keep_answer
from apps.devices.viessmann.configuration import heat_pump_configuration
from apps.devices.viessmann.features import heat_pump_reading
from apps.devices.viessmann.snapshot import FeatureSnapshot
from apps.metrics.guards import exists
from apps.metrics.models import MeterEvent
from apps.metrics.parameters import SiteParameters
from apps.metrics.recording import heat_pump_rows, meter_rows, minute_rows
from apps.metrics.stale import derive_stale, mark_stale

from .backfill import RECENT, REMEMBERED, fill_gaps, find_gaps
from .collection import HEAT_PUMP, METER, Collection
from .upkeep import damages

log = logging.getLogger(__name__)

INTERVAL_S = 300
DERIVE_AT_ONCE = 4 * 8640
KEEP_ANSWERS = timedelta(days=90)
KEEP_CALLS = timedelta(days=60)
LONG_OUTAGE = timedelta(hours=6)
DAY = timedelta(days=1)
FILL_FOR = timedelta(minutes=3)


class HeatPumpPoll(NamedTuple):
    """What one poll of the cloud brought."""

    reading: HeatPumpReading
    entry_id: int | None


def poll_power(collection: Collection, at: datetime) -> PowerReading | None:
    """One reading of the meter into the store; None while no meter is set up."""
    client = collection.meter()
    if client is None:
        return None
    try:
        reading = _asked(collection, client)
        _check_meter(collection, reading)
    except DeviceError as error:
        collection.failed(METER, at, error)
        raise
    channels = collection.house.heat_pump_channels
    rows = meter_rows(collection.site.pk, reading, channels)
    minute = collection.counter_minutes.feed(reading)
    if minute is not None:
        rows += minute_rows(collection.site.pk, [minute], channels, provisional=True)
    collection.store.write(rows)
    collection.succeeded(METER, at)
    return reading


def _asked(collection: Collection, client: ShellyClient) -> PowerReading:
    try:
        return client.get_status()
    except (PayloadInvalid, WrongDevice):
        if collection.known_device(Device.Kind.METER) is None:
            client.identify()  # what never was our meter says better itself what it is
        raise


def _check_meter(collection: Collection, reading: PowerReading) -> None:
    known = collection.known_device(Device.Kind.METER)
    if known is not None and known.identifier != reading.device:
        raise WrongDevice("other_meter", found=reading.device, known=known.identifier)
    collection.remember_device(
        Device.Kind.METER, reading.device, reading.measured_at, profile=reading.profile
    )


def poll_heat_pump(collection: Collection, at: datetime) -> HeatPumpPoll | None:
    """One answer of the cloud into store and settings history; None while no account is set up."""
    client = collection.heat_pump()
    if client is None:
        return None
    try:
        snapshot = client.fetch()
        poll = record_snapshot(collection, snapshot)
    except (DeviceError, BudgetExhausted) as error:
        collection.failed(HEAT_PUMP, at, error)
        raise
    _note_outage(collection, at)
    collection.succeeded(HEAT_PUMP, at)
    return poll


def _note_outage(collection: Collection, at: datetime) -> None:
    """What the heat pump did while nobody asked is lost for ever; the meter's minutes come back."""
    before = collection.last_success(HEAT_PUMP, at)
    if before is not None and at - before >= LONG_OUTAGE:
        details = {"source": HEAT_PUMP.value, "duration_s": (at - before).total_seconds()}
        add_event(collection.site, before, "long_outage", details)


def record_snapshot(collection: Collection, snapshot: FeatureSnapshot) -> HeatPumpPoll:
    """One answer of the cloud, live or imported: raw answer, reading, settings."""
    keep_answer(collection.site, snapshot)
    reading = heat_pump_reading(snapshot, collection.house.zone)
    collection.store.write(heat_pump_rows(collection.site.pk, reading))
    entry = observe(collection.site, heat_pump_configuration(snapshot))
    collection.remember_device(
        Device.Kind.HEAT_PUMP, reading.device, snapshot.received_at, model=reading.model or ""
    )
    return HeatPumpPoll(reading, entry.pk if entry else None)


def refine_minutes(collection: Collection, at: datetime) -> list[MinuteRecord]:
    """The last interval's minutes as the meter kept them replace the provisional ones."""
    device = collection.known_device(Device.Kind.METER)
    history = collection.meter_history(device.identifier) if device else None
    if history is None or device is None:
        return []
    end = _interval_start(at)
    start = end - timedelta(seconds=INTERVAL_S)
    records = list(history.fetch_recent(start, end, device.profile))
    channels = collection.house.heat_pump_channels
    collection.store.write(minute_rows(collection.site.pk, records, channels))
    # Where another process derives (Celery), this one does not know how far it is.
    if records and (collection.derived_until is None or collection.derived_until >= end):
        mark_stale(collection.site.pk, int(start.timestamp()), int(end.timestamp()))
    return records


def backfill(
    collection: Collection, at: datetime, go_on: Callable[[], bool] = lambda: True, *, whole: bool = False
) -> int:
    """Fetch missing minutes from the meter's memory; gives how many were stored.

    At first, once a day and with ``whole``, all that the meter remembers is looked at, else 48 hours. One
    turn fetches for three minutes at most: the next one goes on, and the newest minutes wait no longer.
    """
    device = collection.known_device(Device.Kind.METER)
    history = collection.meter_history(device.identifier) if device else None
    if history is None or device is None:
        return 0
    whole = whole or collection.last_whole_search is None or at - collection.last_whole_search >= DAY
    # Hours are searched again as they end; in between only the newest can have gained a gap.
    start = at - (RECENT if at.minute < 10 else timedelta(hours=2))
    if whole:
        extent = history.extent(device.profile)
        if extent is None:
            return 0  # it begins to remember with its next minute
        collection.remembered_from = extent.start
        start = at - REMEMBERED
    find_gaps(collection, device.identifier, start, at)
    if whole:
        collection.last_whole_search = at
    until = collection.clock() + FILL_FOR
    return fill_gaps(collection, history, device, at, go_on=lambda: go_on() and collection.clock() < until)


def derive(collection: Collection, at: datetime) -> int:
    """Compute what became stale, the last closed intervals included; gives how many intervals."""
    end = _interval_start(at)
    before = collection.derived_until
    since = _not_derived_since(collection, end)
    fresh = (int(since.timestamp()), int(end.timestamp())) if before != end else None
    # Set first: minutes that arrive from now on mark their interval themselves.
    collection.derived_until = end
    parameters = SiteParameters.from_house(collection.house)
    done = None
    try:
        done = derive_stale(collection.store, collection.site.pk, parameters, at, DERIVE_AT_ONCE, fresh=fresh)
    finally:
        if done is None:
            collection.derived_until = before
    if done:
        log_meter_events(collection)
    return done


def _not_derived_since(collection: Collection, end: datetime) -> datetime:
    """Where deriving goes on: a turn may have been missed, or the process ended before its turn."""
    since = collection.derived_until
    if since is None:
        derived = collection.store.extent(collection.site.pk, "interval")
        since = datetime.fromtimestamp(derived[1] + INTERVAL_S, UTC) if derived else end
    return max(end - RECENT, min(since, end - timedelta(seconds=INTERVAL_S)))


def log_meter_events(collection: Collection) -> None:
    """What the counters told (reset, another meter or profile) stands in the changes too."""
    if not exists(MeterEvent, "site_id = %s AND id > %s", collection.site.pk, collection.last_meter_event):
        return
    for event in MeterEvent.objects.filter(site=collection.site, pk__gt=collection.last_meter_event):
        add_event(collection.site, event.at, event.kind, {"device": event.device})
        collection.last_meter_event = event.pk


def keep_house(collection: Collection, at: datetime) -> None:
    """Nightly: old raw answers, calls and turns go; the files are checked."""
    forget_answers(at - KEEP_ANSWERS)
    ApiCall.objects.filter(at__lt=at - KEEP_CALLS).delete()
    JobRun.objects.filter(due_at__lt=at - DAY).delete()
    collection.store.tidy()
    for what, fault in damages(collection.store):
        log.error("%s is damaged (%s). Stop heatmon and restore the last backup.", what, fault)


def _interval_start(at: datetime) -> datetime:
    return datetime.fromtimestamp(int(at.timestamp()) // INTERVAL_S * INTERVAL_S, UTC)
