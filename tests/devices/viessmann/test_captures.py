"""Every captured answer gives a reading: what each device has, as literal values."""

from __future__ import annotations

import json
from dataclasses import astuple, dataclass, replace
from datetime import UTC, datetime
from typing import Any

import pytest
import requests

from apps.devices.configuration import HeatPumpConfiguration
from apps.devices.errors import DeviceBusy, DeviceError, DeviceUnreachable
from apps.devices.readings import CircuitReading
from apps.devices.viessmann.faults import TokenRejected, error_in, reported_limit
from apps.devices.viessmann.features import (
    FeatureSnapshot,
    heat_pump_configuration,
    heat_pump_reading,
    normal_schedule,
    snapshot_flags,
)
from apps.devices.viessmann.getters import snapshot_with_getters
from tests.captures import captures_dir

pytestmark = pytest.mark.captures
CAPTURES = captures_dir("viessmann")
AT = datetime(2026, 1, 22, 0, 5, tzinfo=UTC)


@dataclass(frozen=True)
class Capture:
    """The values of one dump; a circuit is id, supply, room, target, mode, program, pump."""

    file: str
    newest: str
    active: bool
    phase: str | None
    outside: float
    return_: float
    primary_supply: float | None
    primary_return: float | None
    secondary_supply: float
    dhw: float | None
    buffer: float | None
    modulation: float | None
    rated: float | None
    circulation: bool | None
    charging: bool | None
    starts: float
    hours: float
    rod: tuple[float | None, float | None]
    cops: tuple[float | None, float | None, float | None]
    circuits: list[tuple[str, float | None, float | None, float | None, str, str, bool]]


