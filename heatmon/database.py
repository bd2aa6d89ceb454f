"""The database is there and of this version before a command or the pages use it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import DatabaseError, OperationalError, connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader

from apps.devices import crash_points, storage
from apps.devices.newer import newer_migrations
from apps.metrics.apps import default_store
from apps.metrics.store.base import StoreUnavailable
from apps.metrics.store.sqlite.files import quick_check

NEED_STORE = frozenset(
    {"backup", "collect", "export", "import_features", "import_meter", "recalculate", "report", "verify"}
)
NEED_IT = NEED_STORE | {
    "axes_reset",
    "begin_store",
    "changepassword",
    "create_api_token",
    "create_first_account",
    "createsuperuser",
    "setup_code",
}


@contextmanager
def told_in_a_sentence() -> Iterator[None]:
    """End the process with one sentence, not a traceback, where a disk or file lets nothing be stored."""
    try:
        yield
    except (OperationalError, StoreUnavailable, OSError) as error:
        code = storage.code_of(error)
        if code in {"", "failed"}:
            raise
        sys.stderr.write(f"CommandError: {storage.log_line(code)}\n")
        sys.exit(2 if code == "read_only" else 1)


class NotesUnusable(CommandError):
    """The database of settings and notes cannot be used as it is. ``code``: see ``storage.WORDS``."""

    def __init__(self, code: str) -> None:
        super().__init__(storage.log_line(code))
        self.code = code


def make_ready() -> None:
    """Bring the database to this version. Raises CommandError if it cannot be reached, or if a newer heatmon
    has written it, NotesUnusable if it is damaged or missing."""
    _refuse_to_begin_anew()
    try:
        _look_for_damage()
        connection.ensure_connection()
        refuse_newer_schema()
        executor = MigrationExecutor(connection)
        is_due = bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    except DatabaseError as error:
        code = storage.code_of(error)
        if code == "notes_damaged":
            raise NotesUnusable(code) from error
        if code != "failed" or not isinstance(error, OperationalError):
            raise
        said = " ".join(str(error).split())
        raise CommandError(f"The database of settings and notes cannot be used: {said}") from error
    if is_due:
        if storage.damage() == "notes_damaged":
            raise NotesUnusable("notes_damaged")
        with connection.execute_wrapper(_as_crash_point):
            call_command("migrate", verbosity=0)


def _as_crash_point(execute: Callable[..., Any], *statement: Any) -> Any:
    crash_points.reached("migration")
    return execute(*statement)


def _look_for_damage() -> None:
    """Look again at a database that was found damaged: a backup may be in its place."""
    path = storage.notes_path()
    if path is not None and storage.damage_of(path) is not None and quick_check(path) is None:
        storage.forget_damage(path)


def _refuse_to_begin_anew() -> None:
    """Refuse a lost file beside measured values: that is no new installation, its disk may not be mounted.
    Raises NotesUnusable."""
    path, series = storage.notes_path(), Path(settings.STORE_PATH)
    if path is None or not path.is_absolute() or (path.exists() and path.stat().st_size):
        return
    if settings.STORE_ENGINE == "sqlite" and series.exists() and series.stat().st_size:
        raise NotesUnusable("notes_missing")


def refuse_newer_schema() -> None:
    """Leave a data directory written by a newer heatmon untouched. Raises CommandError."""
    loader = MigrationLoader(connection)
    if newer := newer_migrations(loader, loader.applied_migrations):
        raise CommandError(
            f"The data directory was written by a newer heatmon (it knows {', '.join(newer)}). "
            "Start that version, or restore a backup made before the update."
        )


def prepare(argv: Sequence[str]) -> None:
    """Prepare the database for commands that may be the first thing ever run here. Ends the process with a
    sentence, not a traceback, where the database cannot be used."""
    if len(argv) < 2 or argv[1] not in NEED_IT or "--help" in argv or "-h" in argv:
        return
    try:
        try:
            make_ready()
        except NotesUnusable as error:
            # The one command by which the owner decides to begin afresh beside the measured values.
            if error.code != "notes_missing" or argv[1] != "begin_store":
                raise
            call_command("migrate", verbosity=0)
        if argv[1] in NEED_STORE and (refusal := default_store().refusal) is not None:
            raise CommandError(f"{refusal}. Restore a backup, or see begin_store --help.")
    except CommandError as error:
        sys.exit(f"CommandError: {error}")
