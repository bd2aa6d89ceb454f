"""Several processes over one data directory: a real file, real locks."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from .cloud import Cloud

ROOT = Path(__file__).resolve().parents[3]
NOON, LATER = "2026-01-22T12:00:00+00:00", "2026-01-22T13:00:00+00:00"


class Processes:
    """Starts steps of ``process.py`` side by side."""

    def __init__(self, folder: Path, base: str) -> None:
        self._environ = {
            **{name: value for name, value in os.environ.items() if not name.startswith("HEATMON_")},
            "HEATMON_TESTING": "1",
            "HEATMON_DATA_DIR": str(folder),
            "DJANGO_SETTINGS_MODULE": "heatmon.settings",
        }
        self._base = base

    def run(self, step: str, at: str, count: int = 1) -> list[int]:
        """What each of ``count`` processes printed. They start together and wait for each other's locks."""
        command = [sys.executable, "-m", "tests.devices.viessmann.process", step, at, self._base]
        running = [
            subprocess.Popen(
                command,
                cwd=ROOT,
                env=self._environ,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            for _ in range(count)
        ]
        told = [one.communicate(timeout=60) for one in running]
        assert [
            (one.returncode, error) for one, (_, error) in zip(running, told, strict=True) if one.returncode
        ] == []
        return [int(output) for output, _ in told]


def test_processes_refresh_the_login_once_and_take_no_more_calls_than_are_left(
    tmp_path: Path, cloud: Cloud
) -> None:
    processes = Processes(tmp_path, cloud.base)
    processes.run("first", NOON)
    assert cloud.called() == ["POST authorize", "POST token", "GET installations", "GET features"]
    taken = processes.run("race", LATER, count=2)
    assert sorted(cloud.called()) == ["GET features", "GET features", "POST token"]
    assert sum(taken) == 90 - 4 - 3
