"""Rollups of the SQLite engine: how they are made from raw rows, and which of them answer a question.

Every change of raw rows recomputes the buckets it touches inside its own transaction, always from raw
rows and never by adding a difference: a commit leaves rollups and raw rows agreeing, and repeating or
reordering writes ends in the same content.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from ..cutting import ceil_to, floor_to
from .tables import BUCKET_S, MINUTE_LEVEL, Table, key_of

RAW = 0

Bucket = tuple[int, int, int, int, int]
"""(key, count, sum, min, max), values as scaled integers."""

BucketsOf = Callable[[Sequence[int], int, int, int], list[Bucket]]
"""(ids of all series of a source, level, start, end) → the buckets that raw rows give."""

Level = tuple[int, int, int]
"""(level or RAW, start, end): a stretch of time that one level answers."""


@dataclass(frozen=True, slots=True)
class Source:
    """A row of table ``source`` with the ids of its series by column."""

    id: int
    rolled_to: int
    minute_from: int
    revision: int


def source_state(connection: sqlite3.Connection, source: int) -> Source:
    row = connection.execute(
        "SELECT id, rolled_to, minute_from, revision FROM source WHERE id = ?", (source,)
    ).fetchone()
    return Source(*row)


def levels_of(start: int, end: int, source: Source, levels: Sequence[int]) -> Iterator[Level]:
    """Split [start, end) so that each part is read from the coarsest of ``levels`` (coarsest first) that
    fits and is up to date; what no level holds is read raw."""
    if start >= end:
        return
    if not levels:
        yield RAW, start, end
        return
    level, finer = levels[0], levels[1:]
    first = ceil_to(max(start, source.minute_from) if level == MINUTE_LEVEL else start, level)
    last = floor_to(min(end, source.rolled_to), level)
    if first >= last:
        yield from levels_of(start, end, source, finer)
        return
    yield from levels_of(start, first, source, finer)
    yield level, first, last
    yield from levels_of(last, end, source, finer)


def touched_ranges(times: Iterable[int]) -> list[tuple[int, int]]:
    """Return the stretches of whole buckets around ``times``; near ones are joined."""
    ranges: list[tuple[int, int]] = []
    for bucket in sorted({floor_to(at, BUCKET_S) for at in times}):
        if ranges and bucket - ranges[-1][1] <= 3600:
            ranges[-1] = (ranges[-1][0], bucket + BUCKET_S)
        else:
            ranges.append((bucket, bucket + BUCKET_S))
    return ranges


def settle(
    connection: sqlite3.Connection,
    table: Table,
    source_id: int,
    newest: int,
    touched: Sequence[tuple[int, int]],
    horizon: int | None = None,
    buckets: BucketsOf | None = None,
) -> None:
    """Bring rollups up to date after raw rows in ``touched`` (whole buckets) changed. ``newest`` is the
    newest of them; ``horizon`` the newest that will follow at once, so that minutes which would soon be
    too old are not made first. ``buckets`` may know raw buckets without asking the database."""
    source = source_state(connection, source_id)
    rolled_to = max(source.rolled_to, table.rolled_to(newest))
    minute_from = max(source.minute_from, table.minute_from(max(newest, horizon or 0)))
    late = [(start, min(end, source.rolled_to)) for start, end in touched if start < source.rolled_to]
    if rolled_to == source.rolled_to and not late:
        return
    after = Source(source_id, rolled_to, minute_from, source.revision + bool(late))
    connection.execute(
        "UPDATE source SET rolled_to = ?, minute_from = ?, revision = ? WHERE id = ?",
        (rolled_to, minute_from, after.revision, source_id),
    )
    series = series_ids(connection, source_id, table)
    if MINUTE_LEVEL in table.levels and minute_from > source.minute_from:
        clear(connection, series, MINUTE_LEVEL, source.minute_from, minute_from)
    for start, end in late:
        roll(connection, table, after, series, start, end, buckets)
    if rolled_to > source.rolled_to:
        roll(connection, table, after, series, source.rolled_to, rolled_to, buckets)


def series_ids(connection: sqlite3.Connection, source: int, table: Table) -> list[int]:
    """Return the ids of the source's series in the order of the table's columns."""
    known = dict(connection.execute("SELECT field, id FROM series WHERE source = ?", (source,)))
    return [known[column] for column in table.scales]


def roll(
    connection: sqlite3.Connection,
    table: Table,
    source: Source,
    series: Sequence[int],
    start: int,
    end: int,
    buckets: BucketsOf | None = None,
) -> None:
    """Recompute every bucket that touches [start, end) and ends by ``rolled_to``, at all levels."""
    below = RAW
    buckets = buckets or partial(raw_buckets, connection, table, source.id)
    for level in table.levels:
        first, last = floor_to(start, level), min(ceil_to(end, level), floor_to(source.rolled_to, level))
        if level == MINUTE_LEVEL:
            first = max(first, source.minute_from)
        if first < last:
            clear(connection, series, level, first, last)
            if below == RAW:
                connection.executemany(
                    f"INSERT INTO r{level} VALUES (?, ?, ?, ?, ?)",
                    buckets(series, level, first, last),
                )
            else:
                lift(connection, series, below, level, first, last)
        # r60 lacks older minutes, so nothing is lifted from it.
        below = RAW if level == MINUTE_LEVEL else level


def clear(connection: sqlite3.Connection, series: Sequence[int], level: int, start: int, end: int) -> None:
    """Delete the buckets of ``level`` that begin in [start, end)."""
    connection.executemany(
        f"DELETE FROM r{level} WHERE k >= ? AND k < ?", [(key_of(s, start), key_of(s, end)) for s in series]
    )


def raw_buckets(
    connection: sqlite3.Connection,
    table: Table,
    source: int,
    series: Sequence[int],
    level: int,
    start: int,
    end: int,
) -> list[Bucket]:
    """Return the buckets of ``level`` in [start, end) as raw rows give them, in order of their keys (they are
    inserted much faster so); empty ones are left out."""
    wanted = ", ".join(f'count("{c}"), sum("{c}"), min("{c}"), max("{c}")' for c in table.scales)
    rows = connection.execute(
        f'SELECT k - k % {level}, {wanted} FROM "{table.name}" WHERE k >= ? AND k < ? GROUP BY 1',
        (key_of(source, start), key_of(source, end)),
    ).fetchall()
    moves = [(key_of(s - source, 0), 4 * position + 1) for position, s in enumerate(series)]
    return [
        (row[0] + move, row[i], row[i + 1], row[i + 2], row[i + 3])
        for move, i in moves
        for row in rows
        if row[i]
    ]


def lift(
    connection: sqlite3.Connection, series: Sequence[int], below: int, level: int, start: int, end: int
) -> None:
    """Make buckets of ``level`` from the finer level ``below``."""
    connection.executemany(
        f"INSERT INTO r{level} SELECT k - k % {level}, sum(n), sum(su), min(lo), max(hi) FROM r{below}"
        " WHERE k >= ? AND k < ? GROUP BY 1",
        [(key_of(s, start), key_of(s, end)) for s in series],
    )
