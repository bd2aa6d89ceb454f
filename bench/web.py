"""Requests to a web process of the bench over one loopback connection that stays open."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent


class Web:
    """A signed-in reader of the bench's web process."""

    def __init__(self, port: int, cookie: str) -> None:
        self._port = port
        self._cookie = cookie
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)

    def another(self) -> Web:
        """Return a reader with a connection of its own, for another thread."""
        return Web(self._port, self._cookie)

    def get(self, path: str) -> tuple[int, bytes]:
        self._connection.request("GET", path, headers={"Cookie": self._cookie})
        response = self._connection.getresponse()
        return response.status, response.read()

    def json(self, path: str) -> Any:
        status, body = self.get(path)
        if status != 200:
            raise RuntimeError(f"{path} answered {status}: {body[:200]!r}")
        return json.loads(body)

    def close(self) -> None:
        self._connection.close()


@contextmanager
def web_process(store: Path, folder: Path) -> Iterator[Web]:
    """Run heatmon's web server in a process of its own, on a copy of ``store``."""
    folder.mkdir(mode=0o700)
    shutil.copyfile(store, folder / "timeseries.sqlite3")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HEATMON_")}
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.server"],
        cwd=ROOT,
        env={**kept, "HEATMON_TESTING": "1", "HEATMON_DATA_DIR": str(folder)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None and process.stdout is not None
    try:
        line = process.stdout.readline()
        if not line:
            raise RuntimeError("the web process of the bench did not start; see its message above")
        web = Web(**json.loads(line))
        yield web
        web.close()
    finally:
        process.stdin.close()
        process.wait(timeout=30)
        process.stdout.close()
