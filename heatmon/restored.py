"""Puts restored databases in their place, at the start of any process and before one of them is opened.

``restore`` unpacks and checks a backup in a folder of its own and renames that to ``restored``: from that
moment on, which is one rename, the backup is the home. What is left, moving the old files aside and the new
ones into their place, can be interrupted anywhere and is done to its end by whoever starts next.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from pathlib import Path

from apps.devices.durable import sync_folder

PENDING = "restored"
ASIDE = "aside"
FILES = ("heatmon.sqlite3", "timeseries.sqlite3")
_BESIDE = ("-wal", "-shm", "-journal", "")


def finish_restore(data_dir: Path) -> None:
    """Finish what a ``restore`` has begun; costs one look where nothing was."""
    pending = data_dir / PENDING
    if not pending.is_dir():
        return
    lock = os.open(data_dir / "restore.lock", os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if pending.is_dir():  # no other process has done it meanwhile
            _put_in_place(data_dir, pending)
    finally:
        os.close(lock)


def _put_in_place(data_dir: Path, pending: Path) -> None:
    aside = data_dir / (pending / ASIDE).read_text(encoding="utf-8")
    aside.mkdir(mode=0o700, exist_ok=True)
    for name in FILES:
        if not (pending / name).exists():
            continue  # moved before an interruption
        for end in _BESIDE:  # the file itself last: without it, what lies beside it means nothing
            if (data_dir / f"{name}{end}").exists():
                os.replace(data_dir / f"{name}{end}", aside / f"{name}{end}")
        os.replace(pending / name, data_dir / name)
    for folder in (aside, data_dir):
        sync_folder(folder)
    shutil.rmtree(pending)
    if not any(aside.iterdir()):
        aside.rmdir()
