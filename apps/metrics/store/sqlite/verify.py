"""Compares rollups with what raw rows give, one source and one UTC day at a time."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from random import Random

from ..cutting import DAY_S, floor_to
from ..engine import Difference, Total
from .rollup import Bucket, Source, raw_buckets, series_ids
from .tables import KEY_SPAN, MINUTE_LEVEL, Table, key_of


def choose_days(
    connection: sqlite3.Connection, tables: Mapping[str, Table], random: Random, days: int
) -> list[tuple[int, int]]:
    """Return ``days`` random pairs of (source id, start of a UTC day) that have been rolled up; all, if
    fewer."""
    spans: list[tuple[int, int, int]] = []
    sources = connection.execute("SELECT id, measurement, rolled_to FROM source ORDER BY id").fetchall()
    for source, measurement, rolled_to in sources:
        if measurement not in tables:
            continue
        first = connection.execute(
            f'SELECT min(k) FROM "{measurement}" WHERE k >= ? AND k < ?',
            (key_of(source, 0), key_of(source + 1, 0)),
        ).fetchone()[0]
        if first is not None and (first := first % KEY_SPAN) < rolled_to:
            start = floor_to(first, DAY_S)
            spans.append((source, start, -(-(rolled_to - start) // DAY_S)))
    total = sum(count for _, _, count in spans)
    chosen = sorted(random.sample(range(total), min(days, total)))
    pairs: list[tuple[int, int]] = []
    offset = 0
    for source, start, count in spans:
        pairs += [
            (source, start + (index - offset) * DAY_S) for index in chosen if offset <= index < offset + count
        ]
        offset += count
    return pairs


def differences(
    connection: sqlite3.Connection, tables: Mapping[str, Table], source_id: int, day: int
) -> list[Difference]:
    """Return all buckets of one source and UTC day, at every level, that are not what raw rows give."""
    site, measurement, device, circuit, *state = connection.execute(
        "SELECT site, measurement, device, circuit, id, rolled_to, minute_from, revision"
        " FROM source WHERE id = ?",
        (source_id,),
    ).fetchone()
    source, table = Source(*state), tables[measurement]
    series = series_ids(connection, source_id, table)
    names = dict(zip(series, table.scales, strict=True))
    found: list[Difference] = []
    for level in table.levels:
        stored, computed = _both(connection, table, source, series, level, day)
        found += [
            Difference(
                site=site,
                measurement=measurement,
                device=device,
                circuit=circuit,
                field=names[s],
                level_s=level,
                at=at,
                stored=stored.get((s, at)),
                computed=computed.get((s, at)),
            )
            for s, at in sorted(stored.keys() | computed.keys())
            if stored.get((s, at)) != computed.get((s, at))
        ]
    return found


def _both(
    connection: sqlite3.Connection, table: Table, source: Source, series: list[int], level: int, day: int
) -> tuple[dict[tuple[int, int], Total], dict[tuple[int, int], Total]]:
    """Return the buckets of one level and day as stored and as computed, by (series, start)."""
    first = max(day, source.minute_from) if level == MINUTE_LEVEL else day
    last = min(day + DAY_S, floor_to(source.rolled_to, level))
    stored = [
        row
        for s in series
        for row in connection.execute(
            f"SELECT k, n, su, lo, hi FROM r{level} WHERE k >= ? AND k < ?",
            (key_of(s, day), key_of(s, day + DAY_S)),
        )
    ]
    computed = raw_buckets(connection, table, source.id, series, level, first, last)
    return _by_place(stored), _by_place(computed)


def _by_place(buckets: Iterable[Bucket]) -> dict[tuple[int, int], Total]:
    return {divmod(k, KEY_SPAN): (n, su, lo, hi) for k, n, su, lo, hi in buckets}