# fmt: off
READINGS = [
    Capture("Vitocal111S.json", "2024-05-26T17:19:33",
            False, "off", 19.8, 27, 19, None, 27.8, 47.6, None, None, None, False, False, 981, 1563.6,
            (None, None), (None, None, None),
            [("0", 28.3, 23.6, 20, "dhwAndHeatingCooling", "eco", False)]),
    Capture("Vitocal151A.json", "2023-08-25T20:12:59",
            False, "ready", 20.5, 34.3, 19.4, None, 37.6, 52.1, None, None, None, None, None, 8, 5,
            (None, None), (None, None, None),
            [("0", 35.6, None, None, "standby", "standby", False)]),
    Capture("Vitocal200.json", "2023-05-12T18:43:41",
            False, "off", 11.6, 22.7, 11.6, None, 22.1, 47.9, None, None, None, False, False, 6973, 13651.9,
            (None, None), (None, None, None),
            [("0", 23.4, 22, 22, "dhwAndHeatingCooling", "normal", True)]),
    Capture("Vitocal200S-with-Vitovent300W.json", "2024-10-01T10:56:57",
            True, "heating", 14.7, 37.6, 14.2, None, 41.4, 32.1, 24.5, None, None, False, True, 74, 55.5,
            (None, None), (None, None, None),
            [("1", 23.1, None, None, "dhw", "standby", False)]),
    Capture("Vitocal200S.json", "2021-08-17T08:09:46",
            False, "off", 13.5, 27.9, 14.5, None, 26.1, 53.9, None, None, None, False, False, 21574, 4742.2,
            (None, None), (None, None, None),
            [("0", 27.8, None, None, "dhw", "standby", False)]),
    Capture("Vitocal200S_AWB-M-E-AC-201.D10.json", "2025-10-13T12:08:40",
            False, "off", 14.1, 28.9, 17.5, None, 29.4, None, 31.4, 0, 10, None, None, 30, 12.1,
            (553, 0), (5.2, 5.2, None),
            [("0", None, None, 20, "heating", "normal", True),
             ("1", 17.2, None, None, "standby", "standby", False)]),
    Capture("Vitocal200S_E8NEV.json", "2023-03-16T15:43:55",
            False, "ready", 12.2, 22, 14.2, None, 22, 50.2, None, None, None, None, None, 659, 356,
            (None, None), (None, None, None),
            [("0", 21.9, None, 20, "heating", "normalHeating", True)]),
    Capture("Vitocal222S-with-Vitovent.json", "2021-09-02T18:31:19",
            False, "off", 15.6, 21.2, 16.8, None, 26.3, 43.2, None, None, None, False, False, 1244, 1191.3,
            (None, None), (None, None, None),
            [("0", 26.3, 25.1, 23, "dhwAndHeatingCooling", "normal", False)]),
    Capture("Vitocal222S.json", "2025-10-05T16:27:08",
            True, "ready", 12.1, 25.1, 11.6, None, 26.6, 50.9, None, None, None, None, None, 2651, 96,
            (None, None), (None, None, None),
            [("0", 26.7, None, 22, "heating", "normalHeating", True)]),
    Capture("Vitocal250A.json", "2025-10-05T10:09:28",
            False, "ready", 12.2, 34.2, 13.9, None, 32.9, 46.8, 29.9, None, None, True, None, 1502, 8118,
            (None, None), (None, None, None),
            [("0", 29.8, None, 20, "heating", "normalHeating", True)]),
    Capture("Vitocal252.json", "2024-09-02T10:06:46",
            False, "ready", 22.4, 29.4, 25.1, None, 26.6, 46.7, 53.6, None, None, None, None, 1068, 1699,
            (None, None), (None, None, None),
            [("0", 53.6, None, 21, "heating", "normalHeating", True)]),
    Capture("Vitocal252A.json", "2025-11-19T11:22:57",
            True, "ready", 3.3, 39.3, 3, None, 43.2, 35.6, None, None, None, None, None, 836, 582,
            (None, None), (None, None, None),
            [("0", 43.8, None, 20, "heating", "normalHeating", True)]),
    Capture("Vitocal300G_CU401B.json", "2026-01-22T00:00:00",
            True, "heating", 4.1, 35.8, 8.7, 4.9, 44, 52.4, 36.2, 100, 12, False, False, 363, 942.4,
            (886682, 287877), (4.7, 4.8, 4),
            [("1", 36.1, None, 21, "dhwAndHeating", "normal", True)]),
    Capture("Vitocal333G-with-Vitovent300F.json", "2025-11-05T07:37:33",
            False, "off", 6.1, 33.2, 14.6, 15.5, 35.2, 45.1, 41.2, None, 8, False, False, 5067, 2394.4,
            (815476, 614313), (5.3, 5.4, 4.8),
            [("0", None, 21.4, None, "dhwAndHeating", "standby", False),
             ("1", 34.3, 21.4, None, "dhwAndHeating", "standby", False)]),
    Capture("Vitocal333G.json", "2023-12-21T19:28:31",
            True, "heating", 4.4, 49.6, 5.1, 5.2, 53.3, 47.5, None, None, None, False, True, 29545, 11692.3,
            (None, None), (None, None, None),
            [("0", 52.3, None, 19, "dhwAndHeating", "normal", True)]),
    Capture("Vitocaldens222F.json", "2021-08-24T20:39:32",
            False, "off", 15.3, 32, None, None, 33.6, 50.9, 36, None, None, False, False, 5, 1.4,
            (None, None), (None, None, None),
            [("1", 21.5, None, 16, "dhwAndHeating", "reduced", False)]),
    Capture("history/Vitocal250A.json", "2024-10-01T16:28:40",
            True, "ready", 14.3, 35.3, 12.8, None, 45.1, 58.8, 35.3, None, None, None, None, 121, 71,
            (None, None), (None, None, None),
            [("1", 39, 24.1, 24, "heating", "comfortHeating", True)]),
    Capture("history/Vitocal300G.json", "2021-08-06T08:09:47",
            False, None, 16.2, 18.9, 18.2, 18.4, 18.6, 36.4, None, None, None, False, False, 3012, 1762.41,
            (None, None), (None, None, None),
            [("0", 18.6, None, None, "dhw", "standby", False)]),
]
# circuit, comfort, normal, reduced, slope, shift, schedule active; then hot water: target, second, hysteresis
SETTINGS: dict[str, tuple[list[tuple[Any, ...]], tuple[Any, ...]]] = {
    "Vitocal111S.json": ([("0", 21, 20, 19, 0.4, -5, True)], (48, 50, 3)),
    "Vitocal151A.json": ([("0", 22, 20, 18, 0.7, -6, False)], (50, None, 10)),
    "Vitocal200.json": ([("0", 20, 22, 20, 0.4, -6, True)], (50, 50, 5)),
    "Vitocal200S-with-Vitovent300W.json": ([("1", 21, 21, 18, 0.4, 0, False)], (48, 48, 7)),
    "Vitocal200S.json": ([("0", 21, 20, 18, 0.4, -2, False)], (40, 60, 5)),
    "Vitocal200S_AWB-M-E-AC-201.D10.json": ([("0", 20, 20, 18, 1.1, -1, True),
        ("1", 20, 20, 18, 0.5, 0, False)], (None, None, None)),
    "Vitocal200S_E8NEV.json": ([("0", 22, 20, 18, 0.2, 1, True)], (50, None, 5)),
    "Vitocal222S-with-Vitovent.json": ([("0", 20, 23, 10, 0, -5, True)], (45, 45, 2.5)),
    "Vitocal222S.json": ([("0", 23, 22, 15, 0.3, -1, True)], (52, None, 10)),
    "Vitocal250A.json": ([("0", 22, 20, 18, 0.6, 4, True)], (55, None, 5)),
    "Vitocal252.json": ([("0", 22, 21, 18, 1.1, 0, True)], (50, None, 8)),
    "Vitocal252A.json": ([("0", 20, 20, 20, 0.6, 0, True)], (45, None, 6)),
    "Vitocal300G_CU401B.json": ([("1", 22, 21, 18, 1, 2, True)], (50, 60, 5)),
    "Vitocal333G-with-Vitovent300F.json": ([("0", 21, 21, 18, 0.2, 0, True),
        ("1", 21, 22, 22, 0.2, 0, True)], (45, 45, 5)),
    "Vitocal333G.json": ([("0", 20, 19, 13, 0.4, 1, True)], (50, 60, 5)),
    "Vitocaldens222F.json": ([("1", 20, 20, 16, 0.6, 4, True)], (54, 60, 5)),
    "history/Vitocal250A.json": ([("1", 24, 24, 24, 1.1, 0, True)], (47, None, 5)),
    "history/Vitocal300G.json": ([("0", 20, 20, 16, 0.8, -5, False)], (45, 45, 7)),
}
# fmt: on


