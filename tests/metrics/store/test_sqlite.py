"""The SQLite engine's file: who may use it, how it grows, what it refuses, how it is read."""

from __future__ import annotations

import dataclasses
import multiprocessing
import os
import sqlite3
import stat
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from apps.metrics.store.base import Row, Sample, StoreUnavailable
from apps.metrics.store.bulk import BulkWriter
from apps.metrics.store.schema import MEASUREMENTS, Field, Measurement
from apps.metrics.store.sqlite import SqliteStore
from apps.metrics.store.sqlite.tables import LEVELS

from .engines import DAY, METER, MIDNIGHT, content, outside_row, power_row, power_rows

Opener = Callable[..., SqliteStore]


@pytest.fixture
def open_store(tmp_path: Path) -> Opener:
    def opened(**arguments: object) -> SqliteStore:
        return SqliteStore(tmp_path / "timeseries.sqlite3", **arguments)

    return opened


def altered(path: Path, sql: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(sql)
        connection.commit()


def test_the_files_are_for_the_owner_only(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        store = SqliteStore(tmp_path / "timeseries.sqlite3")
        store.write([power_row(MIDNIGHT, 1)])
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
        store.close()
    finally:
        os.umask(before)
    assert modes == {
        "timeseries.sqlite3": 0o600,
        "timeseries.sqlite3-shm": 0o600,
        "timeseries.sqlite3-wal": 0o600,
    }


def test_a_store_opened_again_has_everything(open_store: Opener) -> None:
    first = open_store()
    first.write(power_rows(MIDNIGHT, range(2000)))
    before = content(first)
    first.close()
    second = open_store()
    assert content(second) == before
    second.write([power_row(MIDNIGHT + 20_000, 5)])
    assert second.latest(1, ["power_w"], 0) == {"power_w": Sample(at=MIDNIGHT + 20_000, value=5)}
    second.close()


def test_a_field_that_came_later_gets_its_column(open_store: Opener) -> None:
    meter = MEASUREMENTS[0]
    older = dataclasses.replace(meter, fields=meter.fields[:3])
    first = open_store(measurements=(older,))
    first.write(power_rows(MIDNIGHT, [100] * 2000))
    first.close()
    second = open_store()
    row = Row(site=1, measurement="meter", device=METER, at=MIDNIGHT, values={"current_c_a": 1.5})
    second.write([row])
    assert second.series(1, "current_c_a", MIDNIGHT, MIDNIGHT + 3600, 3600).sum == [1.5]
    assert second.series(1, "power_w", MIDNIGHT, MIDNIGHT + 3600, 3600).sum == [36_000]
    second.close()


def test_a_file_of_a_newer_heatmon_is_refused_and_left_alone(open_store: Opener, tmp_path: Path) -> None:
    open_store().close()
    altered(tmp_path / "timeseries.sqlite3", "UPDATE meta SET value = 2 WHERE key = 'schema_version'")
    with pytest.raises(StoreUnavailable, match="has schema version 2, this heatmon knows 1"):
        open_store()


def test_a_field_of_another_scale_is_refused(open_store: Opener) -> None:
    first = open_store()
    first.write([power_row(MIDNIGHT, 1)])
    first.close()
    changed = Measurement(
        name="meter", step_s=10, fields=(Field(series="power_w", unit="W", scale=100, column="power_w"),)
    )
    with pytest.raises(StoreUnavailable, match=r"meter\.power_w is stored with scale 10"):
        open_store(measurements=(changed,))


def test_another_programs_database_is_refused(open_store: Opener, tmp_path: Path) -> None:
    altered(tmp_path / "timeseries.sqlite3", "CREATE TABLE recipes (name TEXT)")
    with pytest.raises(StoreUnavailable, match="not a heatmon time-series store"):
        open_store()


def test_a_file_that_is_no_database_is_refused(open_store: Opener, tmp_path: Path) -> None:
    (tmp_path / "timeseries.sqlite3").write_text("time,power\n" * 100)
    with pytest.raises(StoreUnavailable, match="file is not a database"):
        open_store()


def test_a_quick_check_finds_flipped_bytes(open_store: Opener, tmp_path: Path) -> None:
    store = open_store(synchronous="OFF")
    store.write(power_rows(MIDNIGHT, [100] * 5000))
    store.tidy()
    assert store.damage() is None
    with (tmp_path / "timeseries.sqlite3").open("r+b") as file:
        file.seek(40 * 4096)
        file.write(b"\xff" * 200)
    assert store.damage() is not None
    store.close()


def test_the_size_of_a_store_counts_its_write_ahead_log(open_store: Opener, tmp_path: Path) -> None:
    store = open_store()
    store.write(power_rows(MIDNIGHT, [100] * 5000))
    sizes = [path.stat().st_size for path in tmp_path.iterdir() if not path.name.endswith("-shm")]
    assert store.size_bytes() == sum(sizes)
    assert len(sizes) == 2
    store.close()


def test_a_store_that_must_exist_is_not_begun_anew(open_store: Opener, tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match="missing or empty"):
        open_store(must_exist=True)
    (tmp_path / "timeseries.sqlite3").touch()
    with pytest.raises(StoreUnavailable, match="missing or empty"):
        open_store(must_exist=True)


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match="cannot be opened: No such file or directory"):
        SqliteStore(tmp_path / "nowhere" / "timeseries.sqlite3")


def test_a_closed_store_says_so(open_store: Opener) -> None:
    store = open_store()
    store.close()
    store.close()
    with pytest.raises(StoreUnavailable, match="is closed"):
        store.latest(1, ["power_w"], 0)
    with pytest.raises(StoreUnavailable, match="is closed"):
        store.write([power_row(MIDNIGHT, 1)])


def test_a_write_that_fails_halfway_keeps_nothing(open_store: Opener, tmp_path: Path) -> None:
    store = open_store()
    altered(
        tmp_path / "timeseries.sqlite3",
        "CREATE TRIGGER full BEFORE INSERT ON heat_pump BEGIN SELECT RAISE(ABORT, 'disk is full'); END",
    )
    with pytest.raises(StoreUnavailable, match="disk is full"):
        store.write([power_row(MIDNIGHT, 1), outside_row(MIDNIGHT, 5)])
    assert store.extent(1, "meter") is None
    altered(tmp_path / "timeseries.sqlite3", "DROP TRIGGER full")
    store.write([power_row(MIDNIGHT, 1), outside_row(MIDNIGHT, 5)])
    assert store.extent(1, "meter") == (MIDNIGHT, MIDNIGHT)
    store.close()


def test_a_read_that_takes_too_long_is_given_up(open_store: Opener) -> None:
    store = open_store(read_limit_s=0.0, synchronous="OFF")
    BulkWriter(store).write_columns(
        1, "meter", METER, range(MIDNIGHT, MIDNIGHT + DAY, 10), {"power_w": range(8640)}
    )
    with pytest.raises(StoreUnavailable, match="took too long"):
        store.series(1, "power_w", MIDNIGHT, MIDNIGHT + DAY, 10)
    assert store.extent(1, "meter") == (MIDNIGHT, MIDNIGHT + DAY - 10)
    store.close()


def test_threads_write_and_read_at_the_same_time(open_store: Opener) -> None:
    store = open_store(synchronous="OFF")
    faults: list[BaseException] = []

    def guarded(work: Callable[[], None]) -> Callable[[], None]:
        def run() -> None:
            try:
                work()
            except BaseException as error:  # noqa: BLE001  (told to the test's own thread)
                faults.append(error)

        return run

    def write(device: str) -> None:
        for row in power_rows(MIDNIGHT, [100] * 800):
            store.write([dataclasses.replace(row, device=device)])

    def read() -> None:
        for _ in range(200):
            found = store.series(1, "power_w", MIDNIGHT, MIDNIGHT + 8000, 8000)
            assert all(mean in (None, 100) for mean in found.mean)

    threads = [
        threading.Thread(target=guarded(work))
        for work in (lambda: write("OLD"), lambda: write("NEW"), read, read)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    assert store.sums(1, ["power_w"], [MIDNIGHT, MIDNIGHT + DAY])["power_w"][0].sum == 160_000
    store.close()


def _import_days(path: Path) -> None:
    store = SqliteStore(path, synchronous="OFF")
    at = range(MIDNIGHT - 10 * DAY, MIDNIGHT, 60)
    BulkWriter(store).write_columns(1, "meter", METER, at, {"power_w": [50] * len(at)})
    store.close()


def test_another_process_imports_while_this_one_writes_and_reads(open_store: Opener) -> None:
    store = open_store(synchronous="OFF")
    importer = multiprocessing.get_context("spawn").Process(target=_import_days, args=(store.engine.path,))
    importer.start()
    written = 0
    while importer.is_alive() or written < 200:
        store.write([power_row(MIDNIGHT + 10 * written, 100)])
        written += 1
        whole_days = store.series(1, "power_w", MIDNIGHT - 10 * DAY, MIDNIGHT, DAY).count
        assert set(whole_days) <= {0, 1440}
    importer.join()
    assert importer.exitcode == 0
    found = store.series(1, "power_w", MIDNIGHT - 10 * DAY, MIDNIGHT + DAY, DAY)
    assert found.count == [1440] * 10 + [min(written, 8640)]
    store.close()


def test_sums_follow_what_another_opener_of_the_file_changes(open_store: Opener) -> None:
    one, other = open_store(synchronous="OFF"), open_store(synchronous="OFF")
    one.write(power_rows(MIDNIGHT, [10] * 1000, step_s=300))
    day = [MIDNIGHT, MIDNIGHT + DAY]
    assert one.sums(1, ["power_w"], day)["power_w"][0].sum == 2880
    other.write([power_row(MIDNIGHT + 10, 100)])
    assert one.sums(1, ["power_w"], day)["power_w"][0].sum == 2980
    one.close()
    other.close()


def _write_after_fork(store: SqliteStore) -> None:
    store.write([power_row(MIDNIGHT + 10, 2)])
    store.close()


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_child_made_by_fork_opens_connections_of_its_own(open_store: Opener) -> None:
    store = open_store()
    store.write([power_row(MIDNIGHT, 1)])
    assert store.extent(1, "meter") == (MIDNIGHT, MIDNIGHT)
    child = multiprocessing.get_context("fork").Process(target=_write_after_fork, args=(store,))
    child.start()
    child.join()
    assert child.exitcode == 0
    store.write([power_row(MIDNIGHT + 20, 3)])
    assert [row.values["power_w"] for row in store.rows(1, "meter", 0, MIDNIGHT + DAY, ["power_w"])] == [
        1,
        2,
        3,
    ]
    store.close()


def test_no_question_scans_a_table_of_data(open_store: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    store = open_store(synchronous="OFF")
    for device in ("OLD", "NEW"):
        rows = power_rows(MIDNIGHT, [100] * 3000, step_s=60)
        store.write([dataclasses.replace(row, device=device) for row in rows])
    store.write([outside_row(MIDNIGHT + 300 * index, 5) for index in range(1000)])
    asked: list[str] = []
    with store.engine.transaction() as connection:
        connection.execute("ANALYZE")
        connection.set_trace_callback(asked.append)
    store.write([power_row(MIDNIGHT + 60, 1), power_row(MIDNIGHT + 4 * DAY, 1), power_row(MIDNIGHT, None)])
    store.delete(1, "meter", MIDNIGHT + 3600, MIDNIGHT + 7200)
    BulkWriter(store).write_columns(1, "meter", METER, [MIDNIGHT + 5 * DAY], {"power_w": [1.0]})
    with store.engine.transaction() as connection:
        connection.set_trace_callback(None)
    with store.engine._connections.reading() as connection:
        connection.set_trace_callback(asked.append)
    for step_s in (10, 60, 120, 300, 3600, 7200, 86_400):
        store.series(1, "power_w", MIDNIGHT, MIDNIGHT + 3 * DAY, step_s)
    store.sums(
        1, ["power_w", "power_a_w", "outside_temperature_c"], [MIDNIGHT - 3600, MIDNIGHT + 3 * DAY - 300]
    )
    store.latest(1, ["power_w", "outside_temperature_c"], MIDNIGHT)
    store.extent(1, "meter")
    list(store.rows(1, "meter", MIDNIGHT, MIDNIGHT + DAY))
    data_tables = {*store.engine.tables, *(f"r{level}" for level in LEVELS), "r"}
    explained = 0
    with closing(sqlite3.connect(store.engine.path)) as connection:
        for sql in {sql for sql in asked if sql.startswith(("SELECT", "INSERT", "DELETE", "UPDATE"))}:
            plan = [detail for *_, detail in connection.execute(f"EXPLAIN QUERY PLAN {sql}")]
            explained += 1
            scans = [step for step in plan if step.startswith("SCAN") and step.split()[1] in data_tables]
            assert scans == [], sql
    assert explained > 30
    store.close()
