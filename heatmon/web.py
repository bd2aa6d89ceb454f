"""The embedded web server: waitress in a thread of this process."""

from __future__ import annotations

import logging
import threading
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError
from waitress import wasyncore
from waitress.channel import HTTPChannel

from .web_limits import listeners

log = logging.getLogger(__name__)


class WebServer:
    """Serves heatmon on ``host`` and ``port`` (0: any free one) until ``stop()``."""

    def __init__(self, host: str, port: int, *, threads: int = 6, application: Any = None) -> None:
        if application is None:
            from .wsgi import application

        self._sockets: dict[int, Any] = {}
        try:
            found = listeners(
                application,
                self._sockets,
                threads=threads,
                shared_client=settings.HEATMON.trusted_proxy,
                host=host,
                port=port,
            )
        except OSError as error:
            raise CommandError(
                f"Cannot listen on {host}:{port}: {error.strerror}. "
                "Choose another address with --bind or HEATMON_BIND."
            ) from error
        # A name like localhost may stand for two addresses, each with a listener of its own.
        self._listener = found[0]
        names = settings.HEATMON.allowed_hosts or ("127.0.0.1",)
        shown = names[0] if host in {"0.0.0.0", "::"} else host  # noqa: S104
        shown = f"[{shown}]" if ":" in shown else shown
        self.address = f"http://{shown}:{self._listener.effective_port}/"
        self._thread = threading.Thread(target=self._run, name="web", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def _run(self) -> None:
        wasyncore.loop(timeout=1.0, use_poll=True, map=self._sockets)

    def stop(self, within_s: float = 3.0) -> None:
        """Finish the answers under way, then close everything.

        waitress wakes its loop through a pipe that it knows by number. Closed while a thread still answers,
        the thread's byte would land in whatever file has the number by then: a database. So the threads
        end first, and the loop closes the pipe itself. With a thread that does not end it stays open.
        """
        self._listener.task_dispatcher.shutdown(timeout=within_s)
        if self._listener.task_dispatcher.threads:
            log.warning("a page request timed out")
            return
        pulled = threading.Event()
        try:
            self._listener.trigger.pull_trigger(lambda: self._close(pulled))
        finally:
            pulled.set()
        self._thread.join(1)

    def _close(self, pulled: threading.Event) -> None:
        """Send what the sockets take at once, and close them. Runs in the loop's own thread.

        Something else may have woken the loop: the byte of ``stop`` must be in the pipe before that closes.
        """
        pulled.wait()
        for channel in list(self._sockets.values()):
            if isinstance(channel, HTTPChannel):
                channel.handle_write()
        wasyncore.close_all(self._sockets, ignore_all=True)
