"""The live poll of the meter."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime

import requests

from ..errors import PayloadInvalid, WrongDevice
from ..http import PermittedIp
from ..readings import MinuteRecord, PowerReading
from .connection import MeterConnection
from .history import fetch_pages
from .parse import MeterIdentity, device_identity, power_reading, profile_of


class ShellyClient:
    """Polls one meter from one thread, with one long-lived session and login.

    Every failure is a DeviceError. After a refused or missing
    password every call fails at once, without a request: make a new client when the settings changed.
    ``clock`` gives aware UTC. For ``session`` and ``permitted_ip`` see ``MeterConnection``.
    """

    def __init__(
        self,
        url: str,
        password: str | None = None,
        *,
        clock: Callable[[], datetime],
        session: requests.Session | None = None,
        sleep: Callable[[float], None] = time.sleep,
        permitted_ip: PermittedIp | None = None,
    ) -> None:
        self._clock = clock
        self._device = ""
        self._connection = MeterConnection(
            url,
            password,
            clock=clock,
            session=session,
            sleep=sleep,
            permitted_ip=permitted_ip,
        )

    def identify(self) -> MeterIdentity:
        """Return who answers. Raises WrongDevice for anything but a Shelly with a meter.

        A meter is what has components for it, whatever its model. Needs no password where the Shelly names
        its profile.
        """
        try:
            identity = device_identity(self._connection.get_json("/shelly"))
            if identity.profile is None:
                profile = profile_of(self._connection.get_json("/rpc/Shelly.GetStatus"))
                if profile is None:
                    raise WrongDevice("shelly_without_meter")
                identity = replace(identity, profile=profile)
        except PayloadInvalid as error:
            raise WrongDevice("not_a_shelly", host=self._connection.host) from error
        except WrongDevice as error:
            error.details["host"] = self._connection.host
            raise
        self._device = identity.mac
        return identity

    def get_status(self) -> PowerReading:
        """Poll once, with one request ``Shelly.GetStatus``. ``device`` of the reading is who answered, which
        may be another device than before; the caller compares. Raises DeviceError."""
        status = self._connection.get_json("/rpc/Shelly.GetStatus")
        sent_at = self._connection.sent_at
        try:
            reading = power_reading(status, self._device, sent_at + (self._clock() - sent_at) / 2)
        except PayloadInvalid as error:
            error.details["host"] = self._connection.host
            raise
        self._device = reading.device
        return reading

    def history(self, start: datetime, end: datetime, profile: str) -> Iterator[MinuteRecord]:
        """Return the meter's own rows in [start, end), for the last minutes: six rows cost one request (one a
        channel in monophase). Longer stretches are for ``MeterHistory``. Raises DeviceError."""
        if not self._device:
            self.identify()
        return fetch_pages(self._connection, self._device, start, min(end, self._clock()), profile)

    def close(self) -> None:
        self._connection.close()
