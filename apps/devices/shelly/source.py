"""A Shelly as a source of live values."""

from __future__ import annotations

from ..errors import PayloadInvalid, WrongDevice
from ..readings import MinuteRecord, PowerReading
from ..sources import DeviceIdentity
from .client import ShellyClient
from .counter import MinuteFromCounter


class ShellyMeter:
    """A MeterSource; see ``apps.devices.sources``."""

    def __init__(self, client: ShellyClient) -> None:
        self._client = client
        self._answered = False
        self._minutes = MinuteFromCounter()

    def identity(self) -> DeviceIdentity:
        told = self._client.identify()
        return DeviceIdentity(model=told.model, firmware=told.firmware)

    def poll(self) -> PowerReading:
        try:
            reading = self._client.get_status()
        except (PayloadInvalid, WrongDevice):
            if not self._answered:
                self._client.identify()  # what never was a meter says better itself what it is
            raise
        self._answered = True
        return reading

    def closed_minute(self, reading: PowerReading) -> MinuteRecord | None:
        return self._minutes.feed(reading)
