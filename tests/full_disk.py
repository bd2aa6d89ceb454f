"""A disk without room: SQLite itself refuses what changes a row, and takes what changes none."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

TABLE = "takes_the_room"


@contextmanager
def full_disk() -> Iterator[None]:
    """Give the database not one page more, and let each changed row need more than there are.

    Outside of transactions only: like every SQLite, this one takes a whole transaction back.
    """
    with connection.cursor() as cursor:
        tables = connection.introspection.table_names(cursor)
        cursor.execute(f"CREATE TABLE {TABLE} (content BLOB)")
        for table in tables:
            for change in ("INSERT", "UPDATE", "DELETE"):
                cursor.execute(
                    f'CREATE TEMP TRIGGER "full_{change}_{table}" AFTER {change} ON "{table}"'
                    f" BEGIN INSERT INTO {TABLE} VALUES (zeroblob({_room_bytes()})); END"
                )
        pages = _pragma("page_count")
        cursor.execute(f"PRAGMA max_page_count = {pages}")
    try:
        yield
    finally:
        make_room()


def make_room() -> None:
    """Give the database as much room as before; again and again, if need be."""
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA max_page_count = 4294967294")
        cursor.execute("SELECT name FROM sqlite_temp_master WHERE type = 'trigger' AND name LIKE 'full_%'")
        for (trigger,) in cursor.fetchall():
            cursor.execute(f'DROP TRIGGER "{trigger}"')
        cursor.execute(f"DROP TABLE IF EXISTS {TABLE}")


def _room_bytes() -> int:
    """Return more bytes than the pages have that are free already."""
    return (_pragma("freelist_count") + 2) * _pragma("page_size")


def _pragma(name: str) -> int:
    with connection.cursor() as cursor:
        return int(cursor.execute(f"PRAGMA {name}").fetchone()[0])
