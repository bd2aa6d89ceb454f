"""◇ From a features answer to a reading and the settings.

Where a value comes from (P: getter of PyViCare, asked through ``FeatureSnapshot.getters``; D: the
property directly, because the getter is wrong or unsafe):

    outside, return, secondary and primary circuit, room, supply   P
    buffer, DHW storage                P, D for the old names that devices before 2023 have only
    compressor active, phase, starts, hours, rated power            P (unit looked up here: kW or W)
    modulation                         D  getter cuts 33.9 % to 33 and fails on text
    circuit and circulation pumps      D  getter takes every text but "on" for "off"
    current target of a circuit        P  None in standby
    current target of the hot water    D  getter uses the container's local time; needs ``zone``
    heating rod run time               D  no getter
    device COPs, DHW charging          P
    ids of circuits and compressors    D  getter raises where the list is missing in one answer
    settings                           D  see ``configuration``
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import tzinfo

from apps.devices.configuration import WEEKDAYS
from apps.devices.readings import CircuitReading, HeatPumpReading

from .compressors import Compressor, as_one
from .configuration import heat_pump_configuration, read_configuration
from .schedules import normal_schedule
from .snapshot import (
    COUNT,
    HOURS,
    OUTSIDE_C,
    PERCENT,
    POWER_KW,
    RATIO,
    SECONDS,
    WATER_C,
    FeatureSnapshot,
    Quantity,
    Reader,
)

__all__ = [
    "FeatureSnapshot",
    "heat_pump_configuration",
    "heat_pump_reading",
    "normal_schedule",
    "snapshot_flags",
]


def heat_pump_reading(snapshot: FeatureSnapshot, zone: tzinfo | None = None) -> HeatPumpReading:
    """Return the reading of one answer. ``zone``: the house's, by which the hot-water schedule runs; without
    it the current hot-water target stays None."""
    return _read(Reader(snapshot), zone)


def snapshot_flags(snapshot: FeatureSnapshot) -> tuple[str, ...]:
    """Return the values that were rejected (impossible, unknown unit, wrong type), each with the reason."""
    reader = Reader(snapshot)
    _read(reader, None)
    read_configuration(reader)
    return tuple(dict.fromkeys(reader.flags))


def _read(reader: Reader, zone: tzinfo | None) -> HeatPumpReading:
    snapshot = reader.snapshot
    compressor = as_one(
        [_compressor(reader, one) for one in snapshot.ids_of("heating.compressors") or ("0",)]
    )
    sensors = "heating.sensors.temperature."
    primary, secondary = "heating.primaryCircuit.", "heating.secondaryCircuit."
    return HeatPumpReading(
        measured_at=snapshot.received_at,
        device=snapshot.device,
        model=snapshot.model,
        newest_source_at=snapshot.newest_source_at,
        outside_temperature_c=reader.number(f"{sensors}outside", OUTSIDE_C),
        return_temperature_c=reader.number(f"{sensors}return", WATER_C),
        secondary_supply_temperature_c=reader.number(f"{secondary}sensors.temperature.supply", WATER_C),
        primary_supply_temperature_c=reader.number(f"{primary}sensors.temperature.supply", WATER_C),
        primary_return_temperature_c=reader.number(f"{primary}sensors.temperature.return", WATER_C),
        buffer_temperature_c=_first(
            reader,
            WATER_C,
            "heating.bufferCylinder.sensors.temperature.main",
            "heating.buffer.sensors.temperature.main",
        ),
        dhw_storage_temperature_c=_first(
            reader,
            WATER_C,
            "heating.dhw.sensors.temperature.dhwCylinder",
            "heating.dhw.sensors.temperature.hotWaterStorage",
        ),
        dhw_current_target_temperature_c=_dhw_target_c(reader, zone),
        compressor_active=compressor.active,
        compressor_phase=compressor.phase,
        modulation_percent=compressor.modulation_percent,
        rated_power_kw=compressor.rated_power_kw,
        compressors_output_kw=compressor.output_kw,
        circulation_pump_active=reader.switched_on("heating.dhw.pumps.circulation"),
        dhw_charging=reader.flag("heating.dhw.charging"),
        dhw_charging_at=snapshot.changed_at("heating.dhw.charging"),
        compressor_starts=compressor.starts,
        compressor_hours=compressor.hours,
        heating_rod_level_one_s=reader.number("heating.heatingRod.runtime", SECONDS, "levelOne"),
        heating_rod_level_two_s=reader.number("heating.heatingRod.runtime", SECONDS, "levelTwo"),
        cop_total=reader.number("heating.cop.total", RATIO),
        cop_heating=reader.number("heating.cop.heating", RATIO),
        cop_dhw=reader.number("heating.cop.dhw", RATIO),
        messages=tuple(code for kind in ("errors", "service") for code in _messages(snapshot, kind)),
        circuits=tuple(_circuit(reader, circuit) for circuit in snapshot.ids_of("heating.circuits")),
    )


def _compressor(reader: Reader, one: str) -> Compressor:
    feature = f"heating.compressors.{one}"
    return Compressor(
        active=reader.flag(feature),
        phase=reader.text(feature, "phase"),
        modulation_percent=reader.number(f"{feature}.sensors.power", PERCENT),
        rated_power_kw=reader.number(f"{feature}.power", POWER_KW),
        starts=reader.number(f"{feature}.statistics", COUNT, "starts"),
        hours=reader.number(f"{feature}.statistics", HOURS, "hours"),
    )


def _circuit(reader: Reader, circuit: str) -> CircuitReading:
    prefix = f"heating.circuits.{circuit}."
    program = reader.text(f"{prefix}operating.programs.active")
    target = None
    if program is not None and program != "standby":
        target = reader.number(f"{prefix}operating.programs.{program}", WATER_C, "temperature")
    return CircuitReading(
        id=circuit,
        supply_temperature_c=reader.number(f"{prefix}sensors.temperature.supply", WATER_C),
        room_temperature_c=reader.number(f"{prefix}sensors.temperature.room", WATER_C),
        target_temperature_c=target,
        pump_active=reader.switched_on(f"{prefix}circulation.pump"),
        operating_mode=reader.text(f"{prefix}operating.modes.active"),
        program=program,
    )


def _messages(snapshot: FeatureSnapshot, kind: str) -> Iterator[str]:
    """Yield the codes of one kind of message, each once; times inside are local and mean nothing here."""
    entries = snapshot.value(f"device.messages.{kind}.raw", "entries")
    codes = (
        entry.get("errorCode")
        for entry in (entries if isinstance(entries, list) else ())
        if isinstance(entry, dict)
    )
    yield from dict.fromkeys(code[:20] for code in codes if isinstance(code, str) and code)


def _first(reader: Reader, quantity: Quantity, *features: str) -> float | None:
    """Return the value of the first of several names of one sensor that the device has."""
    for feature in features:
        value = reader.number(feature, quantity)
        if value is not None:
            return value
    return None


def _dhw_target_c(reader: Reader, zone: tzinfo | None) -> float | None:
    """Return what the hot water is heated to now: its second temperature in hours of mode temp-2, the first
    in other scheduled hours and while a one-time charge runs; None outside of them or where unknown."""
    snapshot = reader.snapshot
    main = reader.number("heating.dhw.temperature.main", WATER_C)
    if reader.flag("heating.dhw.oneTimeCharge"):
        return main
    if zone is None or not reader.flag("heating.dhw.schedule"):
        return None
    local = snapshot.received_at.astimezone(zone)
    day = normal_schedule(snapshot.value("heating.dhw.schedule", "entries")).get(
        WEEKDAYS[local.weekday()], []
    )
    clock = f"{local:%H:%M}"
    modes = {entry["mode"] for entry in day if entry["start"] <= clock < entry["end"]} - {"off"}
    if "temp-2" in modes:
        return reader.number("heating.dhw.temperature.temp2", WATER_C)
    return main if modes else None
