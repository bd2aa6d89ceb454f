"""``/api/energy``, ``/api/jaz`` and ``/api/estimate``."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.test import Client

from apps.devices.models import Site
from apps.metrics.store.front import Store
from tests.dashboard.house import fill, set_up

ROW = [
    "start", "end", "label", "electrical_energy_kwh", "electrical_energy_at_least", "lumps",
    "electrical_coverage", "thermal_energy_modulation_kwh", "thermal_energy_delta_t_kwh", "heat_coverage",
    "delta_t_coverage", "cop", "cop_delta_t", "electrical_energy_heating_kwh", "electrical_energy_dhw_kwh",
    "electrical_energy_unclassified_kwh", "electrical_energy_cooling_kwh", "standby_energy_kwh",
    "cop_heating", "cop_dhw",
    "compressor_starts", "compressor_run_time_h", "mean_outside_temperature_c", "heating_degree_days", "cost",
    "heating_degree_days_known", "implausible",
]  # fmt: skip


@pytest.fixture
def filled(reader: Client, store: Store, site: Site, now: datetime) -> Client:
    set_up(site)
    fill(store, site, now - timedelta(days=3), now, polls=False)
    return reader


def test_a_day_has_exactly_the_fields_of_the_contract(filled: Client) -> None:
    body = filled.get("/api/energy?period=day&from=2026-11-22&to=2026-11-22").json()
    assert (body["period"], body["timezone"], len(body["rows"])) == ("day", "Europe/Berlin", 1)
    (row,) = body["rows"]
    assert list(row) == ROW
    assert (row["start"], row["end"]) == ("2026-11-22T00:00:00+01:00", "2026-11-23T00:00:00+01:00")
    # 16 runs of half an hour at 2.4 kW, the rest at 30 W.
    assert row["electrical_energy_kwh"] == pytest.approx(16 * 1.2 + 16 * 0.03, abs=1e-6)
    assert row["electrical_coverage"] == 1.0


def test_a_running_week_ends_where_it_will_end(filled: Client) -> None:
    (row,) = filled.get("/api/energy?period=week&from=2026-11-23&to=2026-11-23").json()["rows"]
    assert (row["label"], row["end"]) == ("2026-W48", "2026-11-30T00:00:00+01:00")


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("period=hour", "period"),
        ("period=day&from=2026-13-01", "from"),
        ("period=day&from=2026-11-23T00:00:00Z", "from"),
        ("period=day&from=2026-11-23&to=2026-11-22", "to"),
        ("period=day&from=1990-01-01&to=2026-11-22", "from"),
        ("period=day&to=9999-12-31", "to"),
    ],
)
def test_nonsense_names_its_field(filled: Client, query: str, field: str) -> None:
    response = filled.get(f"/api/energy?{query}")
    assert (response.status_code, response.json()["error"]["field"]) == (400, field)


def test_three_days_are_no_jaz(filled: Client) -> None:
    body = filled.get("/api/jaz?from=2026-11-21&to=2026-11-22").json()
    assert list(body) == [
        "from", "to", "jaz", "jaz_low", "jaz_high", "jaz_delta_t", "jaz_heating", "jaz_dhw",
        "device_cop_total", "coverage", "label", "implausible", "method_version",
    ]  # fmt: skip
    assert (body["from"], body["to"], body["label"]) == ("2026-11-21", "2026-11-22", "insufficient")


def test_without_a_range_it_is_the_365_days_before_today(filled: Client) -> None:
    body = filled.get("/api/jaz").json()
    assert (body["from"], body["to"]) == ("2025-11-23", "2026-11-22")


def test_the_estimate_says_why_there_is_none(filled: Client) -> None:
    body = filled.get("/api/estimate").json()
    assert list(body) == [
        "year", "so_far_kwh", "extrapolated_kwh", "forecast_kwh", "forecast_low_kwh", "forecast_high_kwh",
        "method", "measured_days", "cost", "reason",
    ]  # fmt: skip
    assert (body["year"], body["forecast_kwh"], body["measured_days"]) == (2026, None, 2)
    assert body["reason"] == "not_enough_heating_days"
