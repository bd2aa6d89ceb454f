"""The power is cut anywhere in heatmon's own SQL: what was acknowledged is there, every file is whole.

HEATMON_POWER_CUTS says how many times (30).
"""

from __future__ import annotations

import os
import pickle
import random
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from .databases import AT, NOTES, SERIES, damaged, numbers
from .power import Step, after_power_cut
from .processes import ROOT, environment, tell

CUTS = int(os.environ.get("HEATMON_POWER_CUTS", "30"))
KEPT = {
    "meter": (SERIES, f"SELECT {AT} FROM meter"),
    "call": (NOTES, "SELECT id FROM devices_apicall"),
    "note": (NOTES, "SELECT id FROM changelog_entry"),
}


def recorded(folder: Path, synchronous: str = "FULL") -> list[Step]:
    command = [sys.executable, "-m", "tests.production.power", str(folder), synchronous]
    subprocess.run(command, cwd=ROOT, env=environment(HEATMON_DATA_DIR=str(folder)), check=True)
    written = pickle.loads((folder / "log.pickle").read_bytes())  # noqa: S301  (our own)
    return [Step(*step) for step in written]


def faults_after(steps: Sequence[Step], cut: int, seed: int, folder: Path) -> list[str]:
    """What is damaged or missing after a power cut."""
    folder.mkdir()
    for name, content in after_power_cut(steps, cut, seed).items():
        (folder / name).write_bytes(content)
    faults = damaged(folder)
    acknowledged = [step.content for step in steps[:cut] if step.what == "ack"]
    for kind, (database_name, sql) in KEPT.items():
        wanted = {number for one, number in acknowledged if one == kind}
        if wanted:
            lost = wanted - present(folder / database_name, sql)
            faults += [f"{len(lost)} acknowledged of {kind} are missing"] if lost else []
    return faults


def present(database: Path, sql: str) -> set[int]:
    try:
        return set(numbers(database, sql))
    except sqlite3.OperationalError:
        return set()  # not even the table is there


def cuts(steps: Sequence[Step], seed: int) -> list[int]:
    return random.Random(seed).sample(range(len(steps)), CUTS)


@pytest.fixture(scope="module")
def steps(tmp_path_factory: pytest.TempPathFactory) -> list[Step]:
    return recorded(tmp_path_factory.mktemp("power"))


def test_a_power_cut_loses_nothing_that_was_acknowledged(steps: list[Step], tmp_path: Path) -> None:
    faults = {
        cut: found
        for number, cut in enumerate(cuts(steps, seed=1))
        if (found := faults_after(steps, cut, number, tmp_path / str(cut)))
    }
    tell(f"{CUTS} power cuts in {len(steps)} steps: {len(faults)} with a loss")
    assert faults == {}


def test_without_a_sync_at_each_commit_the_loss_would_be_noticed(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    steps = recorded(tmp_path / "run", "NORMAL")
    faults = [
        faults_after(steps, cut, number, tmp_path / str(cut))
        for number, cut in enumerate(cuts(steps, seed=1))
    ]
    assert any("acknowledged" in fault for found in faults for fault in found)
