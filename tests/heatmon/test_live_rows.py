"""While the store takes nothing, what the meter says waits in memory; afterwards everything is there."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction

from apps.devices import storage
from apps.metrics.store.base import StoreUnavailable
from heatmon import jobs, live_rows
from tests.factories import JANUARY, Home


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Another program in the middle of a write."""
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "STORED_WITHIN_S", 0.01)


def store_path(home: Home) -> Path:
    return home.folder / "timeseries.sqlite3"


def polled_at(home: Home) -> list[float]:
    rows = home.rows("meter", JANUARY - timedelta(hours=1), home.at + timedelta(hours=1))
    return [row.at - JANUARY.timestamp() for row in rows]


def test_six_polls_of_a_locked_minute_are_stored_when_it_is_over(home: Home) -> None:
    home.run("poll_power", seconds=30)
    with locked(store_path(home)):
        home.run("poll_power", seconds=60)
        assert polled_at(home) == [0, 10, 20]
        assert len(home.collection.live_rows) >= 6
    home.run("poll_power", seconds=20)
    assert polled_at(home) == [10.0 * poll for poll in range(11)]
    assert len(home.collection.live_rows) == 0


def test_a_poll_waits_for_a_lock_no_longer_than_it_may_and_others_as_usual(home: Home) -> None:
    with locked(store_path(home)):
        began = time.monotonic()
        with pytest.raises(StoreUnavailable) as caught:
            home.call("poll_power")
    assert caught.value.code == "locked"
    assert time.monotonic() - began < 5
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            assert cursor.execute("PRAGMA busy_timeout").fetchone() == (20_000,)
    with home.store.engine._connections.writing() as writer:  # type: ignore[attr-defined]
        assert writer.execute("PRAGMA busy_timeout").fetchone() == (30_000,)
    assert storage.patience_s() is None


def test_at_most_a_thousand_rows_wait_and_the_newest_of_them(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_rows, "MOST", 5)
    with locked(store_path(home)):
        home.run("poll_power", seconds=120)
        assert len(home.collection.live_rows) == 5
    home.run("poll_power", seconds=10)
    assert polled_at(home)[-2:] == [110, 120]


def test_rows_that_waited_are_derived_though_their_interval_was_already(home: Home) -> None:
    home.run(minutes=9)
    with locked(store_path(home)):
        home.run("poll_power", minutes=1)
    home.run("derive", minutes=2)
    home.run(minutes=4)
    row = home.rows("interval", JANUARY + timedelta(minutes=5), JANUARY + timedelta(minutes=10))[0]
    assert row.values["electrical_energy_wh"] == pytest.approx(
        home.world.truth.energy_wh(JANUARY + timedelta(minutes=5), JANUARY + timedelta(minutes=10)), abs=0.1
    )


def test_a_poll_that_the_database_of_notes_does_not_take_is_stored_too(home: Home) -> None:
    def locked_out(run: Any, sql: str, *more: Any) -> Any:
        if sql.startswith("UPDATE"):
            raise OperationalError("database is locked")
        return run(sql, *more)

    home.call("poll_power")
    home.move(days=1)
    with connection.execute_wrapper(locked_out), pytest.raises(OperationalError), transaction.atomic():
        home.call("poll_power")  # the first of a day, which is written down there
    home.move(seconds=10)
    home.call("poll_power")
    rows = home.rows("meter", JANUARY, home.at + timedelta(hours=1))
    assert [row.at - JANUARY.timestamp() for row in rows] == [0, 86_400, 86_410]
