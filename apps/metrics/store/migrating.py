"""Moves the whole history from one engine to another, UTC day by day of each device.

A day that is equal already is left as it is, so that a repeat goes on where the last run ended, and ends in
the same content whenever that was.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from .cutting import DAY_S, floor_to
from .engine import LAST_TIME, Batch, Engine, Point, SourceKey
from .schema import MEASUREMENTS, scales_of


class Day(NamedTuple):
    """One UTC day of one device, all circuits."""

    site: int
    measurement: str
    device: str
    start: int

    @property
    def end(self) -> int:
        return self.start + DAY_S


Content = dict[str, list[Point]]
"""Circuit → its points with all fields of the measurement, those without any value left out."""


class Migration:
    """From ``source`` to ``target``. Every method may raise StoreUnavailable."""

    def __init__(self, source: Engine, target: Engine, sites: Iterable[int]) -> None:
        self._source = source
        self._target = target
        self._sites = list(sites)

    def days(self) -> list[Day]:
        """Return all days of which either holds something, in order of time for each device."""
        return [
            Day(site, measurement.name, device, start)
            for site in self._sites
            for measurement in MEASUREMENTS
            for device in sorted(self._devices(site, measurement.name))
            for start in self._starts(site, measurement.name, device)
        ]

    def _devices(self, site: int, measurement: str) -> set[str]:
        return {
            source.device
            for engine in (self._source, self._target)
            for source in engine.sources(site, measurement)
        }

    def _starts(self, site: int, measurement: str, device: str) -> list[int]:
        edges = [
            found
            for engine in (self._source, self._target)
            if (found := engine.edges(site, measurement, device, 0, LAST_TIME)) is not None
        ]
        if not edges:
            return []
        first, last = min(first for first, _ in edges), max(last for _, last in edges)
        return list(range(floor_to(first, DAY_S), last + 1, DAY_S))

    def copy(self, day: Day, horizon: int) -> bool:
        """Let the target hold of a day what the source holds; return whether something had to be done.
        ``horizon``: the end of the last day of this device."""
        wanted, held = self._content(self._source, day), self._content(self._target, day)
        if wanted == held:
            return False
        if held:
            self._target.replace(*day, day.end, [_batch(day, *each) for each in wanted.items()])
            return True
        for circuit, points in wanted.items():
            source = SourceKey(*day[:3], circuit)
            columns = {
                name: [values[place] for _, values in points]
                for place, name in enumerate(scales_of(day.measurement))
                if any(values[place] is not None for _, values in points)
            }
            self._target.write_day(source, [at for at, _ in points], columns, horizon)
        return True

    def is_equal(self, day: Day) -> bool:
        """Compare every value of a day."""
        return self._content(self._source, day) == self._content(self._target, day)

    def _content(self, engine: Engine, day: Day) -> Content:
        fields = tuple(scales_of(day.measurement))
        found: Content = {}
        for source in engine.sources(day.site, day.measurement):
            if source.device == day.device:
                points = list(_known(engine.points(source, fields, day.start, day.end)))
                if points:
                    found[source.circuit] = points
        return found


def _known(points: Iterable[Point]) -> Iterator[Point]:
    for at, values in points:
        if any(value is not None for value in values):
            yield at, list(values)


def _batch(day: Day, circuit: str, points: list[Point]) -> Batch:
    return Batch(SourceKey(*day[:3], circuit), {tuple(scales_of(day.measurement)): points})
