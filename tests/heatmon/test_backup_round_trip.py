"""Backup, wipe, restore: equal checksums, and ``recalculate`` ends in the same numbers."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.db import connection

from apps.backups.archive import vacuum_into
from apps.metrics.store.sqlite import SqliteStore
from tests.backups.conftest import checksum

from .conftest import MakeHome

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
REPORT = """
import django; django.setup()
import sys
from django.core.management import call_command
from heatmon.database import make_ready
make_ready()
report = ["report", "--format", "json", "--from", "2026-01-12", "--to", "2026-01-12"]
for words in (report, ["recalculate"], report):
    call_command(*words, stderr=sys.stdout)
    print("---")
"""


def run_in(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environ = {key: value for key, value in os.environ.items() if not key.startswith("HEATMON_")}
    environ |= {
        "HEATMON_DATA_DIR": str(folder),
        "HEATMON_TESTING": "1",
        "DJANGO_SETTINGS_MODULE": "heatmon.settings",
        "PYTHONPATH": str(ROOT),
    }
    return subprocess.run(
        [sys.executable, *words],
        cwd=ROOT,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_after_wipe_and_restore_everything_is_equal_and_so_are_numbers_calculated_again(
    make_home: MakeHome,
    scratch_store: SqliteStore,
    tmp_path: Path,
) -> None:
    lived = make_home(remembers_h=3)
    lived.run("poll_power", "poll_heat_pump", "derive", "backfill", minutes=20)
    lived.move(hours=1)
    while lived.call("derive"):
        pass
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "heatmon.sqlite3").write_bytes(connection.connection.serialize())
    vacuum_into(scratch_store.engine.path, folder / "timeseries.sqlite3")

    made = run_in(folder, "manage.py", "backup", str(tmp_path / "all.zip"))
    assert re.search(r": [\d.]+ [KM]B, checked\.$", made.stdout.strip()), made.stderr
    before = {name: checksum(folder / name) for name in ("heatmon.sqlite3", "timeseries.sqlite3")}

    other = tmp_path / "wiped"
    restored = run_in(other, "manage.py", "restore", str(tmp_path / "all.zip"))
    assert restored.stdout.startswith("Restored: the backup of "), restored.stderr
    assert {name: checksum(other / name) for name in before} == before
    assert not (other / "device-secrets.key").exists()

    said = run_in(other, "-c", REPORT)
    first, recalculated, second, _end = said.stdout.split("---\n")
    assert "45 five-minute intervals derived." in recalculated, said.stderr
    assert first == second
    assert json.loads(first)["rows"][-1]["electrical_energy_kwh"] > 1
