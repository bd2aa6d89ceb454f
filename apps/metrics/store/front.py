"""The time-series store that everybody uses: one engine, and above it what is the same for all of them."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Sequence
from random import Random
from typing import NoReturn, cast

from .base import Aggregate, Row, Sample, Series, StoreRefused, Waiting
from .cutting import ceil_to, floor_to, stretches_between
from .engine import LAST_TIME, Batch, Difference, Engine, Fields, SourceKey, times_of
from .extents import Extents, WholeCalendar
from .resolution import as_aggregate, as_series, batches_of, check_fields
from .schema import MEASUREMENTS, field_of, scales_of


class Store:
    """``TimeSeriesStore`` over an engine. Rounds to the schema's resolution, cuts local boundaries into
    pieces of UTC grids, and knows where there may be rows at all (``extents``)."""

    def __init__(self, engine: Engine, extents: Extents | None = None) -> None:
        self.engine = engine
        self.extents = extents or WholeCalendar()
        self._refusal: StoreRefused | None = None

    @property
    def refusal(self) -> StoreRefused | None:
        """Why nothing is read or written; None while all is well."""
        return self._refusal or self.engine.refusal

    @classmethod
    def refused(cls, refusal: StoreRefused) -> Store:
        """Return a store that raises ``refusal`` at every use."""
        store = cls(cast("Engine", _NoEngine(refusal)))
        store._refusal = refusal
        return store

    def close(self) -> None:
        self.engine.close()

    @property
    def title(self) -> str:
        """The engine's name for people. Raises StoreRefused."""
        return self.engine.title

    # Writing

    def write(self, rows: Iterable[Row]) -> None:
        batches = batches_of(rows)
        if batches:
            self._widen(batches)
            self.engine.write(batches)

    def replace(
        self, site: int, measurement: str, device: str, start: int, end: int, rows: Iterable[Row]
    ) -> None:
        check_fields(measurement, ())
        batches = batches_of(_inside(rows, (site, measurement, device), start, end))
        self._widen(batches)
        self.engine.replace(site, measurement, device, start, end, batches)

    def _widen(self, batches: Sequence[Batch]) -> None:
        for source, first, last in times_of(batches):
            self.extents.widen(source, first, last)

    def delete(self, site: int, measurement: str, start: int, end: int, device: str | None = None) -> None:
        check_fields(measurement, ())
        self.engine.delete(site, measurement, start, end, device)

    def rename_device(self, site: int, device: str, new: str) -> None:
        for measurement in MEASUREMENTS:
            edges = self.extent(site, measurement.name, device)
            for source in self.engine.sources(site, measurement.name) if edges else ():
                if edges and source.device == device:
                    self.extents.widen(source._replace(device=new), *edges)
        self.engine.rename_device(site, device, new)

    def waiting(self) -> Waiting | None:
        """Return which writes wait for the database; None where none ever does."""
        return self.engine.waiting()

    def wait_until_readable(self, timeout_s: float) -> bool:
        return self.engine.wait_until_readable(timeout_s)

    # Reading

    def latest(
        self, site: int, names: Sequence[str], since: int, until: int | None = None
    ) -> dict[str, Sample | None]:
        end = LAST_TIME if until is None else until
        found: dict[str, Sample | None] = dict.fromkeys(names)
        for fields, by_field in _grouped(site, names):
            scales = scales_of(fields.measurement)
            for field, (at, value) in self.engine.latest(fields, since, end).items():
                found[by_field[field]] = Sample(at=at, value=value / scales[field])
        return found

    def series(self, site: int, name: str, start: int, end: int, step_s: int) -> Series:
        if step_s < 1:
            raise ValueError("a step takes at least one second")
        measurement, field, circuit = field_of(name)
        first, last = floor_to(start, step_s), ceil_to(end, step_s)
        fields = Fields(site, measurement.name, circuit, (field.column,))
        return as_series(name, field.scale, first, step_s, self.engine.steps(fields, first, last, step_s))

    def sums(self, site: int, names: Sequence[str], boundaries: Sequence[int]) -> dict[str, list[Aggregate]]:
        places = stretches_between(boundaries)
        stretches = [stretch for stretch in places if stretch is not None]
        found: dict[str, list[Aggregate]] = {}
        for fields, by_field in _grouped(site, names):
            totals = self.engine.totals(fields, stretches)
            for field, name in by_field.items():
                scale = scales_of(fields.measurement)[field]
                sums = iter([as_aggregate(totals.get((n, field)), scale) for n in range(len(stretches))])
                found[name] = [Aggregate() if place is None else next(sums) for place in places]
        return found

    def rows(
        self,
        site: int,
        measurement: str,
        start: int,
        end: int,
        fields: Sequence[str] | None = None,
        circuit: str | None = "",
    ) -> Iterator[Row]:
        scales = scales_of(measurement)
        wanted = tuple(scales if fields is None else fields)
        check_fields(measurement, wanted)
        streams = [
            self._rows_of(source, wanted, start, end)
            for source in self.engine.sources(site, measurement)
            if circuit is None or source.circuit == circuit
        ]
        if len(streams) == 1:
            return streams[0]
        return heapq.merge(*streams, key=lambda row: (row.at, row.circuit, row.device))

    def _rows_of(self, source: SourceKey, fields: tuple[str, ...], start: int, end: int) -> Iterator[Row]:
        site, measurement, device, circuit = source
        scales = [scales_of(measurement)[field] for field in fields]
        for at, values in self.engine.points(source, fields, start, end):
            if values.count(None) == len(values):
                continue
            yield Row(
                site=site,
                measurement=measurement,
                device=device,
                circuit=circuit,
                at=at,
                values={
                    field: None if value is None else value / scale
                    for field, value, scale in zip(fields, values, scales, strict=True)
                },
            )

    def extent(self, site: int, measurement: str, device: str | None = None) -> tuple[int, int] | None:
        check_fields(measurement, ())
        known = self.extents.of(site, measurement, device)
        return None if known is None else self.engine.edges(site, measurement, device, *known)

    # Upkeep

    def verify_days(self, random: Random, days: int) -> Iterator[list[Difference]]:
        """Recompute what is stored as aggregates of ``days`` random days and compare, day by day."""
        return self.engine.verify_days(random, days)

    def tidy(self) -> None:
        """Do the engine's nightly work."""
        self.engine.tidy()

    def damage(self) -> str | None:
        """Say what a quick look finds wrong with the stored data; None: nothing."""
        return self.engine.damage()

    def ping(self) -> None:
        """Raise StoreUnavailable if the engine does not answer."""
        self.engine.ping()

    def size_bytes(self) -> int | None:
        """Return how much room the stored data takes; None if that is not known."""
        return self.engine.size_bytes()


