"""What the services of one container or machine leave for their health checks: files in a temporary folder,
whose time of change says when something was last done.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from apps.devices.job_beats import touch

FOLDER = Path(tempfile.gettempdir()) / "heatmon"
BEAT_SENT = FOLDER / "beat-sent"
WORKER_HEALTHY = FOLDER / "worker-healthy"
WORKER_LATE = FOLDER / "worker-late"


def woken(group: str) -> Path:
    """Return the file that a worker process changes when a task of its group ends."""
    return FOLDER / f"woken-{group}"


def note(path: Path) -> None:
    """Set the file's time of change to now."""
    FOLDER.mkdir(mode=0o700, exist_ok=True)
    touch(path)


def noted_at(path: Path) -> float | None:
    """Return when it was last noted [epoch s], None if never."""
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return None
