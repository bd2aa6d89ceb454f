"""The SQLite engine's tables: one wide table a measurement, one generic rollup table a level.

    meta(key, value)                                    schema_version, created_at
    home(uid)                                           the ids of the homes that it was begun for
    source(id, site, measurement, device, circuit,      who wrote rows of which measurement
           rolled_to, minute_from, revision)
    series(id, source, field, scale, unit)              the ids in the rollups
    <measurement>(k, <field> …)                         integers: round(value × scale); NULL is missing
    r60, r300, r3600, r21600, r86400(k, n, su, lo, hi)  count, sum, min, max of UTC buckets

A key ``k`` is id × 4,320,000,000 + t: the source's id in raw tables, the series' in rollups, t the epoch
second of the row or the start of the bucket. (One integer makes rows an eighth smaller than a pair does;
the factor is a multiple of a day, so ``k - k % 3600`` is the key of the hour.) In a shell:
``SELECT k / 4320000000, datetime(k % 4320000000, 'unixepoch'), * FROM meter``.

``rolled_to``: rollups hold every bucket that ends at or before it, and nothing later. ``minute_from``:
r60 holds only buckets from it on. ``revision`` grows whenever rollups before ``rolled_to`` are rewritten.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..base import StoreRefused, StoreUnavailable
from ..cutting import floor_to
from ..schema import MEASUREMENTS, Measurement

SCHEMA_VERSION = 1
MINUTE_LEVEL = 60
LEVELS = (MINUTE_LEVEL, 300, 3600, 21_600, 86_400)
BUCKET_S = 300
MINUTES_KEPT_S = 40 * 86_400
KEY_SPAN = 4_320_000_000

_FACTOR = 6  # a rollup of fewer rows than this is not worth its place


def key_of(owner: int, at: int) -> int:
    """Return the key of a source's row or a series' bucket."""
    return owner * KEY_SPAN + at


@dataclass(frozen=True, slots=True)
class Table:
    """A measurement as the engine stores it. ``scales``: column → scale, in the order of the columns."""

    name: str
    scales: Mapping[str, int]
    units: Mapping[str, str]
    levels: tuple[int, ...]
    lag_s: int

    def rolled_to(self, newest: int) -> int:
        """Return how far rollups reach when ``newest`` is the newest row. Rows younger than that are read
        raw, so that the rewriting of recent rows costs nothing and buckets are made many at once."""
        return max(0, floor_to(newest - self.lag_s, 3600))

    def minute_from(self, newest: int) -> int:
        return max(0, floor_to(self.rolled_to(newest), 86_400) - MINUTES_KEPT_S)


def _table(measurement: Measurement) -> Table:
    return Table(
        name=measurement.name,
        scales={field.column: field.scale for field in measurement.fields},
        units={field.column: field.unit for field in measurement.fields},
        levels=tuple(level for level in LEVELS if level >= _FACTOR * measurement.step_s),
        lag_s=3600 if measurement.step_s < BUCKET_S else 21_600,
    )


def tables_of(measurements: Sequence[Measurement] = MEASUREMENTS) -> dict[str, Table]:
    return {measurement.name: _table(measurement) for measurement in measurements}


def open_schema(connection: sqlite3.Connection, tables: Mapping[str, Table], created_at: int) -> None:
    """Create what is missing, in one transaction: everything in a new file, columns of new fields in an
    old one. Raises StoreUnavailable for a file that is not ours or was written by a newer heatmon."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        existing = {
            name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        }
        if "meta" in existing:
            _check_version(connection)
        elif existing:
            raise StoreRefused("damaged", "this file is a database, but not a heatmon time-series store")
        else:
            _create_common(connection, created_at)
        connection.execute("CREATE TABLE IF NOT EXISTS home (uid TEXT PRIMARY KEY) WITHOUT ROWID")
        for table in tables.values():
            if table.name in existing:
                _add_columns(connection, table)
            else:
                _create_raw(connection, table)
        _add_series(connection, tables)
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def _check_version(connection: sqlite3.Connection) -> None:
    row = connection.execute("SELECT value FROM meta WHERE key = 'schema_version'").fetchone()
    if row is None:
        raise StoreRefused("damaged", "the time-series store has lost the mark of its schema version")
    if int(row[0]) > SCHEMA_VERSION:
        raise StoreRefused(
            "newer",
            f"the time-series store has schema version {row[0]}, this heatmon knows {SCHEMA_VERSION}; "
            "start the newer heatmon that wrote it",
        )


def _create_common(connection: sqlite3.Connection, created_at: int) -> None:
    connection.execute("CREATE TABLE meta (key TEXT PRIMARY KEY, value NOT NULL) WITHOUT ROWID")
    connection.executemany(
        "INSERT INTO meta VALUES (?, ?)", [("schema_version", SCHEMA_VERSION), ("created_at", created_at)]
    )
    connection.execute(
        "CREATE TABLE source (id INTEGER PRIMARY KEY, site INTEGER NOT NULL, measurement TEXT NOT NULL,"
        " device TEXT NOT NULL, circuit TEXT NOT NULL, rolled_to INTEGER NOT NULL DEFAULT 0,"
        " minute_from INTEGER NOT NULL DEFAULT 0, revision INTEGER NOT NULL DEFAULT 0,"
        " UNIQUE (site, measurement, circuit, device))"
    )
    connection.execute(
        "CREATE TABLE series (id INTEGER PRIMARY KEY, source INTEGER NOT NULL REFERENCES source (id),"
        " field TEXT NOT NULL, scale INTEGER NOT NULL, unit TEXT NOT NULL, UNIQUE (source, field))"
    )
    for level in LEVELS:
        connection.execute(
            f"CREATE TABLE r{level} (k INTEGER PRIMARY KEY, n INTEGER NOT NULL, su INTEGER NOT NULL,"
            " lo INTEGER NOT NULL, hi INTEGER NOT NULL)"
        )


def _create_raw(connection: sqlite3.Connection, table: Table) -> None:
    columns = ", ".join(f'"{column}" INTEGER' for column in table.scales)
    connection.execute(f'CREATE TABLE "{table.name}" (k INTEGER PRIMARY KEY, {columns})')


def _add_columns(connection: sqlite3.Connection, table: Table) -> None:
    known = {row[1] for row in connection.execute(f'PRAGMA table_info("{table.name}")')}
    for column in table.scales:
        if column not in known:
            connection.execute(f'ALTER TABLE "{table.name}" ADD COLUMN "{column}" INTEGER')


def _add_series(connection: sqlite3.Connection, tables: Mapping[str, Table]) -> None:
    """Add the series of fields that came later, and refuse a field whose scale is not the stored one."""
    for source, name in connection.execute("SELECT id, measurement FROM source").fetchall():
        table = tables.get(name)
        if table is None:
            continue
        stored = dict(connection.execute("SELECT field, scale FROM series WHERE source = ?", (source,)))
        for column, scale in table.scales.items():
            if stored.get(column, scale) != scale:
                raise StoreUnavailable(
                    f"{name}.{column} is stored with scale {stored[column]}, this heatmon expects {scale}"
                )
        add_series(connection, table, source, [column for column in table.scales if column not in stored])


def add_series(connection: sqlite3.Connection, table: Table, source: int, columns: Sequence[str]) -> None:
    connection.executemany(
        "INSERT INTO series (source, field, scale, unit) VALUES (?, ?, ?, ?)",
        [(source, column, table.scales[column], table.units[column]) for column in columns],
    )
