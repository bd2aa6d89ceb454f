"""The estimate of a year."""

from __future__ import annotations

import math
import random
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from apps.devices.models import Site
from apps.devices.options import HomeOptions
from apps.metrics.child import ChildFailed, in_child
from apps.metrics.climate import Offset, harmonic, harmonic_of_days, normals_of_place, offset_from
from apps.metrics.estimate import EnergyDay, extrapolated, signature_forecast
from apps.metrics.models import EstimateCache, Lump
from apps.metrics.normals import normals_of, shipped_regions
from apps.metrics.store.base import Row
from apps.metrics.store.sqlite import SqliteStore
from apps.metrics.windows import days, local_day_bounds
from apps.metrics.year import estimate_year

from .data import SITE, home_of

POTSDAM = HomeOptions(
    time_zone="UTC",
    latitude=52.38,
    longitude=13.07,
    altitude=81.0,
    electricity_price=0.30,
    base_fee_per_day=0.1,
)
MONTHS_C = (1.0, 1.9, 4.7, 9.2, 14.1, 16.7, 19.0, 18.6, 14.3, 9.5, 4.1, 0.9)
CLIMATE = harmonic(MONTHS_C)


def home(first: date, last: date, seed: int = 1) -> list[EnergyDay]:
    """Days of a house with 4 kWh of hot water and standby and 1.2 kWh per kelvin below 15.5 °C."""
    chance = random.Random(seed)
    result = []
    weather, before = 0.0, 5.0
    for day in days(first, last):
        weather = 0.8 * weather + chance.gauss(0, 2.3)
        temperature = CLIMATE.at(day.timetuple().tm_yday) + weather
        effective = 0.7 * temperature + 0.3 * before
        space = 1.2 * max(0.0, 15.5 - effective) * (1 + chance.gauss(0, 0.05))
        base = 4.0 * (1 + chance.gauss(0, 0.2))
        result.append(
            EnergyDay(
                day=day,
                energy_kwh=space + base,
                space_kwh=space,
                base_kwh=base,
                temperature_c=temperature,
                previous_temperature_c=before,
            )
        )
        before = temperature
    return result


def rows_of(known: Sequence[EnergyDay]) -> list[Row]:
    """The days as hourly sums and temperatures in the store."""
    rows = []
    for day in known:
        start = local_day_bounds(day.day, POTSDAM.zone)[0]
        for time in range(start, start + 86_400, 3600):
            values: dict[str, float | None] = {
                "electrical_energy_wh": (day.energy_kwh or 0.0) * 1000 / 24,
                "electrical_energy_heating_wh": (day.space_kwh or 0.0) * 1000 / 24,
                "electrical_energy_dhw_wh": (day.base_kwh or 0.0) * 1000 / 24,
                "electrical_energy_standby_wh": 0.0,
                "electrical_energy_unclassified_wh": 0.0,
                "electric_s": 3600.0,
            }
            rows.append(Row(site=SITE, measurement="interval", device="heatmon", at=time, values=values))
        rows += [
            Row(
                site=SITE,
                measurement="heat_pump",
                device="PUMP",
                at=time,
                values={"outside_temperature_c": day.temperature_c},
            )
            for time in range(start, start + 86_400, 300)
        ]
    return rows


def test_the_signature_finds_a_whole_year_from_one_winter_and_spring() -> None:
    year = home(date(2027, 1, 1), date(2027, 12, 31))
    history, rest = year[:120], [EnergyDay(day=day.day) for day in year[120:]]
    forecast = signature_forecast(history, rest, CLIMATE, seed=1)
    true = sum(day.energy_kwh or 0.0 for day in year[120:])
    assert forecast.method == "signature"
    assert forecast.kwh == pytest.approx(true, rel=0.12)
    assert forecast.low_kwh is not None and forecast.high_kwh is not None
    assert forecast.low_kwh < true < forecast.high_kwh


