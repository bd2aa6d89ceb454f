"""The SQLite engine of the time-series store: a file of its own, wide integer tables, UTC rollups.

Several threads and processes may read and write one file. Tables: see ``tables``; rollups: ``rollup``;
reading: ``queries``; history in bulk: ``days``.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from random import Random

from apps.devices import crash_points, storage

from ..base import StoreRefused, StoreUnavailable
from ..cutting import DAY_S, Stretch, floor_to
from ..engine import Batch, Difference, Fields, Point, SourceKey, Total, Totals
from ..schema import MEASUREMENTS, Measurement
from .connections import Connections
from .days import NewDay
from .files import prepare_file, quick_check, size_bytes
from .queries import (
    StretchCache,
    delete_empty,
    has_rows,
    read_edges,
    read_latest,
    read_steps,
    read_stretches,
    source_keys,
    sources_of,
)
from .renaming import rename_source
from .rollup import roll, series_ids, settle, source_state, touched_ranges
from .tables import Table, add_series, key_of, open_schema, tables_of
from .verify import choose_days, differences

_ROWS_AT_ONCE = 5000


class SqliteEngine:
    """``Engine`` in one SQLite file.

    ``synchronous`` OFF is for scratch stores only: a power cut may then destroy the file.
    ``must_exist``: refuse to begin a new store (where other data says that there was one).
    Raises StoreUnavailable for a file that cannot be used.
    """

    title = "SQLite"
    refusal: StoreRefused | None = None

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
        prepare_file(self.path, must_exist=must_exist)
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

    def write(self, batches: Sequence[Batch]) -> None:
        """Store points in one transaction; they are durable and readable when it returns."""
        with self.transaction() as connection:
            for batch in batches:
                table = self.tables[batch.source.measurement]
                source = self.source_id(connection, batch.source)
                times = self._upsert_points(connection, table, source, batch)
                settle(connection, table, source, max(times), touched_ranges(times))

    def replace(
        self, site: int, measurement: str, device: str, start: int, end: int, batches: Sequence[Batch]
    ) -> None:
        table = self.tables[measurement]
        with self.transaction() as connection:
            given = {self.source_id(connection, batch.source): batch for batch in batches}
            for source, _ in source_keys(connection, site, measurement, device):
                times = _delete_rows(connection, table, source, start, end)
                if source in given:
                    times += self._upsert_points(connection, table, source, given[source])
                if times:
                    settle(connection, table, source, max(times), [(min(times), max(times) + 1)])

    def delete(self, site: int, measurement: str, start: int, end: int, device: str | None) -> None:
        table = self.tables[measurement]
        with self.transaction() as connection:
            for source, _ in source_keys(connection, site, measurement, device):
                edges = _delete_rows(connection, table, source, start, end)
                if edges:
                    settle(connection, table, source, 0, [(min(edges), max(edges) + 1)])

    def rename_device(self, site: int, device: str, new: str) -> None:
        with self.transaction() as connection:
            for table in self.tables.values():
                for source, key in source_keys(connection, site, table.name, device):
                    rename_source(connection, table, source, key._replace(device=new))
        self._source_ids.clear()

    def write_day(
        self,
        source: SourceKey,
        at: Sequence[int],
        columns: Mapping[str, Sequence[float | None]],
        horizon: int,
    ) -> None:
        table = self.tables[source.measurement]
        day = floor_to(at[0], DAY_S)
        with self.transaction() as connection:
            source_id = self.source_id(connection, source)
            base = key_of(source_id, 0)
            new = not has_rows(connection, table, source_id, day, day + DAY_S)
            connection.executemany(
                self._upsert(table, tuple(columns)),
                zip([base + time for time in at], *columns.values(), strict=True),
            )
            connection.execute(delete_empty(table), (base + at[0], base + at[-1]))
            written = NewDay(connection, table, source_id, day, at, columns)
            settle(
                connection,
                table,
                source_id,
                at[-1],
                [(day, day + DAY_S)],
                horizon=horizon,
                buckets=written.buckets if new else None,
            )

    def check_first(self, check: Callable[[], None]) -> bool:
        return False

    def waiting(self) -> None:
        """Return None: a write is in the file when it returns."""

    def wait_until_readable(self, timeout_s: float) -> bool:
        """Return at once: what is committed can be read."""
        return True

    def transaction(self) -> AbstractContextManager[sqlite3.Connection]:
        """Open a write transaction."""
        return self._connections.transaction()

    def _upsert_points(
        self, connection: sqlite3.Connection, table: Table, source: int, batch: Batch
    ) -> list[int]:
        """Write points of one source without their rollups; return their times."""
        times: list[int] = []
        for fields, points in batch.points.items():
            keyed = [(key_of(source, at), *values) for at, values in points]
            connection.executemany(self._upsert(table, fields), keyed)
            erased = [(row[0], row[0]) for row in keyed if row.count(None) == len(fields)]
            if erased:
                connection.executemany(delete_empty(table), erased)
            times += [at for at, _ in points]
        return times

    def source_id(self, connection: sqlite3.Connection, key: SourceKey) -> int:
        """Return the id of a source; it is made on its first row, inside the caller's transaction."""
        known = self._known_source(connection, key)
        if known is not None:
            return known
        table = self.tables[key.measurement]
        made = connection.execute(
            "INSERT INTO source (site, measurement, device, circuit) VALUES (?, ?, ?, ?)", key
        ).lastrowid
        assert made is not None
        add_series(connection, table, made, list(table.scales))
        return made

    def _known_source(self, connection: sqlite3.Connection, key: SourceKey) -> int | None:
        found = self._source_ids.get(key)
        if found is None:
            row = connection.execute(
                "SELECT id FROM source WHERE site = ? AND measurement = ? AND device = ? AND circuit = ?", key
            ).fetchone()
            if row is None:
                return None
            found = self._source_ids[key] = int(row[0])  # committed earlier, so it stays
        return found

    def _upsert(self, table: Table, columns: tuple[str, ...]) -> str:
        """Return the statement that writes (key, columns …) and leaves other columns as they are."""
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

    # Reading

    def sources(self, site: int, measurement: str) -> list[SourceKey]:
        with self._connections.reading() as connection:
            return [key for _, key in source_keys(connection, site, measurement, None)]

    def points(self, source: SourceKey, fields: Sequence[str], start: int, end: int) -> Iterator[Point]:
        names = ", ".join(f'"{field}"' for field in fields)
        sql = (
            f'SELECT k - ?, {names} FROM "{source.measurement}" WHERE k >= ? AND k < ?'
            f" ORDER BY k LIMIT {_ROWS_AT_ONCE}"
        )
        with self._connections.reading() as connection:
            source_id = self._known_source(connection, source)
        if source_id is None:
            return
        while start < end:
            with self._connections.reading() as connection:
                found = connection.execute(
                    sql, (key_of(source_id, 0), key_of(source_id, start), key_of(source_id, end))
                ).fetchall()
            for at, *values in found:
                yield at, values
            start = found[-1][0] + 1 if len(found) == _ROWS_AT_ONCE else end

    def steps(self, fields: Fields, start: int, end: int, step_s: int) -> list[Total | None]:
        table = self.tables[fields.measurement]
        with self._connections.reading() as connection:
            sources = sources_of(connection, fields)
            return read_steps(connection, table, fields.names[0], sources, start, end, step_s)

    def totals(self, fields: Fields, stretches: Sequence[Stretch]) -> Totals:
        table = self.tables[fields.measurement]
        with self._connections.reading() as connection:
            sources = sources_of(connection, fields)
            return read_stretches(connection, table, fields.names, sources, stretches, self._stretches)

    def latest(self, fields: Fields, since: int, until: int) -> dict[str, tuple[int, int]]:
        table = self.tables[fields.measurement]
        with self._connections.reading() as connection:
            sources = sources_of(connection, fields)
            newest = {
                field: read_latest(connection, table, field, sources, since, until) for field in fields.names
            }
        return {field: found for field, found in newest.items() if found is not None}

    def edges(
        self, site: int, measurement: str, device: str | None, start: int, end: int
    ) -> tuple[int, int] | None:
        table = self.tables[measurement]
        with self._connections.reading() as connection:
            found = [
                edges
                for source, _ in source_keys(connection, site, measurement, device)
                if (edges := read_edges(connection, table, source, start, end)) is not None
            ]
        return (min(first for first, _ in found), max(last for _, last in found)) if found else None

    # Upkeep

    def homes(self) -> frozenset[str]:
        with self._connections.reading() as connection:
            return frozenset(uid for (uid,) in connection.execute("SELECT uid FROM home"))

    def add_home(self, uid: str) -> None:
        with self.transaction() as connection:
            connection.execute("INSERT OR IGNORE INTO home (uid) VALUES (?)", (uid,))

    def rebuild(self, start: int, end: int) -> Iterator[int]:
        """Recompute all rollups of [start, end) from raw rows, one UTC day of one source a transaction.
        Give the start of each day when it is done."""
        with self._connections.reading() as connection:
            sources = connection.execute("SELECT id, measurement FROM source ORDER BY id").fetchall()
        for source_id, measurement in sources:
            table = self.tables[measurement]
            for day in range(floor_to(start, DAY_S), end, DAY_S):
                with self.transaction() as connection:
                    source = source_state(connection, source_id)
                    series = series_ids(connection, source_id, table)
                    roll(connection, table, source, series, day, min(day + DAY_S, source.rolled_to))
                    connection.execute("UPDATE source SET revision = revision + 1 WHERE id = ?", (source_id,))
                yield day

    def verify_days(self, random: Random, days: int) -> Iterator[list[Difference]]:
        """Recompute the rollups of ``days`` random (source, UTC day) pairs from raw rows and compare."""
        with self._connections.reading() as connection:
            chosen = choose_days(connection, self.tables, random, days)
        for source, day in chosen:
            with self._connections.reading() as connection:
                yield differences(connection, self.tables, source, day)

    def tidy(self) -> None:
        """Move the write-ahead log into the file and empty it."""
        with self._connections.writing() as connection:
            crash_points.reached("checkpoint")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            crash_points.reached("checkpointed")

    def damage(self) -> str | None:
        fault = quick_check(self.path)
        if fault is not None:
            storage.note_damage(self.path, fault)
        return fault

    def ping(self) -> None:
        with self._connections.reading() as connection:
            connection.execute("SELECT id FROM source LIMIT 1").fetchall()

    def size_bytes(self) -> int:
        return size_bytes(self.path)


def _delete_rows(
    connection: sqlite3.Connection, table: Table, source: int, start: int, end: int
) -> list[int]:
    """Delete rows of one source in [start, end); return the first and last time of those that were there."""
    edges = read_edges(connection, table, source, start, end)
    if edges is None:
        return []
    connection.execute(
        f'DELETE FROM "{table.name}" WHERE k BETWEEN ? AND ?', [key_of(source, edge) for edge in edges]
    )
    return list(edges)
