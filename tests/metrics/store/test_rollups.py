"""Rollups hold what raw rows give, whatever the order, the batches and the way of writing."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from apps.metrics.store.base import Aggregate, Row
from apps.metrics.store.bulk import BulkWriter
from apps.metrics.store.sqlite import SqliteStore
from apps.metrics.store.sqlite.rollup import RAW, Source, levels_of
from apps.metrics.store.sqlite.tables import KEY_SPAN, LEVELS

from .engines import DAY, MIDNIGHT, content, power_row, power_rows

SPAN_S = 50 * DAY


@contextmanager
def scratch_store() -> Iterator[SqliteStore]:
    """hypothesis runs many examples in one test, each with a store of its own."""
    with TemporaryDirectory() as folder:
        store = SqliteStore(Path(folder) / "timeseries.sqlite3", synchronous="OFF")
        yield store
        store.close()


# Times in clusters near bucket edges, on a span in which minutes of the first days are no longer kept.
times = st.one_of(
    st.integers(0, SPAN_S // 10).map(lambda index: MIDNIGHT + 10 * index),
    st.integers(0, 400).map(lambda index: MIDNIGHT + SPAN_S // 2 + 10 * index),
    st.sampled_from([MIDNIGHT + edge + off for edge in (0, 3600, 21_600, DAY) for off in (0, 290, 300)]),
)
power_tenths = st.one_of(st.none(), st.integers(-30_000, 120_000))


@st.composite
def facts(draw: st.DrawFn) -> list[Row]:
    """Rows of distinct instants of two devices."""
    places = draw(st.lists(st.tuples(times, st.sampled_from(["OLD", "NEW"])), unique=True, max_size=60))
    rows = []
    for at, device in places:
        tenths = draw(power_tenths)
        power_w = None if tenths is None else tenths / 10
        values = {"power_w": power_w, "voltage_a_v": 230.0} if at % 20 else {"power_w": power_w}
        rows.append(Row(site=1, measurement="meter", device=device, at=at, values=values))
    return rows


def write_in_batches(store: SqliteStore, rows: Sequence[Row], random: Random) -> None:
    rest = list(rows)
    while rest:
        size = random.randint(1, 10)
        store.write(rest[:size])
        rest = rest[size:]


def rolled_from_raw(store: SqliteStore) -> dict[int, set[tuple[int, ...]]]:
    """Every bucket that each level should hold, computed by plain SQL over raw rows."""
    connection = sqlite3.connect(store.engine.path)
    expected: dict[int, set[tuple[int, ...]]] = {level: set() for level in LEVELS}
    sources = connection.execute("SELECT id, measurement, rolled_to, minute_from FROM source").fetchall()
    for source, measurement, rolled_to, minute_from in sources:
        table = store.engine.tables[measurement]
        for s, field in connection.execute(
            "SELECT id, field FROM series WHERE source = ?", (source,)
        ).fetchall():
            for level in table.levels:
                expected[level] |= set(
                    connection.execute(
                        f"SELECT ? * {KEY_SPAN} + (k % {KEY_SPAN}) / ? * ?, count({field}), sum({field}),"
                        f" min({field}), max({field}) FROM {measurement} WHERE k / {KEY_SPAN} = ?"
                        f" AND (k % {KEY_SPAN}) / ? * ? + ? <= ? AND (k % {KEY_SPAN}) >= ?"
                        f" AND {field} IS NOT NULL GROUP BY 1",
                        (
                            s,
                            level,
                            level,
                            source,
                            level,
                            level,
                            level,
                            rolled_to,
                            minute_from * (level == 60),
                        ),
                    )
                )
    connection.close()
    return expected


def rolled(store: SqliteStore) -> dict[int, set[tuple[int, ...]]]:
    connection = sqlite3.connect(store.engine.path)
    found = {level: set(connection.execute(f"SELECT * FROM r{level}")) for level in LEVELS}
    connection.close()
    return found


@settings(deadline=None, max_examples=30)
@given(rows=facts(), random=st.randoms(use_true_random=False))
def test_any_order_and_any_batches_end_in_the_same_content(rows: list[Row], random: Random) -> None:
    shuffled = list(rows)
    random.shuffle(shuffled)
    with scratch_store() as one, scratch_store() as other:
        one.write(rows)
        write_in_batches(other, shuffled, random)
        write_in_batches(other, rows[::2], random)  # some of them again
        assert content(one) == content(other)
        assert rolled(one) == rolled_from_raw(one)


@settings(deadline=None, max_examples=20)
@given(rows=facts(), random=st.randoms(use_true_random=False))
def test_the_bulk_writer_ends_in_the_same_content(rows: list[Row], random: Random) -> None:
    with scratch_store() as one, scratch_store() as other:
        write_in_batches(one, rows, random)
        for device in ("OLD", "NEW"):
            of_device = sorted((row for row in rows if row.device == device), key=lambda row: row.at)
            for columns in (("power_w",), ("power_w", "voltage_a_v")):
                given_rows = [row for row in of_device if tuple(row.values) == columns]
                BulkWriter(other).write_columns(
                    1,
                    "meter",
                    device,
                    [row.at for row in given_rows],
                    {column: [row.values[column] for row in given_rows] for column in columns},
                )
        assert content(one) == content(other)


@settings(deadline=None, max_examples=20)
@given(
    rows=facts(),
    random=st.randoms(use_true_random=False),
    cut=st.tuples(st.integers(0, SPAN_S), st.integers(0, SPAN_S)).map(sorted),
)
def test_rollups_follow_deletes_and_erased_values(rows: list[Row], random: Random, cut: list[int]) -> None:
    erased = [
        Row(site=1, measurement="meter", device=row.device, at=row.at, values=dict.fromkeys(row.values))
        for row in rows[::3]
    ]
    with scratch_store() as store:
        write_in_batches(store, rows, random)
        store.write(erased)
        store.delete(1, "meter", MIDNIGHT + cut[0], MIDNIGHT + cut[1])
        assert rolled(store) == rolled_from_raw(store)
        kept = [
            row
            for row in rows
            if row not in rows[::3]
            and not MIDNIGHT + cut[0] <= row.at < MIDNIGHT + cut[1]
            and any(value is not None for value in row.values.values())
        ]
        assert sorted((row.at, row.device) for row in store.rows(1, "meter", 0, 2 * MIDNIGHT)) == sorted(
            (row.at, row.device) for row in kept
        )


@settings(deadline=None, max_examples=30)
@given(
    rows=facts(),
    cuts=st.lists(st.integers(0, SPAN_S // 300).map(lambda index: MIDNIGHT + 300 * index), max_size=20),
)
def test_sums_over_any_partition_agree(rows: list[Row], cuts: list[int]) -> None:
    boundaries = sorted([MIDNIGHT, *cuts, MIDNIGHT + SPAN_S])
    with scratch_store() as store:
        store.write(rows)
        parts = store.sums(1, ["power_w"], boundaries)["power_w"]
        tenths = [
            round(value * 10)
            for row in rows
            if (value := row.values["power_w"]) is not None and row.at < MIDNIGHT + SPAN_S
        ]
        assert sum(part.count for part in parts) == len(tenths)
        assert sum(round(part.sum * 10) for part in parts if part.sum is not None) == sum(tenths)
        assert max((part.max for part in parts if part.max is not None), default=None) == (
            max(tenths) / 10 if tenths else None
        )


@settings(deadline=None, max_examples=30)
@given(
    rows=facts(),
    step_s=st.sampled_from([10, 60, 90, 120, 300, 3600, 7200, 43_200, DAY, 7 * DAY]),
    start=st.integers(0, SPAN_S),
)
def test_steps_equal_the_sums_between_their_edges(rows: list[Row], step_s: int, start: int) -> None:
    with scratch_store() as store:
        store.write(rows)
        found = store.series(1, "power_w", MIDNIGHT + start, MIDNIGHT + start + 30 * step_s, step_s)
        edges = [*found.time, found.time[-1] + step_s]
        expected = store.sums(1, ["power_w"], edges)["power_w"]
        assert [
            Aggregate(count=n, sum=su, min=lo, max=hi)
            for n, su, lo, hi in zip(found.count, found.sum, found.min, found.max, strict=True)
        ] == expected


@given(
    start=st.integers(0, 3 * DAY),
    length=st.integers(0, 3 * DAY),
    rolled_to=st.integers(0, 96).map(lambda hour: 3600 * hour),
    minute_from=st.integers(0, 4).map(lambda day: DAY * day),
)
def test_pieces_cover_a_range_once_without_overlap(
    start: int, length: int, rolled_to: int, minute_from: int
) -> None:
    source = Source(1, rolled_to, minute_from, 0)
    found = list(levels_of(start, start + length, source, LEVELS[::-1]))
    assert all(first < last for _, first, last in found)
    position = start
    for level, first, last in found:
        assert first == position
        assert level == RAW or (first % level == 0 and last % level == 0 and last <= rolled_to)
        assert level != 60 or first >= minute_from
        position = last
    assert position == start + length


def test_a_year_of_local_days_is_read_from_few_pieces() -> None:
    source = Source(1, MIDNIGHT + 400 * DAY, MIDNIGHT + 360 * DAY, 0)
    found = list(levels_of(MIDNIGHT - 3600, MIDNIGHT + 365 * DAY - 3600, source, LEVELS[:0:-1]))
    assert found == [
        (3600, MIDNIGHT - 3600, MIDNIGHT),
        (86_400, MIDNIGHT, MIDNIGHT + 364 * DAY),
        (21_600, MIDNIGHT + 364 * DAY, MIDNIGHT + 364 * DAY + 64_800),
        (3600, MIDNIGHT + 364 * DAY + 64_800, MIDNIGHT + 365 * DAY - 3600),
    ]


def test_minutes_are_kept_for_forty_days(sqlite_store: SqliteStore) -> None:
    sqlite_store.write(power_rows(MIDNIGHT, [100] * 50, step_s=DAY))
    held = content(sqlite_store)
    assert min(row[1] for row in held["r60"]) == MIDNIGHT + 8 * DAY
    assert min(row[1] for row in held["r300"]) == MIDNIGHT


def test_the_youngest_hour_is_not_rolled_up_yet(sqlite_store: SqliteStore) -> None:
    sqlite_store.write(power_rows(MIDNIGHT, [100] * 3 * 360))
    assert {row[1] for row in content(sqlite_store)["r3600"]} == {MIDNIGHT}
    assert sqlite_store.series(1, "power_w", MIDNIGHT, MIDNIGHT + 3 * 3600, 3600).count == [360, 360, 360]


def test_verify_finds_nothing_in_a_sound_store(sqlite_store: SqliteStore) -> None:
    sqlite_store.write(power_rows(MIDNIGHT, range(5000), step_s=60))
    assert list(sqlite_store.verify_days(Random(1), 2)) == [[], []]
    assert len(list(sqlite_store.verify_days(Random(1), 100))) == 4
    assert [d for day in sqlite_store.verify_days(Random(1), 100) for d in day] == []


def test_verify_finds_a_changed_a_missing_and_an_additional_bucket(sqlite_store: SqliteStore) -> None:
    sqlite_store.write(power_rows(MIDNIGHT, [100] * 5000, step_s=60))
    with closing(sqlite3.connect(sqlite_store.engine.path)) as connection:
        (power,) = connection.execute("SELECT id FROM series WHERE field = 'power_w'").fetchone()
    base = power * KEY_SPAN + MIDNIGHT
    with sqlite_store.engine.transaction() as connection:
        connection.execute("UPDATE r3600 SET su = su + 1 WHERE k = ?", (base,))
        connection.execute("DELETE FROM r300 WHERE k = ?", (base + 300,))
        connection.execute("INSERT INTO r21600 VALUES (?, 1, 2, 2, 2)", (base + KEY_SPAN,))
    found = [d for day in sqlite_store.verify_days(Random(1), 100) for d in day]
    assert [(d.field, d.level_s, d.at, d.stored, d.computed) for d in found] == [
        ("power_w", 300, MIDNIGHT + 300, None, (5, 5000, 1000, 1000)),
        ("power_w", 3600, MIDNIGHT, (60, 60_001, 1000, 1000), (60, 60_000, 1000, 1000)),
        ("power_a_w", 21_600, MIDNIGHT, (1, 2, 2, 2), None),
    ]


def test_rebuilding_mends_rollups(sqlite_store: SqliteStore) -> None:
    sqlite_store.write(power_rows(MIDNIGHT, range(5000), step_s=60))
    sound = content(sqlite_store)
    with sqlite_store.engine.transaction() as connection:
        connection.execute("UPDATE r300 SET su = su + 1")
        connection.execute("DELETE FROM r86400")
    days = list(sqlite_store.engine.rebuild(MIDNIGHT, MIDNIGHT + 4 * DAY))
    assert days == [MIDNIGHT, MIDNIGHT + DAY, MIDNIGHT + 2 * DAY, MIDNIGHT + 3 * DAY]
    assert content(sqlite_store) == sound


def test_a_row_far_in_the_future_leaves_later_rows_right(sqlite_store: SqliteStore) -> None:
    sqlite_store.write([power_row(MIDNIGHT + 3000 * DAY, 1)])
    sqlite_store.write(power_rows(MIDNIGHT, [10] * 720))
    assert sqlite_store.series(1, "power_w", MIDNIGHT, MIDNIGHT + 7200, 3600).count == [360, 360]
    assert rolled(sqlite_store) == rolled_from_raw(sqlite_store)
