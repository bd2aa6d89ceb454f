"""Whether what heatmon writes can be kept: there is room for it, and the files are still those it opened.

Faults are told by the process that meets them, not by the database: that is what cannot be written.
"""

from __future__ import annotations

import errno
import logging
import os
import sqlite3
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

WORDS: Mapping[str, Promise] = {
    "disk_full": _("The disk is full: nothing can be stored until some space is free again."),
    "read_only": _(
        "The data directory cannot be written, so nothing can be stored. Check the disk and the permissions"
        " of the directory."
    ),
    "replaced": _(
        "A database file was deleted or replaced while heatmon was running, so nothing can be stored. Stop"
        " heatmon, put the file back, and start it again."
    ),
    "locked": _("The database is busy with another write, so nothing was stored. Try again in a moment."),
    "notes_damaged": _(
        "The database of settings and notes is damaged, so nothing in it is changed and nothing is collected."
        " Stop heatmon and restore the last backup."
    ),
    "notes_missing": _(
        "The database of settings and notes is missing or empty, though measured values of this home are"
        " there. Stop heatmon and restore the last backup; nothing is started afresh without you."
    ),
    "series_damaged": _(
        "The file with the measured values is damaged. Restart heatmon: it sets the file aside, starts a new"
        " one and fetches again what the meter still remembers."
    ),
    "reader_open": _(
        "Another program has kept a database open in the middle of reading for long, so that the files of"
        " heatmon grow. Close that program."
    ),
    "failed": _("The database cannot be used at the moment. Details are in the log."),
}
ASIDE = "timeseries-damaged-{}.sqlite3"
_TAKES_NO_WRITES = frozenset({"disk_full", "read_only", "locked"})
ROOM_BYTES = 65_536
LARGEST_LOG_BYTES = 64 * 2**20  # a write-ahead log is emptied at 4 MB, unless somebody still reads
LOOK_EVERY_S = 5.0
NOTED_FOR_S = 60.0  # what still fails is noted again within seconds
_BY_ERRNO = {
    errno.ENOSPC: "disk_full",
    errno.EDQUOT: "disk_full",
    errno.EROFS: "read_only",
    errno.EACCES: "read_only",
}
_BY_SQLITE = {
    "SQLITE_CORRUPT": "notes_damaged",
    "SQLITE_NOTADB": "notes_damaged",
    "SQLITE_FULL": "disk_full",
    "SQLITE_READONLY_DBMOVED": "replaced",
    "SQLITE_READONLY": "read_only",
    "SQLITE_CANTOPEN": "read_only",
    "SQLITE_BUSY": "locked",
    "SQLITE_LOCKED": "locked",
}

_lock = threading.Lock()
_patience = threading.local()
_opened: dict[Path, tuple[int, int] | None] = {}
_noted: dict[str, tuple[str, float]] = {}
_looked: tuple[float, str] = (float("-inf"), "")


def sentence(code: str) -> str:
    """Return the words for a fault, in the language in force; empty for no fault or one of something else."""
    return str(WORDS.get(code, ""))


def log_line(code: str) -> str:
    """Return the words for a fault in English."""
    with translation.override("en"):
        return sentence(code)


def log_turn(log: logging.Logger, job: str, code: str) -> None:
    """Say in the log why a turn of a job could not store. A busy database is no fault: the next turn stores
    what this one brought."""
    if code == "locked":
        log.warning("%s: the database is busy with another write; the next turn stores it", job)
    else:
        log.error("%s: %s", job, log_line(code))


def identity(path: Path) -> tuple[int, int] | None:
    """Return what tells a file from another one of its name; None while there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def watch(path: Path) -> None:
    """Remember which file was opened, at first; for the whole life of the process."""
    if path not in _opened and (found := identity(path)) is not None:
        _opened[path] = found


def watch_database(connection: BaseDatabaseWrapper, **_signal: Any) -> None:
    """Remember Django's database, if it is a file; change nothing in a damaged one."""
    if connection.vendor == "sqlite":
        path = Path(connection.settings_dict["NAME"])
        watch(path)
        if damage_of(path) is not None:
            connection.connection.execute("PRAGMA query_only = ON")


def note_damage(path: Path, fault: str) -> None:
    """Write down beside a database file that it is damaged: for the pages, and for the next start."""
    global _looked
    with suppress(OSError):  # on a full disk the damage is met again
        _mark_of(path).write_text(fault, encoding="utf-8")
    _looked = float("-inf"), ""


def damage_of(path: Path) -> str | None:
    """Return what was found wrong with a database file; None while nothing is known to be. The next start
    looks again: a backup may have been restored."""
    try:
        return _mark_of(path).read_text(encoding="utf-8")
    except OSError:
        return None


def forget_damage(path: Path) -> None:
    _mark_of(path).unlink(missing_ok=True)


def _mark_of(path: Path) -> Path:
    return path.with_name(f"{path.name}.damaged")