def snapshot_of(file: str) -> FeatureSnapshot:
    """As the client makes it, with PyViCare's getters."""
    payload = json.loads((CAPTURES / file).read_text(encoding="utf-8"))
    return snapshot_with_getters(
        payload=payload, received_at=AT, device="7000000000000001", model="Vitocal", roles=["type:heatpump"]
    )


def test_no_dump_is_missing_from_the_tables() -> None:
    files = {str(path.relative_to(CAPTURES)) for path in CAPTURES.glob("**/Vitocal*.json")}
    assert {one.file for one in READINGS} == files == set(SETTINGS)


@pytest.mark.parametrize("expected", READINGS, ids=lambda one: one.file)
def test_each_dump_gives_its_reading(expected: Capture) -> None:
    reading = heat_pump_reading(snapshot_of(expected.file))
    found = Capture(
        expected.file,
        reading.newest_source_at.isoformat()[:19] if reading.newest_source_at else "",
        bool(reading.compressor_active),
        reading.compressor_phase,
        reading.outside_temperature_c or 0.0,
        reading.return_temperature_c or 0.0,
        reading.primary_supply_temperature_c,
        reading.primary_return_temperature_c,
        reading.secondary_supply_temperature_c or 0.0,
        reading.dhw_storage_temperature_c,
        reading.buffer_temperature_c,
        reading.modulation_percent,
        reading.rated_power_kw,
        reading.circulation_pump_active,
        reading.dhw_charging,
        reading.compressor_starts or 0.0,
        reading.compressor_hours or 0.0,
        (reading.heating_rod_level_one_s, reading.heating_rod_level_two_s),
        (reading.cop_total, reading.cop_heating, reading.cop_dhw),
        [_circuit(one) for one in reading.circuits],
    )
    assert found == expected
    assert (reading.measured_at, reading.device, reading.model) == (AT, "7000000000000001", "Vitocal")


