"""Questions that every page asks, as plain SQL: the ORM takes five times as long to word one as a database
to answer it, and a page asks nine."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import connection

Value = str | int | datetime | None


def first_row(statement: str, *values: Value) -> tuple[Any, ...] | None:
    """Return the first row of the answer; None: there is none."""
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        row: tuple[Any, ...] | None = cursor.fetchone()
        return row


def all_rows(statement: str, *values: Value) -> list[tuple[Any, ...]]:
    """Return all rows of the answer."""
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return list(cursor.fetchall())
