"""What is under way: a backup that somebody asked for, or one that is being made.

One small file in the data directory, so that pages and the process that makes backups see the same. Asking
writes it; taking it up renames it, which needs no room on a full disk.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.conf import settings

from apps.devices.times import parse_time

_ASKED, _RUNNING = "backup-asked", "backup-running"


@dataclass(frozen=True, slots=True, kw_only=True)
class UnderWay:
    """A backup that waits to be made, or (``is_running``) is being made, since a moment."""

    since: datetime | None
    is_running: bool


def ask(at: datetime) -> bool:
    """Ask for a backup; return False if one is under way. Raises OSError where that cannot be written."""
    if _path(_RUNNING).exists():
        return False
    try:
        with _path(_ASKED).open("x", encoding="utf-8") as file:
            file.write(at.isoformat())
    except FileExistsError:
        return False
    return True


def current() -> UnderWay | None:
    """Return what is under way; None if nothing is."""
    for name in (_RUNNING, _ASKED):
        with suppress(OSError):
            since = parse_time(_path(name).read_text(encoding="utf-8"))
            return UnderWay(since=since, is_running=name == _RUNNING)
    return None


def begin(at: datetime) -> None:
    """Note that a backup is being made, the one asked for if there is one."""
    with suppress(OSError):  # the note is for the pages; the backup itself says what it ran into
        try:
            _path(_ASKED).rename(_path(_RUNNING))
        except FileNotFoundError:
            _path(_RUNNING).write_text(at.isoformat(), encoding="utf-8")


def end() -> None:
    """Note that it is over."""
    for name in (_RUNNING, _ASKED):
        with suppress(OSError):
            _path(name).unlink(missing_ok=True)


def _path(name: str) -> Path:
    return Path(settings.DATA_DIR) / name
