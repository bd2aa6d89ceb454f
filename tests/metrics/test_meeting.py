"""Derivations of one site that meet, in real processes: what is left is what one alone leaves, to the bit."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest

from apps.metrics.derive import RESULTS
from apps.metrics.store.sqlite import SqliteStore

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
LUMPS = "SELECT start, end, energy_wh, reason FROM metrics_lump ORDER BY start, end"
EVENTS = "SELECT device, at, kind FROM metrics_meterevent ORDER BY at, kind"
ENTRIES = "SELECT source_key, at FROM changelog_entry ORDER BY source_key"
MARKS = "SELECT start, end FROM metrics_stalerange WHERE start < '2025-01-13 02:00:00'"


class Program:
    """A process over one data directory that waits for its word to begin."""

    def __init__(self, folder: Path, step: str) -> None:
        environ = {name: value for name, value in os.environ.items() if not name.startswith("HEATMON_")}
        environ |= {
            "HEATMON_TESTING": "1",
            "HEATMON_DATA_DIR": str(folder),
            "HEATMON_SCRATCH": "1",
            "DJANGO_SETTINGS_MODULE": "heatmon.settings",
        }
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.metrics.process", step],
            cwd=ROOT,
            env=environ,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        self._in, self._out, self._errors = self._process.stdin, self._process.stdout, self._process.stderr

    def begin(self) -> None:
        self._in.write("go\n")
        self._in.flush()

    def is_ready(self) -> bool:
        return self._out.readline() == "ready\n"

    def wait_for_progress(self) -> None:
        self._errors.readline()

    def kill(self) -> None:
        self._process.kill()
        self._process.communicate()

    def end(self) -> None:
        _, errors = self._process.communicate(timeout=120)
        assert self._process.returncode == 0, errors


def run(folder: Path, *steps: str) -> None:
    """Let some programs begin together, and wait for all."""
    programs = [Program(folder, step) for step in steps]
    assert all(program.is_ready() for program in programs)
    for program in programs:
        program.begin()
    for program in programs:
        program.end()


def content(folder: Path) -> dict[str, Any]:
    """Everything derived: rows, lumps, events, and what the changelog says of these."""
    store = SqliteStore(folder / "timeseries.sqlite3")
    found: dict[str, Any] = {
        name: [(row.at, dict(row.values)) for row in store.rows(1, name, 0, 4_000_000_000)]
        for name in ("interval", *RESULTS)
    }
    store.close()
    with closing(sqlite3.connect(folder / "heatmon.sqlite3")) as database:
        for name, query in (("lumps", LUMPS), ("events", EVENTS), ("entries", ENTRIES), ("marks", MARKS)):
            found[name] = database.execute(query).fetchall()
    return found


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("raw")
    Program(folder, "make").end()
    return folder


@pytest.fixture(scope="module")
def lived(raw: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same after the two new hours."""
    folder = copied(raw, tmp_path_factory.mktemp("lived"))
    run(folder, "live")
    return folder


@pytest.fixture(scope="module")
def alone(lived: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = copied(lived, tmp_path_factory.mktemp("alone"))
    run(folder, "recalculate")
    return content(folder)


def copied(raw: Path, to: Path) -> Path:
    return Path(copytree(raw, to / "data"))


def test_alone_there_is_one_lump_a_day_and_one_event(alone: dict[str, Any]) -> None:
    assert len(alone["lumps"]) == 8
    assert [kind for _, _, kind in alone["events"]] == ["counter_reset"]
    assert len(alone["entries"]) == 1
    assert alone["marks"] == []


def test_two_recalculations_beside_the_running_program_leave_nothing_doubled(
    raw: Path, alone: dict[str, Any], tmp_path: Path
) -> None:
    folder = copied(raw, tmp_path)
    run(folder, "live", "recalculate", "recalculate")
    assert content(folder) == alone


def test_killed_three_times_and_resumed_it_ends_the_same(
    lived: Path, alone: dict[str, Any], tmp_path: Path
) -> None:
    folder = copied(lived, tmp_path)
    for step in ("recalculate", "recalculate --resume", "recalculate --resume"):
        program = Program(folder, step)
        assert program.is_ready()
        program.begin()
        program.wait_for_progress()
        program.kill()
    run(folder, "recalculate --resume")
    assert content(folder) == alone
