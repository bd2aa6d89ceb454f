"""Inputs that other people's homes gave, with their right answers; read in place beside the project."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from itertools import permutations
from pathlib import Path

import pytest

from apps.devices.options import default_site
from apps.metrics.home import Home
from apps.metrics.jaz import jaz
from apps.metrics.models import Lump
from apps.metrics.periods import EnergyRow, energy_rows
from apps.metrics.series import history
from apps.metrics.store.sqlite import SqliteStore
from tests.captures import captures_dir

from .importing import run

pytestmark = pytest.mark.captures


@pytest.fixture
def cases() -> Path:
    return captures_dir("cases")


def imported(case: Path, day: date) -> tuple[Home, EnergyRow]:
    """The day's row of the home that a case's meter and answers make."""
    run("import_meter", case / "meter.csv")
    if (case / "features.jsonl").exists():
        run("import_features", case / "features.jsonl")
    site = default_site()
    home = Home.of(site, datetime.fromisoformat(f"{day + timedelta(days=2)}T12:00+00:00"))
    (row,) = energy_rows(home, "day", day, day)
    return home, row


def test_a_flag_that_is_sent_again_makes_no_hot_water(scratch_store: SqliteStore, cases: Path) -> None:
    _, row = imported(cases / "04_resent_dhw_flag", date(2026, 1, 21))
    assert row.electrical_energy_dhw_kwh == 0.0
    assert row.cop_dhw is None
    assert row.electrical_energy_heating_kwh == pytest.approx(4.0, abs=0.001)


def test_a_cop_that_no_heat_pump_has_is_marked_as_implausible(
    scratch_store: SqliteStore, cases: Path
) -> None:
    home, row = imported(cases / "05_unusual_cop", date(2026, 1, 21))
    assert row.cop == pytest.approx(16.667, abs=0.001)
    assert row.implausible
    assert jaz(home, date(2026, 1, 21), date(2026, 1, 21)).implausible


def test_cooling_is_no_heating(scratch_store: SqliteStore, cases: Path) -> None:
    home, row = imported(cases / "06_cooling", date(2026, 8, 1))
    assert row.electrical_energy_kwh == pytest.approx(4.0, abs=0.001)
    assert row.electrical_energy_cooling_kwh == pytest.approx(2.0, abs=0.001)
    assert row.electrical_energy_heating_kwh == pytest.approx(2.0, abs=0.001)
    assert [row.cop, row.cop_heating] == pytest.approx([4.0, 4.0], abs=0.0001)
    assert row.heat_coverage == 1.0
    assert not row.implausible
    assert jaz(home, date(2026, 8, 1), date(2026, 8, 1)).jaz == pytest.approx(4.0, abs=0.0001)


def test_every_known_minute_around_a_hole_counts(scratch_store: SqliteStore, cases: Path) -> None:
    _, row = imported(cases / "07_minutes_at_a_gap", date(2026, 2, 22))
    assert row.electrical_energy_kwh == pytest.approx(0.460, abs=0.0001)
    assert row.electrical_coverage == pytest.approx(23 / 1440)
    assert not Lump.objects.exists()


@pytest.mark.parametrize("order", list(permutations((0, 1, 2))))
def test_the_sum_over_channels_does_not_depend_on_which_export_came_last(
    scratch_store: SqliteStore, cases: Path, order: tuple[int, ...]
) -> None:
    for channel in order:
        run("import_meter", cases / "03_monophase_csv" / f"em1data_{channel}.csv", "--channel", channel)
    first = datetime.fromisoformat("2026-01-21T09:00+00:00")
    home = Home.of(default_site(), first + timedelta(days=1))
    line = history(home, ["energy_wh"], first, first + timedelta(minutes=5)).series["energy_wh"]
    assert line.mean == pytest.approx([22.5] * 5)
