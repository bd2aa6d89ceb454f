"""◇ The time-series store as the rest of heatmon sees it.

Times in this interface are whole epoch seconds, UTC. A *series* is named as in the API
(``power_w``, ``outside_temperature_c``, ``supply_temperature_c.1``); ``schema`` says to which
measurement and field a name belongs. Values are floats; None is missing, never zero.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol


class StoreUnavailable(Exception):
    """The store cannot be reached or refuses; nothing of the call was kept. ``code``: what people can be told
    to do, see ``store_words``; empty where there is nothing to say."""

    code = ""


class StoreRefused(StoreUnavailable):
    """The store is not as this home left it. Nothing is read or written until its owner has decided.

    ``code``: ``missing`` (there is none, or it is empty, where there was one), ``damaged`` (it cannot be
    read), ``newer`` (a newer heatmon wrote it), ``unknown`` (it does not know this home), ``foreign`` (it
    knows another home, and this one is new).
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class UnknownSeries(ValueError):
    """A name that no schema knows. ``names`` lists what there is."""

    def __init__(self, name: str, names: Sequence[str]) -> None:
        super().__init__(f"unknown series {name!r}; known are {', '.join(names)}")
        self.name = name
        self.names = tuple(names)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One point of one measurement: all fields measured at one instant by one device.

    Writing a row again replaces the given fields of that instant (None erases one); fields that are
    not named keep their value.
    """

    site: int
    measurement: str
    device: str
    at: int
    values: Mapping[str, float | None]
    circuit: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """Writes that are kept until the database behind the store takes them: how many, since when, and why.
    ``refused``: how many it will never take, with the newest reason."""

    writes: int
    size_bytes: int
    oldest_at: datetime | None
    code: str
    reason: str
    refused: int
    refused_reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Aggregate:
    """n values of one series within one stretch of time; everything None (n 0) where nothing is known."""

    count: int = 0
    sum: float | None = None
    min: float | None = None
    max: float | None = None

    @property
    def mean(self) -> float | None:
        return None if self.sum is None or not self.count else self.sum / self.count


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """Steps of one length. ``time`` holds the start of every step from ``start`` on, without holes;
    the lists have the same length, None where nothing was measured."""

    name: str
    step_s: int
    time: list[int] = field(default_factory=list)
    count: list[int] = field(default_factory=list)
    sum: list[float | None] = field(default_factory=list)
    mean: list[float | None] = field(default_factory=list)
    min: list[float | None] = field(default_factory=list)
    max: list[float | None] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """The newest known value of a series and when it was measured (epoch s)."""

    at: int
    value: float


class TimeSeriesStore(Protocol):
    """What every engine can do, with equal answers. ``device`` None: over all devices of the site."""

    def write(self, rows: Iterable[Row]) -> None:
        """Store rows in one transaction; repeated or late rows end in the same content. Raises UnknownSeries,
        KeyError (measurement) or ValueError (time or value out of range); nothing is kept then.

        A write returns when it is durable. Whether it can be read already is up to the engine: see
        ``wait_until_readable``.
        """

    def replace(
        self, site: int, measurement: str, device: str, start: int, end: int, rows: Iterable[Row]
    ) -> None:
        """Let [start, end) of one device hold exactly ``rows`` (all circuits), in one transaction. Raises
        ValueError for a row of another site, measurement, device or time; nothing is changed then."""

    def wait_until_readable(self, timeout_s: float) -> bool:
        """Wait until everything whose write has returned can be read; return whether it can. SQLite: at once.
        For whoever computes from what was just written."""

    def latest(
        self, site: int, names: Sequence[str], since: int, until: int | None = None
    ) -> dict[str, Sample | None]:
        """Return the newest non-null value of each series at or after ``since`` and before ``until``."""

    def series(self, site: int, name: str, start: int, end: int, step_s: int) -> Series:
        """Return the steps on the UTC grid of ``step_s`` that touch [start, end)."""

    def sums(self, site: int, names: Sequence[str], boundaries: Sequence[int]) -> dict[str, list[Aggregate]]:
        """Return one aggregate per stretch between neighbouring boundaries (UTC instants of local calendar
        edges, multiples of 300 s), exact to what raw rows give."""

    def rows(
        self,
        site: int,
        measurement: str,
        start: int,
        end: int,
        fields: Sequence[str] | None = None,
        circuit: str | None = "",
    ) -> Iterator[Row]:
        """Return the raw rows in [start, end), ordered by time."""

    def delete(self, site: int, measurement: str, start: int, end: int, device: str | None = None) -> None:
        """Forget rows in [start, end)."""

    def rename_device(self, site: int, device: str, new: str) -> None:
        """Let every row of a device belong to another; where both have a row, that of ``new`` stays."""

    def extent(self, site: int, measurement: str, device: str | None = None) -> tuple[int, int] | None:
        """Return the first and last time of any row of a measurement."""

    def close(self) -> None: ...
