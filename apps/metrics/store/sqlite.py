"""The SQLite engine of the time-series store: a file of its own, wide integer tables, UTC rollups.

Several threads and processes may read and write one file. Tables: see ``tables``; rollups: ``rollup``;
reading: ``queries``; history in bulk: ``bulk``.
"""

from __future__ import annotations

import heapq
import os
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from itertools import pairwise
from pathlib import Path
from random import Random

from .base import Aggregate, Row, Sample, Series, StoreUnavailable
from .connections import Connections
from .queries import (
    StretchCache,
    all_sources,
    as_aggregate,
    as_series,
    delete_empty,
    filled_series,
    grid,
    read_extent,
    read_latest,
    read_series,
    read_stretches,
    sources_of,
)
from .rollup import settle, touched_ranges
from .schema import MEASUREMENTS, Measurement, field_of
from .tables import KEY_SPAN, LARGEST_INTEGER, LAST_TIME, Table, add_series, key_of, open_schema, tables_of
from .verify import Difference, choose_days, differences

_ROWS_AT_ONCE = 5000

SourceKey = tuple[int, str, str, str]
"""(site, measurement, device, circuit)."""

_PackedRows = dict[tuple[str, ...], list[tuple[int, list[int | None]]]]
"""Given columns → rows of (time, scaled values)."""


