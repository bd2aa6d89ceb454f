"""Named points inside of work that must survive a kill: a test lets the process die there.

``HEATMON_CRASH=name`` or ``name:3`` (the third time it is passed) does so, beside ``HEATMON_TESTING`` only.
"""

from __future__ import annotations

import os
import signal

POINTS = (
    "store.write",
    "store.written",
    "checkpoint",
    "checkpointed",
    "migration",
    "backup",
    "login.renewed",
    "ledger.charged",
    "ledger.answered",
    "answer.kept",
)

_wanted, _, _time = (
    os.environ.get("HEATMON_CRASH", "") if os.environ.get("HEATMON_TESTING") else ""
).partition(":")
_left = int(_time or 1)


def reached(point: str) -> None:
    """Let the process be killed here if the environment says so."""
    global _left
    if point == _wanted:
        _left -= 1
        if _left <= 0:
            os.kill(os.getpid(), signal.SIGKILL)
