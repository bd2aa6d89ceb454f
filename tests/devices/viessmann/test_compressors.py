"""Several compressors: sums of those that run, and nothing where one of them does not tell."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from apps.devices.readings import HeatPumpReading
from apps.devices.viessmann.compressors import Compressor, as_one
from apps.devices.viessmann.features import FeatureSnapshot, heat_pump_reading
from apps.devices.viessmann.getters import snapshot_with_getters
from apps.metrics.heat import Snapshot, thermal_power_from_modulation
from apps.metrics.recording import heat_pump_rows
from tests.payloads.viessmann.cu401b import cu401b, feature, sensor

AT = datetime(2026, 1, 22, 12, 0, tzinfo=UTC)
FIRST = Compressor(
    active=True, phase="heating", modulation_percent=80.0, rated_power_kw=10.0, starts=100.0, hours=500.0
)
SECOND = Compressor(
    active=True, phase="heating", modulation_percent=50.0, rated_power_kw=7.0, starts=20.0, hours=80.0
)


def heat_kw(compressor: Compressor, run_fraction: float = 1.0) -> float | None:
    snapshot = Snapshot(
        active=compressor.active,
        phase=2.0 if compressor.phase == "heating" else 0.0,
        modulation_percent=compressor.modulation_percent,
        rated_power_kw=compressor.rated_power_kw,
        output_kw=compressor.output_kw,
    )
    return thermal_power_from_modulation(snapshot, run_fraction).power_kw


def test_one_compressor_stays_as_it_is() -> None:
    assert as_one([FIRST]) is FIRST


def test_two_that_run_give_the_sum_of_their_heat() -> None:
    both = as_one([FIRST, SECOND])
    assert heat_kw(both) == pytest.approx(8.0 + 3.5)
    assert heat_kw(both, 0.5) == pytest.approx(5.75)
    assert (both.rated_power_kw, both.starts, both.hours) == (17.0, 120.0, 580.0)
    assert both.modulation_percent == pytest.approx(11.5 / 17 * 100)


def test_one_that_stands_gives_nothing_and_needs_no_modulation() -> None:
    stands = replace(SECOND, active=False, phase="off", modulation_percent=None, rated_power_kw=None)
    for both in (as_one([FIRST, stands]), as_one([stands, FIRST])):
        assert heat_kw(both) == pytest.approx(8.0)
        assert (both.active, both.phase) == (True, "heating")


@pytest.mark.parametrize("unknown", ["modulation_percent", "rated_power_kw", "active"])
def test_without_what_one_of_them_gives_the_heat_is_missing(unknown: str) -> None:
    missing: dict[str, Any] = {unknown: None}
    assert heat_kw(as_one([FIRST, replace(SECOND, **missing)])) is None
    assert heat_kw(as_one([replace(FIRST, **missing), SECOND])) is None


@pytest.mark.parametrize("name", ["starts", "hours"])
def test_a_count_that_one_of_them_does_not_tell_is_missing(name: str) -> None:
    missing: dict[str, Any] = {name: None}
    assert getattr(as_one([FIRST, replace(SECOND, **missing)]), name) is None


def test_both_stand_and_whether_one_runs_is_unknown_where_it_does_not_say() -> None:
    first, second = replace(FIRST, active=False), replace(SECOND, active=False)
    assert as_one([first, second]).active is False
    assert as_one([first, replace(second, active=None)]).active is None


def two_compressors() -> FeatureSnapshot:
    """The unit of the tests, whose compressor has 16 kW and 55.5 %, with a second one of 7 kW."""
    payload = cu401b()
    kept = [one for one in payload["data"] if one["feature"] != "heating.compressors"]
    listed = feature("heating.compressors") | {"properties": {"enabled": {"value": ["0", "1"]}}}
    second = "heating.compressors.1"
    payload["data"] = [
        *kept,
        listed,
        feature(second, active=True, phase="heating"),
        feature(f"{second}.power", value=(7, "kilowatt")),
        sensor(f"{second}.sensors.power", 50, "percent"),
        feature(f"{second}.statistics", starts=69, hours=95.5),
    ]
    return snapshot_with_getters(payload=payload, received_at=AT, device="7700000000000001")


def test_the_answer_of_a_unit_with_two_compressors_is_stored_as_sums() -> None:
    reading: HeatPumpReading = heat_pump_reading(two_compressors())
    values = heat_pump_rows(1, reading)[0].values
    assert values["compressors_output_kw"] == pytest.approx(16.0 * 0.555 + 7.0 * 0.5)
    assert values["rated_power_kw"] == 23.0
    assert values["compressor_starts_count"] == 500
    assert values["compressor_hours_h"] == 1300.0
