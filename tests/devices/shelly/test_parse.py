"""One poll and one identity, from our own payloads and from broken ones."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.devices.errors import PayloadInvalid, WrongDevice
from apps.devices.readings import PhaseReading, PowerReading
from apps.devices.shelly.parse import device_identity, mac_address, power_reading, profile_of

from .payloads import payload

AT = datetime(2026, 1, 1, 6, 0, 3, 500000, tzinfo=UTC)
MAC = "0A1B2C3D4E5F"


def reading(status: Any, device: str = "") -> PowerReading:
    return power_reading(status, device, AT)


def test_a_poll_in_triphase_has_power_and_counters_by_phase() -> None:
    assert reading(payload("status_triphase")) == PowerReading(
        measured_at=AT,
        device=MAC,
        profile="triphase",
        phases=(
            PhaseReading(
                power_w=702.5,
                voltage_v=231.4,
                current_a=3.21,
                energy_counter_wh=1200500.25,
                energy_returned_counter_wh=0.0,
            ),
            PhaseReading(
                power_w=698.1,
                voltage_v=232.0,
                current_a=3.18,
                energy_counter_wh=1190400.5,
                energy_returned_counter_wh=0.0,
            ),
            PhaseReading(
                power_w=-12.4,
                voltage_v=230.7,
                current_a=0.41,
                energy_counter_wh=80100.75,
                energy_returned_counter_wh=950.31,
            ),
        ),
        power_w=1388.214,
        energy_counter_wh=2471001.51,
        energy_returned_counter_wh=950.31,
        clock_offset_s=1.5,
        uptime_s=86400,
    )


def test_a_poll_in_monophase_sums_its_channels() -> None:
    result = reading(payload("status_monophase"))
    assert (result.profile, result.power_w, result.energy_counter_wh) == ("monophase", 1400.6, 990.76)
    assert result.energy_returned_counter_wh == 1.25
    assert [phase.power_w for phase in result.phases] == [702.5, 698.1, 0.0]
    assert [phase.energy_counter_wh for phase in result.phases] == [500.25, 490.5, 0.01]


def test_a_meter_with_two_channels_leaves_the_third_phase_unknown() -> None:
    result = reading(payload("status_two_channels"))
    assert result.phases[2] == PhaseReading()
    assert (result.power_w, result.energy_counter_wh) == (1380.4, 77000.6)
    assert result.phases[1].errors == ("count_disabled",)


def test_a_clock_that_was_never_set_gives_no_offset() -> None:
    result = reading(payload("status_two_channels"))
    assert (result.clock_offset_s, result.uptime_s) == (None, 3)
    status = payload("status_triphase")
    status["sys"]["unixtime"] = 184
    assert reading(status).clock_offset_s is None


def test_another_device_at_the_address_is_seen_by_its_mac() -> None:
    assert reading(payload("status_triphase"), "FFFFFFFFFFFF").device == MAC


def test_the_known_device_is_taken_where_the_answer_names_none() -> None:
    status = payload("status_triphase")
    del status["sys"]
    assert reading(status, "FFFFFFFFFFFF").device == "FFFFFFFFFFFF"
    with pytest.raises(PayloadInvalid) as caught:
        reading(status)
    assert caught.value.path == "sys.mac"


@pytest.mark.parametrize(
    ("value", "errors"),
    [
        (None, ()),
        (float("nan"), ("unreadable:a_act_power",)),
        (float("inf"), ("unreadable:a_act_power",)),
        ("230", ("unreadable:a_act_power",)),
        (True, ("unreadable:a_act_power",)),
        ([], ("unreadable:a_act_power",)),
        (10**400, ("unreadable:a_act_power",)),
        (1e7, ("unreadable:a_act_power",)),
    ],
)
def test_a_value_that_is_no_number_is_missing_and_the_rest_is_kept(
    value: object, errors: tuple[str, ...]
) -> None:
    status = payload("status_triphase")
    status["em:0"]["a_act_power"] = value
    result = reading(status)
    assert (result.phases[0].power_w, result.phases[0].errors) == (None, errors)
    assert (result.phases[0].voltage_v, result.phases[1].power_w) == (231.4, 698.1)
    assert (result.power_w, result.energy_counter_wh) == (1388.214, 2471001.51)


def test_nan_as_python_reads_it_from_json_is_missing() -> None:
    text = json.dumps(payload("status_triphase")).replace("702.5", "NaN")
    assert reading(json.loads(text)).phases[0].power_w is None


def test_a_missing_phase_is_missing_not_zero() -> None:
    status = payload("status_triphase")
    for component in ("em:0", "emdata:0"):
        status[component] = {key: value for key, value in status[component].items() if key[:2] != "b_"}
    assert reading(status).phases[1] == PhaseReading()


def test_a_total_is_the_sum_only_where_every_phase_is_known() -> None:
    status = payload("status_triphase")
    del status["em:0"]["total_act_power"], status["emdata:0"]["total_act"]
    assert (reading(status).power_w, reading(status).energy_counter_wh) == (1388.2, 2471001.5)
    del status["em:0"]["c_act_power"], status["emdata:0"]["c_total_act_energy"]
    assert (reading(status).power_w, reading(status).energy_counter_wh) == (None, None)


@pytest.mark.parametrize("value", [-0.005, -1, -45236.95])
def test_a_negative_counter_is_no_counter(value: float) -> None:
    status = payload("status_triphase")
    status["emdata:0"]["total_act_ret"] = value
    status["emdata:0"]["a_total_act_energy"] = value
    result = reading(status)
    assert result.phases[0].energy_counter_wh is None
    assert result.phases[0].errors == ("negative:a_total_act_energy",)
    assert result.energy_returned_counter_wh == 950.31
    assert result.errors == ("negative:total_act_ret",)


@pytest.mark.parametrize("gone", [None, "down", []])
def test_counters_are_kept_while_the_powers_are_gone(gone: object) -> None:
    status = payload("status_triphase")
    status["em:0"] = gone
    result = reading(status)
    assert (result.power_w, result.phases[0].power_w, result.energy_counter_wh) == (None, None, 2471001.51)
    assert result.errors == ("missing:em:0",)


def test_powers_are_kept_while_the_counters_are_gone() -> None:
    status = payload("status_triphase")
    del status["emdata:0"]
    result = reading(status)
    assert (result.power_w, result.energy_counter_wh) == (1388.214, None)
    assert result.errors == ("missing:emdata:0",)


def test_a_channel_without_its_power_is_told_apart_from_one_that_is_not_there() -> None:
    status = payload("status_monophase")
    del status["em1:1"], status["em1:2"], status["em1data:2"]
    result = reading(status)
    assert result.phases[1].errors == ("missing:em1:1",)
    assert (result.phases[1].energy_counter_wh, result.phases[2]) == (490.5, PhaseReading())
    assert (result.power_w, result.energy_counter_wh) == (None, 990.75)


@pytest.mark.parametrize(
    ("status", "path"),
    [
        ([], "$"),
        (None, "$"),
        ("x", "$"),
        ({}, "em:0"),
        ({"em:0": None, "emdata:0": None}, "em:0"),
        ({"switch:0": {"output": True}, "sys": {"mac": MAC}}, "em:0"),
    ],
)
def test_an_answer_without_any_meter_names_the_place(status: object, path: str) -> None:
    with pytest.raises(PayloadInvalid) as caught:
        reading(status, MAC)
    assert caught.value.path == path


def test_errors_of_the_neutral_and_of_the_counters_are_kept() -> None:
    status = payload("status_triphase")
    status["em:0"]["errors"] = ["phase_sequence"]
    status["em:0"]["n_errors"] = ["out_of_range:current"]
    status["em:0"]["c_errors"] = ["out_of_range:voltage"]
    status["emdata:0"]["errors"] = ["database_error"]
    result = reading(status)
    assert result.errors == ("phase_sequence", "n:out_of_range:current", "database_error")
    assert result.phases[2].errors == ("out_of_range:voltage",)


def test_error_texts_stay_one_short_line() -> None:
    status = payload("status_triphase")
    status["em:0"]["errors"] = ["a\nb\x1b[31m\x00", "x" * 500, 7, *["y"] * 50]
    errors = reading(status).errors
    assert errors[:2] == ("ab[31m", "x" * 60)
    assert len(errors) == 19
    status["em:0"]["errors"] = "phase_sequence"
    assert reading(status).errors == ()


def test_the_identity_of_a_meter_with_a_password() -> None:
    identity = device_identity(payload("device_info"))
    assert (identity.mac, identity.model, identity.firmware) == (MAC, "SPEM-003CEBEU", "1.7.0")
    assert (identity.profile, identity.auth_required) == ("triphase", True)
    assert (identity.auth_realm, identity.name) == ("shellypro3em-0a1b2c3d4e5f", "Heat pump")


@pytest.mark.parametrize("profile", [None, "switch"])
def test_a_shelly_without_one_of_the_two_profiles_says_by_its_components_what_it_is(
    profile: str | None,
) -> None:
    info = {**payload("device_info_plug"), **({"profile": profile} if profile else {})}
    assert device_identity(info).profile is None


@pytest.mark.parametrize(
    ("status", "profile"),
    [
        ({"em:0": {}, "emdata:0": {}}, "triphase"),
        ({"em1:0": {}, "em1data:0": {}}, "monophase"),
        ({"em1:2": {}}, "monophase"),
        ({"switch:0": {}}, None),
        ([], None),
    ],
)
def test_the_components_tell_the_profile(status: object, profile: str | None) -> None:
    assert profile_of(status) == profile


@pytest.mark.parametrize(
    ("info", "code"),
    [
        ([], "not_a_shelly"),
        ({"hello": "world"}, "not_a_shelly"),
        ({"mac": "no mac", "model": "SPEM-003CEBEU", "gen": 2}, "not_a_shelly"),
        ({"mac": MAC, "gen": 2}, "not_a_shelly"),
        ({"mac": MAC, "model": "SPEM-003CEBEU"}, "not_a_shelly"),
        (payload("device_info_first_generation"), "old_shelly"),
    ],
)
def test_what_is_no_meter_is_refused(info: object, code: str) -> None:
    with pytest.raises(WrongDevice) as caught:
        device_identity(info)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("text", "mac"),
    [
        ("0a:1b:2c:3d:4e:5f", MAC),
        ("0A-1B-2C-3D-4E-5F", MAC),
        ("0a1b2c3d4e5f", MAC),
        ("0a1b2c3d4e5", None),
        ("0a1b2c3d4e5g", None),
        ("", None),
    ],
)
def test_a_mac_has_one_form(text: str, mac: str | None) -> None:
    assert mac_address(text) == mac


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["em:0", "emdata:0", "em1:0", "em1data:1", "sys", "mac", "unixtime", "errors"])
            | st.sampled_from(["a_act_power", "total_act", "act_power", "total_act_energy", "uptime"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@settings(deadline=None)
@given(status=json_values)
def test_whatever_is_answered_gives_a_reading_or_names_the_place(status: object) -> None:
    try:
        result = power_reading(status, MAC, AT)
    except PayloadInvalid as error:
        assert error.path
    else:
        numbers = [result.power_w, result.energy_counter_wh, *[phase.power_w for phase in result.phases]]
        assert all(number is None or abs(number) <= 3e12 for number in numbers)