class _NoEngine:
    """Stands where no engine may be used."""

    def __init__(self, refusal: StoreRefused) -> None:
        self._refusal = refusal

    def close(self) -> None:
        pass

    def __getattr__(self, name: str) -> NoReturn:
        raise StoreRefused(self._refusal.code, str(self._refusal))


def _grouped(site: int, names: Sequence[str]) -> list[tuple[Fields, dict[str, str]]]:
    """Return the series by measurement and circuit, each group with the series' names by field."""
    groups: dict[tuple[str, str], dict[str, str]] = {}
    for name in names:
        measurement, field, circuit = field_of(name)
        groups.setdefault((measurement.name, circuit), {})[field.column] = name
    return [
        (Fields(site, measurement, circuit, tuple(by_field)), by_field)
        for (measurement, circuit), by_field in groups.items()
    ]


def _inside(rows: Iterable[Row], place: tuple[int, str, str], start: int, end: int) -> Iterator[Row]:
    """Yield the rows as they come. Raises ValueError for one that does not belong to this device and
    stretch."""
    for row in rows:
        if (row.site, row.measurement, row.device) != place:
            raise ValueError(f"a row of {row.measurement} of {row.device!r} does not belong to {place}")
        if not start <= row.at < end:
            raise ValueError(f"time {row.at} is outside of {start} to {end}")
        yield row
