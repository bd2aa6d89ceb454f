"""Unpacks an archive and checks it, before anything of it is used: nothing in it is believed."""

from __future__ import annotations

import hashlib
import json
import lzma
import os
import shutil
import sqlite3
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from django.db.migrations.loader import MigrationLoader

from apps.devices.newer import newer_migrations
from apps.devices.times import parse_time
from apps.metrics.store.sqlite.files import integrity_check
from apps.metrics.store.sqlite.tables import SCHEMA_VERSION

from .archive import APPLICATION, DATABASE, FILES, FORMAT, MANIFEST, SERIES, chunks
from .words import NotRestorable

LARGEST_MANIFEST_BYTES = 100_000
# What zipfile and json make of damaged bytes. RuntimeError: a flag says encrypted, a method or version is not
# supported, a manifest is nested too deep; LZMAError: the method says LZMA; EOFError, ValueError: a size or
# a place leads out of the file.
_NOT_AN_ARCHIVE = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, RuntimeError, EOFError, ValueError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What an archive says of itself. ``demo``: of the simulated house; ``files``: name → (size in bytes,
    SHA-256 in hex)."""

    version: str
    demo: bool
    made_at: datetime
    files: Mapping[str, tuple[int, str]]


def unpack(path: Path, into: Path) -> Manifest:
    """Write the two databases of an archive into an empty folder; return its manifest.

    Names and sizes are those of the manifest, so the archive cannot place a file elsewhere or grow. Raises
    NotRestorable.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            manifest = _manifest(archive)
            needed = sum(size for size, _ in manifest.files.values())
            if shutil.disk_usage(into).free < needed:
                raise NotRestorable(f"There is not enough free disk space: {needed} bytes are needed")
            for name, (size, digest) in manifest.files.items():
                _unpack_file(archive, name, into / name, size, digest)
    except _NOT_AN_ARCHIVE as error:
        raise NotRestorable(f"{path} is not a backup, or damaged: {error}") from error
    except OSError as error:
        raise NotRestorable(f"{path} cannot be unpacked: {error.strerror or error}") from error
    return manifest


def check(folder: Path) -> None:
    """Check the two unpacked databases: whole, heatmon's, of one home, and not newer than this heatmon.
    Raises NotRestorable."""
    for name in FILES:
        if (fault := integrity_check(folder / name)) is not None:
            raise NotRestorable(f"{name} in the backup is damaged: {fault}")
    try:
        with (
            closing(sqlite3.connect(f"file:{folder / DATABASE}?mode=ro", uri=True)) as database,
            closing(sqlite3.connect(f"file:{folder / SERIES}?mode=ro", uri=True)) as series,
        ):
            _refuse_newer(database, series)
            _refuse_strangers(database, series)
    except sqlite3.Error as error:
        raise NotRestorable(f"The backup is not heatmon's: {error}") from error


def _manifest(archive: zipfile.ZipFile) -> Manifest:
    names = sorted(archive.namelist())
    if names != sorted([MANIFEST, *FILES]):
        raise NotRestorable("It is not a backup of heatmon: it holds other files")
    if archive.getinfo(MANIFEST).file_size > LARGEST_MANIFEST_BYTES:
        raise NotRestorable("It is not a backup of heatmon: its manifest is too large")
    return _read_manifest(json.loads(archive.read(MANIFEST)))


def _read_manifest(said: Any) -> Manifest:
    try:
        if said["application"] != APPLICATION:
            raise NotRestorable("It is not a backup of heatmon")
        if said["format"] > FORMAT:
            raise NotRestorable(f"A newer heatmon ({said['version']}) has made it; restore it with that one")
        made_at = parse_time(said["made_at"])
        files = {
            name: (int(said["files"][name]["size_bytes"]), str(said["files"][name]["sha256"]))
            for name in FILES
        }
    except (KeyError, TypeError, ValueError) as error:
        raise NotRestorable(f"Its manifest cannot be read: {error!r}") from error
    if made_at is None:
        raise NotRestorable("Its manifest names no time")
    demo = said.get("demo") is True
    return Manifest(version=str(said["version"]), demo=demo, made_at=made_at, files=files)


def _unpack_file(archive: zipfile.ZipFile, name: str, target: Path, size: int, digest: str) -> None:
    if archive.getinfo(name).file_size != size:
        raise NotRestorable(f"{name} in the backup is not as large as its manifest says")
    found = hashlib.sha256()
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "wb") as file, archive.open(name) as packed:
        for chunk in chunks(packed.read):
            found.update(chunk)
            file.write(chunk)
        file.flush()
        os.fsync(file.fileno())
    if found.hexdigest() != digest:
        raise NotRestorable(f"{name} in the backup is not what its manifest says")


def _refuse_newer(database: sqlite3.Connection, series: sqlite3.Connection) -> None:
    applied = database.execute("SELECT app, name FROM django_migrations")
    newer = newer_migrations(MigrationLoader(None), applied)
    version = next(iter(_values(series, "SELECT value FROM meta WHERE key = 'schema_version'")), 0)
    if newer or int(version) > SCHEMA_VERSION:
        what = ", ".join(newer) or f"time series {version}"
        raise NotRestorable(f"A newer heatmon has written it (it knows {what}); restore it with that one")


def _refuse_strangers(database: sqlite3.Connection, series: sqlite3.Connection) -> None:
    homes = {
        str(uid).replace("-", "")
        for uid in _values(database, "SELECT uid FROM metrics_storedhome WHERE began_at IS NOT NULL")
    }
    known = {str(uid).replace("-", "") for uid in _values(series, "SELECT uid FROM home")}
    database.execute("SELECT id FROM devices_site LIMIT 1").fetchall()
    if not homes <= known:
        raise NotRestorable("Its two databases are of different homes")


def _values(connection: sqlite3.Connection, statement: str) -> Iterable[Any]:
    return [row[0] for row in connection.execute(statement)]
