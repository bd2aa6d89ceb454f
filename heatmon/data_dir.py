"""The data directory at start: there, writable where something is to be made, and closed to others."""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path

OURS = ("secret.key", "heatmon.sqlite3", "timeseries.sqlite3", "setup-code.json", "demo")


class DataDirUnusable(Exception):
    """``str`` completes the sentence "HEATMON_DATA_DIR …"."""


def make(path: Path) -> None:
    """Make the directory with mode 0700; one that is open to others is closed to them if it is heatmon's own.

    Raises DataDirUnusable.
    """
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = path.stat()
        if not stat.S_IMODE(found.st_mode) & 0o077:
            return
        names = os.listdir(path)
        if found.st_uid == os.geteuid() and (not names or any(name in OURS for name in names)):
            path.chmod(0o700)
            return
    except OSError as error:
        raise DataDirUnusable(f"cannot be used: {path}: {error.strerror}") from error
    raise DataDirUnusable(
        f"is open to others: {path}; choose a folder of heatmon's own, or close it with chmod 700"
    )


def secret_key(path: Path) -> str:
    """Return the key in the file, made on first use. Raises DataDirUnusable."""
    try:
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(50))
    except FileExistsError:
        pass
    except OSError as error:
        raise DataDirUnusable(f"cannot be written: {path.parent}: {error.strerror}") from error
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise DataDirUnusable(f"has a key that cannot be read: {path}") from error
