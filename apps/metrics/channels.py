"""◇ The channels that make up one quantity of the meter, added up by interval or by row.

Power and energy are sums over channels as the phases give them, so that a change of roles takes effect
on history; a row that only has the total counts with that.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from .grid import INTERVAL_S, interval_of, intervals
from .store.base import Row


@dataclass(frozen=True, slots=True)
class Channels:
    """One quantity of a measurement: its field by channel, the field of the total, and how many rows make
    an interval complete."""

    measurement: str
    fields: tuple[str, ...]
    total: str
    decimals: int
    expected: int

    @property
    def all_fields(self) -> tuple[str, ...]:
        return (*self.fields, self.total)


def power_of(channels: Iterable[str]) -> Channels:
    return Channels("meter", tuple(f"power_{name}_w" for name in channels), "power_w", 1, 30)


def energy_of(channels: Iterable[str]) -> Channels:
    return Channels("meter_minute", tuple(f"energy_{name}_wh" for name in channels), "energy_wh", 4, 5)


@dataclass(slots=True)
class Buckets:
    """Count, sum, least and greatest value of one series, by interval."""

    count: Sequence[int]
    sum: Sequence[float | None]
    min: Sequence[float | None]
    max: Sequence[float | None]


@dataclass(slots=True)
class Combined:
    """Channels joined, by interval. ``complete``: every expected row of every channel that shows up is
    there; sums and bounds are only meaningful then."""

    complete: list[bool] = field(default_factory=list)
    sum: list[float] = field(default_factory=list)
    low: list[float] = field(default_factory=list)
    high: list[float] = field(default_factory=list)

    def add(self, present: Sequence[Buckets], index: int, quantity: Channels) -> None:
        """Add one more interval, from the channels that show up in it."""
        sum_, low, high = 0.0, 0.0, 0.0
        is_complete = bool(present)
        for each in present:
            if each.count[index] != quantity.expected:
                is_complete = False
                break
            sum_ += each.sum[index] or 0.0
            low += each.min[index] or 0.0
            high += each.max[index] or 0.0
        self.complete.append(is_complete)
        self.sum.append(round(sum_, quantity.decimals) if is_complete else 0.0)
        self.low.append(round(low, quantity.decimals) if is_complete else 0.0)
        self.high.append(round(high, quantity.decimals) if is_complete else 0.0)


def buckets_of(rows: Iterable[Row], names: Sequence[str], start: int, end: int) -> dict[str, Buckets]:
    """Sort the values of raw rows in [start, end) into intervals, by field."""
    values: dict[str, list[list[float]]] = {name: [[] for _ in intervals(start, end)] for name in names}
    for row in rows:
        index = (row.at - start) // INTERVAL_S
        for name in names:
            value = row.values.get(name)
            if value is not None:
                values[name][index].append(value)
    return {
        name: Buckets(
            [len(each) for each in lists],
            [math.fsum(each) if each else None for each in lists],
            [min(each, default=None) for each in lists],
            [max(each, default=None) for each in lists],
        )
        for name, lists in values.items()
    }


def by_interval(rows: Iterable[Row], quantity: Channels) -> dict[int, list[tuple[int, float]]]:
    """Return interval → (time, value) of its rows, channels added up; at most one meter at an instant.

    A row in which a channel is missing that the interval otherwise shows is left out.
    """
    groups: dict[int, list[Row]] = {}
    for row in rows:
        groups.setdefault(interval_of(row.at), []).append(row)
    return {interval: _added(inside, quantity) for interval, inside in groups.items()}


def _added(rows: list[Row], quantity: Channels) -> list[tuple[int, float]]:
    rows = _one_device(rows)
    present = [name for name in quantity.fields if any(row.values.get(name) is not None for row in rows)]
    added = []
    for row in rows:
        values = [row.values.get(name) for name in present or (quantity.total,)]
        known = [value for value in values if value is not None]
        if len(known) == len(values):
            added.append((row.at, round(sum(known), quantity.decimals)))
    return added


def _one_device(rows: list[Row]) -> list[Row]:
    """Keep, of two meters at one instant, the one with more rows here, then the one with the greater name."""
    devices = {row.device for row in rows}
    if len(devices) == 1:
        return rows
    weight = {device: (sum(row.device == device for row in rows), device) for device in devices}
    chosen: dict[int, Row] = {}
    for row in rows:
        other = chosen.get(row.at)
        if other is None or weight[row.device] > weight[other.device]:
            chosen[row.at] = row
    return [chosen[at] for at in sorted(chosen)]
