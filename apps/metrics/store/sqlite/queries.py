"""Questions to the SQLite engine, each on an open reader connection. Values leave it as floats."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence

from ..cutting import Stretch
from ..engine import LAST_TIME, Fields, SourceKey, Total, joined
from .rollup import RAW, Level, Source, levels_of
from .tables import KEY_SPAN, Table, key_of


def sources_of(connection: sqlite3.Connection, fields: Fields) -> list[Source]:
    """Return all devices' sources of one site, measurement and circuit."""
    rows = connection.execute(
        "SELECT id, rolled_to, minute_from, revision FROM source"
        " WHERE site = ? AND measurement = ? AND circuit = ?",
        (fields.site, fields.measurement, fields.circuit),
    )
    return [Source(*row) for row in rows]


def source_keys(
    connection: sqlite3.Connection, site: int, measurement: str, device: str | None
) -> list[tuple[int, SourceKey]]:
    """Return the sources of all circuits, of one device or all, with their ids."""
    rows = connection.execute(
        "SELECT id, device, circuit FROM source WHERE site = ? AND measurement = ?"
        " AND device = ifnull(?, device) ORDER BY circuit, device",
        (site, measurement, device),
    )
    return [(source, SourceKey(site, measurement, of, circuit)) for source, of, circuit in rows]


def has_rows(connection: sqlite3.Connection, table: Table, source: int, start: int, end: int) -> bool:
    row = connection.execute(
        f'SELECT EXISTS (SELECT 1 FROM "{table.name}" WHERE k >= ? AND k < ?)',
        (key_of(source, start), key_of(source, end)),
    ).fetchone()
    return bool(row[0])


def delete_empty(table: Table) -> str:
    """Return the statement that deletes rows without any value from one key to another, both included."""
    empty = " AND ".join(f'"{column}" IS NULL' for column in table.scales)
    return f'DELETE FROM "{table.name}" WHERE k BETWEEN ? AND ? AND {empty}'


def series_id(connection: sqlite3.Connection, source: int, column: str) -> int:
    row = connection.execute("SELECT id FROM series WHERE source = ? AND field = ?", (source, column))
    return int(row.fetchone()[0])


