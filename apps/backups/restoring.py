"""Prepares a restore: the checked databases of a backup in a folder that one rename puts in force."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from .archive import DATABASE, FILES

_CALL = "at, account, purpose, host, status"


def holds_a_home(data_dir: Path) -> bool:
    """Return whether a restore would replace something."""
    return any((data_dir / name).exists() and (data_dir / name).stat().st_size for name in FILES)


def keep_calls(old: Path, new: Path, since: str) -> int:
    """Take over the calls to the cloud that were made since the backup, so that a restore does not make room
    in the quota; return how many. ``since``: as the database stores times."""
    if not old.exists():
        return 0
    try:
        with closing(sqlite3.connect(f"file:{old}?mode=ro", uri=True)) as connection:
            statement = f"SELECT {_CALL} FROM devices_apicall WHERE at > ?"  # noqa: S608
            calls = connection.execute(statement, (since,)).fetchall()
    except sqlite3.Error:
        return 0  # it is being replaced because it cannot be read
    with closing(sqlite3.connect(new)) as connection:
        connection.executemany(
            f"INSERT INTO devices_apicall ({_CALL}) VALUES (?, ?, ?, ?, ?)",  # noqa: S608
            calls,
        )
        connection.commit()
    return len(calls)


def database_of(folder: Path) -> Path:
    return folder / DATABASE


def put_in_force(prepared: Path, pending: Path) -> None:
    """Rename the prepared folder, durably; ``heatmon.restored`` does the rest."""
    for folder in (prepared, prepared.parent):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
            if folder == prepared.parent:
                os.rename(prepared, pending)
                os.fsync(descriptor)
        finally:
            os.close(descriptor)
