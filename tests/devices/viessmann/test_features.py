"""From a features answer to a reading and settings, on payloads written by hand."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from apps.devices.errors import PayloadInvalid
from apps.devices.viessmann.features import (
    FeatureSnapshot,
    heat_pump_configuration,
    heat_pump_reading,
    snapshot_flags,
)
from apps.devices.viessmann.getters import heat_pump, snapshot_with_getters
from tests.payloads.viessmann.cu401b import CHANGED, cu401b, feature, sensor, week

AT = datetime(2026, 1, 22, 12, 0, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")


def snapshot(at: datetime = AT, /, **changed: Any) -> FeatureSnapshot:
    """As the client makes it from ``cu401b(**changed)``."""
    return snapshot_with_getters(
        payload=cu401b(**changed), received_at=at, device="7700000000000001", model="CU401B_G"
    )


def test_every_value_of_a_running_pump_is_read() -> None:
    reading = heat_pump_reading(snapshot(), BERLIN)
    circuit = reading.circuits[0]
    assert (reading.measured_at, reading.device, reading.model) == (AT, "7700000000000001", "CU401B_G")
    assert reading.newest_source_at == datetime(2026, 1, 22, 11, 58, 30, tzinfo=UTC)
    assert reading.outside_temperature_c == -2.3
    assert reading.return_temperature_c == 31.9
    assert reading.secondary_supply_temperature_c == 38.4
    assert (reading.primary_supply_temperature_c, reading.primary_return_temperature_c) == (8.1, 4.6)
    assert reading.buffer_temperature_c == 34.0
    assert reading.dhw_storage_temperature_c == 48.7
    assert (reading.compressor_active, reading.compressor_phase) == (True, "heating")
    assert (reading.modulation_percent, reading.rated_power_kw) == (55.5, 16.0)
    assert reading.circulation_pump_active is False
    assert (reading.dhw_charging, reading.dhw_charging_at) == (
        False,
        datetime(2026, 1, 22, 6, 10, tzinfo=UTC),
    )
    assert (reading.compressor_starts, reading.compressor_hours) == (431, 1204.5)
    assert (reading.heating_rod_level_one_s, reading.heating_rod_level_two_s) == (7200, 0)
    assert (reading.cop_total, reading.cop_heating, reading.cop_dhw) == (4.4, 4.6, 3.1)
    assert (circuit.id, circuit.supply_temperature_c, circuit.room_temperature_c) == ("1", 33.2, None)
    assert (circuit.target_temperature_c, circuit.program, circuit.operating_mode) == (
        20.5,
        "normal",
        "dhwAndHeating",
    )
    assert circuit.pump_active is True
    assert len(reading.circuits) == 1


def test_every_setting_is_read_under_its_key() -> None:
    settings = dict(heat_pump_configuration(snapshot()).settings)
    for name in ("circuits.1.schedule", "dhw.schedule", "circulation.schedule"):
        assert isinstance(settings.pop(name), dict)
    assert settings == {
        "circuits.1.target_temperature.comfort_c": 23,
        "circuits.1.target_temperature.normal_c": 20.5,
        "circuits.1.target_temperature.reduced_c": 17,
        "circuits.1.schedule_active": True,
        "circuits.1.curve.slope": 0.6,
        "circuits.1.curve.shift": 1,
        "circuits.1.mode": "dhwAndHeating",
        "circuits.1.eco": False,
        "circuits.1.supply_temperature.min_c": 15,
        "circuits.1.supply_temperature.max_c": 45,
        "dhw.target_temperature_c": 50,
        "dhw.target_temperature_2_c": 60,
        "dhw.schedule_active": True,
        "dhw.hysteresis_k": 5,
        "dhw.hysteresis_on_k": 5,
        "dhw.hysteresis_off_k": 0.5,
        "circulation.schedule_active": True,
        "holiday.start": "",
        "holiday.end": "",
    }


def test_each_setting_has_the_time_at_which_the_device_changed_it() -> None:
    changed = feature("heating.circuits.1.heating.curve", at="2026-01-22T09:15:00.000Z", slope=0.5, shift=1)
    times = heat_pump_configuration(snapshot(heating__circuits__1__heating__curve=changed)).changed_at
    assert times["circuits.1.curve.slope"] == datetime(2026, 1, 22, 9, 15, tzinfo=UTC)
    assert times["dhw.target_temperature_c"] == datetime.fromisoformat(CHANGED)


@pytest.mark.parametrize(
    "name", ["heating.circuits.1.heating.curve", "heating.dhw.schedule", "heating.circuits"]
)
def test_a_feature_that_is_missing_from_one_answer_has_no_settings_but_takes_no_others(name: str) -> None:
    whole = set(heat_pump_configuration(snapshot()).settings)
    left = set(heat_pump_configuration(snapshot(**{name.replace(".", "__"): None})).settings)
    gone = {
        "heating.circuits.1.heating.curve": {"circuits.1.curve.slope", "circuits.1.curve.shift"},
        "heating.dhw.schedule": {"dhw.schedule", "dhw.schedule_active"},
        "heating.circuits": set(),
    }
    assert whole - left == gone[name]


def test_a_disabled_feature_is_not_known() -> None:
    off = feature("heating.dhw.temperature.main", enabled=False)
    assert (
        "dhw.target_temperature_c"
        not in heat_pump_configuration(snapshot(heating__dhw__temperature__main=off)).settings
    )


def test_a_sensor_that_is_not_connected_is_none_even_with_an_old_value() -> None:
    name = "heating.secondaryCircuit.sensors.temperature.supply"
    loose = feature(name, status="notConnected", value=(38.4, "celsius"))
    reading = heat_pump_reading(snapshot(heating__secondaryCircuit__sensors__temperature__supply=loose))
    assert reading.secondary_supply_temperature_c is None


def test_the_names_of_older_devices_are_read_where_the_new_ones_are_missing() -> None:
    reading = heat_pump_reading(
        snapshot(
            heating__dhw__sensors__temperature__dhwCylinder=sensor(
                "heating.dhw.sensors.temperature.hotWaterStorage", 51.5
            ),
            heating__bufferCylinder__sensors__temperature__main=sensor(
                "heating.buffer.sensors.temperature.main", 30.5
            ),
        )
    )
    assert (reading.dhw_storage_temperature_c, reading.buffer_temperature_c) == (51.5, 30.5)


def test_the_programs_of_newer_devices_have_the_same_keys() -> None:
    programs = "heating.circuits.1.operating.programs."
    settings = heat_pump_configuration(
        snapshot(
            heating__circuits__1__operating__programs__comfort=feature(
                f"{programs}comfortHeating", temperature=(24, "celsius")
            ),
            heating__circuits__1__operating__programs__normal=feature(
                f"{programs}normalHeating", temperature=(21, "celsius")
            ),
            heating__circuits__1__operating__programs__reduced=feature(
                f"{programs}reducedHeating", temperature=(19, "celsius")
            ),
            extra=feature(f"{programs}comfortCooling", temperature=(23, "Celsius")),
        )
    ).settings
    assert [
        settings[f"circuits.1.target_temperature.{one}_c"] for one in ("comfort", "normal", "reduced")
    ] == [
        24,
        21,
        19,
    ]
    assert settings["circuits.1.target_temperature.comfort_cooling_c"] == 23


@pytest.mark.parametrize(
    ("unit", "value", "expected"),
    [
        ("kilowatt", 10, 10.0),
        ("watt", 10_000, 10.0),
        ("Kilowatt", 8.5, 8.5),
        ("horsepower", 13, None),
        ("", 12, None),
    ],
)
def test_the_rated_power_is_in_kilowatts_whatever_the_unit(
    unit: str, value: float, expected: float | None
) -> None:
    power = feature("heating.compressors.0.power", value=(value, unit))
    assert heat_pump_reading(snapshot(heating__compressors__0__power=power)).rated_power_kw == expected


@pytest.mark.parametrize(
    ("name", "value", "unit", "flag"),
    [
        ("heating.sensors.temperature.outside", 200, "celsius", "out of range: 200"),
        ("heating.sensors.temperature.outside", 50, "fahrenheit", "unit 'fahrenheit'"),
        ("heating.sensors.temperature.outside", "cold", "celsius", "not a number"),
        ("heating.sensors.temperature.outside", True, "celsius", "not a number"),
        ("heating.sensors.temperature.outside", float("nan"), "celsius", "not a number"),
        ("heating.compressors.0.sensors.power", 140, "percent", "out of range: 140"),
        ("heating.compressors.0.sensors.power", -1, "percent", "out of range: -1"),
    ],
)
def test_an_impossible_value_is_none_and_flagged(name: str, value: Any, unit: str, flag: str) -> None:
    odd = snapshot(**{name.replace(".", "__"): sensor(name, value, unit)})
    reading = heat_pump_reading(odd)
    if "outside" in name:
        assert reading.outside_temperature_c is None
    else:
        assert reading.modulation_percent is None
    assert snapshot_flags(odd) == (f"{name}.value: {flag}",)


def test_an_impossible_setting_is_unknown_and_flagged() -> None:
    odd = snapshot(
        heating__dhw__temperature__main=feature("heating.dhw.temperature.main", value=(500, "celsius"))
    )
    assert "dhw.target_temperature_c" not in heat_pump_configuration(odd).settings
    assert snapshot_flags(odd) == ("heating.dhw.temperature.main.value: out of range: 500",)


def test_a_good_answer_has_no_flags() -> None:
    assert snapshot_flags(snapshot()) == ()


@pytest.mark.parametrize(("status", "expected"), [("on", True), ("off", False), ("unknown", None), (1, None)])
def test_only_on_and_off_are_states_of_a_pump(status: Any, expected: bool | None) -> None:
    pump = feature("heating.dhw.pumps.circulation", status=status)
    reading = heat_pump_reading(snapshot(heating__dhw__pumps__circulation=pump))
    assert reading.circulation_pump_active is expected


def test_a_modulation_of_zero_is_measured_and_a_missing_one_is_not() -> None:
    name = "heating.compressors.0.sensors.power"
    still = snapshot(heating__compressors__0__sensors__power=sensor(name, 0, "percent"))
    absent = snapshot(heating__compressors__0__sensors__power=None)
    assert heat_pump_reading(still).modulation_percent == 0.0
    assert heat_pump_reading(absent).modulation_percent is None


def test_a_fraction_of_modulation_is_not_cut_off() -> None:
    name = "heating.compressors.0.sensors.power"
    fine = snapshot(heating__compressors__0__sensors__power=sensor(name, 33.9, "percent"))
    assert heat_pump_reading(fine).modulation_percent == 33.9
    assert heat_pump(fine).getCompressor("0").getModulation() == 33


def test_an_unused_cop_register_is_not_a_cop_of_zero() -> None:
    unused = snapshot(heating__cop__dhw=feature("heating.cop.dhw", value=0))
    assert heat_pump_reading(unused).cop_dhw is None
    assert snapshot_flags(unused) == ()


def test_a_circuit_in_standby_has_no_target() -> None:
    name = "heating.circuits.1.operating.programs.active"
    resting = snapshot(heating__circuits__1__operating__programs__active=feature(name, value="standby"))
    circuit = heat_pump_reading(resting).circuits[0]
    assert (circuit.program, circuit.target_temperature_c) == ("standby", None)


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (datetime(2026, 1, 22, 3, 59, tzinfo=UTC), None),
        (datetime(2026, 1, 22, 4, 0, tzinfo=UTC), 50.0),
        (datetime(2026, 1, 22, 11, 30, tzinfo=UTC), 60.0),
        (datetime(2026, 1, 22, 13, 0, tzinfo=UTC), 50.0),
        (datetime(2026, 1, 22, 20, 0, tzinfo=UTC), None),
        (datetime(2026, 7, 22, 3, 0, tzinfo=UTC), 50.0),
        (datetime(2026, 7, 22, 2, 59, tzinfo=UTC), None),
    ],
)
def test_the_hot_water_target_follows_the_schedule_by_the_clock_of_the_house(
    at: datetime, expected: float | None
) -> None:
    assert heat_pump_reading(snapshot(at), BERLIN).dhw_current_target_temperature_c == expected


def test_without_the_zone_of_the_house_the_current_hot_water_target_is_unknown() -> None:
    assert heat_pump_reading(snapshot()).dhw_current_target_temperature_c is None


def test_a_one_time_charge_heats_to_the_first_target_at_any_hour() -> None:
    night = datetime(2026, 1, 22, 1, 0, tzinfo=UTC)
    charge = feature("heating.dhw.oneTimeCharge", active=True)
    reading = heat_pump_reading(snapshot(night, heating__dhw__oneTimeCharge=charge), BERLIN)
    assert reading.dhw_current_target_temperature_c == 50.0


def test_float_noise_is_no_change_of_a_setting() -> None:
    name = "heating.circuits.1.heating.curve"
    noisy = feature(name, slope=0.6000000000000001, shift=1.0)
    settings = heat_pump_configuration(snapshot(heating__circuits__1__heating__curve=noisy)).settings
    assert settings == heat_pump_configuration(snapshot()).settings
    assert json.dumps(settings["circuits.1.curve.shift"]) == "1"


def test_a_schedule_with_a_missing_weekday_is_known_for_the_others() -> None:
    entries = week(("06:00", "22:00", "normal"))
    del entries["wed"]
    partly = feature("heating.dhw.schedule", active=True, entries=entries)
    schedule = heat_pump_configuration(snapshot(heating__dhw__schedule=partly)).settings["dhw.schedule"]
    assert isinstance(schedule, dict)
    assert list(schedule) == ["mon", "tue", "thu", "fri", "sat", "sun"]


def test_times_inside_messages_do_not_count_as_a_sign_of_life() -> None:
    log = feature("device.messages.logbook", at="2026-01-22T11:00:00.000Z")
    log["properties"]["entries"] = {"value": [{"timestamp": "2026-01-22T13:00:00.000Z"}]}
    reading = heat_pump_reading(snapshot(extra=log))
    assert reading.newest_source_at == datetime(2026, 1, 22, 11, 58, 30, tzinfo=UTC)


def test_messages_are_the_codes_of_faults_and_services_each_once() -> None:
    def raw(kind: str, *codes: object) -> dict[str, Any]:
        return feature(f"device.messages.{kind}.raw") | {
            "properties": {"entries": {"type": "array", "value": [{"errorCode": code} for code in codes]}}
        }

    faults = raw("errors", "F.1100", "F.1100", 7, None)
    service, info = raw("service", "P.8"), raw("info", "I.114")
    reading = heat_pump_reading(snapshot(one=faults, other=service, third=info))
    assert reading.messages == ("F.1100", "P.8")
    assert heat_pump_reading(snapshot()).messages == ()


@pytest.mark.parametrize(
    ("stamp", "expected"),
    [
        ("2026-01-22T13:30:00+01:00", datetime(2026, 1, 22, 12, 30, tzinfo=UTC)),
        ("2026-01-22T12:30:00Z", datetime(2026, 1, 22, 12, 30, tzinfo=UTC)),
        ("2026-01-22T12:30:00", datetime(2026, 1, 22, 12, 30, tzinfo=UTC)),
        ("yesterday", datetime(2026, 1, 22, 11, 58, 30, tzinfo=UTC)),
        (None, datetime(2026, 1, 22, 11, 58, 30, tzinfo=UTC)),
    ],
)
def test_timestamps_of_other_forms_are_understood(stamp: Any, expected: datetime) -> None:
    other = feature("heating.cop.green", at=stamp, value=0)
    assert snapshot(extra=other).newest_source_at == expected


def test_a_time_received_in_another_zone_stays_the_same_moment() -> None:
    berlin = AT.astimezone(timezone(timedelta(hours=1)))
    assert heat_pump_reading(snapshot(berlin)).measured_at == AT


@pytest.mark.parametrize("payload", [{}, {"data": None}, {"data": "x"}, {"data": {"a": 1}}])
def test_an_answer_without_a_list_of_features_is_refused(payload: dict[str, Any]) -> None:
    with pytest.raises(PayloadInvalid) as refused:
        FeatureSnapshot(payload=payload, received_at=AT, device="7")
    assert refused.value.path == "data"


@pytest.mark.parametrize(
    "broken",
    [
        7,
        None,
        {},
        {"feature": 3},
        {"feature": "heating.compressors.0", "properties": []},
        {"feature": "heating.compressors.0", "properties": {"active": 1, "phase": None}},
        {"feature": "heating.circuits", "properties": {"enabled": {"value": {"a": 1}}}},
        {"feature": "heating.circuits", "properties": {"enabled": {"value": [None, {"x": 1}, "1"]}}},
        {
            "feature": "heating.dhw.schedule",
            "properties": {"entries": {"value": 5}, "active": {"value": "yes"}},
        },
    ],
)
def test_a_malformed_feature_spoils_nothing_else(broken: Any) -> None:
    payload = cu401b()
    payload["data"].append(broken)
    odd = snapshot_with_getters(payload=payload, received_at=AT, device="7")
    assert heat_pump_reading(odd).outside_temperature_c == -2.3
    assert heat_pump_configuration(odd).settings["circuits.1.curve.slope"] == 0.6
