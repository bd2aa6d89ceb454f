"""The embedded web server: waitress in a thread of this process."""

from __future__ import annotations

import threading
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError
from waitress.server import create_server


class WebServer:
    """Serves heatmon on ``host`` and ``port`` (0: any free one) until ``stop()``."""

    def __init__(self, host: str, port: int, *, threads: int = 6) -> None:
        from .wsgi import application

        proxy = settings.HEATMON.trusted_proxy
        trust = {
            "trusted_proxy": proxy,
            "trusted_proxy_headers": {"x-forwarded-for", "x-forwarded-proto", "x-forwarded-host"},
            "trusted_proxy_count": 1,
        }
        try:
            self._server: Any = create_server(
                application,
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
                "Choose another with --bind or HEATMON_BIND."
            ) from error
        names = settings.HEATMON.allowed_hosts or ("127.0.0.1",)
        shown = names[0] if host in {"0.0.0.0", "::"} else host  # noqa: S104
        self.address = f"http://{f'[{shown}]' if ':' in shown else shown}:{self._server.effective_port}/"
        self._thread = threading.Thread(target=self._server.run, name="web", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._server.close()
        self._thread.join(5)
