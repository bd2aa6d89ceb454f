"""The database is there and of this version before a command or the pages use it."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import OperationalError, connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader

from apps.devices import storage
from apps.metrics.apps import default_store
from apps.metrics.store.base import StoreUnavailable

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
        sys.exit(f"CommandError: {storage.log_line(code)}")


def make_ready() -> None:
    """Bring the database to this version. Raises CommandError if it cannot be reached, or if a newer heatmon
    has written it."""
    try:
        connection.ensure_connection()
    except OperationalError as error:
        if storage.code_of(error) != "failed":
            raise
        said = " ".join(str(error).split())
        raise CommandError(f"The database of settings and notes cannot be used: {said}") from error
    refuse_newer_schema()
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        call_command("migrate", verbosity=0)


def refuse_newer_schema() -> None:
    """Leave a data directory written by a newer heatmon untouched. Raises CommandError."""
    loader = MigrationLoader(connection)
    known = set(loader.disk_migrations)
    newer = sorted(
        f"{app}.{name}"
        for app, name in loader.applied_migrations
        if (app, name) not in known and app in loader.migrated_apps
    )
    if newer:
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
        make_ready()
        if argv[1] in NEED_STORE and (refusal := default_store().refusal) is not None:
            raise CommandError(f"{refusal}. Restore a backup, or see begin_store --help.")
    except CommandError as error:
        sys.exit(f"CommandError: {error}")