def notes_path() -> Path | None:
    """Return the file of Django's database; None where that is a server's."""
    return Path(connection.settings_dict["NAME"]) if connection.vendor == "sqlite" else None


def set_aside() -> str:
    """Return the name of the newest damaged file of measured values that was set aside; empty without one.
    Whoever has read of it moves or deletes the file."""
    return max((path.name for path in Path(settings.STORE_PATH).parent.glob(ASIDE.format("*"))), default="")


def damage() -> str:
    """Return which of the databases is damaged, as a code; empty while none is known to be."""
    notes = notes_path()
    if notes is not None and damage_of(notes) is not None:
        return "notes_damaged"
    return "series_damaged" if damage_of(Path(settings.STORE_PATH)) is not None else ""


def is_replaced() -> bool:
    """Return whether a file that was opened is gone or another one now: writes would go nowhere."""
    return any(identity(path) != known for path, known in list(_opened.items()))


def code_of(error: BaseException) -> str:
    """Return the fault behind an error of a database, a store or the system; empty for any other."""
    code = getattr(error, "code", "")
    if code == "damaged":
        return "series_damaged"
    if code in WORDS:
        return str(code)
    for one in (error, error.__cause__):
        if isinstance(one, sqlite3.Error):
            return _of_sqlite(getattr(one, "sqlite_errorname", ""))
        if isinstance(one, OSError) and one.errno in _BY_ERRNO:
            return _BY_ERRNO[one.errno]
    return "failed" if isinstance(error, DatabaseError) else ""


def takes_no_writes(error: BaseException) -> bool:
    """Return whether an error says that nothing can be written now, though what is there can be read."""
    return code_of(error) in _TAKES_NO_WRITES


@contextmanager
def where_possible() -> Iterator[list[DatabaseError]]:
    """Do without a note of what people do, while nothing can be written: they may still read. Give what kept
    it from being written."""
    refused: list[DatabaseError] = []
    try:
        yield refused
    except DatabaseError as error:
        if not takes_no_writes(error):
            raise
        refused.append(error)


def _of_sqlite(name: str) -> str:
    found = [code for start, code in _BY_SQLITE.items() if name.startswith(start)]
    if found and found[0] != "read_only":
        return found[0]
    # A file beside the database that cannot grow is told by SQLite in many ways.
    return room_fault() or (found[0] if found else "failed")


@contextmanager
def impatient(wait_s: float) -> Iterator[None]:
    """Let this thread wait no longer than that for a database that others have locked; what it measures is
    due again soon."""
    before = patience_s()
    _patience.wait_s = wait_s = wait_s if before is None else min(before, wait_s)
    usual_s = None
    if connection.vendor == "sqlite":
        connection.ensure_connection()
        usual_s = connection.settings_dict["OPTIONS"].get("timeout", 5)
    try:
        _wait_for_database(usual_s and wait_s)
        yield
    finally:
        _patience.wait_s = before
        _wait_for_database(usual_s and (usual_s if before is None else before))


def patience_s() -> float | None:
    """Return how long this thread waits for a lock; None: as long as usual."""
    return getattr(_patience, "wait_s", None)


def _wait_for_database(wait_s: float | None) -> None:
    if wait_s is not None and connection.connection is not None:
        connection.connection.execute(f"PRAGMA busy_timeout = {round(1000 * wait_s)}")


def note(what: str, code: str) -> bool:
    """Note how storing something went last, an empty code where it went well; return whether that is news."""
    with _lock:
        before, _at = _noted.pop(what, ("", 0.0))
        if code:
            _noted[what] = code, time.monotonic()
    return code != before


def fault() -> str:
    """Return why nothing can be stored, as it was at most a few seconds ago; empty while nothing is known."""
    global _looked
    now = time.monotonic()
    if not 0 <= now - _looked[0] < LOOK_EVERY_S:
        _looked = now, "replaced" if is_replaced() else damage() or room_fault()
    return _looked[1] or next((code for code, at in _noted.copy().values() if now - at < NOTED_FOR_S), "")


def warning() -> str:
    """Return what goes wrong though everything is stored, as a code; empty while nothing does."""
    return "reader_open" if any(_log_bytes(path) > LARGEST_LOG_BYTES for path in list(_opened)) else ""


def _log_bytes(path: Path) -> int:
    try:
        return path.with_name(f"{path.name}-wal").stat().st_size
    except OSError:
        return 0


def look_again() -> None:
    """Let the next ``fault`` look at once."""
    global _looked
    _looked = float("-inf"), ""


def room_fault() -> str:
    """Return why a small file cannot be written beside the databases; empty where it can."""
    path = Path(settings.DATA_DIR) / f".room-{os.getpid()}-{threading.get_ident()}"
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            written = os.write(descriptor, bytes(ROOM_BYTES))
        finally:
            os.close(descriptor)
            path.unlink()
    except OSError as error:
        return _BY_ERRNO.get(error.errno or 0, "")
    return "" if written == ROOM_BYTES else "disk_full"
