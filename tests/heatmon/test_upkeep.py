"""The nightly look finds what is damaged and keeps the write-ahead log short."""

from __future__ import annotations

import logging
import os
import threading

import pytest

from apps.metrics.store.base import Row
from apps.metrics.store.bulk import BulkWriter
from apps.metrics.store.sqlite import SqliteStore
from heatmon.upkeep import damages

from .conftest import MakeHome

MIDNIGHT = 1_767_225_600
DAY = 86_400


def fill(store: SqliteStore, days: int = 20) -> None:
    for day in range(days):
        at = range(MIDNIGHT + day * DAY, MIDNIGHT + (day + 1) * DAY, 10)
        BulkWriter(store).write_columns(1, "meter", "A8032ABE54DC", at, {"power_w": [800.0] * len(at)})


def log_bytes(store: SqliteStore) -> int:
    return os.path.getsize(f"{store.engine.path}-wal")


def flip_bytes(store: SqliteStore) -> None:
    with store.engine.path.open("r+b") as file:
        file.seek(40 * 4096)
        file.write(b"\xff" * 200)


def test_sound_files_pass(scratch_store: SqliteStore) -> None:
    fill(scratch_store)
    assert list(damages(scratch_store)) == []


def test_a_damaged_store_is_in_the_log_of_the_night(
    make_home: MakeHome, scratch_store: SqliteStore, caplog: pytest.LogCaptureFixture
) -> None:
    home = make_home()
    fill(scratch_store)
    scratch_store.tidy()
    flip_bytes(scratch_store)
    with caplog.at_level(logging.ERROR):
        home.call("keep_house")
    assert any(
        message.startswith("The time-series store is damaged (") and "restore the last backup" in message
        for message in caplog.messages
    )


def test_the_night_empties_the_write_ahead_log(make_home: MakeHome, scratch_store: SqliteStore) -> None:
    home = make_home()
    fill(scratch_store, 1)
    assert log_bytes(scratch_store) > 0
    home.call("keep_house")
    assert log_bytes(scratch_store) == 0


def test_a_reader_that_held_the_log_up_leaves_it_short(scratch_store: SqliteStore) -> None:
    fill(scratch_store, 1)
    begun, done = threading.Event(), threading.Event()

    def read_on() -> None:
        with scratch_store.engine._connections.reading() as connection:
            connection.execute("SELECT count(*) FROM source").fetchall()
            begun.set()
            done.wait()

    reader = threading.Thread(target=read_on)
    reader.start()
    begun.wait()
    fill(scratch_store, 60)
    while_held = log_bytes(scratch_store)
    done.set()
    reader.join()
    for at in (MIDNIGHT, MIDNIGHT + 10):
        scratch_store.write([Row(site=1, measurement="meter", device="M", at=at, values={"power_w": 1.0})])
    assert while_held > 16 * 2**20 >= log_bytes(scratch_store)
