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

from django.utils.translation import gettext as _

from apps.changelog.observe import observe
from apps.devices.errors import DeviceError, WrongDevice
from apps.devices.models import ApiCall, Device
from apps.devices.readings import HeatPumpReading, MinuteRecord, PowerReading
from apps.devices.viessmann.answers import forget_answers, keep_answer
from apps.devices.viessmann.features import FeatureSnapshot, heat_pump_configuration, heat_pump_reading
from apps.metrics.derive import SiteParameters
from apps.metrics.recording import heat_pump_rows, meter_rows, minute_rows
from apps.metrics.stale import derive_stale, mark_stale

from .backfill import RECENT, REMEMBERED, fill_gaps, find_gaps
from .collection import HEAT_PUMP, METER, Collection

log = logging.getLogger(__name__)

INTERVAL_S = 300
KEEP_ANSWERS = timedelta(days=90)
KEEP_CALLS = timedelta(days=60)
DAY = timedelta(days=1)


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
        reading = client.get_status()
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


def _check_meter(collection: Collection, reading: PowerReading) -> None:
    known = collection.known_device(Device.Kind.METER)
    if known is not None and known != reading.device:
        raise WrongDevice(
            _("Another meter answers at this address: %(found)s instead of %(known)s.")
            % {"found": reading.device, "known": known},
            code="other_meter",
            hint=_("Nothing is stored from it. If it is your new meter, confirm it on the settings page."),
        )
    if known is None:
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
    except DeviceError as error:
        collection.failed(HEAT_PUMP, at, error)
        raise
    poll = record_snapshot(collection, snapshot)
    collection.succeeded(HEAT_PUMP, at)
    return poll


def record_snapshot(collection: Collection, snapshot: FeatureSnapshot) -> HeatPumpPoll:
    """One answer of the cloud, live or imported: raw answer, reading, settings."""
    keep_answer(collection.site, snapshot)
    reading = heat_pump_reading(snapshot)
    collection.store.write(heat_pump_rows(collection.site.pk, reading))
    entry = observe(collection.site, heat_pump_configuration(snapshot))
    collection.remember_device(
        Device.Kind.HEAT_PUMP, reading.device, snapshot.received_at, model=reading.model or ""
    )
    return HeatPumpPoll(reading, entry.pk if entry else None)


def refine_minutes(collection: Collection, at: datetime) -> list[MinuteRecord]:
    """The last interval's minutes as the meter kept them replace the provisional ones."""
    history = collection.meter_history()
    device = _meter_device(collection)
    if history is None or device is None:
        return []
    end = _interval_start(at)
    start = end - timedelta(seconds=INTERVAL_S)
    mark_stale(collection.site, start, end)
    records = list(history.fetch_recent(start, end, device.profile))
    channels = collection.house.heat_pump_channels
    collection.store.write(minute_rows(collection.site.pk, records, channels))
    return records


def backfill(
    collection: Collection, at: datetime, go_on: Callable[[], bool] | None = None, *, whole: bool = False
) -> int:
    """Fetch missing minutes from the meter's memory; gives how many were stored.

    Once a day (and with ``whole``) all that the meter remembers is looked at, else the last 48 hours.
    """
    history = collection.meter_history()
    device = _meter_device(collection)
    if history is None or device is None:
        return 0
    whole = whole or collection.last_whole_search is None or at - collection.last_whole_search >= DAY
    start = at - RECENT
    if whole:
        extent = history.extent(device.profile)
        start = max(at - REMEMBERED, extent[0]) if extent else start
    find_gaps(collection, device.identifier, start, at)
    if whole:
        collection.last_whole_search = at
    return fill_gaps(collection, history, device, at, go_on=go_on or (lambda: True))


def derive(collection: Collection, at: datetime) -> int:
    """Compute what became stale, the last closed interval included; gives how many intervals."""
    end = _interval_start(at)
    if collection.derived_until != end:
        mark_stale(collection.site, end - timedelta(seconds=INTERVAL_S), end)
        collection.derived_until = end
    parameters = SiteParameters.of(collection.house)
    done = derive_stale(collection.store, collection.site, parameters, at)
    _log_meter_events(collection)
    return done


def keep_house(collection: Collection, at: datetime) -> None:
    """Nightly: old raw answers and calls go."""
    forget_answers(at - KEEP_ANSWERS)
    ApiCall.objects.filter(at__lt=at - KEEP_CALLS).delete()


def _meter_device(collection: Collection) -> Device | None:
    return Device.objects.filter(site=collection.site, kind=Device.Kind.METER, active=True).first()


def _interval_start(at: datetime) -> datetime:
    return datetime.fromtimestamp(int(at.timestamp()) // INTERVAL_S * INTERVAL_S, UTC)
