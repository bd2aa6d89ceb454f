"""One archive with all of a heatmon: a ZIP of a manifest and two SQLite databases, without any key.

    manifest.json         what it is, of when, and size and SHA-256 of the others
    heatmon.sqlite3       settings, their history, notes, accounts
    timeseries.sqlite3    measured values and what was computed from them

Whichever databases heatmon uses, the archive holds SQLite files, so it can be restored into any.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sqlite3
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.conf import settings

from apps.devices import crash_points
from apps.devices.durable import sync_folder
from apps.metrics.store.sqlite.files import integrity_check

from .words import BackupFailed

APPLICATION = "heatmon"
FORMAT = 1
MANIFEST = "manifest.json"
DATABASE = "heatmon.sqlite3"
SERIES = "timeseries.sqlite3"
FILES = (DATABASE, SERIES)
CHUNK_BYTES = 1 << 20
# Half as large as the plain files, and a third of the time of the default level.
_LEVEL = 1
_WORK = ".making-"
# A copy signs nobody in: who is signed in stays out of it.
_NOT_KEPT = ("django_session",)

Copy = Callable[[Path], None]
"""Writes a consistent copy of one database as an SQLite file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """What to copy. ``series`` is copied first: whatever is written in between, the database then knows at
    least what the time series hold, and what it marks as to be derived again is harmless.

    ``quiet``: held during both copies, so that nothing is derived between them.
    ``size_bytes``: of the plain copies, about.
    """

    series: Copy
    database: Copy
    quiet: Callable[[], AbstractContextManager[Any]]
    size_bytes: int


def make_archive(target: Path, sources: Sources, *, at: datetime, version: str) -> None:
    """Write the archive; it appears under its name when it is whole, checked and on the disk.

    Raises BackupFailed, or what a database or the disk raises; nothing is left then.
    """
    _remove_leftovers(target.parent)
    _check_room(target.parent, sources.size_bytes)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=_WORK) as name:
        work = Path(name)
        with sources.quiet():
            sources.series(work / SERIES)
            sources.database(work / DATABASE)
        leave_out_sessions(work / DATABASE)
        for file in FILES:
            if (fault := integrity_check(work / file)) is not None:
                raise BackupFailed("damaged", f"the copy of {file} is damaged: {fault}")
        _pack(work, work / target.name, at=at, version=version)
        crash_points.reached("backup")
        os.replace(work / target.name, target)
        sync_folder(target.parent)


def vacuum_into(source: Path, target: Path) -> None:
    """Copy an SQLite database that others are using, as it is at one moment."""
    with closing(sqlite3.connect(f"file:{source}?mode=ro", uri=True, timeout=30)) as connection:
        connection.execute("VACUUM INTO ?", (str(target),))
    os.chmod(target, 0o600)


def leave_out_sessions(database: Path) -> None:
    """Take out of a copy what would let its reader in."""
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA secure_delete = ON")
        for table in _NOT_KEPT:
            connection.execute(f"DELETE FROM {table}")  # noqa: S608  (from the list above)
        connection.commit()


def _check_room(folder: Path, size_bytes: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < 2 * size_bytes:
        raise BackupFailed("no_room", f"{free} bytes are free in {folder}, {2 * size_bytes} are needed")


def _remove_leftovers(folder: Path) -> None:
    """Remove what an attempt that was killed has left. The caller holds the lock of backups."""
    for path in folder.glob(f"{_WORK}*"):
        shutil.rmtree(path, ignore_errors=True)


def _pack(work: Path, target: Path, *, at: datetime, version: str) -> None:
    manifest: dict[str, Any] = {
        "application": APPLICATION,
        "format": FORMAT,
        "version": version,
        "made_at": at.astimezone(UTC).isoformat(),
        "demo": settings.DEMO,
        "files": {},
    }
    descriptor = os.open(target, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "w+b") as file:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=_LEVEL) as archive:
            for name in FILES:
                manifest["files"][name] = _add(archive, work / name, name)
            archive.writestr(MANIFEST, json.dumps(manifest, indent=1))
        file.flush()
        os.fsync(file.fileno())


def _add(archive: zipfile.ZipFile, path: Path, name: str) -> dict[str, Any]:
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as source, archive.open(name, "w", force_zip64=True) as target:
        for chunk in chunks(source.read):
            digest.update(chunk)
            size += len(chunk)
            target.write(chunk)
    return {"size_bytes": size, "sha256": digest.hexdigest()}


def chunks(read: Callable[[int], bytes]) -> Iterator[bytes]:
    """Yield a stream in pieces."""
    while chunk := read(CHUNK_BYTES):
        yield chunk