def test_the_same_seed_gives_the_same_forecast_and_another_one_another() -> None:
    year = home(date(2027, 1, 1), date(2027, 12, 31))
    history, rest = year[:90], [EnergyDay(day=day.day) for day in year[90:]]
    once = signature_forecast(history, rest, CLIMATE, seed=1)
    assert signature_forecast(history, rest, CLIMATE, seed=1) == once
    assert signature_forecast(history, rest, CLIMATE, seed=2) != once


def test_without_the_hot_water_flag_the_intercept_is_free() -> None:
    year = [
        EnergyDay(day=day.day, energy_kwh=day.energy_kwh, temperature_c=day.temperature_c)
        for day in home(date(2027, 1, 1), date(2027, 12, 31))
    ]
    rest = [EnergyDay(day=day.day) for day in year[150:]]
    forecast = signature_forecast(year[:150], rest, CLIMATE, seed=1)
    true = sum(day.energy_kwh or 0.0 for day in year[150:])
    assert forecast.method == "signature_total"
    assert forecast.kwh == pytest.approx(true, rel=0.2)


def test_normals_are_taken_as_one_kelvin_too_cold_until_own_days_say_more() -> None:
    assert offset_from(CLIMATE, []) == Offset(mean_k=1.0, sd_k=0.8)
    warm = [
        (day, CLIMATE.at(day.timetuple().tm_yday) + 2.0) for day in days(date(2027, 1, 1), date(2027, 5, 30))
    ]
    found = offset_from(CLIMATE, warm)  # 150 days count as ten: (1/0.64 + 2·10/14.44) / (1/0.64 + 10/14.44)
    assert found.mean_k == pytest.approx(1.3071, abs=1e-4)
    assert found.sd_k == pytest.approx(0.6659, abs=1e-4)


def test_a_place_warmer_than_its_normals_needs_less() -> None:
    year = home(date(2027, 1, 1), date(2027, 12, 31))
    rest = [EnergyDay(day=day.day) for day in year[120:]]
    colder = harmonic(tuple(normal - 1.0 for normal in MONTHS_C))
    true = signature_forecast(year[:120], rest, CLIMATE, seed=1)
    corrected = signature_forecast(year[:120], rest, colder, seed=1)
    assert true.kwh is not None and corrected.kwh is not None
    assert 1.0 < corrected.kwh / true.kwh < 1.07  # 1.08 if the normals were believed


def test_the_band_allows_for_habits_that_change() -> None:
    winter = home(date(2027, 1, 1), date(2027, 4, 30))
    summer = [EnergyDay(day=day.day, temperature_c=25.0) for day in home(date(2027, 7, 1), date(2027, 7, 31))]
    forecast = signature_forecast(winter, summer, CLIMATE, seed=1)
    assert forecast.low_kwh is not None and forecast.high_kwh is not None and forecast.kwh is not None
    half_width = (forecast.high_kwh - forecast.low_kwh) / 2 / forecast.kwh
    assert 0.195 < half_width < 0.23  # 1.28·√(0.15² + 0.08²) = 0.218; with the same habits 0.192


@pytest.mark.parametrize(
    ("knows_hot_water", "months", "half_width"),
    [(True, (1, 4), 0.148), (False, (1, 4), 0.196), (True, (4, 5), 0.213), (False, (4, 5), 0.330)],
)
def test_the_band_is_narrower_where_hot_water_is_known_apart_and_a_winter_was_seen(
    knows_hot_water: bool, months: tuple[int, int], half_width: float
) -> None:
    history = home(date(2027, months[0], 1), date(2027, months[1], 28))
    if not knows_hot_water:
        history = [replace(day, space_kwh=None, base_kwh=None) for day in history]
    known = [replace(day, energy_kwh=None) for day in home(date(2028, 1, 1), date(2028, 1, 31))]
    forecast = signature_forecast(history, known, CLIMATE, seed=1)
    assert forecast.low_kwh is not None and forecast.high_kwh is not None and forecast.kwh is not None
    found = (forecast.high_kwh - forecast.low_kwh) / 2 / forecast.kwh
    assert found == pytest.approx(half_width, abs=0.005)


