"""Whether this process's own loops are on time.

A loop says how long it may take until it speaks again; ``/healthz`` asks who is late. Times are those
of a monotonic clock, so a stepped wall clock raises no alarm.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping

_deadlines: dict[str, float] = {}
_lock = threading.Lock()


def promise(loop: str, deadline: float) -> None:
    """Promise that ``loop`` reports again before ``deadline`` (monotonic seconds)."""
    with _lock:
        _deadlines[loop] = deadline


def leave(loop: str) -> None:
    """Take ``loop`` off the list: it ended as it should."""
    with _lock:
        _deadlines.pop(loop, None)


def late_loops(monotonic: float) -> list[str]:
    """Return the names of loops whose deadline has passed."""
    with _lock:
        deadlines: Mapping[str, float] = dict(_deadlines)
    return sorted(name for name, deadline in deadlines.items() if deadline < monotonic)
