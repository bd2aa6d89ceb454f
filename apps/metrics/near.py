"""The store as seen from one short stretch of time: its raw rows are read once and kept at hand."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence

from .raw import PUMP_FIELDS, SHORT_S, energy_of, power_of
from .running import INTERVAL_S
from .store.base import Aggregate, Row, Sample, Series, TimeSeriesStore

# How far around the stretch rows are kept: polls are many and needed for the state at the edges only.
REACH_S = {
    "meter": INTERVAL_S,
    "meter_minute": 3 * INTERVAL_S,
    "meter_counter": 3 * INTERVAL_S,
    "heat_pump": 3 * INTERVAL_S,
}
_CHANNELS = ("a", "b", "c")
_FIELDS: dict[str, Sequence[str]] = {
    "meter": power_of(_CHANNELS).all_fields,
    "meter_minute": energy_of(_CHANNELS).all_fields,
    "meter_counter": (*(f"energy_counter_{name}_wh" for name in _CHANNELS), "monophase"),
    "heat_pump": PUMP_FIELDS,
}


def near(store: TimeSeriesStore, site: int, start: int, end: int) -> TimeSeriesStore:
    """The store itself for a long stretch; for a short one with the rows around it read ahead. Valid for
    one derivation: rows written meanwhile are not seen."""
    return store if end - start > SHORT_S else _Near(store, site, start, end)


class _Near:
    """A ``TimeSeriesStore`` that answers ``rows`` of the derivation's fields from memory where it can."""

    def __init__(self, store: TimeSeriesStore, site: int, start: int, end: int) -> None:
        self._store = store
        self._site, self._start, self._end = site, start, end
        self._rows = {
            name: list(store.rows(site, name, start - REACH_S[name], end + REACH_S[name], fields=fields))
            for name, fields in _FIELDS.items()
        }
        self._times = {name: [row.at for row in rows] for name, rows in self._rows.items()}
        self._extents: dict[str, tuple[int, int] | None] = {}

    def rows(
        self,
        site: int,
        measurement: str,
        start: int,
        end: int,
        fields: Sequence[str] | None = None,
        circuit: str | None = "",
    ) -> Iterator[Row]:
        reach_s = REACH_S.get(measurement)
        if (
            reach_s is None
            or (site, circuit) != (self._site, "")
            or start < self._start - reach_s
            or end > self._end + reach_s
        ):
            return self._store.rows(site, measurement, start, end, fields=fields, circuit=circuit)
        times = self._times[measurement]
        return iter(self._rows[measurement][bisect_left(times, start) : bisect_left(times, end)])

    def wait_until_readable(self, timeout_s: float) -> bool:
        return self._store.wait_until_readable(timeout_s)

    def extent(self, site: int, measurement: str, device: str | None = None) -> tuple[int, int] | None:
        if device is not None:
            return self._store.extent(site, measurement, device)
        if measurement not in self._extents:
            self._extents[measurement] = self._store.extent(site, measurement)
        return self._extents[measurement]

    def write(self, rows: Iterable[Row]) -> None:
        self._store.write(rows)

    def replace(
        self, site: int, measurement: str, device: str, start: int, end: int, rows: Iterable[Row]
    ) -> None:
        self._store.replace(site, measurement, device, start, end, rows)

    def latest(self, site: int, names: Sequence[str], since: int) -> dict[str, Sample | None]:
        return self._store.latest(site, names, since)

    def series(self, site: int, name: str, start: int, end: int, step_s: int) -> Series:
        return self._store.series(site, name, start, end, step_s)

    def sums(self, site: int, names: Sequence[str], boundaries: Sequence[int]) -> dict[str, list[Aggregate]]:
        return self._store.sums(site, names, boundaries)

    def delete(self, site: int, measurement: str, start: int, end: int, device: str | None = None) -> None:
        self._store.delete(site, measurement, start, end, device)

    def close(self) -> None:
        self._store.close()
