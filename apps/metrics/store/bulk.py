"""History in bulk: imports, generated years, migrations. The same content as by single writes, faster.

One transaction is at most one UTC day of one source: whoever reads or writes beside it waits a fraction of a
second; a killed import leaves whole days. Works in a process of its own, with a store of its own.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby, islice
from operator import lt
from typing import Any, Protocol

from .base import Row
from .cutting import DAY_S, floor_to
from .engine import LAST_TIME, SourceKey
from .front import Store
from .resolution import check_fields, whole_column
from .schema import scales_of

_ROWS_AT_ONCE = 50_000


class Column(Protocol):
    """A list or a numpy array; both are cut and measured the same way."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: Any, /) -> Any: ...


class BulkWriter:
    """Writes history into a store of any engine."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def write(self, rows: Iterable[Row]) -> int:
        """Store many rows of any kind; return how many they were. Days are kept one by one, in order of
        time within each 50,000 rows."""
        written = 0
        rest = iter(rows)
        while batch := sorted(islice(rest, _ROWS_AT_ONCE), key=_source_and_day):
            for _key, day in groupby(batch, key=_source_and_day):
                self._store.write(day)
            written += len(batch)
        return written

    def write_columns(
        self,
        site: int,
        measurement: str,
        device: str,
        at: Column,
        columns: Mapping[str, Column],
        circuit: str = "",
    ) -> int:
        """Store one source's rows given by columns; return how many they were.

        ``at`` rises strictly [epoch s]. A value of None or NaN is missing (and erases). Lists and numpy
        arrays will do. Raises ValueError for what cannot be stored; the days before it are kept.
        """
        check_fields(measurement, columns)
        if any(len(column) != len(at) for column in columns.values()):
            raise ValueError("every column needs one value a time")
        if not columns or not len(at):
            return 0
        source = SourceKey(site, measurement, device, circuit)
        horizon = int(at[len(at) - 1])
        for first, last in _days(at):
            day = {name: column[first:last] for name, column in columns.items()}
            self._write_day(source, _listed(at[first:last]), day, horizon)
        return len(at)

    def _write_day(
        self, source: SourceKey, times: list[int], columns: Mapping[str, Column], horizon: int
    ) -> None:
        if not all(map(lt, times, islice(times, 1, None))):
            raise ValueError("times must rise")
        if times[0] < 0 or times[-1] >= LAST_TIME:
            raise ValueError(f"time {times[0]} is outside of 1970 to 2100")
        scales = scales_of(source.measurement)
        whole = {name: whole_column(name, column, scales[name]) for name, column in columns.items()}
        self._store.extents.widen(source, times[0], times[-1])
        self._store.engine.write_day(source, times, whole, horizon)


def _source_and_day(row: Row) -> tuple[int, str, str, str, int]:
    return row.site, row.measurement, row.device, row.circuit, row.at // DAY_S


def _days(at: Column) -> Iterator[tuple[int, int]]:
    """Yield where each UTC day begins and ends in rising times."""
    first, previous = 0, -math.inf
    while first < len(at):
        day = floor_to(int(at[first]), DAY_S)
        if day <= previous:
            raise ValueError("times must rise")
        last = max(first + 1, bisect_left(at, day + DAY_S, first))
        yield first, last
        first, previous = last, day


def _listed(column: Any) -> list[Any]:
    listed: list[Any] = column.tolist() if hasattr(column, "tolist") else list(column)
    return listed
