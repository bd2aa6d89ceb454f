"""A backup of a home whose values are in InfluxDB brings them back, into an empty bucket too."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.metrics.store.influxdb.conftest import server
from tests.metrics.store.influxdb.standin import StandIn

from .test_influxdb_away import options_of
from .test_up import ROOT, environment

pytestmark = pytest.mark.slow

__all__ = ["server"]

FILL = """
from heatmon.database import make_ready
make_ready()
import pytest
from apps.metrics.apps import default_store
from apps.metrics.store.base import Row
at = range(1_767_225_600, 1_767_225_600 + 3 * 86_400, 300)
rows = [Row(site=1, measurement="meter", device="M", at=t, values={"power_w": float(t % 997)}) for t in at]
default_store().write(rows)
assert default_store().wait_until_readable(30)
"""
LOOK = """
from apps.metrics.apps import default_store
print("found", default_store().refusal, default_store().sums(1, ["power_w"], [1_767_225_600, 1_767_484_800]))
"""


def run(folder: Path, options: dict[str, str], script: str) -> tuple[str, str]:
    """Run it in a process of its own; return what it said, and the values that it found."""
    begin = "import django; django.setup()\nfrom django.core.management import call_command\n"
    done = subprocess.run(
        [sys.executable, "-c", begin + script],
        cwd=ROOT,
        env=environment(folder, DJANGO_SETTINGS_MODULE="heatmon.settings", **options),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    said, _found, values = done.stdout.partition("found ")
    return said, values


def test_values_of_a_bucket_are_backed_up_and_restored_into_an_empty_one(
    server: StandIn,  # noqa: F811
    tmp_path: Path,
) -> None:
    archive = tmp_path / "all.zip"
    first = {**options_of(server.new_bucket()), "HEATMON_STORE": "influxdb"}
    said, before = run(tmp_path / "one", first, f"{FILL}call_command('backup', '{archive}')\n{LOOK}")
    assert "checked." in said
    assert before.startswith("None") and "count=864" in before
    other = {**options_of(server.new_bucket()), "HEATMON_STORE": "influxdb"}
    said, after = run(tmp_path / "two", other, f"call_command('restore', '{archive}')\n{LOOK}")
    assert "3 days of devices are equal in both stores (3 copied now)" in said
    assert "Restored: the backup of" in said
    assert after == before
