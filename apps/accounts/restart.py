"""How a page asks the embedded runner to start again, out of the demo and with the real data."""

from __future__ import annotations

import threading

restart_requested = threading.Event()


def request_restart() -> None:
    """Wake the runner, which watches ``restart_requested`` and restarts itself."""
    restart_requested.set()
