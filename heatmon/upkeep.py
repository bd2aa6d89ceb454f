"""The nightly look over what is stored on disk."""

from __future__ import annotations

from collections.abc import Iterator

from django.db import DatabaseError, connection

from apps.devices import storage
from apps.metrics.store.front import Store


def damages(store: Store) -> Iterator[tuple[str, str]]:
    """Yield (what, what is wrong with it) of the time series and of Django's database, if that is a file."""
    if (fault := store.damage()) is not None:
        yield "The time-series store", fault
    if (fault := _database_damage()) is not None:
        yield "The database of settings and notes", fault


def _database_damage() -> str | None:
    if connection.vendor != "sqlite":
        return None  # a database server looks after itself
    try:
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA quick_check(1)")
            answer = cursor.fetchone()
        fault = None if answer == ("ok",) else str(answer[0])
    except DatabaseError as error:
        fault = str(error)
    if fault is not None and (path := storage.notes_path()) is not None:
        storage.note_damage(path, fault)
    return fault
