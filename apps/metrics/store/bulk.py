"""History in bulk: imports, generated years, migrations. The same content as by single writes, faster.

One transaction is at most one UTC day of one source, raw rows and their rollups together: whoever reads
or writes beside it waits a fraction of a second and never sees rollups that raw rows contradict; a killed
import leaves whole days. Works in a process of its own, with a store of its own on the same file.
"""

from __future__ import annotations

import math
import sqlite3
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, islice, pairwise
from operator import lt
from typing import Any, Protocol, cast

from .base import Row
from .queries import delete_empty, has_rows
from .rollup import Bucket, raw_buckets, roll, series_ids, settle, source_state
from .sqlite import SourceKey, SqliteStore
from .tables import LARGEST_INTEGER, LAST_TIME, Table, floor_to, key_of

DAY_S = 86_400
_ROWS_AT_ONCE = 50_000


class Column(Protocol):
    """A list or a numpy array; both are cut and measured the same way."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: Any, /) -> Any: ...


class BulkWriter:
    """Writes history into a ``SqliteStore``."""

    def __init__(self, store: SqliteStore) -> None:
        self._store = store

    def write(self, rows: Iterable[Row]) -> int:
        """Store many rows of any kind; how many they were. Days are kept one by one, in order of time
        within each 50,000 rows."""
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
        """Store one source's rows given by columns; how many they were.

        ``at`` rises strictly [epoch s]. A value of None or NaN is missing (and erases). Lists and numpy
        arrays will do. Raises ValueError for what cannot be stored; the days before it are kept.
        """
        table = self._store.tables[measurement]
        table.check_columns(list(columns))
        if any(len(column) != len(at) for column in columns.values()):
            raise ValueError("every column needs one value a time")
        if not columns or not len(at):
            return 0
        key: SourceKey = (site, measurement, device, circuit)
        newest = int(at[len(at) - 1])
        for first, last in _days(at):
            self._write_day(table, key, at[first:last], _cut(columns, first, last), newest)
        return len(at)

    def _write_day(
        self, table: Table, key: SourceKey, at: Column, columns: Mapping[str, Column], newest: int
    ) -> None:
        times = _listed(at)
        if not all(map(lt, times, islice(times, 1, None))):
            raise ValueError("times must rise")
        if times[0] < 0 or times[-1] >= LAST_TIME:
            raise ValueError(f"time {times[0]} is outside of 1970 to 2100")
        values = [_scaled(name, column, table.scales[name]) for name, column in columns.items()]
        day = floor_to(times[0], DAY_S)
        store = self._store
        with store.transaction() as connection:
            source = store.source_id(connection, key)
            base = key_of(source, 0)
            new = not has_rows(connection, table, source, day, day + DAY_S)
            connection.executemany(
                store.upsert(table, tuple(columns)), zip([base + at for at in times], *values, strict=True)
            )
            connection.execute(delete_empty(table), (base + times[0], base + times[-1]))
            written = _NewDay(connection, table, source, day, times, dict(zip(columns, values, strict=True)))
            settle(
                connection,
                table,
                source,
                times[-1],
                [(day, day + DAY_S)],
                horizon=newest,
                buckets=written.buckets if new else None,
            )

    def rebuild(self, start: int, end: int) -> Iterator[int]:
        """Recompute all rollups of [start, end) from raw rows, one UTC day of one source a transaction.
        Gives the start of each day when it is done, for showing progress."""
        with self._store.transaction() as connection:
            sources = connection.execute("SELECT id, measurement FROM source ORDER BY id").fetchall()
        for source_id, measurement in sources:
            table = self._store.tables[measurement]
            for day in range(floor_to(start, DAY_S), end, DAY_S):
                with self._store.transaction() as connection:
                    source = source_state(connection, source_id)
                    series = series_ids(connection, source_id, table)
                    roll(connection, table, source, series, day, min(day + DAY_S, source.rolled_to))
                    connection.execute("UPDATE source SET revision = revision + 1 WHERE id = ?", (source_id,))
                yield day


@dataclass(frozen=True, slots=True)
class _NewDay:
    """A day of which the store had no row before: its buckets come from memory, three times as fast."""

    connection: sqlite3.Connection
    table: Table
    source: int
    day: int
    times: Sequence[int]
    columns: Mapping[str, Sequence[float | None]]

    def buckets(self, series: Sequence[int], level: int, start: int, end: int) -> list[Bucket]:
        """As ``raw_buckets``; what lies outside of the day is read from the database."""
        first, last = max(start, self.day), min(end, self.day + DAY_S)
        found: list[Bucket] = []
        for outside, until in ((start, min(end, self.day)), (max(start, self.day + DAY_S), end)):
            if outside < until:
                found += raw_buckets(self.connection, self.table, self.source, series, level, outside, until)
        edges = [bisect_left(self.times, edge) for edge in range(first, last + 1, level)]
        parts = [(first + level * n, a, b) for n, (a, b) in enumerate(pairwise(edges)) if a < b]
        ids = dict(zip(self.table.scales, series, strict=True))
        for name, column in self.columns.items():
            base = key_of(ids[name], 0)
            found += [
                (base + at, *figures) for at, a, b in parts if (figures := _figures(column[a:b])) is not None
            ]
        return found


def _figures(values: Sequence[float | None]) -> tuple[int, int, int, int] | None:
    """(count, sum, min, max) of whole numbers, which may be floats; None and NaN do not count."""
    known = cast("Sequence[float]", values)
    total = math.nan if None in values else sum(known)
    if total != total:
        known = [value for value in values if value is not None and value == value]
        if not known:
            return None
        total = sum(known)
    return len(known), int(total), int(min(known)), int(max(known))


def _source_and_day(row: Row) -> tuple[int, str, str, str, int]:
    return row.site, row.measurement, row.device, row.circuit, row.at // DAY_S


def _days(at: Column) -> Iterator[tuple[int, int]]:
    """Where each UTC day begins and ends in rising times."""
    first, previous = 0, -math.inf
    while first < len(at):
        day = floor_to(int(at[first]), DAY_S)
        if day <= previous:
            raise ValueError("times must rise")
        last = max(first + 1, bisect_left(at, day + DAY_S, first))
        yield first, last
        first, previous = last, day


def _cut(columns: Mapping[str, Column], first: int, last: int) -> dict[str, Column]:
    return {name: column[first:last] for name, column in columns.items()}


def _listed(column: Any) -> list[Any]:
    listed: list[Any] = column.tolist() if hasattr(column, "tolist") else list(column)
    return listed


def _scaled(name: str, column: Any, scale: int) -> Sequence[float | None]:
    """Values as SQLite stores them. NaN becomes NULL and whole floats integers on their way in."""
    if hasattr(column, "tolist"):
        scaled = (column * float(scale)).round()
        if bool((abs(scaled) > LARGEST_INTEGER).any()):
            raise ValueError(f"{name} has a value that cannot be stored")
        return _listed(scaled)
    return [_scaled_value(name, value, scale) for value in column]


def _scaled_value(name: str, value: float | None, scale: int) -> int | None:
    if value is None or value != value:
        return None
    scaled = value * scale
    if not -LARGEST_INTEGER <= scaled <= LARGEST_INTEGER:
        raise ValueError(f"{name} cannot be {value}")
    return round(scaled)
