"""A meter that remembers more than the heat pump: before its first answer no heat is known, not even 0."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from apps.devices.models import Site
from apps.metrics.begin import HEAT, measured_from
from apps.metrics.efficiency import efficiency
from apps.metrics.hot_water import hot_water
from apps.metrics.parameters import SiteParameters
from apps.metrics.periods import energy_rows
from apps.metrics.stale import derive_stale, mark_everything_stale, mark_stale
from apps.metrics.store.base import Row
from apps.metrics.store.sqlite import SqliteStore
from apps.metrics.totals import totals

from .data import SITE, at, constant, home_of, minutes, snapshot

pytestmark = pytest.mark.django_db
START, CONNECTED = at("2027-01-15T06:00"), at("2027-01-15T12:00")
NOW = datetime(2027, 1, 15, 12, 10, tzinfo=UTC)
END = int(NOW.timestamp())


def remembered(power_w: float = 30.0) -> list[Row]:
    """What the meter kept: six hours and ten minutes at one power."""
    return minutes(START, END, constant(power_w))


def answers(first: int = CONNECTED) -> list[Row]:
    """The heat pump on standby, every five minutes."""
    return [snapshot(time, compressor_active=0.0, compressor_phase=0.0) for time in range(first, END, 300)]


def derived(store: SqliteStore, rows: list[Row]) -> None:
    store.write(rows)
    mark_everything_stale(store, SITE)
    work_off(store)


def work_off(store: SqliteStore) -> None:
    while derive_stale(store, SITE, SiteParameters, NOW):
        pass


def test_no_heat_is_known_before_the_heat_pump_is_connected(store: SqliteStore, site: Site) -> None:
    derived(store, remembered())
    home = home_of(store, now=NOW)
    (month,) = energy_rows(home, "month", home.today, home.today)
    assert month.electrical_energy_kwh == pytest.approx(0.185)
    assert (month.thermal_energy_modulation_kwh, month.cop, month.heat_coverage) == (None, None, 0.0)
    assert month.electrical_energy_dhw_kwh is None
    assert month.standby_energy_kwh == pytest.approx(0.185)
    assert measured_from(home, HEAT) is None


def test_rest_counts_as_no_heat_from_the_first_answer_on(store: SqliteStore, site: Site) -> None:
    derived(store, remembered() + answers())
    home = home_of(store, now=NOW)
    before, since = totals(home, [START, CONNECTED, END])
    assert (before.modulation_heat_wh, before["full_s"]) == (None, 0.0)
    assert (since.modulation_heat_wh, since["full_s"]) == (0.0, 600.0)
    assert measured_from(home, HEAT) == CONNECTED


def test_no_hot_water_is_known_of_the_time_before(store: SqliteStore, site: Site) -> None:
    derived(store, remembered() + answers())
    home = home_of(store, now=NOW)
    assert hot_water(home, home.today, home.today).known_days * 86_400 == 600


def test_older_answers_that_come_later_make_the_time_since_them_known(store: SqliteStore, site: Site) -> None:
    derived(store, remembered() + answers())
    an_hour_earlier = answers(CONNECTED - 3600)[:1]
    store.write(an_hour_earlier)
    mark_stale(SITE, an_hour_earlier[0].at, an_hour_earlier[0].at + 1)
    work_off(store)
    assert measured_from(home_of(store, now=NOW), HEAT) == CONNECTED - 3600
    (hour,) = totals(home_of(store, now=NOW), [CONNECTED - 3600, CONNECTED])
    assert hour["full_s"] == 3600.0


def test_a_cop_of_less_than_a_tenth_of_the_electricity_does_not_stand(store: SqliteStore, site: Site) -> None:
    running = [snapshot(time) for time in range(CONNECTED, END, 300)]
    derived(store, remembered(power_w=3000.0) + running)
    home = home_of(store, now=NOW)
    (month,) = energy_rows(home, "month", home.today, home.today)
    assert month.cop is None
    assert month.heat_coverage == pytest.approx(10 / 370)
    (since,) = totals(home, [CONNECTED, END])
    assert since.cop == 4.0


def test_standby_of_the_time_before_is_no_part_of_the_running_cop(store: SqliteStore, site: Site) -> None:
    meter = minutes(START, CONNECTED, constant(30.0)) + minutes(CONNECTED, END, constant(3000.0))
    derived(store, meter + [snapshot(time) for time in range(CONNECTED, END, 300)])
    home = home_of(store, now=NOW)
    assert efficiency(home, home.today, home.today).running_cop == 4.0
