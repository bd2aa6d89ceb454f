"""The meter's own history: backfill by its CSV export, and the last minutes by pages of six rows.

The export gives an hour in one to two seconds and hangs up on long stretches, so it is asked for one
hour at a time. Pages are the only other way, at six rows a request.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import requests

from ..errors import IMPOSSIBLE, DeviceBusy, PayloadInvalid, WrongDevice
from ..http import PermittedIp
from ..meter_clock import is_wrong
from ..readings import HistoryExtent, MinuteRecord
from .connection import MeterConnection
from .parse import (
    MONOPHASE,
    TRIPHASE,
    csv_minutes,
    history_page,
    merge_channels,
    records_extent,
    sys_values,
)

CHUNK = timedelta(hours=1)
CHUNK_DEADLINE_S = 40.0
PAGE_DEADLINE_S = 5.0
EXTENT_DEADLINE_S = 15.0
PAUSE_S = 1.0
MOST_PAGES = 1000
CHANNELS = (0, 1, 2)


class MeterHistory:
    """Reads the memory of the meter ``device`` (MAC) with a session and login of its own, from a thread
    of its own, so that the live poll never waits for it. Arguments as for ``ShellyClient``.

    Rows are believed only while the meter's clock is right, and only those since ``believed_from`` (None:
    all of them), recorded since a wrong clock was set right.
    """

    def __init__(
        self,
        url: str,
        password: str | None = None,
        *,
        device: str,
        clock: Callable[[], datetime],
        session: requests.Session | None = None,
        sleep: Callable[[float], None] = time.sleep,
        permitted_ip: PermittedIp | None = None,
        believed_from: datetime | None = None,
    ) -> None:
        self._device = device
        self._believed_from = believed_from
        self._clock = clock
        self._sleep = sleep
        self._period_s = 60
        self._connection = MeterConnection(
            url,
            password,
            clock=clock,
            session=session,
            sleep=sleep,
            permitted_ip=permitted_ip,
        )

    def extent(self, profile: str = TRIPHASE) -> HistoryExtent | None:
        """Return what the meter holds, None for nothing. Raises DeviceError, also while its clock is not
        set."""
        clock_is_set = self.check_device()
        if not clock_is_set:
            raise DeviceBusy("clock_not_set", host=self._connection.host)
        component = "EM1Data" if profile == MONOPHASE else "EMData"
        body = self._connection.get_json(
            f"/rpc/{component}.GetRecords", deadline_s=EXTENT_DEADLINE_S, id=0, ts=0
        )
        try:
            extent = records_extent(body)
        except PayloadInvalid as error:
            error.details["host"] = self._connection.host
            raise
        if extent is None:
            return None
        self._period_s = extent.period_s
        start = self._believed(extent.start)
        return replace(extent, start=start) if start < extent.end else None

    def fetch_chunk(self, start: datetime, end: datetime, profile: str) -> Iterator[MinuteRecord]:
        """Yield closed rows in [start, end) as they come, one request an hour with pauses between.

        Raises DeviceError, possibly after some rows: those are good, and the last one received is where
        to go on. Rows that the meter does not hold are simply absent.
        """
        start, end = self._believed(start), min(end, self._clock())
        while start < end:
            stop = min(start + CHUNK, end)
            self.check_device()
            if profile == MONOPHASE:
                yield from self._monophase_hour(start, stop)
            else:
                yield from self._rows("/emdata/0/data.csv", None, start, stop)
            start = stop
            if start < end:
                self._sleep(PAUSE_S)

    def fetch_recent(self, start: datetime, end: datetime, profile: str) -> Iterator[MinuteRecord]:
        """Yield closed rows of the last minutes in [start, end): up to six cost one request a component, and
        one that asks whose they are."""
        self.check_device()
        start, end = self._believed(start), min(end, self._clock())
        return fetch_pages(self._connection, self._device, start, end, profile)

    def close(self) -> None:
        self._connection.close()

    def _believed(self, start: datetime) -> datetime:
        return start if self._believed_from is None else max(start, self._believed_from)

    def check_device(self) -> bool:
        """Return whether the clock is set. The rows do not say whose they are and by which clock, so ask
        before each chunk. Raises WrongDevice, or DeviceBusy while the clock is wrong."""
        values = sys_values(self._connection.get_json("/rpc/Sys.GetStatus"))
        if values.mac is not None and values.mac != self._device:
            raise WrongDevice("another_device", host=self._connection.host, detail=values.mac)
        if values.unix_time is None:
            return False
        sent_at = self._connection.sent_at
        middle = sent_at + (self._clock() - sent_at) / 2
        offset_s = values.unix_time - middle.timestamp()
        if is_wrong(offset_s):
            raise DeviceBusy("clock_wrong", host=self._connection.host, offset_s=round(offset_s))
        return True

    def _monophase_hour(self, start: datetime, end: datetime) -> list[MinuteRecord]:
        records: list[MinuteRecord] = []
        for channel in CHANNELS:
            try:
                records += self._rows(f"/em1data/{channel}/data.csv", channel, start, end)
            except WrongDevice:
                if channel == 0:
                    raise
                break  # a meter with fewer channels
        return merge_channels(records)

    def _rows(self, path: str, channel: int | None, start: datetime, end: datetime) -> Iterator[MinuteRecord]:
        lines = self._connection.get_lines(
            path,
            deadline_s=CHUNK_DEADLINE_S,
            add_keys="true",
            ts=int(start.timestamp()),
            end_ts=int(end.timestamp()),
        )
        try:
            for record in csv_minutes(lines, self._device, channel, period_s=self._period_s):
                if start <= record.at < end:
                    yield record
        except PayloadInvalid as error:
            if error.code == IMPOSSIBLE:
                raise
            raise PayloadInvalid("unreadable", path=error.path, host=self._connection.host) from error
        except WrongDevice as error:
            # The device was checked; what it lacks is this export, as the profile is another one.
            raise WrongDevice("profile_changed", host=self._connection.host) from error


def fetch_pages(
    connection: MeterConnection, device: str, start: datetime, end: datetime, profile: str
) -> Iterator[MinuteRecord]:
    """Yield the rows in [start, end) by GetData. Raises DeviceError."""
    if profile != MONOPHASE:
        yield from _pages(connection, "EMData", None, device, start, end)
        return
    records: list[MinuteRecord] = []
    for channel in CHANNELS:
        try:
            records += _pages(connection, "EM1Data", channel, device, start, end)
        except WrongDevice:
            if channel == 0:
                raise
            break  # a meter with fewer channels
    yield from merge_channels(records)


def _pages(
    connection: MeterConnection,
    component: str,
    channel: int | None,
    device: str,
    start: datetime,
    end: datetime,
) -> Iterator[MinuteRecord]:
    cursor, end_s = int(start.timestamp()), int(end.timestamp())
    for _ in range(MOST_PAGES):
        if cursor >= end_s:
            return
        body = connection.get_json(
            f"/rpc/{component}.GetData",
            deadline_s=PAGE_DEADLINE_S,
            id=channel or 0,
            ts=cursor,
            end_ts=end_s,
            add_keys="true",
        )
        try:
            records, following = history_page(body, device, channel)
        except PayloadInvalid as error:
            error.details["host"] = connection.host
            raise
        yield from (record for record in records if start <= record.at < end)
        # It may stand still, or lie behind the end.
        if following is None or following <= cursor:
            return
        cursor = following
