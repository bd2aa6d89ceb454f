"""heatmon's services as real processes, with a Redis and a simulated house of their own."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import requests

ROOT = Path(__file__).resolve().parents[2]
LONGEST_WAIT_S = 90.0
OWNER, PASSWORD = "anna", "brine-and-copper-42"
MAKE_OWNER = (
    "from django.contrib.auth import get_user_model as u;"
    f"u().objects.create_superuser({OWNER!r}, password={PASSWORD!r})"
)


def tell(figure: str) -> None:
    """Print a line for whoever reads the run."""
    sys.stdout.write(f"\n{figure}\n")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def environment(**options: str) -> dict[str, str]:
    """Return the environment for a process of heatmon's, with no other options than these."""
    kept = {name: text for name, text in os.environ.items() if not name.startswith("HEATMON_")}
    return {**kept, "HEATMON_TESTING": "1", **options}


def answers(address: str, within_s: float) -> bool:
    """Return whether there is a page."""
    with suppress(requests.RequestException):
        return requests.get(address, timeout=within_s).status_code == 200
    return False


def wait_for(condition: Callable[[], Any], within_s: float = LONGEST_WAIT_S, what: str = "") -> Any:
    """Return what ``condition`` returns as soon as that is true. Raises AssertionError after ``within_s``."""
    deadline = time.monotonic() + within_s
    while not (got := condition()):
        assert time.monotonic() < deadline, f"not within {within_s:.0f} s: {what or condition}"
        time.sleep(0.05)
    return got


class Services:
    """Processes by name, with their logs in ``folder``. ``close`` ends them all."""

    def __init__(self, folder: Path, redis_arguments: tuple[str, ...] = ()) -> None:
        self.folder = folder
        self.redis_arguments = redis_arguments
        self.redis_port, self.meter_port, self.cloud_port = free_port(), free_port(), free_port()
        self.running: dict[str, subprocess.Popen[bytes]] = {}

    def environment(self, name: str) -> dict[str, str]:
        own = self.folder / name
        own.mkdir(exist_ok=True)
        cloud = f"http://127.0.0.1:{self.cloud_port}"
        return environment(
            TMPDIR=str(own),
            PYTHONPATH=str(ROOT),
            HEATMON_DATA_DIR=str(self.folder / "data"),
            HEATMON_REDIS_URL=f"redis://127.0.0.1:{self.redis_port}/0",
            HEATMON_SHELLY_URL=f"http://127.0.0.1:{self.meter_port}",
            HEATMON_VIESSMANN_API_URL=f"{cloud}/iot/v2",
            HEATMON_VIESSMANN_IAM_URL=f"{cloud}/idp/v3",
            HEATMON_VIESSMANN_USER="owner@example.com",
            HEATMON_VIESSMANN_PASSWORD="heat-pump-password",
            HEATMON_VIESSMANN_CLIENT_ID="simulated-client",
        )

    def start(self, name: str, *command: str, **more: str) -> subprocess.Popen[bytes]:
        with (self.folder / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                command,
                cwd=ROOT,
                env=self.environment(name) | more,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.running[name] = process
        return process

    def start_redis(self) -> None:
        server = shutil.which("redis-server") or ""
        port = str(self.redis_port)
        self.start(
            *("redis", server, "--port", port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"),
            *self.redis_arguments,
        )
        wait_for(lambda: self.redis("PING") == "+PONG", 10, "Redis answers")

    def start_devices(self) -> None:
        ports = (str(self.meter_port), str(self.cloud_port))
        self.start("devices", sys.executable, "-m", "tests.production.devices", "127.0.0.1", *ports)
        wait_for(lambda: self.control() is not None, 20, "the devices answer")

    def start_embedded(self, bind: str, **more: str) -> subprocess.Popen[bytes]:
        """Start ``up``, which also polls."""
        return self.start(
            "up", sys.executable, "manage.py", "up", "--bind", bind, HEATMON_REDIS_URL="", **more
        )

    def start_worker(self, name: str = "worker") -> None:
        self.start(name, sys.executable, "-m", "heatmon.worker")

    def start_beat(self, name: str = "beat") -> None:
        self.start(
            *(name, sys.executable, "-m", "celery", "-A", "heatmon", "beat"),
            *("--loglevel", "WARNING", "--pidfile="),
        )

    def start_all(self) -> None:
        self.start_redis()
        self.start_devices()
        self.manage("setup_code")
        self.start_worker()
        self.start_beat()
        wait_for(self.polls, 60, "the first poll")

    def manage(self, *arguments: str) -> str:
        command = [sys.executable, "manage.py", *arguments]
        done = subprocess.run(
            command, cwd=ROOT, env=self.environment("manage"), capture_output=True, text=True, check=True
        )
        return done.stdout

    def make_owner(self) -> None:
        self.manage("shell", "--no-imports", "-c", MAKE_OWNER)

    def redis(self, *words: str) -> str:
        """Send one command to Redis; return the first line of its answer, empty if there is none."""
        request = f"*{len(words)}\r\n" + "".join(f"${len(word)}\r\n{word}\r\n" for word in words)
        try:
            with socket.create_connection(("127.0.0.1", self.redis_port), 5) as connection:
                connection.sendall(request.encode())
                return connection.recv(4096).decode().partition("\r\n")[0]
        except OSError:
            return ""

    def control(self, query: str = "") -> dict[str, Any] | None:
        try:
            with urllib.request.urlopen(
                f"http://127.0.0.1:{self.meter_port}/control{query}", timeout=5
            ) as answer:
                return dict(json.load(answer))
        except OSError:
            return None

    def polls(self) -> list[float]:
        """Return the times of the meter's live polls [epoch s]. Other requests for its state come around
        second five."""
        return [at for at in (self.control() or {"polls": []})["polls"] if at % 10 < 4]

    def polled_after(self, moment: float, within_s: float = LONGEST_WAIT_S) -> float:
        """Wait for a poll after ``moment``; return how long after it came [s]."""

        def later() -> list[float]:
            return [at for at in self.polls() if at > moment]

        return float(wait_for(later, within_s, "a poll")[0]) - moment

    def log(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text(encoding="utf-8", errors="replace")

    def children(self, name: str) -> list[int]:
        """Return the ids of all processes below the service ``name``."""
        return self_and_children(self.running[name].pid)[1:]

    def end(self, name: str, number: signal.Signals = signal.SIGTERM, within_s: float = 15.0) -> float:
        """End a service; return how long it took [s]."""
        process = self.running.pop(name)
        began = time.monotonic()
        if number == signal.SIGKILL:
            kill_all(self_and_children(process.pid))
        else:
            process.send_signal(number)
        try:
            process.wait(within_s)
        finally:
            kill_all(self_and_children(process.pid))
        return time.monotonic() - began

    def close(self) -> None:
        for name in reversed(list(self.running)):
            self.end(name)


def self_and_children(pid: int) -> list[int]:
    found = [pid]
    for one in found:
        for task in Path(f"/proc/{one}/task").glob("*/children"):
            found += [int(child) for child in task.read_text().split()]
    return found


def kill_all(pids: list[int]) -> None:
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
