"""The files of the SQLite engine: the database and what SQLite keeps beside it."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from ..base import StoreRefused, StoreUnavailable


def prepare_file(path: Path, *, must_exist: bool) -> None:
    """Make the file with mode 0600, or narrow the mode of an old one."""
    try:
        if must_exist and (not path.exists() or not path.stat().st_size):
            raise StoreRefused("missing", f"the time-series store {path} is missing or empty")
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        os.chmod(path, 0o600)
    except OSError as error:
        raise StoreUnavailable(f"the time-series store {path} cannot be opened: {error.strerror}") from error


def can_be_read(path: Path) -> bool:
    """Return whether this is a SQLite file of which the beginning can be read."""
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.DatabaseError as error:
        return not is_damage(error)
    return True


def is_damage(error: sqlite3.DatabaseError) -> bool:
    """Return whether SQLite says that the file is broken, or none of its own."""
    return getattr(error, "sqlite_errorname", "").startswith(("SQLITE_NOTADB", "SQLITE_CORRUPT"))


def quick_check(path: Path) -> str | None:
    """Return what is wrong with a SQLite file; None for a sound one."""
    return _checked(path, "quick_check")


def integrity_check(path: Path) -> str | None:
    """Return what is wrong with a SQLite file, its indexes included; None for a sound one."""
    return _checked(path, "integrity_check")


def _checked(path: Path, check: str) -> str | None:
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
            answer = connection.execute(f"PRAGMA {check}(1)").fetchone()
    except sqlite3.DatabaseError as error:
        return str(error)
    return None if answer == ("ok",) else str(answer[0])


def size_bytes(path: Path) -> int:
    """Return the size of the file with its write-ahead log."""
    files = (path, path.with_name(f"{path.name}-wal"))
    return sum(file.stat().st_size for file in files if file.exists())


def move_aside(path: Path, mark: str) -> Path | None:
    """Rename the file and what belongs to it to ``<name>-<mark>``; return the new name, None if there is
    nothing in it."""
    aside = path.with_name(f"{path.stem}-{mark}{path.suffix}")
    held = size_bytes(path)
    for end in ("-wal", "-shm", ""):
        file = path.with_name(path.name + end)
        if held and file.exists():
            file.rename(aside.with_name(aside.name + end))
        file.unlink(missing_ok=True)
    return aside if held else None