class SqliteStore:
    """``TimeSeriesStore`` in one SQLite file.

    ``synchronous`` OFF is for scratch stores only: a power cut may then destroy the file.
    ``must_exist``: refuse to begin a new store (where other data says that there was one).
    Raises StoreUnavailable for a file that cannot be used.
    """

    def __init__(
        self,
        path: Path | str,
        *,
        synchronous: str = "FULL",
        read_limit_s: float = 20.0,
        must_exist: bool = False,
        measurements: Sequence[Measurement] = MEASUREMENTS,
    ) -> None:
        self.path = Path(path)
        self.tables = tables_of(measurements)
        self._source_ids: dict[SourceKey, int] = {}
        self._stretches = StretchCache()
        self._upserts: dict[tuple[str, tuple[str, ...]], str] = {}
        _prepare_file(self.path, must_exist=must_exist)
        self._connections = Connections(self.path, synchronous=synchronous, read_limit_s=read_limit_s)
        try:
            with self._connections.writing() as connection:
                open_schema(connection, self.tables, int(time.time()))
        except StoreUnavailable:
            self._connections.close()
            raise

    def close(self) -> None:
        self._connections.close()

    # Writing

    def write(self, rows: Iterable[Row]) -> None:
        """Store rows in one transaction. Raises UnknownSeries, KeyError (measurement) or ValueError
        (time or value out of range); nothing is kept then."""
        packed = {
            key: _packed(self.tables[key[1]], by_time) for key, by_time in _merged(rows).items() if by_time
        }
        if not packed:
            return
        with self.transaction() as connection:
            for key, by_columns in packed.items():
                self._write_source(connection, key, by_columns)

    def transaction(self) -> AbstractContextManager[sqlite3.Connection]:
        """A write transaction, for the engine's own parts (``bulk``)."""
        return self._connections.transaction()

    def _write_source(self, connection: sqlite3.Connection, key: SourceKey, by_columns: _PackedRows) -> None:
        table = self.tables[key[1]]
        source = self.source_id(connection, key)
        times = self._upsert_rows(connection, table, source, by_columns)
        settle(connection, table, source, max(times), touched_ranges(times))

    def _upsert_rows(
        self, connection: sqlite3.Connection, table: Table, source: int, by_columns: _PackedRows
    ) -> list[int]:
        """Write rows of one source without their rollups; return their times."""
        times: list[int] = []
        for columns, rows in by_columns.items():
            keyed = [(key_of(source, at), *values) for at, values in rows]
            connection.executemany(self.upsert(table, columns), keyed)
            erased = [(row[0], row[0]) for row in keyed if row.count(None) == len(columns)]
            if erased:
                connection.executemany(delete_empty(table), erased)
            times += [at for at, _ in rows]
        return times

    def replace(
        self, site: int, measurement: str, device: str, start: int, end: int, rows: Iterable[Row]
    ) -> None:
        """Let [start, end) of one device hold exactly ``rows``, in one transaction. Raises as ``write``,
        and ValueError for a row of another place or time; nothing is changed then."""
        table = self.tables[measurement]
        packed = {
            key: _packed(table, by_time)
            for key, by_time in _merged(_inside(rows, (site, measurement, device), start, end)).items()
        }
        with self.transaction() as connection:
            sources = {
                source: (site, measurement, device, circuit)
                for source, _, circuit in all_sources(connection, site, measurement, device)
            }
            sources |= {self.source_id(connection, key): key for key in packed}
            for source, key in sources.items():
                times = _delete_rows(connection, table, source, start, end)
                if key in packed:
                    times += self._upsert_rows(connection, table, source, packed[key])
                if times:
                    settle(connection, table, source, max(times), [(min(times), max(times) + 1)])

    def source_id(self, connection: sqlite3.Connection, key: SourceKey) -> int:
        """The id of a source; it is made on its first row, inside the caller's transaction."""
        found = self._source_ids.get(key)
        if found is not None:
            return found
        site, measurement, device, circuit = key
        where = (site, measurement, circuit, device)
        row = connection.execute(
            "SELECT id FROM source WHERE site = ? AND measurement = ? AND circuit = ? AND device = ?", where
        ).fetchone()
        if row is not None:  # committed earlier, so it stays
            self._source_ids[key] = row[0]
            return int(row[0])
        table = self.tables[measurement]
        made = connection.execute(
            "INSERT INTO source (site, measurement, circuit, device) VALUES (?, ?, ?, ?)", where
        ).lastrowid
        assert made is not None
        add_series(connection, table, made, list(table.scales))
        return made

    def upsert(self, table: Table, columns: tuple[str, ...]) -> str:
        """The statement that writes (key, columns …) and leaves other columns as they are."""
        sql = self._upserts.get((table.name, columns))
        if sql is None:
            names = ", ".join(f'"{column}"' for column in columns)
            marks = ", ".join("?" for _ in columns)
            updates = ", ".join(f'"{column}" = excluded."{column}"' for column in columns)
            sql = (
                f'INSERT INTO "{table.name}" (k, {names}) VALUES (?, {marks})'
                f" ON CONFLICT (k) DO UPDATE SET {updates}"
            )
            self._upserts[table.name, columns] = sql
        return sql

    def delete(self, site: int, measurement: str, start: int, end: int, device: str | None = None) -> None:
        """Forget rows in [start, end), of all circuits, and what was rolled up from them."""
        table = self.tables[measurement]
        with self.transaction() as connection:
            for source, _, _ in all_sources(connection, site, measurement, device):
                edges = _delete_rows(connection, table, source, start, end)
                if edges:
                    settle(connection, table, source, 0, [(min(edges), max(edges) + 1)])

    # Reading

    def latest(self, site: int, names: Sequence[str], since: int) -> dict[str, Sample | None]:
        with self._connections.reading() as connection:
            found: dict[str, Sample | None] = {}
            for name in names:
                measurement, field, circuit = field_of(name)
                sources = sources_of(connection, site, measurement.name, circuit)
                table = self.tables[measurement.name]
                found[name] = read_latest(connection, table, field.column, sources, since)
            return found

    def series(self, site: int, name: str, start: int, end: int, step_s: int) -> Series:
        if step_s < 1:
            raise ValueError("a step takes at least one second")
        measurement, field, circuit = field_of(name)
        first, last = grid(start, end, step_s)
        with self._connections.reading() as connection:
            sources = sources_of(connection, site, measurement.name, circuit)
            table = self.tables[measurement.name]
            totals = read_series(connection, table, field.column, sources, first, last, step_s)
        return as_series(name, field.scale, first, step_s, totals)

    def sums(self, site: int, names: Sequence[str], boundaries: Sequence[int]) -> dict[str, list[Aggregate]]:
        groups: dict[tuple[str, str], dict[str, str]] = {}
        for name in names:
            measurement, field, circuit = field_of(name)
            groups.setdefault((measurement.name, circuit), {})[field.column] = name
        stretches = list(pairwise(boundaries))
        if any(start > end for start, end in stretches):
            raise ValueError("boundaries must rise")
        found: dict[str, list[Aggregate]] = {}
        with self._connections.reading() as connection:
            for (measurement_name, circuit), by_column in groups.items():
                table = self.tables[measurement_name]
                sources = sources_of(connection, site, measurement_name, circuit)
                totals = read_stretches(
                    connection, table, list(by_column), sources, dict(enumerate(stretches)), self._stretches
                )
                for column, name in by_column.items():
                    found[name] = [
                        as_aggregate(totals.get((index, column)), table.scales[column])
                        for index in range(len(stretches))
                    ]
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
        """Raw rows in [start, end) with the wanted fields, ordered by time; those without any are left
        out. Read in short pieces, so a slow reader keeps nobody waiting. ``circuit`` None: all."""
        table = self.tables[measurement]
        columns = tuple(table.scales if fields is None else fields)
        table.check_columns(columns)
        with self._connections.reading() as connection:
            sources = [
                source
                for source in all_sources(connection, site, measurement, None)
                if circuit is None or source[2] == circuit
            ]
        streams = [self._rows_of(site, table, source, columns, start, end) for source in sources]
        return heapq.merge(*streams, key=lambda row: (row.at, row.circuit, row.device))

    def _rows_of(
        self,
        site: int,
        table: Table,
        source: tuple[int, str, str],
        columns: tuple[str, ...],
        start: int,
        end: int,
    ) -> Iterator[Row]:
        source_id, device, circuit = source
        names = ", ".join(f'"{column}"' for column in columns)
        scales = [table.scales[column] for column in columns]
        sql = (
            f'SELECT k - ?, {names} FROM "{table.name}" WHERE k >= ? AND k < ?'
            f" ORDER BY k LIMIT {_ROWS_AT_ONCE}"
        )
        while start < end:
            with self._connections.reading() as connection:
                found = connection.execute(
                    sql, (key_of(source_id, 0), key_of(source_id, start), key_of(source_id, end))
                ).fetchall()
            for at, *values in found:
                if values.count(None) == len(values):
                    continue
                yield Row(
                    site=site,
                    measurement=table.name,
                    device=device,
                    circuit=circuit,
                    at=at,
                    values={
                        column: None if value is None else value / scale
                        for column, value, scale in zip(columns, values, scales, strict=True)
                    },
                )
            start = found[-1][0] + 1 if len(found) == _ROWS_AT_ONCE else end

    def extent(self, site: int, measurement: str) -> tuple[int, int] | None:
        with self._connections.reading() as connection:
            sources = [source for source, _, _ in all_sources(connection, site, measurement, None)]
            return read_extent(connection, self.tables[measurement], sources)

    def filled_series(self, site: int) -> list[str]:
        """Names of all series of which the site has any value, with circuits, sorted."""
        with self._connections.reading() as connection:
            return filled_series(connection, self.tables, site)

    # Upkeep

    def verify(self, random: Random, days: int) -> list[Difference]:
        """Recompute the rollups of ``days`` random (source, UTC day) pairs from raw rows; what differs."""
        found: list[Difference] = []
        for checked in self.verify_days(random, days):
            found += checked
        return found

    def verify_days(self, random: Random, days: int) -> Iterator[list[Difference]]:
        """As ``verify``, day by day for showing progress."""
        with self._connections.reading() as connection:
            chosen = choose_days(connection, self.tables, random, days)
        for source, day in chosen:
            with self._connections.reading() as connection:
                yield differences(connection, self.tables, source, day)

    def checkpoint(self) -> None:
        """Move the write-ahead log into the file and empty it (nightly)."""
        with self._connections.writing() as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def _prepare_file(path: Path, *, must_exist: bool) -> None:
    """Make the file with mode 0600, or narrow the mode of an old one."""
    try:
        if must_exist and (not path.exists() or not path.stat().st_size):
            raise StoreUnavailable(f"the time-series store {path} is missing or empty; restore a backup")
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        os.chmod(path, 0o600)
    except OSError as error:
        raise StoreUnavailable(f"the time-series store {path} cannot be opened: {error.strerror}") from error


