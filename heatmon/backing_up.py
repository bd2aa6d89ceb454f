"""Makes backups: what is copied, under which locks, and what becomes of a failure."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from functools import partial
from pathlib import Path

from django.conf import settings
from django.db import DatabaseError, connection

from apps.backups import folder, under_way
from apps.backups.archive import Sources, make_archive, vacuum_into
from apps.backups.mirror import follow
from apps.backups.relational import copy_database
from apps.backups.rotation import is_due
from apps.backups.words import BackupFailed, log_line
from apps.dashboard.context_processors import version
from apps.devices import storage
from apps.devices.locks import LockHeld, held
from apps.devices.models import Site
from apps.metrics.store.base import StoreUnavailable
from apps.metrics.store.front import Store
from apps.metrics.store.sqlite import SqliteEngine
from apps.metrics.store.sqlite.files import size_bytes

from .schedule import MEMORY

log = logging.getLogger(__name__)

MIRROR = "mirror.sqlite3"
LOCK = "backup"
QUIET_WITHIN_S = 120.0
FAULTS = (BackupFailed, LockHeld, StoreUnavailable, DatabaseError, sqlite3.Error, OSError)
"""What ``back_up`` raises where the outside let it fail; ``code_of`` says what that is called."""


def nightly(store: Store, at: datetime) -> bool:
    """Make the backup of the night unless it is there; return whether one was made."""
    _forget_killed(at)
    newest = folder.newest()
    if not _has_something_to_lose() or not is_due(newest.made_at if newest else None, at):
        return False
    return _attempt(store, at)


def asked_for(store: Store, at: datetime) -> bool:
    """Make the backup that somebody asked for on a page; return whether one was made."""
    _forget_killed(at)
    asked = under_way.current()
    if asked is None:
        return False
    return _attempt(store, max(at, asked.since or at))


def _attempt(store: Store, at: datetime) -> bool:
    """Make a backup, and delete what it supersedes. A failure is remembered for the pages; that of a night is
    tried again at the next turn."""
    under_way.begin(at)
    try:
        back_up(store, folder.folder() / folder.name_at(at), at)
    except FAULTS as error:
        code = code_of(error)
        folder.note_failure(at, code)
        log.error("%s (%s)", log_line(code), error)
        return False
    finally:
        under_way.end()
    folder.forget_failure()
    folder.remove_superseded()
    return True


def _forget_killed(at: datetime) -> None:
    """Note a backup that ended with its process. It is not begun again: it may be what ended it."""
    killed = under_way.current()
    if killed is not None and killed.is_running:
        under_way.end()
        folder.note_failure(killed.since or at, "interrupted")
        log.error(log_line("interrupted"))


def back_up(store: Store, target: Path, at: datetime) -> None:
    """Make one archive. Raises one of FAULTS."""
    with held(LOCK):
        if not isinstance(store.engine, SqliteEngine):
            _follow(store, at)  # the long part, with everything else going on
        make_archive(target, _sources(store, at), at=at, version=version())


def code_of(error: Exception) -> str:
    """Return what a failed backup is told by: a code of ``words``."""
    if isinstance(error, BackupFailed):
        return error.code
    if isinstance(error, LockHeld):
        return "busy"
    fault = storage.code_of(error)
    known = {"disk_full": "no_room", "read_only": "not_writable", "locked": "busy"}
    if fault in known:
        return known[fault]
    if isinstance(error, StoreUnavailable):
        return "store_away"
    return "failed"


def _has_something_to_lose() -> bool:
    """Return False for data that nobody misses: of the demo, a simulation, or in memory."""
    in_memory = getattr(connection, "is_in_memory_db", None)
    return not (settings.DEMO or settings.SCRATCH or (in_memory is not None and in_memory()))


def _sources(store: Store, at: datetime) -> Sources:
    if isinstance(store.engine, SqliteEngine):
        series, path = partial(vacuum_into, store.engine.path), store.engine.path
    else:
        series, path = partial(_mirrored, store, at), _mirror_path()
    database_bytes = (
        size_bytes(Path(connection.settings_dict["NAME"])) if connection.vendor == "sqlite" else 0
    )
    return Sources(
        series=series, database=copy_database, quiet=_quiet, size_bytes=size_bytes(path) + database_bytes
    )


def _mirror_path() -> Path:
    return folder.folder() / MIRROR


def _follow(store: Store, at: datetime) -> None:
    if not store.wait_until_readable(QUIET_WITHIN_S):
        raise StoreUnavailable("earlier writes are still waiting for the store")
    mirror = SqliteEngine(_mirror_path(), synchronous="NORMAL")
    try:
        follow(store.engine, mirror, list(Site.objects.values_list("pk", flat=True)), int(at.timestamp()))
        mirror.tidy()
    finally:
        mirror.close()


def _mirrored(store: Store, at: datetime, target: Path) -> None:
    _follow(store, at)
    vacuum_into(_mirror_path(), target)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep old rows from being filled in and anything from being derived; live polls go on."""
    with ExitStack() as stack:
        for site in Site.objects.order_by("pk"):
            stack.enter_context(held(f"{MEMORY}-{site.pk}", QUIET_WITHIN_S))
            stack.enter_context(held(f"derive-{site.pk}", QUIET_WITHIN_S))
        yield
