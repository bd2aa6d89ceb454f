"""What pages show of the backups: which there are, what is under way, and why the last one failed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings

from apps.backups import folder, under_way
from apps.backups.folder import Backup
from apps.backups.under_way import UnderWay
from apps.backups.words import sentence

OLD = timedelta(hours=36)
BEGINS_WITHIN = timedelta(minutes=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Backups:
    """The backups as they are at a moment, the newest first.

    ``is_stuck``: one was asked for, and nobody takes it up. ``fault``: what the last attempt ran into, empty
    if it was good; ``made``: the one that somebody waited for.
    """

    known: list[Backup]
    folder: Path
    is_old: bool
    under_way: UnderWay | None
    is_stuck: bool
    fault: str
    failed_at: datetime | None
    made: Backup | None

    @property
    def newest(self) -> Backup | None:
        return self.known[0] if self.known else None

    @property
    def size_bytes(self) -> int:
        return sum(backup.size_bytes for backup in self.known)


def backups_at(at: datetime, waited_since: datetime | None = None) -> Backups:
    """Return what is known of the backups; ``waited_since``: when the one was asked for that a page waits
    for."""
    known, now, failure = folder.backups(), under_way.current(), folder.failure()
    newest = known[0] if known else None
    waits = now is not None and not now.is_running
    made = newest if now is None and newest and waited_since and newest.made_at >= waited_since else None
    return Backups(
        known=known,
        folder=Path(settings.BACKUP_DIR),
        is_old=newest is not None and at - newest.made_at > OLD,
        under_way=now,
        is_stuck=waits and now is not None and now.since is not None and at - now.since > BEGINS_WITHIN,
        fault=sentence(failure.code) if failure else "",
        failed_at=failure.at if failure else None,
        made=made,
    )
