"""Locks that hold across threads and processes: one file each in DATA_DIR/locks, held by ``flock``.

The kernel frees a lock when its holder ends, however that happens; the files stay and mean nothing.
"""

from __future__ import annotations

import fcntl
import os
import re
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from django.conf import settings

RETRY_S = 0.02


class LockHeld(Exception):
    """Someone else holds the lock and did not let go in time."""


@contextmanager
def held(name: str, wait_s: float = 0.0) -> Iterator[None]:
    """Hold the lock ``name`` (letters, digits, ``._-``), waiting ``wait_s`` for it at most.

    Not reentrant. Whoever waits comes before one who lets go and asks again at once: a long work in short
    pieces lets others in between. Raises LockHeld.
    """
    if not re.fullmatch(r"[\w.-]+", name, re.ASCII) or name.startswith("."):
        raise ValueError(f"{name!r} is not a valid lock name")
    folder = Path(settings.DATA_DIR) / "locks"
    folder.mkdir(mode=0o700, exist_ok=True)
    until = time.monotonic() + wait_s
    with ExitStack() as stack:
        with _locked(folder / f"{name}.next", until, name):
            stack.enter_context(_locked(folder / name, until, name))
        yield


@contextmanager
def _locked(path: Path, until: float, name: str) -> Iterator[None]:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        while not _taken(descriptor):
            if time.monotonic() >= until:
                raise LockHeld(f"the lock {name} is held by another process")
            time.sleep(RETRY_S)
        yield
    finally:
        os.close(descriptor)


def _taken(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