def test_a_summer_gives_no_forecast() -> None:
    summer = home(date(2027, 6, 15), date(2027, 8, 31))
    forecast = signature_forecast(summer, [EnergyDay(day=date(2027, 12, 1))], CLIMATE, seed=1)
    assert (forecast.kwh, forecast.reason) == (None, "not_enough_heating_days")


def test_without_normals_a_short_history_gives_no_forecast_and_a_long_one_its_own_climate() -> None:
    year = home(date(2027, 1, 1), date(2027, 12, 31))
    rest = [EnergyDay(day=day.day) for day in year[320:]]
    assert signature_forecast(year[:90], rest, None, seed=1).reason == "no_normals"
    assert signature_forecast(year[:320], rest, None, seed=1).kwh is not None


def test_the_estimate_of_a_site_is_made_in_a_child_and_kept(store: SqliteStore, site: Site) -> None:
    known = home(date(2027, 1, 1), date(2027, 4, 30))
    store.write(rows_of(known))
    at = datetime(2027, 5, 1, 12, tzinfo=UTC)
    estimate = estimate_year(home_of(store, POTSDAM, at), 2027)
    so_far = sum(day.energy_kwh or 0.0 for day in known)
    assert estimate.measured_days == 120
    assert estimate.so_far_kwh == pytest.approx(so_far, abs=0.01)
    assert estimate.extrapolated_kwh == pytest.approx(so_far / 120 * 365, abs=0.1)
    assert estimate.method == "signature"
    low, middle, high = estimate.forecast_low_kwh, estimate.forecast_kwh, estimate.forecast_high_kwh
    assert low is not None and middle is not None and high is not None
    assert so_far < low < middle < high
    assert estimate.cost == pytest.approx(middle * 0.30 + 36.5)
    assert estimate.as_dict()["reason"] is None
    assert "Potsdam" in estimate.normals

    EstimateCache.objects.update(result={"kwh": 1.0, "method": "kept"})
    assert estimate_year(home_of(store, POTSDAM, at + timedelta(hours=6)), 2027).method == "kept"
    assert estimate_year(home_of(store, POTSDAM, at), 2027, seed=2).method == "signature"


def test_today_and_incomplete_days_are_remaining_days(store: SqliteStore, site: Site) -> None:
    known = home(date(2027, 1, 1), date(2027, 1, 10))
    store.write(rows_of(known))
    store.delete(SITE, "interval", *local_day_bounds(date(2027, 1, 4), POTSDAM.zone))
    at = datetime(2027, 1, 10, 23, tzinfo=UTC)
    estimate = estimate_year(home_of(store, POTSDAM, at), 2027, run_in_child=False)
    assert estimate.measured_days == 8
    so_far = sum(day.energy_kwh or 0.0 for day in known if day.day.day not in {4, 10})
    assert estimate.so_far_kwh == pytest.approx(so_far, abs=0.01)
    assert (estimate.forecast_kwh, estimate.reason) == (None, "not_enough_heating_days")


def test_days_that_share_a_lump_are_measured_together(store: SqliteStore, site: Site) -> None:
    known = home(date(2027, 1, 1), date(2027, 1, 10))
    store.write(rows_of(known))
    start, end = (
        int(datetime(2027, 1, day, hour, tzinfo=UTC).timestamp()) for day, hour in ((3, 12), (5, 12))
    )
    store.write(
        Row(
            site=SITE,
            measurement="interval",
            device="heatmon",
            at=time,
            values={"electrical_energy_wh": None, "electric_s": 3600.0},
        )
        for time in range(start, end, 3600)
    )
    Lump.objects.create(
        site=site,
        start=datetime.fromtimestamp(start, UTC),
        end=datetime.fromtimestamp(end, UTC),
        energy_wh=sum(
            (day.energy_kwh or 0.0) * share * 1000
            for day, share in zip(known[2:5], (0.5, 1, 0.5), strict=True)
        ),
        reason="gap",
    )
    at = datetime(2027, 1, 11, 1, tzinfo=UTC)
    estimate = estimate_year(home_of(store, POTSDAM, at), 2027, run_in_child=False)
    assert estimate.measured_days == 10
    assert estimate.so_far_kwh == pytest.approx(sum(day.energy_kwh or 0.0 for day in known), abs=0.01)

    store.delete(SITE, "interval", *local_day_bounds(date(2027, 1, 5), POTSDAM.zone))
    estimate = estimate_year(home_of(store, POTSDAM, at), 2027, run_in_child=False)
    assert estimate.measured_days == 7


