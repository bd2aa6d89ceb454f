"""Every captured Shelly answer gives the right values or the right error."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from apps.devices.address import checked_address
from apps.devices.errors import (
    DeviceBusy,
    DeviceError,
    DeviceRefused,
    DeviceUnreachable,
    PayloadInvalid,
    WrongDevice,
)
from apps.devices.shelly import minutes
from apps.devices.shelly.connection import MeterConnection
from apps.devices.shelly.discovery import announced_meters
from apps.devices.shelly.parse import (
    csv_minutes,
    device_identity,
    em1_values,
    em1data_values,
    em_values,
    emdata_values,
    history_page,
    power_reading,
    records_extent,
    sys_values,
)
from tests.captures import captures_dir

from .announcing import LOOPBACK, SERVICE, announced, announcement
from .meters import InProcess, Reply, always, clock, session_with

pytestmark = pytest.mark.captures
FOLDER = captures_dir("shelly")
AT = datetime(2026, 1, 1, tzinfo=UTC)
AT_S = 1767225600
MAC = "AABBCCDDEEFF"
NONE = (None, None, None)

# model, firmware, profile, realm of the password
IDENTITIES = {
    "3em63_gen3_triphase": ("S3EM-003CXCEU63", "1.4.99-dev111396", "triphase", None),
    "pro3em_monophase_fw1.7.5": ("SPEM-003CEBEU", "1.7.5", "monophase", None),
    "pro3em_triphase_fw1.1.0": ("SPEM-003CEBEU", "1.1.0", "triphase", None),
    "pro3em_triphase_fw1.6.1_auth": ("SPEM-003CEBEU", "1.6.1", "triphase", "shellypro3em-aabbccddeeff"),
    "pro3em_triphase_fw1.7.5": ("SPEM-003CEBEU", "1.7.5", "triphase", None),
    "proem50_gen2": ("SPEM-002CEBEU50", "1.7.5", None, None),  # its components tell
}

# profile, power, powers by phase, counter, counters by phase, returned, unix time, uptime
STATUSES: dict[str, tuple[Any, ...]] = {
    "pro3em_triphase_fw1.6.1": (
        *("triphase", 2413.825, (2166.2, 3.6, 244.0)),
        *(5415414.19, (3105576.42, 195765.72, 2114072.05), 0.0, 1747561101, 501683),
    ),
    "pro3em_triphase_fw1.1.0": (
        *("triphase", 558.965, (375.5, 170.8, 12.7)),
        *(2589773.39, (2034616.71, 185686.89, 369469.8), 1026.61, 1707326927, 2085615),
    ),
    "pro3em_triphase_one_phase_used_fw1.7.5": (
        *("triphase", 6.78, (0.0, 0.0, 6.8)),
        *(45236.97, (0.01, 0.01, 45236.95), 0.0, 1779362354, 3630829),
    ),
    "pro3em_monophase_fw1.7.5_after_profile_switch": (
        *("monophase", 6.5, (0.0, 0.0, 6.5)),
        *(0.17, (0.01, 0.01, 0.15), 0.0, 1779364023, 84),
    ),
}

# power, powers, voltages, currents, errors, errors by phase
EM: dict[str, tuple[Any, ...]] = {
    "3em63_gen3_idle": (5.942, (2.1, 2.1, 1.8), (235.6, 236.4, 236.2), (0.03, 0.03, 0.029), (), ((), (), ())),
    "SYNTHETIC_all_null_ct_type_not_set": (None, NONE, NONE, NONE, ("ct_type_not_set",), ((), (), ())),
    "SYNTHETIC_all_null_power_meter_failure": (
        *(None, NONE, NONE, NONE, ("power_meter_failure",), ((), (), ())),
    ),
    "SYNTHETIC_phase_a_out_of_range": (
        *(34159.6, (33912.0, 3.6, 244.0), (281.2, 230.0, 230.2), (121.4, 0.044, 1.479), ()),
        (
            (
                *("out_of_range:active_power", "out_of_range:apparent_power"),
                *("out_of_range:voltage", "out_of_range:current"),
            ),
            (),
            (),
        ),
    ),
    "docs_example_phase_sequence_TYPO": (
        *(2484.782, (951.2, -951.1, None), (236.1, 236.201, 236.402), (4.029, 4.027, 3.03)),
        *(("phase_sequence",), ((), (), ())),
    ),
    "export_negative_two_dead_phases": (
        *(-18.017, (0.0, 0.0, -18.0), (0.0, 0.0, 228.3), (0.027, 0.027, 0.476), (), ((), (), ())),
    ),
    "normal_fw1.1.0": (
        *(558.965, (375.5, 170.8, 12.7), (229.0, 229.0, 229.2), (2.392, 1.037, 0.428), (), ((), (), ())),
    ),
    "normal_fw1.6.1": (
        *(2413.825, (2166.2, 3.6, 244.0), (227.0, 230.0, 230.2), (9.592, 0.044, 1.479), (), ((), (), ())),
    ),
    "one_phase_used_fw1.7.5": (
        *(6.78, (0.0, 0.0, 6.8), (0.0, 0.0, 232.7), (0.028, 0.027, 0.068), (), ((), (), ())),
    ),
    "partial_2023_negative_pf_on_import": (
        *(2884.1, (2240.6, 420.1, 223.4), (233.7, 236.4, None), (9.594, 1.93, None), (), ((), (), ())),
    ),
}

# counter, counters, returned, returned by phase, errors
EMDATA: dict[str, tuple[Any, ...]] = {
    "SYNTHETIC_database_error": (
        *(5415414.19, (3105576.42, 195765.72, 2114072.05), 0.0, (0.0, 0.0, 0.0), ("database_error",)),
    ),
    "docs_zero_after_reset": (0.0, (0.0, 0.0, 0.0), 0.0, (0.0, 0.0, 0.0), ()),
    "export_pv": (26289.57, (0.06, 0.06, 26289.44), 131881.86, (0.0, 0.01, 131881.85), ()),
    "normal_fw1.1.0_total_off_by_0.01": (
        *(2589773.39, (2034616.71, 185686.89, 369469.8), 1026.61, (0.0, 40.7, 985.91), ()),
    ),
    "normal_fw1.6.1": (*(5415414.19, (3105576.42, 195765.72, 2114072.05), 0.0, (0.0, 0.0, 0.0), ()),),
    "one_phase_used_fw1.7.5": (45236.97, (0.01, 0.01, 45236.95), 0.0, (0.0, 0.0, 0.0), ()),
}

# power, voltage, current, errors
EM1: dict[str, tuple[Any, ...]] = {
    "docs_error_and_flag": (951.2, 236.1, 4.029, ("out_of_range:current", "count_disabled")),
    "export_negative": (-332.2, 226.9, 1.473, ()),
    "monophase_id0_fw1.7.5": (0.0, 0.0, 0.028, ()),
    "monophase_id1_fw1.7.5": (0.0, 0.0, 0.027, ()),
    "monophase_id2_fw1.7.5": (6.5, 234.5, 0.068, ()),
}

# counter, returned
EM1DATA = {
    "export": (1264.15, 144792.28),
    "monophase_id0_fw1.7.5_after_profile_switch": (0.01, 0.0),
    "monophase_id1_fw1.7.5_after_profile_switch": (0.01, 0.0),
    "monophase_id2_fw1.7.5_after_profile_switch": (0.15, 0.0),
}

# mac, unix time, uptime
SYS = {
    "SYNTHETIC_not_synced": (MAC, None, 1),
    "fw1.1.0_no_last_sync_ts": (MAC, 1707326927, 2085615),
    "synced_fw1.6.1": (MAC, 1747561101, 501683),
}

MINUTE = ((0.2134, 0.2082, 0.0704), (0.0, 0.0, 0.0), 0.492)
# rows as (epoch s, energies, returned, total), next record
PAGES: dict[str, tuple[list[tuple[Any, ...]], int | None]] = {
    "SYNTHETIC_emdata_getdata_empty": ([], None),
    "SYNTHETIC_emdata_getdata_page_of_6": (
        [(1771180620 + 60 * index, *MINUTE) for index in range(6)],
        1771180980,
    ),
    "SYNTHETIC_emdata_getdata_last_page": (
        [(1771180980 + 60 * index, *MINUTE) for index in range(3)],
        None,
    ),
    "SYNTHETIC_emdata_getdata_two_blocks_power_loss": (
        [(at, *MINUTE) for at in (1771180620, 1771180680, 1771183440, 1771183500, 1771183560)],
        1771183620,
    ),
    "emdata_getdata_docs_shape": ([], 1656357000),  # rows from before the clock was set
    "emdata_getdata_one_row_export": (
        [(1757059740, (None, None, 0.0), (None, None, 0.3492), 0.0)],  # a and b are unconnected
        None,
    ),
}

# Captured files that heatmon reads nothing from: the meter's own settings, and discovery.
NOT_READ = {
    "config/em0_docs_phase_b_reversed.json",
    "config/em0_triphase_fw1.7.5.json",
    "config/em1_monophase_fw1.7.5.json",
    "discovery/mdns_pro3em.json",
}


def read(path: str) -> Any:
    return json.loads((FOLDER / path).read_text(encoding="utf-8"))


def powers(values: Any) -> tuple[float | None, ...]:
    return tuple(phase.power_w for phase in values.phases)


def counters(values: Any) -> tuple[float | None, ...]:
    return tuple(phase.energy_counter_wh for phase in values.phases)


@pytest.mark.parametrize("name", IDENTITIES)
def test_a_captured_device_info_tells_which_meter_it_is(name: str) -> None:
    identity = device_identity(read(f"device_info/{name}.json"))
    assert (identity.mac, identity.auth_required) == (MAC, name.endswith("_auth"))
    assert (identity.model, identity.firmware, identity.profile, identity.auth_realm) == IDENTITIES[name]


@pytest.mark.parametrize("name", STATUSES)
def test_a_captured_status_is_one_reading(name: str) -> None:
    profile, power, by_phase, counter, by_phase_wh, returned, unix_time, uptime = STATUSES[name]
    reading = power_reading(read(f"shelly_getstatus/{name}.json"), "", AT)
    assert (reading.device, reading.measured_at, reading.errors) == (MAC, AT, ())
    assert (reading.profile, reading.power_w, powers(reading)) == (profile, power, by_phase)
    assert (reading.energy_counter_wh, counters(reading)) == (counter, by_phase_wh)
    assert (reading.energy_returned_counter_wh, reading.uptime_s) == (returned, uptime)
    assert reading.clock_offset_s == unix_time - AT_S


@pytest.mark.parametrize("name", EM)
def test_captured_powers_of_three_phases(name: str) -> None:
    values = em_values(read(f"em_getstatus/{name}.json"))
    power, by_phase, voltages, currents, errors, phase_errors = EM[name]
    assert (values.profile, values.power_w, powers(values)) == ("triphase", power, by_phase)
    assert tuple(phase.voltage_v for phase in values.phases) == voltages
    assert tuple(phase.current_a for phase in values.phases) == currents
    assert values.errors == errors
    assert tuple(phase.errors for phase in values.phases) == phase_errors


@pytest.mark.parametrize("name", EMDATA)
def test_captured_counters_of_three_phases(name: str) -> None:
    values = emdata_values(read(f"emdata_getstatus/{name}.json"))
    counter, by_phase, returned, returned_by_phase, errors = EMDATA[name]
    assert (values.energy_counter_wh, counters(values), values.errors) == (counter, by_phase, errors)
    assert values.energy_returned_counter_wh == returned
    assert tuple(phase.energy_returned_counter_wh for phase in values.phases) == returned_by_phase
    assert (values.power_w, powers(values)) == (None, NONE)


@pytest.mark.parametrize("name", EM1)
def test_captured_power_of_one_channel(name: str) -> None:
    body = read(f"em1_getstatus/{name}.json")
    values = em1_values(body, body["id"])
    phase = values.phases[body["id"]]
    assert (phase.power_w, phase.voltage_v, phase.current_a, phase.errors) == EM1[name]
    assert (values.profile, values.power_w) == ("monophase", EM1[name][0])


@pytest.mark.parametrize("name", EM1DATA)
def test_captured_counters_of_one_channel(name: str) -> None:
    body = read(f"em1data_getstatus/{name}.json")
    phase = em1data_values(body, body["id"]).phases[body["id"]]
    assert (phase.energy_counter_wh, phase.energy_returned_counter_wh) == EM1DATA[name]
    assert phase.power_w is None


def test_a_captured_meter_with_two_channels_has_no_third_phase() -> None:
    reading = power_reading(read("em1_getstatus/proem50_two_channels.json"), MAC, AT)
    assert (reading.profile, reading.device, reading.clock_offset_s) == ("monophase", MAC, None)
    assert (reading.power_w, powers(reading)) == (231.9, (231.9, 0.0, None))
    assert (reading.energy_counter_wh, counters(reading)) == (8797809.82, (8797809.13, 0.69, None))


@pytest.mark.parametrize("name", SYS)
def test_a_captured_clock(name: str) -> None:
    values = sys_values(read(f"sys_getstatus/{name}.json"))
    assert (values.mac, values.unix_time, values.uptime_s) == SYS[name]


@pytest.mark.parametrize("name", PAGES)
def test_a_captured_page_of_history(name: str) -> None:
    rows, following = history_page(read(f"history/{name}.json"), MAC)
    expected, expected_following = PAGES[name]
    assert [
        (row.at.timestamp(), row.energy_wh, row.energy_returned_wh, row.total_energy_wh) for row in rows
    ] == expected
    assert {(row.device, row.period_s) for row in rows} <= {(MAC, 60)}
    assert following == expected_following


def test_captured_records_leave_out_the_block_before_the_clock_was_set() -> None:
    extent = records_extent(read("history/emdata_getrecords_docs.json"))
    assert extent is not None
    assert (extent.start.timestamp(), extent.end.timestamp(), extent.period_s) == (
        *(1657739460, 1657739700, 60),
    )
    assert [(block.start.timestamp(), block.end.timestamp()) for block in extent.blocks] == [
        (1657739460, 1657739520),
        (1657739580, 1657739700),
    ]


def test_captured_net_energies_are_not_taken_for_minute_rows() -> None:
    with pytest.raises(PayloadInvalid) as caught:
        history_page(read("history/emdata_getnetenergies_docs.json"), MAC)
    assert caught.value.path == "keys"


def test_the_columns_are_the_documented_ones() -> None:
    assert list(minutes.TRIPHASE_KEYS) == read("history/emdata_keys.json")
    assert list(minutes.MONOPHASE_KEYS) == read("history/em1data_keys.json")


def test_the_captured_csv_of_three_phases() -> None:
    with (FOLDER / "history/emdata_data_two_devices.csv").open(encoding="utf-8") as lines:
        rows = list(csv_minutes(lines, MAC))
    assert [(row.at.timestamp(), row.energy_wh, row.total_energy_wh) for row in rows] == [
        (1649906400, (0.0069, 0.0052, 0.0063), 0.0184),
        (1771180620, (0.2134, 0.2082, 0.0704), 0.492),
    ]


def test_the_captured_csv_of_one_channel() -> None:
    with (FOLDER / "history/em1data_data.csv").open(encoding="utf-8") as lines:
        rows = list(csv_minutes(lines, MAC, 1))
    assert [(row.at.timestamp(), row.energy_wh, row.energy_returned_wh) for row in rows] == [
        (1654494480, (None, 22.7645, None), (None, 0.0, None)),
    ]


def test_a_captured_push_has_the_same_values_as_a_poll() -> None:
    params = read("notify/notifystatus_em0_export.json")["params"]
    assert powers(em_values(params["em:0"])) == (0.0, 0.0, -18.0)
    params = read("notify/notifystatus_em0_small_load.json")["params"]
    assert (em_values(params["em:0"]).power_w, powers(em_values(params["em:0"]))) == (
        20.641,
        (10.5, 7.1, 3.0),
    )
    params = read("notify/notifystatus_emdata0_minute.json")["params"]
    assert emdata_values(params["emdata:0"]).energy_counter_wh == 26289.57


@pytest.mark.parametrize("shape", ["OBJECT_observed", "ARRAY_docs"])
def test_a_captured_push_of_a_minute_has_the_rows_of_a_page(shape: str) -> None:
    data = read(f"notify/notifyevent_emdata0_data_{shape}.json")["params"]["events"][0]["data"]
    rows, _ = history_page({"data": data if isinstance(data, list) else [data]}, MAC)
    expected = [(1757059740.0, (None, None, 0.3492))] if shape == "OBJECT_observed" else []
    assert [(row.at.timestamp(), row.energy_returned_wh) for row in rows] == expected


def asked_with(answer: Reply, method: str) -> DeviceError:
    adapter = InProcess(always(answer))
    meter = MeterConnection(
        "http://meter.test", "secret", clock=clock, session=session_with(adapter), sleep=lambda seconds: None
    )
    with pytest.raises(DeviceError) as caught:
        meter.get_json(f"/rpc/{method}")
    return caught.value


@pytest.mark.parametrize(
    ("index", "status", "kind", "code"),
    [
        (0, 404, WrongDevice, "profile_changed"),
        (1, 200, DeviceUnreachable, "server_error"),
        (2, 200, WrongDevice, "profile_changed"),
        (2, 500, WrongDevice, "profile_changed"),
        (3, 200, DeviceBusy, "busy"),
        (4, 429, DeviceBusy, "busy"),
    ],
)
def test_a_captured_error_has_its_code(index: int, status: int, kind: type[DeviceError], code: str) -> None:
    entry = read("http/errors.json")[index]
    error = asked_with(Reply(entry.get("body", b"Too many requests"), status), "EM.GetStatus")
    assert (type(error), error.code) == (kind, code)


@pytest.mark.parametrize("index", range(2))
def test_a_captured_challenge_is_answered_with_sha_256_and_then_taken_for_a_wrong_password(
    index: int,
) -> None:
    entry = read("http/digest_challenges.json")[index]
    adapter = InProcess(always(Reply(b"", 401, entry["headers"])))
    meter = MeterConnection("http://meter.test", "secret", clock=clock, session=session_with(adapter))
    with pytest.raises(DeviceRefused) as caught:
        meter.get_json("/rpc/Shelly.GetStatus")
    assert (caught.value.code, len(adapter.sent)) == ("wrong_password", 2)
    login = adapter.sent[1].headers["Authorization"]
    assert 'username="admin", realm="shellypro3em-aabbccddeeff"' in login
    assert 'algorithm="SHA-256", qop="auth", nc=00000001' in login


def test_a_captured_stale_challenge_is_no_wrong_password_however_often_it_comes() -> None:
    entry = read("http/digest_challenges.json")[2]
    adapter = InProcess(always(Reply(b"", 401, entry["headers"])))
    meter = MeterConnection("http://meter.test", "secret", clock=clock, session=session_with(adapter))
    for _ in range(5):
        with pytest.raises(DeviceBusy):
            meter.get_json("/rpc/Shelly.GetStatus")


def test_every_captured_file_has_its_test() -> None:
    tables = {
        "device_info": IDENTITIES,
        "shelly_getstatus": STATUSES,
        "em_getstatus": EM,
        "emdata_getstatus": EMDATA,
        "em1_getstatus": EM1,
        "em1data_getstatus": EM1DATA,
        "sys_getstatus": SYS,
        "history": PAGES,
    }
    tested = {f"{folder}/{name}.json" for folder, names in tables.items() for name in names}
    source = Path(__file__).read_text(encoding="utf-8")
    untested = {
        path
        for file in FOLDER.rglob("*")
        if file.is_file() and file.parent != FOLDER
        for path in [file.relative_to(FOLDER).as_posix()]
        if path not in tested | NOT_READ and path not in source and "notify/" not in path
    }
    assert untested == set()


def test_what_a_pro_3em_announces_is_found_as_a_meter() -> None:
    said = json.loads((FOLDER / "discovery/mdns_pro3em.json").read_text(encoding="utf-8"))
    texts = next(record["data"] for record in said["additionals"] if record["type"] == "TXT")
    service = announcement("3EM Pro", "192.168.1.50", **dict(text.split("=", 1) for text in texts))
    with announced([service]):
        found = announced_meters(
            lambda url: checked_address(url, allow_loopback=False),
            listen_s=20.0,
            most=1,
            interfaces=LOOPBACK,
            service=SERVICE,
        )
    assert [(meter.name, meter.model, meter.firmware) for meter in found] == [
        ("3EM Pro", "Shelly Pro 3EM", "1.7.5")
    ]
