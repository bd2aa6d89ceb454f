"""The known answers of the specification (metrics §6), numbers literal, one test each."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest

from apps.devices.models import Site
from apps.devices.options import HomeOptions
from apps.metrics import codes
from apps.metrics.climate import harmonic
from apps.metrics.cop import (
    MonthCoverage,
    boundary_cops,
    carnot_cop,
    cop_band,
    coverage_label,
    heat_weighted_flow_c,
    interval_cop,
    percent_of_carnot,
    period_cop,
    running_cop,
)
from apps.metrics.degree_days import heating_degree_days
from apps.metrics.derive import derive_intervals
from apps.metrics.efficiency import day_points
from apps.metrics.energy import CounterReading, energy_from_counter
from apps.metrics.estimate import degree_day_share, extrapolated, permille_of
from apps.metrics.heat import Snapshot, thermal_power_from_delta_t
from apps.metrics.intervals import Inputs, PumpState, Result, interval_result
from apps.metrics.jaz import jaz
from apps.metrics.models import MeterEvent
from apps.metrics.parameters import SiteParameters
from apps.metrics.periods import energy_rows
from apps.metrics.running import RunState, run_of_interval, steady_run
from apps.metrics.store.base import Row
from apps.metrics.store.sqlite import SqliteStore
from apps.metrics.tariff import cost, tariffs_of
from apps.metrics.windows import days, local_day_bounds, local_midnight, period_label

from .data import SITE, at, constant, counter, home_of, minute, minutes, polls, snapshot

START = at("2027-01-15T12:00")
PARAMETERS = SiteParameters()
UTC_HOUSE = HomeOptions(time_zone="UTC")
BERLIN = ZoneInfo("Europe/Berlin")


def result_of(inputs: Inputs) -> Result:
    return interval_result(inputs, flow_rate_m3_h=None, off_w=250.0)


def running_interval(
    energy_wh: float, heat_wh: float | None, dhw: bool | None, start: int = START, on: bool = True
) -> Result:
    """A full interval on (or off) throughout, with the given heat by modulation."""
    run, _ = steady_run(start, on, RunState())
    rated = None if heat_wh is None else heat_wh * 12 / 1000
    pump = PumpState(
        snapshot=Snapshot(active=on, phase=2.0, modulation_percent=100.0, rated_power_kw=rated),
        dhw_charging=dhw,
    )
    return result_of(Inputs(start=start, energy_wh=energy_wh, run=run, pump=pump))


def summed(results: Iterable[Result]) -> dict[str, float]:
    sums: dict[str, float] = {}
    for result in results:
        for name, value in result.values.items():
            sums[name] = sums.get(name, 0.0) + (value or 0.0)
    return sums


def interval_row(start: int, result: Result) -> Row:
    return Row(site=SITE, measurement="interval", device="heatmon", at=start, values=result.values)


def test_01_a_reset_between_counters_without_rows_is_a_lump_of_44_wh(store: SqliteStore, site: Site) -> None:
    edges = [5000, 5010, 4, 14, 24, 34]
    store.write([counter(START + 60 * number, wh) for number, wh in enumerate(edges)])

    derive_intervals(store, SITE, PARAMETERS, START, START + 300)

    (row,) = store.rows(SITE, "interval", START, START + 300)
    assert row.values["electrical_energy_wh"] == 44.0
    assert row.values["state"] == codes.STATE_ELEC
    assert row.values["full_electrical_energy_wh"] is None
    assert row.values["flags"] == codes.FLAG_LUMP + codes.FLAG_RESET + codes.FLAG_COUNTER
    assert [event.kind for event in MeterEvent.objects.all()] == ["counter_reset"]


def test_02_a_counter_that_falls_by_less_than_a_watt_hour_is_jitter() -> None:
    readings = [CounterReading(at=60 * number, wh=(wh,)) for number, wh in enumerate((100.00, 99.60, 100.40))]
    steps = energy_from_counter(readings)
    assert [step.energy_wh for step in steps] == [0.0, 0.4]
    assert [step.reset for step in steps] == [False, False]


def test_03_an_outage_over_midnight_is_one_lump_and_both_days_are_at_least(
    store: SqliteStore, site: Site
) -> None:
    midnight = at("2027-01-15")
    evening = [minute(midnight + 60 * n, 7.0 if n < 80 else 6.0) for n in range(22 * 60)]
    morning = [minute(midnight + 26 * 3600 + 60 * n, 10.0 if n < 120 else 9.0) for n in range(22 * 60)]
    store.write([*evening, *morning])
    store.write([counter(midnight + 22 * 3600, 1000.0), counter(midnight + 26 * 3600, 5000.0)])
    derive_intervals(store, SITE, PARAMETERS, midnight, midnight + 48 * 3600)
    now = local_midnight(date(2027, 1, 18), UTC_HOUSE.zone)

    first, second = energy_rows(home_of(store, UTC_HOUSE, now), "day", date(2027, 1, 15), date(2027, 1, 16))
    assert (first.electrical_energy_kwh, first.electrical_energy_at_least) == (8.0, True)
    assert (second.electrical_energy_kwh, second.electrical_energy_at_least) == (12.0, True)
    assert (first.electrical_coverage, second.electrical_coverage) == (1.0, 1.0)
    assert [(lump.start.hour, lump.end.hour, lump.energy_kwh) for lump in first.lumps] == [(22, 2, 4.0)]
    assert second.lumps == first.lumps

    (month,) = energy_rows(home_of(store, UTC_HOUSE, now), "month", date(2027, 1, 15), date(2027, 1, 16))
    assert (month.electrical_energy_kwh, month.electrical_energy_at_least) == (24.0, False)
    points = day_points(home_of(store, UTC_HOUSE, now), date(2027, 1, 15), date(2027, 1, 16))
    assert [point.is_valid for point in points] == [False, False]


@pytest.mark.parametrize(
    ("day", "intervals", "energy_kwh"), [(date(2026, 10, 25), 300, 25.0), (date(2026, 3, 29), 276, 23.0)]
)
def test_04_a_day_of_25_or_23_hours_sums_unscaled_and_is_compared_per_24_hours(
    store: SqliteStore, site: Site, day: date, intervals: int, energy_kwh: float
) -> None:
    start, end = local_day_bounds(day, BERLIN)
    store.write([minute(time, 1000 / 60) for time in range(start, end, 60)])
    store.write([snapshot(time) for time in range(start, end, 300)])
    derived = derive_intervals(store, SITE, PARAMETERS, start, end)
    now = local_midnight(day + timedelta(days=2), BERLIN)

    (row,) = energy_rows(home_of(store, HomeOptions(), now), "day", day, day)
    (point,) = day_points(home_of(store, HomeOptions(), now), day, day)
    assert derived == intervals
    assert row.electrical_energy_kwh == pytest.approx(energy_kwh, abs=0.0005)
    assert point.energy_kwh_per_24h == pytest.approx(24.0, abs=0.0005)
    assert point.is_valid


def test_05_energy_splits_into_hot_water_space_standby_and_unclassified() -> None:
    results = [running_interval(200.0, 600.0, True) for _ in range(3)]
    results += [running_interval(150.0, 750.0, False) for _ in range(3)]
    results += [running_interval(2.0, 0.0, False, on=False), running_interval(150.0, 750.0, None)]
    sums = summed(results)

    assert sums["electrical_energy_dhw_wh"] == 600.0
    assert sums["electrical_energy_heating_wh"] == 450.0
    assert sums["electrical_energy_standby_wh"] == 2.0
    assert sums["electrical_energy_unclassified_wh"] == 150.0
    dhw = period_cop(sums["full_thermal_energy_dhw_wh"], sums["full_electrical_energy_dhw_wh"])
    space = period_cop(sums["full_thermal_energy_heating_wh"], sums["full_electrical_energy_heating_wh"])
    every = period_cop(sums["full_thermal_energy_wh"], sums["full_electrical_energy_wh"])
    running = running_cop(
        sums["full_thermal_energy_wh"],
        sums["full_electrical_energy_wh"],
        sums["electrical_energy_standby_wh"],
    )
    assert dhw.value == pytest.approx(3.0)
    assert space.value == pytest.approx(5.0)
    assert every.value == pytest.approx(3.993, abs=0.0005)
    assert running.value == pytest.approx(4.0)


def test_06_a_stale_active_while_the_meter_shows_standby_is_measured_zero_heat() -> None:
    run, _ = run_of_interval(
        START, [(START + 10 * n, 20.0, 30) for n in range(30)], RunState(), on_w=400.0, off_w=250.0
    )
    pump = PumpState(snapshot=Snapshot(active=True, phase=2.0, modulation_percent=100.0, rated_power_kw=12.0))
    result = result_of(Inputs(start=START, energy_wh=20 / 12, run=run, pump=pump))

    assert run.run_fraction == 0.0
    assert result.thermal_power_modulation_kw == 0.0
    assert result.values["electrical_energy_wh"] == pytest.approx(1.667, abs=0.0005)
    assert result.cop is None
    assert result.values["flags"] == codes.FLAG_CONFLICT
    assert result.values["state"] == codes.STATE_FULL


def test_07_a_run_of_two_minutes_gives_its_share_of_heat_and_no_interval_cop() -> None:
    samples = [(START + 10 * n, 3000.0 if n < 12 else 50.0, 30) for n in range(30)]
    run, _ = run_of_interval(START, samples, RunState(), on_w=400.0, off_w=250.0)
    pump = PumpState(snapshot=Snapshot(active=True, phase=2.0, modulation_percent=100.0, rated_power_kw=12.0))
    result = result_of(Inputs(start=START, energy_wh=102.5, run=run, pump=pump))

    assert run.run_fraction == 0.4
    assert result.thermal_power_modulation_kw == pytest.approx(4.8)
    assert result.values["thermal_energy_modulation_wh"] == pytest.approx(400.0)
    assert result.cop is None
    both = period_cop(result.values["full_thermal_energy_wh"], result.values["full_electrical_energy_wh"])
    assert both.value == pytest.approx(3.902, abs=0.0005)


def test_08_an_interval_without_modulation_counts_for_energy_and_not_for_cop(
    store: SqliteStore, site: Site
) -> None:
    midnight = at("2027-01-15")
    rows = [
        interval_row(
            midnight + 300 * n, running_interval(10_000 / 287, 40_000 / 287, False, midnight + 300 * n)
        )
        for n in range(287)
    ]
    last = midnight + 287 * 300
    store.write([*rows, interval_row(last, running_interval(200.0, None, False, last))])
    now = local_midnight(date(2027, 1, 17), UTC_HOUSE.zone)

    (row,) = energy_rows(home_of(store, UTC_HOUSE, now), "day", date(2027, 1, 15), date(2027, 1, 15))
    assert row.electrical_energy_kwh == pytest.approx(10.2, abs=0.0001)
    assert row.cop == pytest.approx(4.0, abs=0.0001)
    assert row.heat_coverage == pytest.approx(0.9804, abs=0.00005)
    full_s = store.sums(SITE, ["full_s"], [midnight, midnight + 86_400])["full_s"][0].sum
    assert (full_s or 0) / 86_400 == pytest.approx(0.9965, abs=0.00005)


def test_09_no_energy_gives_no_cop_and_never_infinity() -> None:
    run, _ = steady_run(START, False, RunState())
    pump = PumpState(snapshot=Snapshot(active=True, phase=2.0, modulation_percent=50.0, rated_power_kw=12.0))
    result = result_of(Inputs(start=START, energy_wh=0.0, run=run, pump=pump))
    period = period_cop(result.values["full_thermal_energy_wh"], result.values["full_electrical_energy_wh"])

    assert result.values["thermal_energy_modulation_wh"] == 0.0
    assert result.cop is None
    assert (period.value, period.reason) == (None, "no_energy")


def test_10_delta_t_gives_8_7_kilowatts_and_a_cop_of_4() -> None:
    heat = thermal_power_from_delta_t(1.5, 36.0, 31.0, 1.0)
    assert heat.power_kw == pytest.approx(8.7)
    assert interval_cop(heat.power_kw, 2175.0, 1.0, 250.0) == pytest.approx(4.0)


def test_11_a_negative_delta_t_while_running_is_missing_and_a_rest_at_standstill_is_zero() -> None:
    assert thermal_power_from_delta_t(1.5, 30.0, 31.0, 1.0).power_kw is None
    assert thermal_power_from_delta_t(1.5, 34.0, 31.0, 0.0).power_kw == 0.0


def test_12_the_cop_of_two_days_is_the_ratio_of_sums() -> None:
    assert period_cop(40_000 + 6_000, 10_000 + 2_000).value == pytest.approx(3.833, abs=0.0005)


def test_13_a_day_of_standby_has_no_cop_but_its_energy_counts_in_the_month() -> None:
    day = period_cop(0.0, 480.0)
    assert (day.value, day.reason) == (None, "no_heat")
    assert period_cop(90_000.0, 29_520.0 + 480.0).value == pytest.approx(3.0)


@pytest.mark.parametrize(
    ("day", "label"),
    [
        (date(2025, 12, 29), "2026-W01"),
        (date(2026, 12, 28), "2026-W53"),
        (date(2027, 1, 1), "2026-W53"),
        (date(2027, 1, 4), "2027-W01"),
    ],
)
def test_14_weeks_are_named_by_the_iso_year(day: date, label: str) -> None:
    assert period_label(day - timedelta(days=day.weekday()), "week") == label


def test_14a_known_minutes_beside_a_hole_count(store: SqliteStore, site: Site) -> None:
    store.write([minute(START + 60 * number, 20.0) for number in (44, 45, 46, 47, 48)])
    derive_intervals(store, SITE, PARAMETERS, START, START + 3600)
    home = home_of(store, UTC_HOUSE)
    for period, length_s in (("day", 86_400), ("month", 31 * 86_400), ("year", 151 * 86_400)):
        (row,) = energy_rows(home, period, date(2027, 1, 15), date(2027, 1, 15))
        assert row.electrical_energy_kwh == 0.100
        assert row.electrical_coverage == pytest.approx(300 / length_s)
    states = {row.values["state"] for row in store.rows(SITE, "interval", START, START + 3600)}
    assert states == {codes.STATE_ELEC}


def test_14b_a_flag_sent_again_with_its_old_value_is_no_switch(store: SqliteStore, site: Site) -> None:
    end = START + 7200
    store.write([*polls(START, end, constant(2000.0)), *minutes(START, end, constant(2000.0))])
    for time in range(START, end, 300):
        stamp = START + 3700.0 if time >= START + 3600 else START - 86_400.0
        store.write([snapshot(time, dhw_charging=0.0, dhw_charging_at=stamp)])
    derive_intervals(store, SITE, PARAMETERS, START, end)
    (row,) = energy_rows(home_of(store, UTC_HOUSE), "day", date(2027, 1, 15), date(2027, 1, 15))
    assert row.electrical_energy_dhw_kwh == 0.0
    assert row.electrical_energy_heating_kwh == pytest.approx(4.0, abs=0.001)


def test_14c_cooling_is_consumption_and_part_of_no_cop(store: SqliteStore, site: Site) -> None:
    end = START + 7200
    store.write([*polls(START, end, constant(2000.0)), *minutes(START, end, constant(2000.0))])
    flow = {"secondary_supply_temperature_c": 35.0, "return_temperature_c": 30.0}
    store.write([snapshot(time, rated_power_kw=8.0, **flow) for time in range(START, START + 3600, 300)])
    flow = {"secondary_supply_temperature_c": 16.0, "return_temperature_c": 19.0}
    store.write([snapshot(time, compressor_phase=4.0, **flow) for time in range(START + 3600, end, 300)])
    derive_intervals(store, SITE, replace(PARAMETERS, flow_rate_m3_h=1.5), START, end)

    home = home_of(store, UTC_HOUSE)
    (row,) = energy_rows(home, "day", date(2027, 1, 15), date(2027, 1, 15))
    assert row.electrical_energy_kwh == pytest.approx(4.0, abs=0.001)
    assert row.electrical_energy_cooling_kwh == pytest.approx(2.0, abs=0.001)
    assert row.electrical_energy_heating_kwh == pytest.approx(2.0, abs=0.001)
    assert [row.cop, row.cop_delta_t] == pytest.approx([4.0, 4.35], abs=0.001)
    assert (row.heat_coverage, row.delta_t_coverage) == (1.0, 1.0)
    assert jaz(home, date(2027, 1, 15), date(2027, 1, 15)).jaz == pytest.approx(4.0, abs=0.001)
    assert [each.at for each in store.rows(SITE, "cop", START + 3600, end)] == []


def test_14d_a_source_that_repeats_itself_gives_heat_once(store: SqliteStore, site: Site) -> None:
    end = START + 3 * 3600
    store.write([*polls(START, end, constant(2000.0)), *minutes(START, end, constant(2000.0))])
    store.write(
        [
            snapshot(time, modulation_percent=80.0, newest_source_at=START + 140.0)
            for time in range(START, end, 300)
        ]
    )
    derive_intervals(store, SITE, PARAMETERS, START, end)
    home = home_of(store, UTC_HOUSE)
    (row,) = energy_rows(home, "day", date(2027, 1, 15), date(2027, 1, 15))
    assert row.electrical_energy_kwh == pytest.approx(6.0, abs=0.001)
    assert row.thermal_energy_modulation_kwh == pytest.approx(0.8)
    assert row.electrical_energy_unclassified_kwh == pytest.approx(6.0 - 2 / 12, abs=0.001)
    assert [each.at for each in store.rows(SITE, "cop", START, end)] == [START]
    (late,) = store.rows(SITE, "interval", end - 300, end)
    assert codes.REASONS[int(late.values["reason"] or 0)] == "source_silent"


def test_15_a_start_after_a_gap_is_none() -> None:
    powers = [(0, 20), (10, 20), (20, 450), (30, 300), (40, 260), (50, 240), (60, 20)]
    powers += [(120, 2000), (130, 20), (140, 2000)]
    samples = [(time, float(power), 30) for time, power in powers]
    run, _ = run_of_interval(0, samples, RunState(), on_w=400.0, off_w=250.0)
    assert run.starts == 2


def test_16_the_heating_rod_moves_the_boundary() -> None:
    rod_wh = 3600 / 3.6 * 6
    cops = boundary_cops(
        100_000.0, 30_000.0, rod_wh, ("compressor", "source_pump", "heating_rod", "heating_pumps")
    )
    assert cops["H2"] == pytest.approx(4.167, abs=0.0005)
    assert cops["H4"] == pytest.approx(3.533, abs=0.0005)


def test_17_percent_of_carnot_and_heat_weighted_flow() -> None:
    ideal = carnot_cop(35.0, 0.0)
    assert ideal == pytest.approx(7.213, abs=0.0005)
    assert percent_of_carnot(4500.0 / (ideal or 1.0), 1000.0) == pytest.approx(62.4, abs=0.05)
    assert heat_weighted_flow_c(10_000 * 35.0 + 2_000 * 50.0, 12_000.0) == 37.5


def test_18_degree_days_of_three_days() -> None:
    means = (5.0, 14.0, 16.0)
    assert sum(heating_degree_days(mean) or 0.0 for mean in means) == 11.0


def test_19_the_band_spans_the_methods_and_widens_with_gaps() -> None:
    full = cop_band(4.3, [4.0, 4.7], energy_coverage=1.0)
    assert (round(full.low, 2), round(full.high, 2)) == (3.87, 4.73)
    gaps = cop_band(4.3, [4.0, 4.7], energy_coverage=0.9)
    assert (round(gaps.low, 2), round(gaps.high, 2)) == (3.78, 4.82)
    assert not gaps.disagree


def test_20_a_tariff_changes_at_local_midnight() -> None:
    tariffs = tariffs_of(0.30, 0.40, [{"from": "2027-07-01", "price": 0.36}])
    stretches = [(date(2027, 6, 30), 1, 10.0), (date(2027, 7, 1), 1, 10.0)]
    assert cost(stretches, tariffs) == pytest.approx(7.40)


def test_21_naive_and_degree_day_share_of_two_winter_months() -> None:
    measured = list(days(date(2027, 1, 1), date(2027, 2, 28)))
    assert extrapolated(1800.0, 59, 365) == pytest.approx(11_136, abs=0.5)
    assert permille_of(measured) == pytest.approx(320.0)
    assert degree_day_share(1800.0, measured, 5.0, 365).kwh == pytest.approx(6528, abs=0.5)


def test_22_a_year_with_a_weak_month_is_incomplete() -> None:
    months = [MonthCoverage(days=30, energy_coverage=0.9) for _ in range(11)]
    weak = [*months, MonthCoverage(days=31, energy_coverage=0.55)]
    assert coverage_label(365, 1.0, 0.86, weak) == "partial"
    assert coverage_label(364, 1.0, 0.86, weak) == "insufficient"
    assert coverage_label(365, 1.0, 0.97, months) == "full"


def test_the_whole_way_from_polls_to_known_answer_7(store: SqliteStore, site: Site) -> None:
    def power(time: int) -> float:
        return 3000.0 if START <= time < START + 120 else 50.0

    span = (START - 600, START + 900)
    store.write([*polls(*span, power), *minutes(*span, power)])
    store.write([snapshot(START)])
    derive_intervals(store, SITE, replace(PARAMETERS, flow_rate_m3_h=1.5), START, START + 300)

    (row,) = store.rows(SITE, "interval", START, START + 300)
    assert row.values["electrical_energy_wh"] == pytest.approx(102.5, abs=0.001)
    assert row.values["thermal_energy_modulation_wh"] == pytest.approx(400.0)
    assert row.values["compressor_run_s"] == 120.0
    assert row.values["compressor_starts"] == 1.0
    assert row.values["electrical_energy_standby_wh"] == pytest.approx(2.5, abs=0.001)
    (heat,) = store.rows(SITE, "thermal_power_modulation", START, START + 300)
    assert heat.values["value"] == pytest.approx(4.8)
    assert list(store.rows(SITE, "cop", START, START + 300)) == []


def test_the_yearly_curve_goes_through_the_monthly_means() -> None:
    curve = harmonic((1.0, 1.9, 4.7, 9.2, 14.1, 16.7, 19.0, 18.6, 14.3, 9.5, 4.1, 0.9))
    assert curve.mean_c == pytest.approx(9.5, abs=0.05)
    assert curve.amplitude_k == pytest.approx(9.5, abs=0.3)
    assert 10 < curve.coldest_day < 25
