"""One cheap question before an expensive one.

Deriving the newest interval asks every five minutes for lumps, events and marks that hardly ever exist;
the ORM takes longer to put such a question than the database to answer it.
"""

from __future__ import annotations

from datetime import datetime

from django.db import connection, models


def exists(model: type[models.Model], where: str, *values: int | datetime) -> bool:
    """Whether any row of ``model`` fulfils ``where``: constant SQL with %s for the ``values``."""
    adapted = [
        connection.ops.adapt_datetimefield_value(value) if isinstance(value, datetime) else value
        for value in values
    ]
    table = connection.ops.quote_name(model._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT 1 FROM {table} WHERE {where} LIMIT 1", adapted)  # noqa: S608
        return cursor.fetchone() is not None
