"""One stretch out of a meter's memory, in smaller pieces where a larger one fails."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from apps.devices.errors import IMPOSSIBLE, DeviceBusy, DeviceError
from apps.devices.readings import MinuteRecord
from apps.devices.sources import MeterMemory

PAGE = timedelta(minutes=6)
MINUTE = timedelta(minutes=1)

Keep = Callable[[Sequence[MinuteRecord]], None]


@dataclass(frozen=True, slots=True)
class Fetched:
    """What became of a stretch: ``failure`` where some piece was not answered; ``piece``: the size that was
    answered, or is to be tried next."""

    failure: DeviceError | None
    piece: timedelta


class Fetching:
    """Fetches minutes of one meter; ``keep`` is given whatever came, be it the part before a fault.

    A piece that fails is halved down to single pages, while this takes no longer than ``within``. What is
    not the piece's fault (the meter is away, refuses, is another one, wants a pause) is raised.
    """

    def __init__(
        self,
        memory: MeterMemory,
        profile: str,
        *,
        keep: Keep,
        clock: Callable[[], datetime],
        within: timedelta,
    ) -> None:
        self._memory = memory
        self._profile = profile
        self._keep = keep
        self._clock = clock
        self._within = within

    def stretch(self, start: datetime, end: datetime, piece: timedelta) -> Fetched:
        """Fetch [start, end), ``piece`` at a time. Raises DeviceError."""
        pieces = _cut(start, end, piece)
        until = self._clock() + self._within
        failure: DeviceError | None = None
        unanswered = False
        while pieces:
            if failure is not None and self._clock() >= until:
                return Fetched(failure, piece)
            first, last = pieces.pop()
            problem, first = self._piece(first, last)
            if problem is None or first >= last:
                continue
            failure = problem
            # One row that cannot be is no reason to lose the five beside it.
            smallest = MINUTE if problem.code == IMPOSSIBLE else PAGE
            if last - first <= smallest:
                unanswered = True
                continue
            half = max(smallest, _half(last - first))
            piece = max(PAGE, min(piece, half))
            pieces = [part for waiting in pieces for part in _cut(*waiting, piece)]
            pieces += _cut(first, last, min(piece, half))
        return Fetched(failure if unanswered else None, piece)

    def pages(self, start: datetime, end: datetime) -> Fetched:
        """Fetch [start, end) by single pages, which is another way into the memory."""
        return self.stretch(start, end, PAGE)

    def _piece(self, start: datetime, end: datetime) -> tuple[DeviceError | None, datetime]:
        """Return what went wrong, and from where on the rows are still wanted."""
        ask = self._memory.fetch_chunk if end - start > PAGE else self._memory.fetch_recent
        got: list[MinuteRecord] = []
        try:
            got.extend(ask(start, end, self._profile))
        except DeviceError as error:
            if error.permanent or isinstance(error, DeviceBusy):
                raise
            self._memory.check_device()
            return error, _after(got, start)
        finally:
            if got:
                self._keep(got)
        return None, end


def _cut(start: datetime, end: datetime, piece: timedelta) -> list[tuple[datetime, datetime]]:
    """Return pieces of [start, end), the first one last: they are taken from the end of the list."""
    pieces = []
    while start < end:
        stop = min(start + piece, end)
        pieces.append((start, stop))
        start = stop
    return pieces[::-1]


def _half(length: timedelta) -> timedelta:
    return MINUTE * -(-length // (2 * MINUTE))


def _after(got: Sequence[MinuteRecord], start: datetime) -> datetime:
    return got[-1].at + timedelta(seconds=got[-1].period_s) if got else start
