"""What a newer heatmon has done to a database, and this one does not know."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.migrations.loader import MigrationLoader


def newer_migrations(loader: MigrationLoader, applied: Iterable[tuple[str, str]]) -> list[str]:
    """Return the names of the migrations that only a newer heatmon can have applied. Those of an app that is
    not here any more are no sign of one."""
    newer = set(applied) - loader.disk_migrations.keys()
    return sorted(f"{app}.{name}" for app, name in newer if app in loader.migrated_apps)
