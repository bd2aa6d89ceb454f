"""Each fault of the simulator alone, for a day, on a home of real files."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from heatmon.simulation import fault_names

from .processes import ROOT, environment, tell

SEED = "7"


@pytest.mark.parametrize("name", sorted(fault_names()))
def test_a_day_with_one_fault_ends_in_the_truth(name: str) -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "simulate", "--days", "1", "--seed", SEED, "--json", "--faults", name],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    report = json.loads(done.stdout)
    tell(f"{name}: {report['missed_polls']} polls missed, {report['minutes_missing']} minutes missing")
