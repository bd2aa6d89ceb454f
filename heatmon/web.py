"""The embedded web server: waitress in a thread of this process."""

from __future__ import annotations

import logging
import threading
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError
from waitress import wasyncore
from waitress.channel import HTTPChannel
from waitress.server import BaseWSGIServer, create_server

log = logging.getLogger(__name__)


class WebServer:
    """Serves heatmon on ``host`` and ``port`` (0: any free one) until ``stop()``."""

    def __init__(self, host: str, port: int, *, threads: int = 6, application: Any = None) -> None:
        if application is None:
            from .wsgi import application

        proxy = settings.HEATMON.trusted_proxy
        trust = {
            "trusted_proxy": proxy,
            "trusted_proxy_headers": {"x-forwarded-for", "x-forwarded-proto", "x-forwarded-host"},
            "trusted_proxy_count": 1,
        }
        self._sockets: dict[int, Any] = {}
        try:
            self._server: Any = create_server(
                application,
                self._sockets,
                host=host,
                port=port,
                threads=threads,
                ident="heatmon",
                clear_untrusted_proxy_headers=True,
                **(trust if proxy else {}),
            )
        except OSError as error:
            raise CommandError(
                f"Cannot listen on {host}:{port}: {error.strerror}. "
                "Choose another address with --bind or HEATMON_BIND."
            ) from error
        # A name like localhost may stand for two addresses, each with a listener of its own.
        self._listener = next(one for one in self._sockets.values() if isinstance(one, BaseWSGIServer))
        names = settings.HEATMON.allowed_hosts or ("127.0.0.1",)
        shown = names[0] if host in {"0.0.0.0", "::"} else host  # noqa: S104
        shown = f"[{shown}]" if ":" in shown else shown
        self.address = f"http://{shown}:{self._listener.effective_port}/"
        self._thread = threading.Thread(target=self._server.run, name="web", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self, within_s: float = 3.0) -> None:
        """Finish the answers under way, then close everything.

        waitress wakes its loop through a pipe that it knows by number. Closed while a thread still answers,
        the thread's byte would land in whatever file has the number by then: a database. So the threads
        end first, and the loop closes the pipe itself. With a thread that does not end it stays open.
        """
        self._server.task_dispatcher.shutdown(timeout=within_s)
        if self._server.task_dispatcher.threads:
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
