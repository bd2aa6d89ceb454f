"""Writing history in bulk: lists, arrays, rows of any kind, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from apps.metrics.store.base import Row, UnknownSeries
from apps.metrics.store.bulk import BulkWriter
from apps.metrics.store.front import Store
from apps.metrics.store.sqlite import SqliteStore

from .engines import DAY, METER, MIDNIGHT, content, outside_row, power_rows


def test_arrays_and_lists_store_the_same(tmp_path_factory: pytest.TempPathFactory) -> None:
    random = np.random.default_rng(1)
    at = np.arange(MIDNIGHT - 7000, MIDNIGHT + 2 * DAY, 10)
    power_w = random.normal(800, 500, len(at))
    power_w[::7] = np.nan
    stores = [
        SqliteStore(tmp_path_factory.mktemp(name) / "timeseries.sqlite3", synchronous="OFF")
        for name in ("arrays", "lists", "rows")
    ]
    arrays, lists, rows = stores
    assert BulkWriter(arrays).write_columns(1, "meter", METER, at, {"power_w": power_w}) == len(at)
    listed = [None if np.isnan(value) else float(value) for value in power_w]
    BulkWriter(lists).write_columns(1, "meter", METER, at.tolist(), {"power_w": listed})
    assert BulkWriter(rows).write(reversed(power_rows(MIDNIGHT - 7000, listed))) == len(at)
    held = content(arrays)
    assert len(held["meter"]) == len(at) - -(-len(at) // 7)
    assert content(lists) == held
    assert content(rows) == held
    for store in stores:
        store.close()


def test_whole_numbers_are_stored_as_integers(sqlite_store: SqliteStore) -> None:
    at = np.array([MIDNIGHT, MIDNIGHT + 10])
    BulkWriter(sqlite_store).write_columns(1, "meter", METER, at, {"power_w": np.array([12.34, -0.0])})
    with sqlite_store.engine.transaction() as connection:
        found = connection.execute("SELECT power_w, typeof(power_w) FROM meter ORDER BY k").fetchall()
    assert found == [(123, "integer"), (0, "integer")]


def test_a_column_leaves_other_columns_as_they_are(store: Store) -> None:
    bulk = BulkWriter(store)
    bulk.write_columns(1, "meter", METER, [MIDNIGHT], {"power_w": [1.0], "power_a_w": [2.0]})
    bulk.write_columns(1, "meter", METER, [MIDNIGHT], {"power_a_w": [3.0]})
    (row,) = store.rows(1, "meter", 0, MIDNIGHT + 1, ["power_w", "power_a_w"])
    assert row.values == {"power_w": 1, "power_a_w": 3}


def test_rows_of_several_measurements_and_circuits_are_all_kept(store: Store) -> None:
    rows: list[Row] = [
        *power_rows(MIDNIGHT, [1, 2, 3]),
        outside_row(MIDNIGHT, 5),
        outside_row(MIDNIGHT, 6, circuit="1"),
    ]
    assert BulkWriter(store).write(rows) == 5
    pump = store.rows(1, "heat_pump", 0, MIDNIGHT + DAY, circuit=None)
    assert [(row.circuit, row.values["outside_temperature_c"]) for row in pump] == [("", 5), ("1", 6)]
    assert [row.values["power_w"] for row in store.rows(1, "meter", 0, MIDNIGHT + DAY)] == [1, 2, 3]


@pytest.mark.parametrize(
    ("at", "values", "message"),
    [
        ([MIDNIGHT + 10, MIDNIGHT], [1, 2], "times must rise"),
        ([MIDNIGHT + DAY, MIDNIGHT], [1, 2], "times must rise"),
        ([MIDNIGHT, MIDNIGHT], [1, 2], "times must rise"),
        ([MIDNIGHT], [1, 2], "one value a time"),
        ([-10], [1], "outside of 1970 to 2100"),
        ([MIDNIGHT], [float("inf")], "power_w cannot be inf"),
    ],
)
def test_what_cannot_be_stored_is_refused(
    store: Store, at: list[int], values: list[float], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        BulkWriter(store).write_columns(1, "meter", METER, at, {"power_w": values})


def test_an_array_with_an_infinite_value_is_refused(store: Store) -> None:
    with pytest.raises(ValueError, match="power_w has a value that cannot be stored"):
        BulkWriter(store).write_columns(
            1, "meter", METER, np.array([MIDNIGHT]), {"power_w": np.array([np.inf])}
        )


def test_an_unknown_column_is_refused(store: Store) -> None:
    with pytest.raises(UnknownSeries):
        BulkWriter(store).write_columns(1, "meter", METER, [MIDNIGHT], {"watts": [1]})


def test_nothing_to_write_is_fine(store: Store) -> None:
    assert BulkWriter(store).write_columns(1, "meter", METER, [], {"power_w": []}) == 0
    assert BulkWriter(store).write([]) == 0
