"""The demo as the main process sees it: simulated devices in a child process, polled like real ones.

The child (``demo_devices``) serves a simulated meter and cloud on loopback and writes 400 days of raw
history beside the live polls, newest days first. It exits when its stdin is closed.
"""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.conf import settings

from apps.devices.models import Site
from apps.metrics.store.front import Store

from ..collection import Collection
from ..progress import Progress

log = logging.getLogger(__name__)


class DemoFailed(Exception):
    """The simulated devices did not start."""


class Demo:
    """Starts and ends the child, and returns the collection that polls it."""

    def __init__(self, site: Site, store: Store) -> None:
        self._site = site
        self._store = store
        self._child: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Start the child; it says its addresses when it is ready."""
        # The simulated cloud of the last start is gone, and the login with it.
        Path(settings.TOKEN_PATH).unlink(missing_ok=True)
        environ = {**os.environ, "HEATMON_DEMO": "1"}
        self._child = subprocess.Popen(  # noqa: S603
            [sys.executable, sys.argv[0], "demo_devices"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environ,
            start_new_session=True,  # Ctrl-C is for the main process, which then ends the child
        )

    def collection(self) -> Collection:
        """Wait for the simulated devices. Raises DemoFailed if the child ends instead."""
        assert self._child is not None and self._child.stdout is not None
        line = self._child.stdout.readline()
        if not line:
            raise DemoFailed("the simulated devices did not start; see the messages above")
        ready = json.loads(line)
        threading.Thread(target=self._follow, name="demo", daemon=True).start()
        return Collection(
            self._site,
            self._store,
            clock=lambda: datetime.now(UTC),
            cloud=(ready["api_url"], ready["iam_url"]),
            own_addresses=True,
        )

    def _follow(self) -> None:
        """Show how far the history is."""
        assert self._child is not None and self._child.stdout is not None
        progress: Progress | None = None
        for line in self._child.stdout:
            message: dict[str, Any] = json.loads(line)
            if "days" in message:
                progress = Progress(message["days"], "history of the simulated house")
            elif "done" in message and progress is not None:
                progress.advance(message["done"])
            elif "seconds" in message:
                log.info("the simulated history is complete (%.0f s)", message["seconds"])
        if progress is not None:
            progress.close()

    def ask_to_end(self) -> None:
        """Close the child's standard input: it ends by itself."""
        if self._child is not None and self._child.stdin is not None:
            self._child.stdin.close()

    def stop(self, within_s: float = 1.0) -> None:
        """Wait for the child's end, and end it where it does not."""
        if self._child is None:
            return
        self.ask_to_end()
        try:
            self._child.wait(within_s)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()
