"""``manage.py verify``: says what it found, and its exit code."""

from __future__ import annotations

import io

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from apps.metrics.apps import use_store
from apps.metrics.store.sqlite import SqliteStore

from .engines import MIDNIGHT, power_rows


def verified(store: SqliteStore, *arguments: str) -> str:
    out = io.StringIO()
    with use_store(store):
        call_command("verify", *arguments, stdout=out, stderr=io.StringIO())
    return out.getvalue()


def test_a_sound_store_is_said_to_be_so(sqlite_store: SqliteStore) -> None:
    sqlite_store.write(power_rows(MIDNIGHT, [100] * 3000, step_s=60))
    assert verified(sqlite_store, "--days", "2") == (
        "All rollups agree with the raw rows (2 days checked).\n"
    )


def test_a_wrong_rollup_ends_in_an_error_that_counts_it(sqlite_store: SqliteStore) -> None:
    sqlite_store.write(power_rows(MIDNIGHT, [100] * 3000, step_s=60))
    with sqlite_store.engine.transaction() as connection:
        connection.execute("UPDATE r86400 SET hi = hi + 1")
    with pytest.raises(
        CommandError, match=r"2 rollups differ from the raw rows \(2 days checked\)"
    ) as caught:
        verified(sqlite_store)
    assert caught.value.returncode == 1


def test_no_days_are_a_wrong_use(sqlite_store: SqliteStore) -> None:
    with pytest.raises(CommandError, match="at least 1") as caught:
        verified(sqlite_store, "--days", "0")
    assert caught.value.returncode == 2
