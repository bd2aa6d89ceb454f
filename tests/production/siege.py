"""Half-open, dripping and oversized requests from one neighbour, for a minute, against each server.

Told is how long others wait for their pages, which polls are missed, and what disk and memory grow by.

make siege SECONDS=60
"""

from __future__ import annotations

import contextlib
import random
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from .processes import Services, answers, free_port, self_and_children, tell, wait_for

ATTACKER = "127.0.0.66"  # on Linux all of 127.0.0.0/8 is this machine
PAGE_WITHIN_S = 2.0
PERIOD_S = 10
MEMORY_GROWTH_MB = 60
DISK_GROWTH_MB = 20
HEAD = b"POST /login HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-www-form-urlencoded\r\n"
COUNTS = {"nothing": 130, "half a head": 20, "a dripping head": 40, "a dripping body": 20, "399 MB": 4}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a siege did: seconds that others waited for pages, polls, and growth in MB."""

    waited_s: list[float]
    failed: int
    polls: int
    polls_expected: int
    memory_mb: float
    disk_mb: float
    connections: int

    def faults(self) -> list[str]:
        slowest_s = max(self.waited_s, default=99.0)
        said = {
            f"{self.failed} pages failed": self.failed > 0,
            f"a page took {slowest_s:.1f} s": slowest_s > PAGE_WITHIN_S,
            f"{self.polls} of {self.polls_expected} polls": self.polls < self.polls_expected,
            f"memory grew by {self.memory_mb:.0f} MB": self.memory_mb > MEMORY_GROWTH_MB,
            f"disk use grew by {self.disk_mb:.0f} MB": self.disk_mb > DISK_GROWTH_MB,
        }
        return [sentence for sentence, wrong in said.items() if wrong]


class Attack:
    """Many connections of one client, each opened again as soon as it is closed."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.stop = threading.Event()
        self.opened = 0
        ways: dict[str, Callable[[socket.socket], None]] = {
            "nothing": self._wait,
            "half a head": self._half_a_head,
            "a dripping head": self._dripping_head,
            "a dripping body": self._dripping_body,
            "399 MB": self._flood,
        }
        self.threads = [
            threading.Thread(target=self._again, args=(ways[name],), daemon=True)
            for name, count in COUNTS.items()
            for _number in range(count)
        ]

    def begin(self) -> None:
        for thread in self.threads:
            thread.start()

    def end(self) -> None:
        self.stop.set()
        for thread in self.threads:
            thread.join(10)

    def _again(self, way: Callable[[socket.socket], None]) -> None:
        while not self.stop.is_set():
            with (
                contextlib.suppress(OSError),
                socket.create_connection(
                    ("127.0.0.1", self.port), 5, source_address=(ATTACKER, 0)
                ) as connection,
            ):
                self.opened += 1
                way(connection)
            self.stop.wait(0.5)

    def _wait(self, connection: socket.socket) -> None:
        connection.settimeout(0.5)
        while not self.stop.is_set():
            try:
                if not connection.recv(1024):
                    return
            except TimeoutError:
                continue

    def _half_a_head(self, connection: socket.socket) -> None:
        connection.sendall(HEAD[:40])
        self._wait(connection)

    def _drip(self, connection: socket.socket, sign: bytes) -> None:
        while not self.stop.wait(random.uniform(0.5, 2)):
            connection.sendall(sign)

    def _dripping_head(self, connection: socket.socket) -> None:
        connection.sendall(HEAD + b"X-Slow: ")
        self._drip(connection, b"a")

    def _dripping_body(self, connection: socket.socket) -> None:
        connection.sendall(HEAD + b"Content-Length: 900000\r\n\r\n")
        self._drip(connection, b"a")

    def _flood(self, connection: socket.socket) -> None:
        connection.sendall(HEAD + b"Content-Length: 399000000\r\n\r\n")
        piece = b"username=" + b"a" * 65536
        while not self.stop.is_set():
            connection.sendall(piece)


def memory_mb(pid: int) -> float:
    """Return the resident memory of a process and its children."""
    pages = sum(
        int(Path(f"/proc/{one}/statm").read_text().split()[1])
        for one in self_and_children(pid)
        if Path(f"/proc/{one}/statm").exists()
    )
    return pages * 4096 / 1e6


def disk_mb(folder: Path) -> float:
    size = 0
    for path in folder.rglob("*"):
        with contextlib.suppress(FileNotFoundError):
            size += path.stat().st_size
    return size / 1e6


def besiege(services: Services, name: str, port: int, seconds: float) -> Outcome:
    """Attack the server ``name`` for so long, asking for a page each half second meanwhile."""
    page = f"http://127.0.0.1:{port}/login"
    wait_for(lambda: answers(page, 10), 60, "the server answers")
    pid = services.running[name].pid
    begin_s = (int(time.time()) // PERIOD_S + 1) * PERIOD_S
    time.sleep(begin_s - time.time())
    memory_before, disk_before = memory_mb(pid), disk_mb(services.folder)
    attack = Attack(port)
    attack.begin()
    waited, failed, memory, disk = [], 0, memory_before, disk_before
    end_s = begin_s + seconds
    while time.time() < end_s:
        asked = time.monotonic()
        failed += not answers(page, 10)
        waited.append(time.monotonic() - asked)
        memory, disk = max(memory, memory_mb(pid)), max(disk, disk_mb(services.folder))
        time.sleep(0.5)
    attack.end()
    return Outcome(
        waited_s=waited,
        failed=failed,
        polls=len([at for at in services.polls() if begin_s <= at < end_s]),
        polls_expected=int(seconds // PERIOD_S),
        memory_mb=memory - memory_before,
        disk_mb=disk - disk_before,
        connections=attack.opened,
    )


def embedded(folder: Path, seconds: float) -> Outcome:
    """Besiege ``up``, which also polls."""
    services, port = Services(folder), free_port()
    try:
        services.start_devices()
        services.manage("migrate", "--verbosity", "0")
        services.make_owner()
        services.start_embedded(f"127.0.0.1:{port}")
        return besiege(services, "up", port, seconds)
    finally:
        services.close()


def behind_gunicorn(folder: Path, seconds: float) -> Outcome:
    """Besiege the image's server; the worker beside it polls."""
    services, port = Services(folder), free_port()
    try:
        services.start_all()
        services.make_owner()
        path = f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin"
        services.start(
            *("web", "sh", "heatmon/entrypoint.sh", "web"), PATH=path, HEATMON_BIND=f"127.0.0.1:{port}"
        )
        return besiege(services, "web", port, seconds)
    finally:
        services.close()


def main(seconds: str) -> int:
    found = []
    for name, besieged in (("embedded", embedded), ("gunicorn", behind_gunicorn)):
        with tempfile.TemporaryDirectory(prefix="siege-") as folder:
            try:
                outcome = besieged(Path(folder), float(seconds))
            except subprocess.CalledProcessError as error:
                tell(str(error.stderr))
                raise
        waited = sorted(outcome.waited_s)
        tell(
            f"{name}: {outcome.connections} hostile connections in {seconds} s; {len(waited)} pages, "
            f"{outcome.failed} failed, median {waited[len(waited) // 2]:.2f} s, slowest {waited[-1]:.2f} s; "
            f"polls {outcome.polls} of {outcome.polls_expected}; memory +{outcome.memory_mb:.0f} MB, "
            f"disk +{outcome.disk_mb:.1f} MB"
        )
        found += [f"{name}: {fault}" for fault in outcome.faults()]
    tell("\n".join(found) or "held")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:2]))