def read_steps(
    connection: sqlite3.Connection,
    table: Table,
    column: str,
    sources: Sequence[Source],
    start: int,
    end: int,
    step_s: int,
) -> list[Total | None]:
    """Return the totals of every step of the grid from ``start`` to ``end`` (both on the grid)."""
    totals: list[Total | None] = [None] * ((end - start) // step_s)
    levels = [level for level in reversed(table.levels) if step_s % level == 0]
    for source in sources:
        s = series_id(connection, source.id, column)
        for part in levels_of(start, end, source, levels):
            for index, n, su, lo, hi in _steps(connection, table, column, source.id, s, part, start, step_s):
                totals[index] = joined(totals[index], (n, su, lo, hi))
    return totals


def _steps(
    connection: sqlite3.Connection,
    table: Table,
    column: str,
    source: int,
    s: int,
    part: Level,
    start: int,
    step_s: int,
) -> Iterable[tuple[int, int, int, int, int]]:
    level, first, last = part
    if level == RAW:
        return connection.execute(
            f'SELECT (k - ?) / ?, count("{column}"), sum("{column}"), min("{column}"), max("{column}")'
            f' FROM "{table.name}" WHERE k >= ? AND k < ? AND "{column}" IS NOT NULL GROUP BY 1',
            (key_of(source, start), step_s, key_of(source, first), key_of(source, last)),
        )
    if level == step_s:
        return connection.execute(
            f"SELECT (k - ?) / ?, n, su, lo, hi FROM r{level} WHERE k >= ? AND k < ?",
            (key_of(s, start), step_s, key_of(s, first), key_of(s, last)),
        )
    return connection.execute(
        f"SELECT (k - ?) / ?, sum(n), sum(su), min(lo), max(hi) FROM r{level}"
        " WHERE k >= ? AND k < ? GROUP BY 1",
        (key_of(s, start), step_s, key_of(s, first), key_of(s, last)),
    )


Sums = dict[tuple[int, str], Total]
"""(index of the stretch, column) → its total; absent where nothing is known."""


class StretchCache:
    """Totals of stretches that lie wholly before a source's ``rolled_to``: those can change only together
    with its ``revision``, whoever writes. So an energy table of years is summed up once."""

    LARGEST = 12_000

    def __init__(self) -> None:
        self._by_source: dict[int, tuple[int, dict[tuple[int, int, str], Total | None]]] = {}

    def of(self, source: Source) -> dict[tuple[int, int, str], Total | None]:
        """Return (start, end, column) → total; to be read and filled. Empty again after a new revision."""
        held = self._by_source.get(source.id)
        if held is not None and held[0] == source.revision and len(held[1]) < self.LARGEST:
            return held[1]
        fresh: dict[tuple[int, int, str], Total | None] = {}
        if held is None or held[0] <= source.revision:
            self._by_source[source.id] = source.revision, fresh
        return fresh


def read_stretches(
    connection: sqlite3.Connection,
    table: Table,
    columns: Sequence[str],
    sources: Sequence[Source],
    stretches: Sequence[Stretch],
    cache: StretchCache,
) -> Sums:
    """Return the totals of several columns over several stretches of time, each in as few rows as its edges
    allow."""
    totals: Sums = {}
    for source in sources:
        known = cache.of(source)
        missing = {
            index: stretch
            for index, stretch in enumerate(stretches)
            if stretch.end > source.rolled_to
            or any((stretch.start, stretch.end, column) not in known for column in columns)
        }
        found = _read_source(connection, table, columns, source, missing)
        for index, (start, end) in enumerate(stretches):
            for column in columns:
                place = start, end, column
                total = found.get((index, column)) if index in missing else known[place]
                if end <= source.rolled_to:
                    known[place] = total
                if total is not None:
                    totals[index, column] = joined(totals.get((index, column)), total)
    return totals


def _read_source(
    connection: sqlite3.Connection,
    table: Table,
    columns: Sequence[str],
    source: Source,
    stretches: Mapping[int, Stretch],
) -> Sums:
    totals: Sums = {}
    by_level: dict[int, list[tuple[int, int, int]]] = {}
    for index, stretch in stretches.items():
        for _, start, end in stretch.pieces():
            for level, first, last in levels_of(start, end, source, table.levels[::-1]):
                by_level.setdefault(level, []).append((index, first, last))
    for index, first, last in by_level.pop(RAW, []):
        _add_raw(connection, totals, table, columns, source.id, index, first, last)
    if by_level:
        names = {series_id(connection, source.id, column): column for column in columns}
        for level, parts in by_level.items():
            _add_level(connection, totals, names, level, parts)
    return totals


def _add_raw(
    connection: sqlite3.Connection,
    totals: Sums,
    table: Table,
    columns: Sequence[str],
    source: int,
    index: int,
    start: int,
    end: int,
) -> None:
    wanted = ", ".join(f'count("{c}"), sum("{c}"), min("{c}"), max("{c}")' for c in columns)
    row = connection.execute(
        f'SELECT {wanted} FROM "{table.name}" WHERE k >= ? AND k < ?',
        (key_of(source, start), key_of(source, end)),
    ).fetchone()
    for position, column in enumerate(columns):
        n, su, lo, hi = row[4 * position : 4 * position + 4]
        if n:
            totals[index, column] = joined(totals.get((index, column)), (n, su, lo, hi))


def _add_level(
    connection: sqlite3.Connection,
    totals: Sums,
    names: Mapping[int, str],
    level: int,
    parts: Sequence[tuple[int, int, int]],
) -> None:
    rows = connection.execute(
        "SELECT p.value ->> 0, s.value, sum(r.n), sum(r.su), min(r.lo), max(r.hi)"
        f" FROM json_each(?) AS s CROSS JOIN json_each(?) AS p CROSS JOIN r{level} AS r"
        f" WHERE r.k >= s.value * {KEY_SPAN} + (p.value ->> 1)"
        f" AND r.k < s.value * {KEY_SPAN} + (p.value ->> 2) GROUP BY 1, 2",
        (json.dumps(list(names)), json.dumps(parts)),
    )
    for index, s, n, su, lo, hi in rows:
        key = index, names[s]
        totals[key] = joined(totals.get(key), (n, su, lo, hi))


def read_latest(
    connection: sqlite3.Connection,
    table: Table,
    column: str,
    sources: Sequence[Source],
    since: int,
    until: int,
) -> tuple[int, int] | None:
    """Return (time, value) of the newest known value in [``since``, ``until``)."""
    newest: tuple[int, int] | None = None
    for source in sources:
        row = connection.execute(
            f'SELECT k, "{column}" FROM "{table.name}" WHERE k >= ? AND k < ? AND "{column}" IS NOT NULL'
            " ORDER BY k DESC LIMIT 1",
            (key_of(source.id, since), key_of(source.id, min(until, LAST_TIME))),
        ).fetchone()
        if row is not None and (newest is None or row[0] % KEY_SPAN > newest[0]):
            newest = row[0] % KEY_SPAN, row[1]
    return newest


def read_edges(
    connection: sqlite3.Connection, table: Table, source: int, start: int, end: int
) -> tuple[int, int] | None:
    """Return the first and last time of any row of a source in [start, end)."""
    first, last = connection.execute(
        f'SELECT (SELECT min(k) FROM "{table.name}" WHERE k >= :first AND k < :end),'
        f' (SELECT max(k) FROM "{table.name}" WHERE k >= :first AND k < :end)',
        {"first": key_of(source, max(start, 0)), "end": key_of(source, min(end, LAST_TIME))},
    ).fetchone()
    return None if first is None else (first % KEY_SPAN, last % KEY_SPAN)