def _delete_rows(
    connection: sqlite3.Connection, table: Table, source: int, start: int, end: int
) -> list[int]:
    """Delete rows of one source in [start, end); return the first and last time of those that were there."""
    first, last = max(start, 0), min(end, LAST_TIME)
    if first >= last:
        return []
    keys = key_of(source, first), key_of(source, last)
    edges = connection.execute(
        f'SELECT (SELECT min(k) FROM "{table.name}" WHERE k >= :first AND k < :end),'
        f' (SELECT max(k) FROM "{table.name}" WHERE k >= :first AND k < :end)',
        {"first": keys[0], "end": keys[1]},
    ).fetchone()
    if edges[0] is None:
        return []
    connection.execute(f'DELETE FROM "{table.name}" WHERE k >= ? AND k < ?', keys)
    return [edge % KEY_SPAN for edge in edges]


def _inside(rows: Iterable[Row], place: tuple[int, str, str], start: int, end: int) -> Iterator[Row]:
    """Rows as they come. Raises ValueError for one that does not belong to this device and stretch."""
    for row in rows:
        if (row.site, row.measurement, row.device) != place:
            raise ValueError(f"a row of {row.measurement} of {row.device!r} does not belong to {place}")
        if not start <= row.at < end:
            raise ValueError(f"time {row.at} is outside of {start} to {end}")
        yield row


def _merged(rows: Iterable[Row]) -> dict[SourceKey, dict[int, Mapping[str, float | None]]]:
    """Rows by source and time; of several rows of one instant the later one's values win."""
    merged: dict[SourceKey, dict[int, Mapping[str, float | None]]] = {}
    for row in rows:
        if not 0 <= row.at < LAST_TIME:
            raise ValueError(f"time {row.at} is outside of 1970 to 2100")
        if not row.values:
            continue
        by_time = merged.setdefault((row.site, row.measurement, row.device, row.circuit), {})
        earlier = by_time.get(row.at)
        by_time[row.at] = row.values if earlier is None else {**earlier, **row.values}
    return merged


def _packed(table: Table, by_time: Mapping[int, Mapping[str, float | None]]) -> _PackedRows:
    packed: _PackedRows = {}
    scales = table.scales
    for at, values in by_time.items():
        columns = tuple(values)
        rows = packed.get(columns)
        if rows is None:
            table.check_columns(columns)
            rows = packed[columns] = []
        rows.append((at, [_scaled(values[column], scales[column], column) for column in columns]))
    return packed


def _scaled(value: float | None, scale: int, column: str) -> int | None:
    if value is None:
        return None
    scaled = value * scale
    if not -LARGEST_INTEGER <= scaled <= LARGEST_INTEGER:  # NaN fails too
        raise ValueError(f"{column} cannot be {value}")
    return round(scaled)
