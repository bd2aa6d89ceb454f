"""Copies the database of settings and notes, whichever it is, into an SQLite file and back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.apps import apps
from django.core.management import call_command
from django.core.management.color import no_style
from django.db import DEFAULT_DB_ALIAS, connections, models, transaction

from .archive import vacuum_into

_AT_ONCE = 2000


def copy_database(target: Path) -> None:
    """Write Django's database, as it is at one moment, as an SQLite file."""
    connection = connections[DEFAULT_DB_ALIAS]
    if connection.vendor == "sqlite":
        vacuum_into(Path(connection.settings_dict["NAME"]), target)
        return
    with opened_file(target) as alias, transaction.atomic(using=DEFAULT_DB_ALIAS):
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        copy_rows(DEFAULT_DB_ALIAS, alias)


def fill_database(source: Path) -> None:
    """Replace everything in Django's database, a server's, by what an SQLite file holds; all or nothing."""
    with opened_file(source) as alias:
        copy_rows(alias, DEFAULT_DB_ALIAS)


def copy_rows(source: str, target: str) -> None:
    """Let every table of one database hold the rows of the other. Both are of this version."""
    kept = [
        model
        for model in apps.get_models(include_auto_created=True)
        if model._meta.managed and not model._meta.proxy
    ]
    connection = connections[target]
    with connection.constraint_checks_disabled(), transaction.atomic(using=target):
        with connection.cursor() as cursor:
            for model in kept:
                cursor.execute(f"DELETE FROM {connection.ops.quote_name(model._meta.db_table)}")  # noqa: S608
        for model in kept:
            for row in _rows(model, source):
                row.save_base(raw=True, force_insert=True, using=target)
        with connection.cursor() as cursor:
            for statement in connection.ops.sequence_reset_sql(no_style(), kept):
                cursor.execute(statement)  # a server's counters do not see ids that were given


def _rows(model: type[models.Model], alias: str) -> Iterator[Any]:
    yield from model._base_manager.using(alias).order_by("pk").iterator(chunk_size=_AT_ONCE)


@contextmanager
def opened_file(path: Path, alias: str = "backup") -> Iterator[str]:
    """Open an SQLite file beside Django's own database, brought to this version."""
    given = {"ENGINE": "django.db.backends.sqlite3", "NAME": str(path)}
    known = connections.settings
    # Another mapping, not a change of the one that other threads may be walking through.
    connections.settings = connections.configure_settings({**known, alias: given})
    try:
        call_command("migrate", database=alias, verbosity=0)
        yield alias
    finally:
        connections[alias].close()
        del connections[alias]
        connections.settings = known
