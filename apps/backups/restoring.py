"""Prepares a restore: the checked databases of a backup in a folder that one rename puts in force."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from django.db import connection

from apps.devices.durable import sync_folder
from apps.devices.models import ApiCall

from .archive import FILES

_CALL = "at, account, purpose, host, status"

Call = tuple[str, str, str, str, int | None]
"""A call to the cloud: time as SQLite stores it, account, purpose, host, status."""


def holds_a_home(data_dir: Path) -> bool:
    """Return whether a restore would replace something."""
    return any((data_dir / name).exists() and (data_dir / name).stat().st_size for name in FILES)


def calls_since(at: datetime, old: Path) -> list[Call]:
    """Return the calls to the cloud made since ``at``, of the database that is replaced. Of one that cannot
    be read nobody knows them."""
    if connection.vendor != "sqlite":
        calls = ApiCall.objects.filter(at__gt=at)
        return [(_stored(one.at), one.account, one.purpose, one.host, one.status) for one in calls]
    if not old.exists():
        return []
    try:
        with closing(sqlite3.connect(f"file:{old}?mode=ro", uri=True)) as database:
            statement = f"SELECT {_CALL} FROM devices_apicall WHERE at > ?"  # noqa: S608
            return database.execute(statement, (_stored(at),)).fetchall()
    except sqlite3.Error:
        return []


def complete(new: Path, calls: Sequence[Call], *, at: datetime, detail: str) -> None:
    """Write into the database to be restored what it cannot know: the calls made since, so that a restore
    does not make room in the quota, and in the audit log that it was restored."""
    with closing(sqlite3.connect(new)) as database:
        database.executemany(
            f"INSERT INTO devices_apicall ({_CALL}) VALUES (?, ?, ?, ?, ?)",  # noqa: S608
            calls,
        )
        database.execute(
            "INSERT INTO accounts_auditentry (at, actor, action, detail, address)"
            " VALUES (?, '', 'restore', ?, '')",
            (_stored(at), detail),
        )
        database.commit()


def _stored(at: datetime) -> str:
    """Return a time as Django stores it in SQLite."""
    return str(at.astimezone(UTC).replace(tzinfo=None))


def put_in_force(prepared: Path, pending: Path) -> None:
    """Rename the prepared folder, durably; ``heatmon.restored`` does the rest."""
    sync_folder(prepared)
    sync_folder(prepared.parent)
    os.rename(prepared, pending)
    sync_folder(prepared.parent)
