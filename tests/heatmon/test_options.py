"""Settings from the environment: all faults are named at once, secrets may lie in files."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.devices.home_options import HOME_OPTIONS, HomeOptions
from heatmon.options import OPTIONS, OptionsError, load_options

ROOT = Path(__file__).resolve().parents[2]


def test_an_empty_environment_gives_the_defaults() -> None:
    options = load_options({})
    assert options.bind == "127.0.0.1:8000"
    assert options.viessmann_daily_limit == 1450
    assert options.time_zone == "Europe/Berlin"
    assert options.shelly_url is None
    assert options.given == frozenset()


def test_all_faults_are_reported_together_and_name_their_option() -> None:
    with pytest.raises(OptionsError) as caught:
        load_options({"HEATMON_TIME_ZONE": "Mars/Base", "HEATMON_BIND": "8000", "HEATMON_LATITUDE": "north"})
    assert caught.value.faults == [
        "HEATMON_BIND must be an address and a port like 0.0.0.0:8000",
        "HEATMON_TIME_ZONE is not a valid time zone; use a name like Europe/Berlin",
        "HEATMON_LATITUDE must be a number",
    ]


def test_the_name_in_the_plan_for_the_flow_rate_still_works() -> None:
    assert load_options({"ESTIMATED_FLOW_RATE": "1.5"}).estimated_flow_rate == 1.5


def test_two_names_with_different_values_are_refused() -> None:
    with pytest.raises(OptionsError, match="ESTIMATED_FLOW_RATE differ"):
        load_options({"ESTIMATED_FLOW_RATE": "1.5", "HEATMON_ESTIMATED_FLOW_RATE": "2"})


def test_a_secret_may_lie_in_a_file_whose_last_newline_does_not_count(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("open sesame\n")
    options = load_options({"HEATMON_SHELLY_PASSWORD_FILE": str(tmp_path / "password")})
    assert options.shelly_password == "open sesame"


def test_a_secret_given_twice_is_refused(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("a")
    environ = {"HEATMON_SHELLY_PASSWORD": "b", "HEATMON_SHELLY_PASSWORD_FILE": str(tmp_path / "password")}
    with pytest.raises(OptionsError, match="PASSWORD and HEATMON_SHELLY_PASSWORD_FILE are both"):
        load_options(environ)


def test_a_missing_secret_file_is_named() -> None:
    with pytest.raises(OptionsError, match="cannot be read from HEATMON_INFLUXDB_TOKEN_FILE"):
        load_options({"HEATMON_INFLUXDB_TOKEN_FILE": "/nowhere/token"})


def test_influxdb_needs_all_that_leads_to_the_bucket() -> None:
    with pytest.raises(
        OptionsError, match="HEATMON_STORE=influxdb needs HEATMON_INFLUXDB_ORG, HEATMON_INFLUXDB_TOKEN too"
    ):
        load_options(
            {
                "HEATMON_STORE": "influxdb",
                "HEATMON_INFLUXDB_URL": "http://influxdb:8086",
                "HEATMON_INFLUXDB_BUCKET": "heatmon",
            }
        )


def test_an_unknown_setting_is_warned_of() -> None:
    assert load_options({"HEATMON_SHELY_URL": "x"}).warnings == (
        "HEATMON_SHELY_URL is not a setting of heatmon; see docs/options.md",
    )


def test_a_host_of_star_is_refused() -> None:
    with pytest.raises(OptionsError, match="would accept any"):
        load_options({"HEATMON_ALLOWED_HOSTS": "heat.local,*"})


def test_channels_may_be_letters_or_component_numbers() -> None:
    roles = load_options({"HEATMON_METER_CHANNELS": "2, a"}).channel_roles
    assert roles == {"a": "heat_pump", "b": "house", "c": "heat_pump"}


def test_a_meter_address_may_come_without_its_scheme() -> None:
    assert load_options({"HEATMON_SHELLY_URL": "192.168.1.50"}).shelly_url == "http://192.168.1.50"


@given(st.sampled_from([option.variable for option in OPTIONS]), st.text(min_size=1, max_size=30))
def test_any_text_is_either_read_or_refused_with_the_name_of_its_option(variable: str, value: str) -> None:
    try:
        load_options({variable: value})
    except OptionsError as error:
        assert all(variable in fault for fault in error.faults)


def test_the_heat_pump_of_an_account_with_several_can_be_chosen_without_a_browser() -> None:
    options = load_options({"HEATMON_HEAT_PUMP": "7571381573112225/0"})
    assert options.heat_pump_device == "7571381573112225/0"


@pytest.mark.parametrize(
    ("variable", "value", "fault"),
    [
        ("HEATMON_LATITUDE", "90.1", "must be between -90 and 90"),
        ("HEATMON_ELECTRICITY_PRICE", "-0.01", "must be between 0 and 10"),
        ("HEATMON_ELECTRICITY_PRICE", "nan", "must be a number"),
        ("HEATMON_VIESSMANN_DAILY_LIMIT", "9", "must be between 10 and 100000"),
        ("HEATMON_SHELLY_URL", "http://[1", "does not have a valid port"),
    ],
)
def test_a_value_beyond_its_limits_is_refused(variable: str, value: str, fault: str) -> None:
    with pytest.raises(OptionsError) as caught:
        load_options({variable: value})
    assert caught.value.faults == [f"{variable} {fault}"]


def test_a_decimal_comma_is_read_as_on_the_settings_page() -> None:
    assert load_options({"HEATMON_ELECTRICITY_PRICE": "0,3049"}).electricity_price == 0.3049


def test_the_typed_view_of_the_homes_options_is_the_table() -> None:
    typed = {field.name: getattr(HomeOptions(), field.name) for field in fields(HomeOptions)}
    assert typed == {option.name: option.default for option in HOME_OPTIONS}


def test_every_option_is_documented_in_its_own_words() -> None:
    documented = (ROOT / "docs" / "options.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `(HEATMON_\w+)`.* \| (.+) \|$", documented, re.MULTILINE))
    assert rows == {option.variable: option.help for option in OPTIONS}
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    explained = re.findall(r"^# (.+)\n#(HEATMON_\w+)=", example, re.MULTILINE)
    assert explained == [(option.help, option.variable) for option in OPTIONS]
