"""The bench's web process: heatmon's pages and API on a store of years, beside a bare "ok".

Started by ``bench.web`` with HEATMON_DATA_DIR set; its clock stands still where the made history ends.
Prints one JSON line with port and session cookie, then serves on loopback until its standard input
closes. Under /bench/: ``ok`` (bare WSGI), ``polls`` (stores live rows and tells how long each took),
``memory``.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

THREADS = 4
POLL_S = 10


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "heatmon.settings")
    from django.core.management import call_command
    from waitress.server import create_server

    from apps.devices import clock
    from heatmon.wsgi import application

    from .generate import END

    call_command("migrate", verbosity=0, interactive=False)
    cookie = _signed_in_cookie()
    server = create_server(_with_bench_addresses(application), host="127.0.0.1", port=0, threads=THREADS)
    sys.stdout.write(json.dumps({"port": server.effective_port, "cookie": cookie}) + "\n")
    sys.stdout.flush()
    threading.Thread(target=server.run, daemon=True).start()
    with clock.fixed(datetime.fromtimestamp(END, UTC)):
        sys.stdin.read()


def _signed_in_cookie() -> str:
    from django.conf import settings
    from django.contrib.auth import get_user_model
    from django.test import Client

    from apps.devices.options import default_site
    from apps.metrics.models import DerivedState

    DerivedState.objects.create(site=default_site(), version=1)
    user = get_user_model().objects.create_user("bench")
    client = Client()
    client.force_login(user)
    return f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"


Application = Callable[["WSGIEnvironment", "StartResponse"], Iterable[bytes]]


def _with_bench_addresses(heatmon: Application) -> Application:
    own: dict[str, Callable[[dict[str, list[str]]], Any]] = {
        "/bench/ok": lambda query: "ok",
        "/bench/polls": _polls,
        "/bench/memory": lambda query: pss_kib(),
    }

    def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        answer = own.get(environ["PATH_INFO"])
        if answer is None:
            return heatmon(environ, start_response)
        body = json.dumps(answer(parse_qs(environ["QUERY_STRING"]))).encode()
        start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
        return [body]

    return application


def _polls(query: dict[str, list[str]]) -> list[float]:
    """Store ``count`` meter rows from ``start`` on, one a transaction; how long each took [ms]."""
    from apps.metrics.apps import default_store
    from apps.metrics.store.base import Row

    store = default_store()
    start, count = int(query["start"][0]), int(query["count"][0])
    durations_ms = []
    for index in range(count):
        values: dict[str, float | None] = {
            "power_w": 780.0 + 3 * (index % 50),
            "energy_counter_wh": 50_000_000.0 + index,
            **{f"power_{phase}_w": 260.0 + index % 50 for phase in "abc"},
            **{f"voltage_{phase}_v": 230.5 for phase in "abc"},
            **{f"current_{phase}_a": 1.15 for phase in "abc"},
        }
        row = Row(site=1, measurement="meter", device="BENCH", at=start + POLL_S * index, values=values)
        begun = time.perf_counter()
        store.write([row])
        durations_ms.append((time.perf_counter() - begun) * 1000)
    return durations_ms


def pss_kib() -> int:
    """Return the proportional set size of this process."""
    for line in Path("/proc/self/smaps_rollup").read_text(encoding="ascii").splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1])
    raise OSError("the kernel does not report the proportional set size")


if __name__ == "__main__":
    main()