def test_a_year_without_any_data_says_so(store: SqliteStore, site: Site) -> None:
    estimate = estimate_year(home_of(store, POTSDAM, datetime(2027, 5, 1, tzinfo=UTC)), 2027)
    assert estimate.so_far_kwh is None
    assert estimate.extrapolated_kwh is None
    assert estimate.reason == "no_complete_days"


def test_a_complete_year_is_its_measurement(store: SqliteStore, site: Site) -> None:
    known = home(date(2026, 1, 1), date(2026, 12, 31))
    store.write(rows_of(known))
    estimate = estimate_year(home_of(store, POTSDAM, datetime(2027, 5, 1, tzinfo=UTC)), 2026)
    assert estimate.method == "measured"
    assert estimate.forecast_kwh == estimate.so_far_kwh == estimate.extrapolated_kwh


def test_without_temperatures_the_degree_day_share_answers(store: SqliteStore, site: Site) -> None:
    store.write(
        row for row in rows_of(home(date(2027, 1, 1), date(2027, 2, 28))) if row.measurement == "interval"
    )
    estimate = estimate_year(home_of(store, POTSDAM, datetime(2027, 3, 1, 1, tzinfo=UTC)), 2027)
    assert estimate.method == "degree_day_share"
    assert estimate.so_far_kwh is not None and estimate.forecast_kwh is not None
    heat = (estimate.so_far_kwh - 59 * 4.0) / 0.32
    assert estimate.forecast_kwh == pytest.approx(heat + 365 * 4.0, rel=0.02)


def test_nothing_measured_gives_no_extrapolation() -> None:
    assert extrapolated(0.0, 0, 365) is None


def test_the_main_process_does_not_load_numpy() -> None:
    code = "import sys, apps.metrics.estimate, apps.metrics.child; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_child_gives_results_back_and_says_what_went_wrong() -> None:
    assert in_child(math.hypot, 3.0, 4.0) == 5.0
    with pytest.raises(ChildFailed, match="math domain error|expected a nonnegative input"):
        in_child(math.sqrt, -1.0)


def test_the_nearest_region_is_chosen_and_corrected_by_height() -> None:
    normals = normals_of_place(shipped_regions(), 48.14, 11.58, 520.0)
    assert normals is not None
    assert "Muehldorf" in normals.source
    assert normals.months_c[0] == pytest.approx(-1.2 - 0.0065 * 115, abs=0.01)
    assert normals_of_place(shipped_regions(), 40.4, -3.7, 650.0) is None


def test_values_of_the_owner_win_over_the_shipped_ones() -> None:
    house = HomeOptions(latitude=52.4, longitude=13.1, monthly_normals_c=tuple(float(n) for n in range(12)))
    normals = normals_of(house)
    assert normals is not None
    assert normals.months_c[11] == 11.0
    assert normals_of(HomeOptions()) is None


def test_a_curve_fitted_to_days_is_the_curve_they_lie_on() -> None:
    fitted = harmonic_of_days(
        [(day, CLIMATE.at(day.timetuple().tm_yday)) for day in days(date(2027, 1, 1), date(2027, 11, 30))]
    )
    assert fitted.mean_c == pytest.approx(CLIMATE.mean_c, abs=1e-6)
    assert fitted.amplitude_k == pytest.approx(CLIMATE.amplitude_k, abs=1e-6)
    assert fitted.coldest_day == pytest.approx(CLIMATE.coldest_day, abs=1e-4)
