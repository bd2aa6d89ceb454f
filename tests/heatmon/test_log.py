"""Nobody reads the log: lines are dropped, and nothing waits for them."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest
import requests

from heatmon.log import Outlet
from tests.heatmon.test_up import ROOT, environment
from tests.production.processes import free_port, wait_for

pytestmark = pytest.mark.slow

PIPE_BYTES = 65_536


@pytest.fixture
def full_pipe() -> Iterator[tuple[int, int]]:
    """A pipe that takes nothing more: (to read from, to write to)."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    with suppress(BlockingIOError):
        while True:
            os.write(writer, bytes(4096))
    os.set_blocking(writer, True)
    yield reader, writer
    for descriptor in (reader, writer):
        with suppress(OSError):
            os.close(descriptor)


def test_lines_that_nobody_reads_are_dropped_and_counted(full_pipe: tuple[int, int]) -> None:
    reader, writer = full_pipe
    outlet = Outlet(writer, room=3)
    for number in range(100):
        outlet.put(f"line {number}")
    os.set_blocking(reader, False)
    got = b""

    def everything_came() -> bool:
        nonlocal got
        with suppress(BlockingIOError):
            got += os.read(reader, PIPE_BYTES)
        outlet.put("the next one")
        return got.endswith(b"the next one\n")

    wait_for(everything_came, 10, "the lines")
    lines = got.lstrip(b"\0").decode().splitlines()
    kept = [line for line in lines if line.startswith("line ")]
    dropped = sum(int(line.split()[0]) for line in lines if line.endswith("nobody read them"))
    assert kept[0] == "line 0"
    assert dropped >= 100 - len(kept) >= 95


def test_a_closed_pipe_ends_nothing(full_pipe: tuple[int, int]) -> None:
    reader, writer = full_pipe
    os.close(reader)
    outlet = Outlet(writer)
    outlet.put("one")
    outlet.put("two")
    outlet.flush()
    assert outlet._dropped == 2


def attempts(data_dir: Path) -> list[tuple[str]]:
    with (
        suppress(sqlite3.OperationalError),
        closing(sqlite3.connect(data_dir / "heatmon.sqlite3")) as database,
    ):
        return database.execute("SELECT last_attempt_at FROM devices_sourcestate").fetchall()
    return []


def test_with_a_full_pipe_heatmon_starts_polls_answers_and_ends(
    full_pipe: tuple[int, int], tmp_path: Path
) -> None:
    _reader, writer = full_pipe
    cloud = {
        "HEATMON_VIESSMANN_API_URL": "http://127.0.0.1:9",
        "HEATMON_VIESSMANN_IAM_URL": "http://127.0.0.1:9",
    }
    login = dict.fromkeys(("USER", "PASSWORD", "CLIENT_ID"), "x")
    port = free_port()
    up = subprocess.Popen(
        [sys.executable, "manage.py", "up", "--bind", f"127.0.0.1:{port}"],
        cwd=ROOT,
        env=environment(
            tmp_path, **cloud, **{f"HEATMON_VIESSMANN_{name}": text for name, text in login.items()}
        ),
        stdout=writer,
        stderr=writer,
    )
    try:
        wait_for(lambda: attempts(tmp_path), 40, "the first poll")
        assert requests.get(f"http://127.0.0.1:{port}/healthz", timeout=5).status_code == 200
        up.send_signal(signal.SIGTERM)
        assert up.wait(30) == 0
    finally:
        up.kill()
        up.wait()
