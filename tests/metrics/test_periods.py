"""Sums over periods agree, whatever the partition, zone and year."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta

import pytest

from apps.devices.models import Site
from apps.devices.options import HomeOptions
from apps.metrics.derive import derive_intervals
from apps.metrics.efficiency import efficiency
from apps.metrics.jaz import device_register, jaz, rolling_year
from apps.metrics.models import Lump
from apps.metrics.parameters import SiteParameters
from apps.metrics.periods import energy_rows
from apps.metrics.status import current_status
from apps.metrics.store.base import Row
from apps.metrics.store.sqlite import SqliteStore
from apps.metrics.windows import local_day_bounds

from .data import SITE, at, counter, home_of, snapshot, steady_hours

NOW = datetime(2027, 6, 1, tzinfo=UTC)


def intervals(start: int, end: int, seed: int = 1, heat: float = 4.0, missing: float = 0.0) -> list[Row]:
    """Results of every interval, full except for a share without heat; temperatures too."""
    chance = random.Random(seed)
    rows = []
    for time in range(start, end, 300):
        energy = round(chance.uniform(1.0, 200.0), 4)
        values: dict[str, float | None] = {
            "electrical_energy_wh": energy,
            "electric_s": 300.0,
            "full_s": 0.0,
            "electrical_energy_heating_wh": energy,
        }
        if chance.random() >= missing:
            values |= {
                "full_s": 300.0,
                "full_electrical_energy_wh": energy,
                "full_thermal_energy_wh": energy * heat,
                "thermal_energy_modulation_wh": energy * heat,
            }
        rows.append(Row(site=SITE, measurement="interval", device="heatmon", at=time, values=values))
        if time % 3600 == 0:
            rows += [
                Row(
                    site=SITE,
                    measurement="heat_pump",
                    device="PUMP",
                    at=time + 300 * n,
                    values={"outside_temperature_c": 5.0},
                )
                for n in range(12)
            ]
    return rows


@pytest.mark.parametrize(
    ("zone", "first", "last"),
    [
        ("Europe/Berlin", date(2026, 3, 20), date(2026, 4, 10)),
        ("Europe/Berlin", date(2026, 10, 20), date(2026, 11, 3)),
        ("Australia/Lord_Howe", date(2026, 9, 28), date(2026, 10, 11)),
        ("Asia/Kathmandu", date(2026, 12, 25), date(2027, 1, 10)),
        ("America/Santiago", date(2026, 8, 31), date(2026, 9, 13)),
        ("UTC", date(2028, 2, 25), date(2028, 3, 5)),
    ],
)
def test_hours_days_weeks_and_months_agree_to_the_last_digit(
    store: SqliteStore, site: Site, zone: str, first: date, last: date
) -> None:
    house = HomeOptions(time_zone=zone)
    start = local_day_bounds(first, house.zone)[0]
    end = local_day_bounds(last, house.zone)[1]
    store.write(intervals(start, end))
    now = datetime.fromtimestamp(end, UTC)
    edges = [start, *range(start + -start % 3600, end, 3600), end]
    hourly = store.sums(SITE, ["electrical_energy_wh"], sorted(set(edges)))["electrical_energy_wh"]
    total = sum(each.sum or 0.0 for each in hourly) / 1000
    for period in ("day", "week", "month", "year"):
        rows = energy_rows(home_of(store, house, now), period, first, last)
        assert sum(row.electrical_energy_kwh or 0.0 for row in rows) == pytest.approx(total, abs=1e-6)
        assert sum(row.thermal_energy_modulation_kwh or 0.0 for row in rows) == pytest.approx(
            total * 4, abs=1e-6
        )
    days = energy_rows(home_of(store, house, now), "day", first, last)
    assert {row.electrical_coverage for row in days} == {1.0}
    assert [row.cop for row in days] == pytest.approx([4.0] * len(days))


def test_a_running_period_is_covered_by_its_elapsed_part(store: SqliteStore, site: Site) -> None:
    house = HomeOptions(time_zone="UTC")
    midnight = at("2027-01-15")
    store.write(intervals(midnight, midnight + 6 * 3600))
    now = datetime.fromtimestamp(midnight + 8 * 3600 + 100, UTC)
    (row,) = energy_rows(home_of(store, house, now), "day", date(2027, 1, 15), date(2027, 1, 15))
    assert row.electrical_coverage == pytest.approx(0.75)
    assert row.end.isoformat() == "2027-01-16T00:00:00+00:00"
    assert current_status(home_of(store, house, now)).today.electrical_coverage == pytest.approx(0.75)


def test_nothing_known_is_none_and_never_zero(store: SqliteStore, site: Site) -> None:
    (row,) = energy_rows(home_of(store, HomeOptions(), NOW), "month", date(2027, 1, 1), date(2027, 1, 1))
    values = row.as_dict()
    known = {name for name, value in values.items() if value is not None}
    assert known == {
        "start",
        "end",
        "label",
        "electrical_energy_at_least",
        "lumps",
        "electrical_coverage",
        "heating_degree_days_known",
        "implausible",
    }
    assert (row.electrical_coverage, row.heating_degree_days_known) == (0.0, 0)


def test_a_period_ahead_has_no_coverage(store: SqliteStore, site: Site) -> None:
    (row,) = energy_rows(home_of(store, HomeOptions(), NOW), "year", date(2030, 1, 1), date(2030, 1, 1))
    assert row.electrical_coverage is None


def test_mean_outside_temperature_and_degree_days_come_from_valid_days(
    store: SqliteStore, site: Site
) -> None:
    midnight = at("2027-01-15")
    store.write(intervals(midnight, midnight + 86_400 + 12 * 3600))
    house = HomeOptions(time_zone="UTC")
    (row,) = energy_rows(home_of(store, house, NOW), "month", date(2027, 1, 1), date(2027, 1, 31))
    assert row.mean_outside_temperature_c == 5.0
    assert row.heating_degree_days == 10.0


def test_the_cost_of_a_month_follows_the_tariffs_dates(store: SqliteStore, site: Site) -> None:
    house = HomeOptions(
        time_zone="UTC",
        electricity_price=0.30,
        base_fee_per_day=0.40,
        tariffs=({"from": "2027-01-16", "price": 0.50},),
    )
    midnight = at("2027-01-15")
    store.write(
        Row(
            site=SITE,
            measurement="interval",
            device="heatmon",
            at=time,
            values={"electrical_energy_wh": 100.0, "electric_s": 300.0},
        )
        for time in range(midnight, midnight + 2 * 86_400, 300)
    )
    now = datetime.fromtimestamp(midnight + 2 * 86_400 - 1, UTC)
    (month,) = energy_rows(home_of(store, house, now), "month", date(2027, 1, 1), date(2027, 1, 31))
    first, second = energy_rows(home_of(store, house, now), "day", date(2027, 1, 15), date(2027, 1, 16))
    assert first.cost == pytest.approx(28.8 * 0.30 + 0.40)
    assert second.cost == pytest.approx(28.8 * 0.50 + 0.40)
    assert month.cost == pytest.approx((first.cost or 0) + (second.cost or 0))


def test_without_a_price_there_is_no_cost(store: SqliteStore, site: Site) -> None:
    midnight = at("2027-01-15")
    store.write(intervals(midnight, midnight + 86_400))
    (row,) = energy_rows(home_of(store, HomeOptions(), NOW), "day", date(2027, 1, 15), date(2027, 1, 15))
    assert row.cost is None


@pytest.mark.parametrize(
    ("missing", "label", "coverage"),
    [(0.0, "full", 1.0), (0.14, "partial", 0.86), (0.5, "insufficient", 0.5)],
)
def test_a_year_is_labelled_by_its_coverage(
    store: SqliteStore, site: Site, missing: float, label: str, coverage: float
) -> None:
    house = HomeOptions(time_zone="UTC")
    first, last = rolling_year(home_of(store, house, NOW))
    assert (last - first).days == 364
    hours = range(local_day_bounds(first, house.zone)[0], local_day_bounds(last, house.zone)[1], 3600)
    chance = random.Random(3)
    rows = []
    for start in hours:
        values: dict[str, float | None] = {"electrical_energy_wh": 1000.0, "electric_s": 3600.0}
        if chance.random() >= missing:
            values |= {
                "full_electrical_energy_wh": 1000.0,
                "full_thermal_energy_wh": 4200.0,
                "full_s": 3600.0,
            }
        rows.append(Row(site=SITE, measurement="interval", device="heatmon", at=start, values=values))
    store.write(rows)
    result = jaz(home_of(store, house, NOW), first, last)
    assert result.label == label
    assert result.jaz == pytest.approx(4.2)
    assert result.coverage == pytest.approx(coverage, abs=0.02)
    widened = 0.42 + (1 - (result.coverage or 0)) * 0.2 * 4.2
    assert result.jaz_low == pytest.approx(4.2 - widened)
    assert result.jaz_high == pytest.approx(4.2 + widened)
    assert result.jaz_delta_t is None


def test_methods_that_disagree_give_a_range_only(store: SqliteStore, site: Site) -> None:
    midnight = at("2027-01-15")
    store.write(
        Row(
            site=SITE,
            measurement="interval",
            device="heatmon",
            at=midnight + 300 * n,
            values={
                "electrical_energy_wh": 100.0,
                "electric_s": 300.0,
                "full_electrical_energy_wh": 100.0,
                "full_thermal_energy_wh": 400.0,
                "full_delta_t_electrical_energy_wh": 100.0,
                "full_delta_t_thermal_energy_wh": 300.0,
            },
        )
        for n in range(288)
    )
    result = jaz(home_of(store, HomeOptions(time_zone="UTC"), NOW), date(2027, 1, 15), date(2027, 1, 15))
    assert result.disagree
    assert result.jaz is None
    assert [result.jaz_low, result.jaz_high] == pytest.approx([3.0, 4.4])
    assert result.label == "insufficient"


def test_a_lump_over_a_month_edge_lies_inside_the_longer_range(store: SqliteStore, site: Site) -> None:
    start = at("2027-01-31T22:00")
    Lump.objects.create(
        site=site,
        start=datetime.fromtimestamp(start, UTC),
        end=datetime.fromtimestamp(start + 4 * 3600, UTC),
        energy_wh=4000.0,
        reason="gap",
    )
    house = HomeOptions(time_zone="UTC")
    january, february = energy_rows(home_of(store, house, NOW), "month", date(2027, 1, 1), date(2027, 2, 1))
    assert january.electrical_energy_at_least and february.electrical_energy_at_least
    assert january.electrical_energy_kwh is None
    result = jaz(home_of(store, house, NOW), date(2027, 1, 1), date(2027, 2, 28))
    assert result.energy_kwh == 4.0


def test_the_uses_of_a_day_with_a_lump_add_up_to_its_electricity(store: SqliteStore, site: Site) -> None:
    noon = at("2027-01-15T12:00")
    store.write([*steady_hours(noon, noon + 3600, 1500.0), counter(noon + 3600, 5000.0)])
    store.write([*steady_hours(noon + 7200, noon + 10_800, 1500.0), counter(noon + 7200, 6245.0)])
    derive_intervals(store, SITE, SiteParameters(), noon, noon + 10_800)

    (row,) = energy_rows(
        home_of(store, HomeOptions(time_zone="UTC"), NOW), "day", date(2027, 1, 15), date(2027, 1, 15)
    )
    assert row.electrical_energy_kwh == 4.245
    assert row.electrical_energy_heating_kwh == 3.0
    assert row.electrical_energy_unclassified_kwh == 1.245
    uses = (row.electrical_energy_dhw_kwh, row.electrical_energy_cooling_kwh, row.standby_energy_kwh)
    assert uses == (0.0, 0.0, 0.0)


def test_a_register_that_bears_a_time_to_come_or_is_a_month_old_does_not_count(
    store: SqliteStore, site: Site
) -> None:
    now = at("2027-01-15T12:00")
    store.write([snapshot(now, device_cop_total=4.1), snapshot(now + 86_400, device_cop_total=9.9)])
    register = device_register(home_of(store, now=datetime.fromtimestamp(now + 60, UTC)), "device_cop_total")
    assert register == 4.1
    later = datetime.fromtimestamp(now + 32 * 86_400, UTC)
    assert device_register(home_of(store, now=later), "device_cop_total") is None


def test_the_efficiency_page_has_its_data(store: SqliteStore, site: Site) -> None:
    midnight = at("2027-01-15")
    store.write(
        steady_hours(
            midnight,
            midnight + 86_400,
            3000.0,
            secondary_supply_temperature_c=35.0,
            supply_temperature_c=34.0,
            return_temperature_c=30.0,
            primary_supply_temperature_c=0.0,
            device_cop_total=4.7,
            heating_rod_level_one_s=100.0,
        )
    )
    store.write([snapshot(midnight + 86_100, heating_rod_level_one_s=3700.0, compressor_starts_count=9.0)])
    store.write([snapshot(midnight, heating_rod_level_one_s=100.0, compressor_starts_count=5.0)])
    house = HomeOptions(time_zone="UTC", estimated_flow_rate=1.5)
    derive_intervals(store, SITE, SiteParameters.from_house(house), midnight, midnight + 86_400)
    now = datetime.fromtimestamp(midnight + 86_400 + 3600, UTC)
    page = efficiency(home_of(store, house, now), date(2027, 1, 15), date(2027, 1, 15))
    (day,) = page.days
    assert day.cop == pytest.approx(4.0)
    assert day.cop_delta_t == pytest.approx(2.9, abs=0.02)
    assert day.cop_is_valid
    assert day.energy_kwh_per_24h == pytest.approx(72.0)
    assert page.heat_weighted_flow_c == pytest.approx(35.0)
    assert page.percent_of_carnot == pytest.approx(100 * 4.0 / 7.2128, abs=0.3)
    assert page.device.total == 4.7
    assert page.device.dhw is None
    assert len(page.flow) >= 23
    assert {(point.outside_temperature_c, point.flow_temperature_c) for point in page.flow} == {(5.0, 34.0)}
    assert [span.cycles.run_s for span in page.cycle_spans] == [86_400.0] * 3
    assert page.cycle_spans[0].cycles.mean_run_s is None
    assert page.cycle_spans[0].device_starts == 4
    assert page.rod_runtime_h == 1.0
    assert page.rod_heat_not_counted
    assert not page.short_cycling


def test_a_reversed_range_is_refused(store: SqliteStore, site: Site) -> None:
    later, earlier = date(2027, 1, 2), date(2027, 1, 1)
    with pytest.raises(ValueError, match="ends before it starts"):
        energy_rows(home_of(store, HomeOptions(), NOW), "day", later, earlier)
    with pytest.raises(ValueError, match="ends before it starts"):
        jaz(home_of(store, HomeOptions(), NOW), later, earlier)
    assert later - earlier == timedelta(days=1)
