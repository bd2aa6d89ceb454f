"""heatmon is killed at named points inside its work, three times at each, and starts again without help."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from apps.devices.crash_points import POINTS

from .crashing import END, START
from .databases import AT, NOTES, SERIES, damaged, numbers
from .processes import ROOT, environment, tell

# Which time a point is passed: a migration is killed at three of its statements.
TIMES = {"store.write": (1, 7, 40), "store.written": (1, 7, 40), "migration": (30, 120, 300)}


def run(folder: Path, crash: str = "") -> int:
    environ = environment(HEATMON_DATA_DIR=str(folder / "data"), HEATMON_CRASH=crash)
    command = [sys.executable, "-m", "tests.production.crashing", str(folder)]
    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode in {0, -signal.SIGKILL}, done.stderr[-3000:]
    return done.returncode


def lines(path: Path, first: str = "") -> list[str]:
    return [
        line.removeprefix(first).strip() for line in path.read_text().splitlines() if line.startswith(first)
    ]


@pytest.mark.parametrize("point", POINTS)
def test_killed_three_times_at_a_point_nothing_acknowledged_is_missing(point: str, tmp_path: Path) -> None:
    for time in TIMES.get(point, (1, 1, 1)):
        assert run(tmp_path, f"{point}:{time}") == -signal.SIGKILL
    assert run(tmp_path) == 0
    notes, series = tmp_path / "data" / NOTES, tmp_path / "data" / SERIES
    assert damaged(tmp_path / "data") == []
    polled = set(numbers(series, f"SELECT {AT} FROM meter"))
    assert {int(at) for at in lines(tmp_path / "acknowledged", "poll_power")} <= polled
    asked = {at // 300 * 300 for at in map(int, lines(tmp_path / "acknowledged", "poll_heat_pump"))}
    assert asked <= set(numbers(series, f"SELECT {AT} FROM heat_pump"))
    minutes = numbers(series, f"SELECT {AT} FROM meter_minute WHERE NOT coalesce(provisional, 0)")
    wanted = range(int(START.timestamp()), int(END.timestamp()), 60)
    assert (set(wanted) - set(minutes), len(minutes) - len(set(minutes))) == (set(), 0)
    kept = set(numbers(notes, "SELECT id FROM changelog_entry WHERE kind = 'note'"))
    assert {int(note) for note in lines(tmp_path / "acknowledged", "note")} <= kept
    (ledger,) = numbers(notes, "SELECT count(*) FROM devices_apicall")
    calls = len(lines(tmp_path / "called"))
    assert ledger >= calls > 0
    backups = [path.name for path in (tmp_path / "data").rglob("*.zip")]
    assert len(backups) == 1
    tell(f"{point}: {len(polled)} polls, {len(minutes)} minutes, {calls} calls of {ledger} in the ledger")
