"""A real influxd for the tests, where one is found: started on a free port in a scratch folder, and set up
over its API."""

from __future__ import annotations

import atexit
import functools
import shutil
import socket
import subprocess
import tempfile
import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from apps.metrics.store.influxdb.connection import Address

from ..engines import INFLUXD

ORG = "tests"
START_S = 60


@dataclass
class Influxd:
    """A running server. ``token`` may do everything."""

    url: str
    token: str
    process: subprocess.Popen[bytes]
    folder: Path
    command: list[str]

    def go_away(self) -> None:
        """Kill the server; its folder stays."""
        self.process.kill()
        self.process.wait(20)

    def come_back(self) -> None:
        self.process = _run(self.command, self.folder, self.url)

    def new_bucket(self, retention_s: int = 0) -> Address:
        """Make an empty bucket; one that keeps for ever unless told otherwise."""
        name = f"bucket-{uuid.uuid4().hex[:12]}"
        rules = [{"type": "expire", "everySeconds": retention_s}] if retention_s else []
        self.post("/api/v2/buckets", {"orgID": self.org_id(), "name": name, "retentionRules": rules})
        return Address(url=self.url, org=ORG, bucket=name, token=self.token)

    def token_for(self, bucket: str) -> str:
        """Make a token that may read and write one bucket, and nothing else."""
        found = self.get("/api/v2/buckets", name=bucket)["buckets"][0]["id"]
        resource = {"type": "buckets", "id": found, "orgID": self.org_id()}
        permissions = [{"action": action, "resource": resource} for action in ("read", "write")]
        made = self.post("/api/v2/authorizations", {"orgID": self.org_id(), "permissions": permissions})
        return str(made["token"])

    def org_id(self) -> str:
        return self.get("/api/v2/orgs", org=ORG)["orgs"][0]["id"]

    def post(self, path: str, content: dict[str, Any]) -> dict[str, Any]:
        answer = requests.post(
            self.url + path, json=content, headers={"Authorization": f"Token {self.token}"}, timeout=30
        )
        answer.raise_for_status()
        made: dict[str, Any] = answer.json()
        return made

    def get(self, path: str, **parameters: str) -> dict[str, list[dict[str, str]]]:
        answer = requests.get(
            self.url + path, params=parameters, headers={"Authorization": f"Token {self.token}"}, timeout=30
        )
        answer.raise_for_status()
        found: dict[str, list[dict[str, str]]] = answer.json()
        return found

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(20)
        shutil.rmtree(self.folder, ignore_errors=True)


@functools.lru_cache(maxsize=1)
def influxd() -> Influxd:
    """Return the test process's server, started at the first call."""
    assert INFLUXD is not None and Path(INFLUXD).is_file(), f"no influxd is found at {INFLUXD}"
    started = start(INFLUXD)
    atexit.register(started.stop)
    return started


def start(path: str, *flags: str) -> Influxd:
    """Start a server of its own."""
    folder = Path(tempfile.mkdtemp(prefix="influxd-"))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        path,
        f"--http-bind-address=127.0.0.1:{port}",
        f"--bolt-path={folder / 'influxd.bolt'}",
        f"--sqlite-path={folder / 'influxd.sqlite'}",
        f"--engine-path={folder / 'engine'}",
        "--reporting-disabled",
        "--log-level=error",
        *flags,
    ]
    url = f"http://127.0.0.1:{port}"
    process = _run(command, folder, url)
    token = uuid.uuid4().hex
    requests.post(
        f"{url}/api/v2/setup",
        json={
            "username": "tests",
            "password": uuid.uuid4().hex,
            "org": ORG,
            "bucket": "first",
            "token": token,
        },
        timeout=30,
    ).raise_for_status()
    return Influxd(url, token, process, folder, command)


def _run(command: list[str], folder: Path, url: str) -> subprocess.Popen[bytes]:
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env={"HOME": str(folder), "PATH": "/bin"})
    until = time.monotonic() + START_S
    while not _answers(url):
        assert process.poll() is None and time.monotonic() < until, (folder / "log").read_text()
        time.sleep(0.05)
    return process


def _answers(url: str) -> bool:
    try:
        return requests.get(f"{url}/health", timeout=2).status_code == 200
    except requests.ConnectionError:
        return False
