"""gunicorn's worker for heatmon: gunicorn starts, watches and replaces it, waitress serves within limits.

gunicorn's own threads read requests: as many half-sent ones as there are threads stop all pages.
"""

from __future__ import annotations

import os
from typing import Any

from gunicorn.workers.base import Worker
from waitress import wasyncore


class LimitedWorker(Worker):  # type: ignore[misc]
    """Serves ``self.sockets`` until told to stop; answers under way are finished first."""

    def run(self) -> None:
        from django.conf import settings  # gunicorn's own process knows nothing of Django

        from .web_limits import listeners

        loop: dict[int, Any] = {}
        found = listeners(
            self.wsgi,
            loop,
            threads=self.cfg.threads,
            shared_client=settings.HEATMON.trusted_proxy,
            sockets=[one.sock for one in self.sockets],
        )
        while self.alive and self.ppid == os.getppid():
            self.notify()
            wasyncore.loop(timeout=1.0, use_poll=True, map=loop, count=1)
        for listener in found:
            listener.accepting = False
        found[0].task_dispatcher.shutdown(timeout=self.cfg.graceful_timeout)
        wasyncore.loop(timeout=0.1, use_poll=True, map=loop, count=5)
