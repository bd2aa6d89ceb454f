"""Commands that may be the first thing ever run here bring their database themselves."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def manage(data_dir: Path, *arguments: str, **given: str) -> subprocess.CompletedProcess[str]:
    environ = {key: value for key, value in os.environ.items() if not key.startswith("HEATMON_")}
    environ |= {"HEATMON_DATA_DIR": str(data_dir), "HEATMON_TESTING": "1", **given}
    return subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), *arguments],
        env=environ,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("command", "code", "said"),
    [
        (("report", "--period", "year"), 0, "period"),
        (("collect", "--once"), 2, "No device is set up"),
        (("verify",), 0, "There is nothing to check yet"),
        (("report",), 0, "For the demo's numbers put HEATMON_DEMO=1 before the command."),
    ],
)
def test_a_first_command_gets_an_answer_and_no_traceback(
    tmp_path: Path, command: tuple[str, ...], code: int, said: str
) -> None:
    done = manage(tmp_path, *command)
    assert done.returncode == code
    assert said in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
