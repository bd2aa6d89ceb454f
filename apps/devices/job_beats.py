"""When each background job was last done, told across processes: a file each in DATA_DIR/jobs, whose time of
change says when. Nothing is synced to the disk: after a power cut the next turn says it again.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from pathlib import Path

from django.conf import settings

_expected: dict[str, float] = {}
_expected_since = 0.0
_lock = threading.Lock()


def note_done(job: str) -> None:
    """Note that a turn of ``job`` was done now."""
    touch(_folder() / job)


def touch(path: Path) -> None:
    """Set the file's time of change to now."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        os.utime(descriptor)
    finally:
        os.close(descriptor)


def done_at() -> dict[str, float]:
    """Return job name → when it was last done [epoch s]."""
    return {path.name: path.stat().st_mtime for path in _folder().iterdir()}


def late(done: Mapping[str, float], late_after_s: Mapping[str, float], since: float, now: float) -> list[str]:
    """Return the jobs of ``late_after_s`` that were not done for so long, at ``now``.

    Times are epoch seconds; the jobs are watched from ``since`` on. A time in the future was noted before the
    clock was set back, and says nothing.
    """
    last = {job: at for job, at in done.items() if at <= now}
    return sorted(
        job for job, allowed_s in late_after_s.items() if now - max(last.get(job, since), since) > allowed_s
    )


def expect(late_after_s: Mapping[str, float], since: float) -> None:
    """Say which jobs other processes do, and how long after its last turn each is late; they are watched from
    ``since`` on [epoch s]."""
    global _expected_since
    with _lock:
        _expected.clear()
        _expected.update(late_after_s)
        _expected_since = since


def late_jobs(now: float) -> list[str]:
    """Return the names of the expected jobs that are late."""
    with _lock:
        expected, since = dict(_expected), _expected_since
    return late(done_at(), expected, since, now) if expected else []


def _folder() -> Path:
    folder = Path(settings.DATA_DIR) / "jobs"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder
