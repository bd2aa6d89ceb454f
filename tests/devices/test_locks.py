"""Locks across real processes: one holder at a time, free when it dies, nobody starves."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.conf import LazySettings

from apps.devices.locks import LockHeld, held

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = """
import sys
from pathlib import Path
from django.conf import settings
settings.configure(DATA_DIR=Path(sys.argv[1]))
from apps.devices.locks import held
"""
HOLD = "with held('derive-1'):\n    print('holds', flush=True)\n    sys.stdin.read()\n"
COUNT_200_TIMES = """
file = Path(sys.argv[1]) / "count"
print("ready", flush=True)
sys.stdin.read(1)
for _ in range(200):
    with held("count", 30):
        file.write_text(str(int(file.read_text()) + 1))
"""

Start = Callable[[str], "subprocess.Popen[str]"]


@pytest.fixture(autouse=True)
def data_dir(tmp_path: Path, settings: LazySettings) -> Path:
    settings.DATA_DIR = tmp_path
    return tmp_path


@pytest.fixture
def start(data_dir: Path) -> Iterator[Start]:
    """Starts a process that runs some lines, and waits for its first word."""
    running: list[subprocess.Popen[str]] = []

    def begin(lines: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", PROGRAM + lines, str(data_dir)]
        process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        running.append(process)
        assert process.stdout is not None
        assert process.stdout.readline(), "it did not begin"
        return process

    yield begin
    for process in running:
        process.kill()
        process.communicate()


def test_what_another_process_holds_is_refused(start: Start) -> None:
    start(HOLD)
    with pytest.raises(LockHeld, match="derive-1"), held("derive-1"):
        pass


def test_another_name_is_free(start: Start) -> None:
    start(HOLD)
    with held("derive-2"):
        pass


def test_a_lock_is_free_after_its_holder_ended(start: Start) -> None:
    holder = start(HOLD)
    holder.communicate("")
    with held("derive-1"):
        pass


def test_a_lock_is_free_after_its_holder_was_killed(start: Start) -> None:
    holder = start(HOLD)
    holder.kill()
    with held("derive-1", 10):
        pass


def test_what_three_processes_add_under_a_lock_is_all_there(start: Start, data_dir: Path) -> None:
    (data_dir / "count").write_text("0")
    counting = [start(COUNT_200_TIMES) for _ in range(3)]
    for process in counting:
        assert process.stdin is not None
        process.stdin.write("!")
        process.stdin.flush()
    assert [process.wait(60) for process in counting] == [0, 0, 0]
    assert (data_dir / "count").read_text() == "600"


def test_threads_of_one_process_exclude_each_other_too() -> None:
    refused: list[bool] = []

    def ask() -> None:
        try:
            with held("meter"):
                refused.append(False)
        except LockHeld:
            refused.append(True)

    with held("meter"):
        thread = threading.Thread(target=ask)
        thread.start()
        thread.join()
    assert refused == [True]


def test_whoever_waits_comes_before_one_who_asks_again_at_once() -> None:
    turns: list[str] = []
    waits = threading.Event()

    def wait_for_it() -> None:
        waits.set()
        with held("derive-1", 30):
            turns.append("waiting")

    with held("derive-1"):
        thread = threading.Thread(target=wait_for_it)
        thread.start()
        waits.wait(10)
        while True:  # until the other stands in line
            try:
                with held("derive-1.next"):
                    pass
            except LockHeld:
                break
    with held("derive-1", 30):
        turns.append("again")
    thread.join()
    assert turns == ["waiting", "again"]


def test_a_fault_inside_lets_the_lock_go() -> None:
    with pytest.raises(RuntimeError), held("derive-1"):
        raise RuntimeError("fault")
    with held("derive-1"):
        pass


@pytest.mark.parametrize("name", ["", "../secret", "a/b", ".hidden", "a b"])
def test_a_name_that_is_no_file_name_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="is not a valid lock name"), held(name):
        pass
