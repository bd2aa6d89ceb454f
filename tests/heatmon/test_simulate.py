"""``simulate``: one day of real jobs against the simulated house ends in what really happened."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from apps.simulator.world import SimulatedWorld
from heatmon.simulation import Simulation, fault_names, simulate

pytestmark = pytest.mark.slow

FOUR_HOURS = timedelta(hours=4)
WINTER = datetime(2026, 2, 15, tzinfo=ZoneInfo("Europe/Berlin"))


def test_a_day_without_faults_ends_in_the_truth(db: None) -> None:
    done: list[int] = []
    report = simulate(1, 2, start=WINTER, elapsed=lambda: 0.0, progress=done.append)
    assert report.complaints() == []
    assert (report.minutes_remembered, report.minutes_missing, report.minutes_doubled) == (1440, 0, 0)
    assert report.max_day_error_wh < 0.01
    assert report.electrical_energy_kwh == pytest.approx(report.true_electrical_energy_kwh, abs=1e-5)
    assert report.true_electrical_energy_kwh > 10.0
    assert report.thermal_energy_modulation_kwh == pytest.approx(report.true_thermal_energy_kwh, rel=0.02)
    assert report.missed_polls == 0
    # 288 polls; one login, one look-up, and a token renewed each hour
    assert 288 + 3 <= report.calls_total <= 288 + 3 + 24
    assert sum(done) == 1


def test_four_hours_in_which_everything_goes_wrong_end_in_the_truth(db: None, tmp_path: Path) -> None:
    start = WINTER.astimezone(UTC)
    # What the database of the tests is in the middle of does not outlive a full disk: see make faults.
    faults = sorted(set(fault_names()) - {"disk_full"})
    world = SimulatedWorld(4, start, end=start + FOUR_HOURS, faults=faults, logs_answers=True)
    report = Simulation(world, tmp_path).compare(start, start + FOUR_HOURS)
    assert report.complaints() == []
    assert report.missed_polls > 60


def test_the_faults_are_listed_with_what_they_do() -> None:
    out = io.StringIO()
    call_command("simulate", "--list-faults", stdout=out)
    listed = {line.split()[0] for line in out.getvalue().splitlines()}
    assert listed == set(fault_names())
    assert {"cloud_offline", "meter_unreachable", "heatmon_killed"} <= listed
    assert len(listed) >= 25
    assert "Cut the gateway off from the cloud for up to a day." in out.getvalue()


@pytest.mark.parametrize(
    "words, complaint",
    [
        (("--days", "1", "--faults", "earthquake"), "No fault called earthquake; see simulate --list-faults"),
        (("--days", "0"), "--days N is needed, from 1 to 400"),
        (("--days", "401"), "--days N is needed, from 1 to 400"),
        ((), "--days N is needed, from 1 to 400"),
    ],
)
def test_wrong_use_ends_with_two(words: tuple[str, ...], complaint: str) -> None:
    with pytest.raises(CommandError) as error:
        call_command("simulate", *words)
    assert error.value.returncode == 2
    assert str(error.value) == complaint
