"""Stands in for the entry point of the public InfluxDB image: sets a new server up from the same variables,
then serves. Without an influxd it serves the tests' own stand-in, which keeps everything in memory.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import threading
import time
import urllib.error
import urllib.request
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

FOLDER = Path("/var/lib/influxdb2")
PORT, SETUP_PORT = 8086, 9999


def given(name: str) -> str:
    value = os.environ.get(f"DOCKER_INFLUXDB_INIT_{name}", "")
    file = os.environ.get(f"DOCKER_INFLUXDB_INIT_{name}_FILE", "")
    return value or Path(file).read_text(encoding="utf-8").strip()


def command(port: int) -> list[str]:
    return [
        *("influxd", f"--http-bind-address=:{port}", f"--engine-path={FOLDER}/engine"),
        *(f"--bolt-path={FOLDER}/influxd.bolt", f"--sqlite-path={FOLDER}/influxd.sqlite"),
    ]


def ask(port: int, path: str, content: dict[str, Any] | None = None) -> bool:
    body = None if content is None else json.dumps(content).encode()
    try:
        urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", body, timeout=10).close()
    except urllib.error.HTTPError:
        raise
    except OSError:
        return False
    return True


def set_up() -> None:
    server = subprocess.Popen(command(SETUP_PORT))
    while not ask(SETUP_PORT, "/health"):
        time.sleep(0.2)
    names = ("username", "password", "org", "bucket")
    content = {name: given(name.upper()) for name in names} | {"token": given("ADMIN_TOKEN")}
    assert ask(SETUP_PORT, "/api/v2/setup", content)
    server.terminate()
    server.wait()


def stand_in() -> None:
    from tests.metrics.store.influxdb import standin

    standin.ORG, standin.TOKEN = given("ORG"), given("ADMIN_TOKEN")
    server = standin.StandIn()
    made = server.new_bucket().bucket
    server.buckets[given("BUCKET")] = server.buckets.pop(made)
    server.retention_s[given("BUCKET")] = server.retention_s.pop(made)
    handler = type("Handler", (standin._Handler,), {"standin": server})
    http = ThreadingHTTPServer(("0.0.0.0", PORT), handler)  # noqa: S104
    signal.signal(signal.SIGTERM, lambda *_told: threading.Thread(target=http.shutdown).start())
    http.serve_forever(0.05)


if __name__ == "__main__":
    if shutil.which("influxd") is None:
        stand_in()
    else:
        if not (FOLDER / "influxd.bolt").exists():
            set_up()
        os.execvp("influxd", command(PORT))
