"""Protections of the databases that nothing else would miss."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.management.base import CommandError
from django.db import connection
from django.db.backends.sqlite3.base import DatabaseWrapper

from apps.metrics.store.sqlite import SqliteStore
from heatmon.database import make_ready

FULL = 2
IMMEDIATE = "IMMEDIATE"


def test_a_database_of_a_newer_heatmon_is_refused_before_anything_is_changed(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO django_migrations (app, name, applied) VALUES ('metrics', '0999_of_next_year', %s)",
            ["2027-01-01 00:00:00+00:00"],
        )
    with pytest.raises(
        CommandError, match=r"written by a newer heatmon \(it knows metrics.0999_of_next_year\)"
    ):
        make_ready()


def test_what_is_committed_to_settings_and_notes_survives_a_power_cut(db: None, tmp_path: Path) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("a database server looks after itself")
    opened = DatabaseWrapper({**connection.settings_dict, "NAME": tmp_path / "heatmon.sqlite3"})
    with opened.cursor() as cursor:
        cursor.execute("PRAGMA synchronous")
        assert cursor.fetchone() == (FULL,)
        cursor.execute("PRAGMA journal_mode")
        assert cursor.fetchone() == ("wal",)
    assert opened.settings_dict["OPTIONS"]["transaction_mode"] == IMMEDIATE
    opened.close()


def test_what_is_committed_to_measured_values_survives_a_power_cut(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "timeseries.sqlite3")
    with store.engine._connections.writing() as writer:
        assert writer.execute("PRAGMA synchronous").fetchone() == (FULL,)
        assert writer.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    store.close()
