"""Carries work out in order: at once if InfluxDB answers, else from the outbox when it does again.

One sender at a time, over all threads and processes: so an older value never follows a newer one, and the
sums of an hour are made from what was written last.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from apps.devices.locks import LockHeld, held
from apps.metrics.models import OutboxEntry

from . import outbox
from .connection import Connection, InfluxUnavailable
from .hours import Hours
from .known import KnownSources
from .lines import LARGEST_LINES, portions
from .planning import planned
from .work import Work

log = logging.getLogger(__name__)

SEND_FOR_S = 2.0
_LOCK, _LOCK_WAIT_S = "influxdb-sender", 2.0
_NEVER = frozenset({"refused", "partial", "too_large"})
_ENTRIES_AT_ONCE = 500


class Sender:
    """Writes to one bucket."""

    def __init__(self, connection: Connection, sources: KnownSources) -> None:
        self._connection = connection
        self.hours = Hours(connection, sources, self._post)

    def send(self, work: Work) -> None:
        """Carry work out, or keep it. Returns when it is durable. Raises StoreUnavailable if it can neither
        be done nor kept."""
        try:
            with _alone():
                if outbox.waiting():
                    self._queue(work)
                    self._send_waiting(SEND_FOR_S)
                else:
                    self._try(work)
        except LockHeld:
            outbox.add(work)

    def _queue(self, work: Work) -> None:
        try:
            outbox.add(work)
        except outbox.OutboxFull:
            self._send_waiting(SEND_FOR_S)  # which may make room
            outbox.add(work)

    def send_waiting(self, within_s: float) -> bool:
        """Send what waits for at most about ``within_s``; return whether nothing is left. A server that is to
        be left alone is not waited for."""
        until = time.monotonic() + within_s
        while outbox.waiting():
            left_s = until - time.monotonic()
            if left_s <= 0 or outbox.wait_s():
                return False
            try:
                with _alone(left_s):
                    self._send_waiting(left_s)
            except LockHeld:
                return False
        return True

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Be the only sender, with nothing waiting. Raises StoreUnavailable."""
        try:
            with _alone(30.0):
                while outbox.waiting():
                    if outbox.wait_s() or not self._send_waiting(30.0):
                        raise self._connection.failure("busy", "earlier writes are still waiting")
                yield
        except LockHeld as error:
            raise self._connection.failure("busy", str(error)) from error

    def _try(self, work: Work) -> None:
        entry: OutboxEntry | None = None
        try:
            work = self._planned(work)
            entry = self._noted(work)
            self._do(work)
        except InfluxUnavailable as error:
            log.warning("%s. Readings are kept until then.", error)
            if entry is None:
                entry = outbox.add(work)
            else:
                outbox.instead(entry, work)
            outbox.failed(entry, error)
        else:
            _strike_off(entry)

    def carry_out(self, work: Work) -> None:
        """Do work now, or raise InfluxUnavailable."""
        work = self._planned(work)
        entry = self._noted(work)
        self._do(work)
        _strike_off(entry)

    def _planned(self, work: Work) -> Work:
        return planned(self._connection, work) if work.erasures else work

    def _noted(self, work: Work) -> OutboxEntry | None:
        """Keep in the outbox what must not be done by half."""
        if work.deletions:
            return outbox.add(work)
        if self.hours.are_summed(work.touched):
            return outbox.add(Work(touched=work.touched))
        return None

    def _do(self, work: Work) -> None:
        for deletion in work.deletions:
            self._connection.delete(*deletion)
        for portion in portions(work.lines, LARGEST_LINES):
            self._post(portion)
        self.hours.follow(work.touched)

    def _post(self, lines: Sequence[str]) -> None:
        """Write lines; those that will never be taken are found by halving, and parked."""
        if not lines:
            return
        try:
            self._connection.write(lines)
        except InfluxUnavailable as error:
            if error.code not in _NEVER or (error.code == "too_large" and len(lines) == 1):
                raise  # no line is too large
            if len(lines) == 1:
                log.error("InfluxDB will never take a point (%s); it is parked: %s", error, lines[0][:200])
                outbox.park(Work(lines=lines), str(error))
                return
            middle = len(lines) // 2
            self._post(lines[:middle])
            self._post(lines[middle:])

    def _send_waiting(self, within_s: float) -> bool:
        """Send what waits, oldest first; return whether nothing failed."""
        until = time.monotonic() + within_s
        while not outbox.wait_s() and (entries := outbox.oldest(_ENTRIES_AT_ONCE)):
            for group in _grouped(entries):
                try:
                    self._send_group(group)
                except InfluxUnavailable as error:
                    if not group[0][0].attempts:
                        log.warning("%s. Readings are kept until then.", error)
                    outbox.failed(group[0][0], error)
                    return False
                if time.monotonic() > until:
                    return True
        return True

    def _send_group(self, group: list[tuple[OutboxEntry, Work]]) -> None:
        if len(group) == 1:
            entry, work = group[0]
            if work.erasures:
                work = self._planned(work)
                outbox.instead(entry, work)
            self._do(work)
        else:
            self._do(
                Work(
                    lines=[line for _, work in group for line in work.lines],
                    touched=[touched for _, work in group for touched in work.touched],
                )
            )
        outbox.done(*(entry for entry, _ in group))


def _strike_off(entry: OutboxEntry | None) -> None:
    if entry is not None:
        outbox.done(entry)


def _grouped(entries: Sequence[OutboxEntry]) -> Iterator[list[tuple[OutboxEntry, Work]]]:
    """Put neighbours that only write into one request, up to its largest size."""
    group: list[tuple[OutboxEntry, Work]] = []
    lines = 0
    for entry in entries:
        work = Work.of_text(entry.work)
        only_writes = not (work.erasures or work.deletions)
        if group and not (only_writes and lines + len(work.lines) <= LARGEST_LINES):
            yield group
            group, lines = [], 0
        group.append((entry, work))
        lines += len(work.lines)
        if not only_writes:
            yield group
            group, lines = [], 0
    if group:
        yield group


@contextmanager
def _alone(wait_s: float = _LOCK_WAIT_S) -> Iterator[None]:
    with held(_LOCK, wait_s):
        yield
