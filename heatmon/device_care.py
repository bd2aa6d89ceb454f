"""What is kept of a device beside its values: model and firmware, when it was seen, its clock."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta

from apps.devices.errors import DeviceError
from apps.devices.meter_clock import is_wrong, started_at, was_ours
from apps.devices.models import Device
from apps.devices.readings import PowerReading
from apps.devices.sources import MeterSource
from apps.devices.wording import offset_words

log = logging.getLogger(__name__)

SEEN_EVERY = timedelta(hours=1)
MINUTE_S = 60


def note_seen(device: Device, at: datetime, meter: MeterSource | None = None) -> None:
    """Note once an hour that a device was seen; a meter is asked for model and firmware then."""
    was_looked_at = device.last_seen_at > device.first_seen_at
    if was_looked_at and timedelta(0) <= at - device.last_seen_at < SEEN_EVERY:
        return
    device.last_seen_at = max(at, device.first_seen_at + timedelta(seconds=1))
    if meter is not None:
        try:
            identity = meter.identity()
        except DeviceError as error:
            log.info("The meter did not say its model: %s", error)
        else:
            device.model, device.firmware = identity.model, identity.firmware
    device.save(update_fields=["last_seen_at", "model", "firmware"])


def note_clock(device: Device, reading: PowerReading) -> bool:
    """Note that the meter's clock went wrong, or is right again; True when that is new.

    Of what it recorded meanwhile nothing is believed, unless the clock that was set is ours.
    """
    if reading.clock_offset_s is None or is_wrong(reading.clock_offset_s) == bool(device.clock_wrong_since):
        return False
    at = reading.measured_at
    start = started_at(at, reading.clock_offset_s, reading.uptime_s)
    if device.clock_wrong_since is None:
        device.clock_wrong_since, device.clock_started_at = at, start
        log.warning("The meter's clock is %s; its rows are not read.", offset_words(reading.clock_offset_s))
    else:
        if not was_ours(device.clock_started_at, start):
            device.history_from = _next_minute(at)
        device.clock_wrong_since = device.clock_started_at = None
        log.info("The meter's clock is right again.")
    device.save(update_fields=["clock_wrong_since", "clock_started_at", "history_from"])
    return True


def _next_minute(at: datetime) -> datetime:
    return datetime.fromtimestamp(-int(-at.timestamp() // MINUTE_S) * MINUTE_S, UTC)
