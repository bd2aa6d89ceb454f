"""◇ What an engine of the time-series store does. Everything that is the same for all engines stands above
it, in ``front``: the schema's names and resolution, local calendars, known extents, floats.

An engine stores whole numbers: a value is a multiple of its field's resolution (``schema``: round(value ×
scale)), so every engine gives equal answers to the bit; one that keeps floats divides and rounds. It answers
aggregates of whole steps of a UTC grid, and only questions about a stretch of time with two ends. Times are
epoch seconds from 0 to LAST_TIME. Every method may raise StoreUnavailable; nothing of the call is kept then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import NamedTuple, Protocol

from .base import StoreRefused, Waiting
from .cutting import Stretch

LAST_TIME = 4_102_444_800  # 2100-01-01
LARGEST_INTEGER = 2**38
"""Ten years of 10-second values (2**25) of this size still sum up inside 64 bits."""

Total = tuple[int, int, int, int]
"""(count, sum, min, max) as whole numbers, count > 0."""

Totals = Mapping[tuple[int, str], Total]
"""(index of the stretch, field) → its total; absent where nothing is known."""

Point = tuple[int, Sequence[int | None]]
"""(time, values in the order of the fields)."""


class SourceKey(NamedTuple):
    """Whose rows: one device (and heating circuit, or "") of a site in one measurement."""

    site: int
    measurement: str
    device: str
    circuit: str


class Fields(NamedTuple):
    """What is asked for: fields of one measurement and circuit, over all devices of the site."""

    site: int
    measurement: str
    circuit: str
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Batch:
    """Points of one source, by the fields that they give; every instant is there once."""

    source: SourceKey
    points: Mapping[tuple[str, ...], Sequence[Point]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One stored aggregate that is not what raw rows give. None: no such aggregate (on that side)."""

    site: int
    measurement: str
    device: str
    circuit: str
    field: str
    level_s: int
    at: int
    stored: Total | None
    computed: Total | None


class Engine(Protocol):
    """One time-series database. ``title``: its name for people; ``refusal``: why a check of ``check_first``
    failed."""

    title: str

    @property
    def refusal(self) -> StoreRefused | None: ...

    # Writing

    def write(self, batches: Sequence[Batch]) -> None:
        """Store points, all or none of them; return when they are durable, even if they cannot be read yet.
        Fields that are not given keep their value; None erases one (an engine that cannot erase a field
        writes the rest of that point anew)."""

    def replace(
        self, site: int, measurement: str, device: str, start: int, end: int, batches: Sequence[Batch]
    ) -> None:
        """Let [start, end) of one device, all circuits, hold exactly these points: all or nothing."""

    def write_day(
        self,
        source: SourceKey,
        at: Sequence[int],
        columns: Mapping[str, Sequence[float | None]],
        horizon: int,
    ) -> None:
        """Store one source's rising times of one UTC day, as ``write``, but fast. Values are whole numbers,
        which may be floats; None or NaN is missing. ``horizon``: the newest time that follows at once."""

    def delete(self, site: int, measurement: str, start: int, end: int, device: str | None) -> None:
        """Forget points in [start, end), of one device or all, of all circuits."""

    def rename_device(self, site: int, device: str, new: str) -> None:
        """Let every point of a device belong to another, in all measurements; where both have a point, that
        of ``new`` stays. Can be repeated after an interruption."""

    def check_first(self, check: Callable[[], None]) -> bool:
        """Call ``check`` before the database is used next; what it raises is raised instead. Until then
        writes are kept. Return False, and forget it, where nothing can be kept."""

    def waiting(self) -> Waiting | None:
        """Return which writes are not in the database yet; None where a write is there when it returns."""

    def wait_until_readable(self, timeout_s: float) -> bool:
        """Wait until everything whose write has returned can be read; return whether it can."""

    # Reading

    def sources(self, site: int, measurement: str) -> Sequence[SourceKey]:
        """Return everything that ever wrote this measurement at this site."""

    def points(self, source: SourceKey, fields: Sequence[str], start: int, end: int) -> Iterator[Point]:
        """Return the points in [start, end), rising. Read in short portions, so a slow reader keeps nobody
        waiting."""

    def steps(self, fields: Fields, start: int, end: int, step_s: int) -> Sequence[Total | None]:
        """Return the total of every step of the grid from ``start`` to ``end`` (both on the grid), of one
        field."""

    def totals(self, fields: Fields, stretches: Sequence[Stretch]) -> Totals:
        """Return the totals of several fields over several stretches of time, summed up from their
        ``pieces``."""

    def latest(self, fields: Fields, since: int, until: int) -> Mapping[str, tuple[int, int]]:
        """Return (time, value) of each field's newest value in [``since``, ``until``), where there is one."""

    def edges(
        self, site: int, measurement: str, device: str | None, start: int, end: int
    ) -> tuple[int, int] | None:
        """Return the first and the last time of any point in [start, end)."""

    # Upkeep

    def homes(self) -> frozenset[str]:
        """Return the ids of the homes that this store was begun for."""

    def add_home(self, uid: str) -> None:
        """Remember a home, once."""

    def verify_days(self, random: Random, days: int) -> Iterator[list[Difference]]:
        """Recompute what is stored as aggregates of random days and compare, day by day."""

    def tidy(self) -> None:
        """Do what is due once a night; others may read and write meanwhile."""

    def damage(self) -> str | None:
        """Return what a look over all that is stored finds wrong with it (nightly); None: nothing."""

    def ping(self) -> None:
        """Return if the engine answers, else raise StoreUnavailable."""

    def size_bytes(self) -> int | None:
        """Return how much room the stored data takes; None if that is not known."""

    def close(self) -> None: ...


def joined(one: Total | None, other: Total) -> Total:
    """Return the total of two stretches together."""
    if one is None:
        return other
    return one[0] + other[0], one[1] + other[1], min(one[2], other[2]), max(one[3], other[3])


def times_of(batches: Iterable[Batch]) -> Iterator[tuple[SourceKey, int, int]]:
    """Yield (source, first, last) of each batch."""
    for batch in batches:
        times = [at for points in batch.points.values() for at, _ in points]
        yield batch.source, min(times), max(times)
