"""The folder of the backups: which there are, and what the last attempt ran into."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from django.conf import settings

from apps.devices.times import parse_time

from .rotation import superseded
from .words import BackupFailed

_NAME = re.compile(r"heatmon-(\d{8}T\d{6}Z)\.zip")
_FAILURE = "backup-failure.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """One archive."""

    path: Path
    made_at: datetime
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """The last attempt, if it failed. ``code``: see ``words``."""

    at: datetime
    code: str


def folder() -> Path:
    """Return the folder of the nightly backups. The one in the data directory is made; another one has to be
    there, so that a disk that is not mounted is noticed. Raises BackupFailed, OSError."""
    path = Path(settings.BACKUP_DIR)
    if path.parent == Path(settings.DATA_DIR):
        path.mkdir(mode=0o700, exist_ok=True)
    elif not path.is_dir():
        raise BackupFailed("not_writable", f"the folder {path} of HEATMON_BACKUP_DIR is not there")
    return path


def name_at(at: datetime) -> str:
    """Return the name of a backup made at ``at``."""
    return f"heatmon-{at.astimezone(UTC):%Y%m%dT%H%M%SZ}.zip"


def backups() -> list[Backup]:
    """Return all backups of the folder, the newest first; none where the folder cannot be read."""
    found = []
    with suppress(OSError):
        for path in Path(settings.BACKUP_DIR).iterdir():
            if (match := _NAME.fullmatch(path.name)) is None:
                continue
            made_at = datetime.strptime(match[1], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
            with suppress(FileNotFoundError):  # deleted since the folder was listed
                found.append(Backup(path=path, made_at=made_at, size_bytes=path.stat().st_size))
    return sorted(found, key=lambda backup: backup.made_at, reverse=True)


def newest() -> Backup | None:
    """Return the newest backup; None where there is none."""
    return next(iter(backups()), None)


def remove_superseded() -> None:
    """Delete what newer backups have made unnecessary."""
    known = backups()
    gone = superseded(backup.made_at for backup in known)
    for backup in known:
        if backup.made_at in gone:
            backup.path.unlink(missing_ok=True)


def failure() -> Failure | None:
    """Return what the last attempt ran into; None where it was good, or there was none."""
    try:
        noted = json.loads((Path(settings.DATA_DIR) / _FAILURE).read_text(encoding="utf-8"))
        at, code = parse_time(noted["at"]), noted["code"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return None if at is None else Failure(at=at, code=str(code))


def note_failure(at: datetime, code: str) -> None:
    """Remember what an attempt ran into; where even that cannot be written, the age of the newest backup
    tells."""
    with suppress(OSError):
        noted = json.dumps({"at": at.isoformat(), "code": code})
        (Path(settings.DATA_DIR) / _FAILURE).write_text(noted, encoding="utf-8")


def forget_failure() -> None:
    """Note a good attempt."""
    (Path(settings.DATA_DIR) / _FAILURE).unlink(missing_ok=True)