@pytest.mark.parametrize("file", sorted(SETTINGS))
def test_each_dump_gives_its_settings(file: str) -> None:
    circuits, hot_water = SETTINGS[file]
    configuration = heat_pump_configuration(snapshot_of(file))
    known = configuration.settings
    programs = ("comfort", "normal", "reduced")
    assert [
        (
            circuit,
            *(known.get(f"circuits.{circuit}.target_temperature.{one}_c") for one in programs),
            known.get(f"circuits.{circuit}.curve.slope"),
            known.get(f"circuits.{circuit}.curve.shift"),
            known.get(f"circuits.{circuit}.schedule_active"),
        )
        for circuit, *_ in circuits
    ] == circuits
    names = ("dhw.target_temperature_c", "dhw.target_temperature_2_c", "dhw.hysteresis_k")
    assert tuple(known.get(name) for name in names) == hot_water
    assert _circuits_with_settings(configuration) == {circuit for circuit, *_ in circuits}


@pytest.mark.parametrize("file", sorted(SETTINGS))
def test_each_schedule_of_each_dump_is_known_for_the_whole_week(file: str) -> None:
    known = heat_pump_configuration(snapshot_of(file)).settings
    schedules = {key: value for key, value in known.items() if key.endswith("schedule")}
    assert schedules
    for schedule in schedules.values():
        assert isinstance(schedule, dict)
        assert list(schedule) == ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
        assert normal_schedule(schedule) == schedule


@pytest.mark.parametrize("file", sorted(SETTINGS))
def test_the_getters_of_pyvicare_and_the_properties_agree(file: str) -> None:
    asked = snapshot_of(file)
    bare = replace(asked, getters={})
    assert heat_pump_reading(asked) == heat_pump_reading(bare)
    assert heat_pump_configuration(asked) == heat_pump_configuration(bare)


@pytest.mark.parametrize("file", sorted(SETTINGS))
def test_nothing_in_a_dump_is_doubted(file: str) -> None:
    assert snapshot_flags(snapshot_of(file)) == ()


def test_the_week_of_the_target_device() -> None:
    known = heat_pump_configuration(snapshot_of("Vitocal300G_CU401B.json")).settings
    schedule = known["circuits.1.schedule"]
    assert isinstance(schedule, dict)
    assert schedule["sat"] == [
        {"start": "00:00", "end": "07:00", "mode": "reduced"},
        {"start": "07:00", "end": "23:00", "mode": "normal"},
        {"start": "23:00", "end": "24:00", "mode": "reduced"},
    ]
    assert known["circulation.schedule"] == {
        day: [] for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    }


@pytest.mark.parametrize(
    ("file", "status", "kind", "code"),
    [
        ("rate_limit.json", 429, DeviceBusy, "rate_limit"),
        ("device_offline.json", 400, DeviceUnreachable, "device_offline"),
        ("gateway_offline.json", 400, DeviceUnreachable, "gateway_offline"),
        ("error_500.json", 500, DeviceUnreachable, "cloud_error"),
        ("error_502.json", 502, DeviceUnreachable, "device_communication"),
        ("expired_token.json", 401, TokenRejected, "token_rejected"),
    ],
)
@pytest.mark.parametrize("with_http_status", [True, False])
def test_each_captured_error_body_gives_its_error(
    file: str, status: int, kind: type[DeviceError], code: str, with_http_status: bool
) -> None:
    response = requests.Response()
    response.status_code = status if with_http_status else 200
    body = json.loads((CAPTURES / "errors" / file).read_text(encoding="utf-8"))
    error = error_in(response, body, AT)
    assert type(error) is kind
    assert error.code == code


def test_the_captured_rate_limit_names_its_limit() -> None:
    body = json.loads((CAPTURES / "errors" / "rate_limit.json").read_text(encoding="utf-8"))
    assert reported_limit(body, AT) == 1450


def _circuit(one: CircuitReading) -> tuple[Any, ...]:
    id_, supply, room, target, pump, mode, program = astuple(one)
    return id_, supply, room, target, mode, program, pump


def _circuits_with_settings(configuration: HeatPumpConfiguration) -> set[str]:
    return {key.split(".")[1] for key in configuration.settings if key.startswith("circuits.")}
