"""◇ The settings of the heat pump in one features answer, under heatmon's own keys.

Read from the properties, not by PyViCare's getters: a setting needs its source timestamp, a schedule
with a missing weekday is partly known (the getters raise), the circulation schedule must not depend on
write access, and E3 devices name their programs differently. Not taken: what follows the clock (current
target, active program) and copies (``eco.temperature`` repeats the normal one).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, tzinfo
from functools import lru_cache

from apps.devices.configuration import HeatPumpConfiguration, SettingValue

from .by_hand import switched_by_hand
from .schedules import normal_schedule
from .snapshot import (
    CURVE,
    DIFFERENCE_K,
    MINUTES,
    OUTSIDE_C,
    WATER_C,
    FeatureSnapshot,
    Quantity,
    Reader,
)

NUMBER_DIGITS = 3


@dataclass(frozen=True, slots=True)
class _Number:
    key: str
    feature: str
    quantity: Quantity
    prop: str = "value"


@dataclass(frozen=True, slots=True)
class _Switch:
    key: str
    feature: str
    prop: str = "active"


@dataclass(frozen=True, slots=True)
class _Text:
    key: str
    feature: str
    prop: str = "value"


@dataclass(frozen=True, slots=True)
class _Schedule:
    key: str
    feature: str


_Setting = _Number | _Switch | _Text | _Schedule

_PROGRAM = "operating.programs."
CIRCUIT: tuple[_Setting, ...] = (
    *(
        _Number(f"target_temperature.{ours}_c", f"{_PROGRAM}{theirs}", WATER_C, "temperature")
        for ours, theirs in (
            ("comfort", "comfort"),
            ("normal", "normal"),
            ("reduced", "reduced"),
            ("comfort", "comfortHeating"),
            ("normal", "normalHeating"),
            ("reduced", "reducedHeating"),
            ("comfort_cooling", "comfortCooling"),
            ("normal_cooling", "normalCooling"),
            ("reduced_cooling", "reducedCooling"),
        )
    ),
    _Schedule("schedule", "heating.schedule"),
    _Switch("schedule_active", "heating.schedule"),
    _Number("curve.slope", "heating.curve", CURVE, "slope"),
    _Number("curve.shift", "heating.curve", CURVE, "shift"),
    _Text("mode", f"{_PROGRAM.replace('programs', 'modes')}active"),
    _Switch("eco", f"{_PROGRAM}eco"),
    _Number("supply_temperature.min_c", "temperature.levels", WATER_C, "min"),
    _Number("supply_temperature.max_c", "temperature.levels", WATER_C, "max"),
    _Number("summer_eco.threshold_c", "configuration.summerEco.absolute", OUTSIDE_C, "threshold"),
    _Switch("summer_eco.active", "configuration.summerEco.absolute"),
    _Number("hysteresis.on_k", "heating.hysteresis.switch", DIFFERENCE_K, "switchOnValue"),
    _Number("hysteresis.off_k", "heating.hysteresis.switch", DIFFERENCE_K, "switchOffValue"),
    _Text("holiday.start", f"{_PROGRAM}holiday", "start"),
    _Text("holiday.end", f"{_PROGRAM}holiday", "end"),
)
HOUSE: tuple[_Setting, ...] = (
    _Number("dhw.target_temperature_c", "dhw.temperature.main", WATER_C),
    _Number("dhw.target_temperature_2_c", "dhw.temperature.temp2", WATER_C),
    _Schedule("dhw.schedule", "dhw.schedule"),
    _Switch("dhw.schedule_active", "dhw.schedule"),
    _Number("dhw.hysteresis_k", "dhw.temperature.hysteresis", DIFFERENCE_K),
    _Number("dhw.hysteresis_on_k", "dhw.temperature.hysteresis", DIFFERENCE_K, "switchOnValue"),
    _Number("dhw.hysteresis_off_k", "dhw.temperature.hysteresis", DIFFERENCE_K, "switchOffValue"),
    _Text("dhw.mode", "dhw.operating.modes.active"),
    _Switch("dhw.hygiene", "dhw.hygiene", "enabled"),
    _Number("dhw.max_temperature_c", "configuration.dhw.temperature.hotWaterStorage.max", WATER_C),
    _Number("dhw.max_temperature_c", "configuration.dhw.temperature.dhwCylinder.max", WATER_C),
    _Schedule("circulation.schedule", "dhw.pumps.circulation.schedule"),
    _Switch("circulation.schedule_active", "dhw.pumps.circulation.schedule"),
    _Text("holiday.start", "operating.programs.holiday", "start"),
    _Text("holiday.end", "operating.programs.holiday", "end"),
    _Text("holiday_at_home.start", "operating.programs.holidayAtHome", "start"),
    _Text("holiday_at_home.end", "operating.programs.holidayAtHome", "end"),
    _Number("buffer.max_temperature_c", "configuration.buffer.temperature.max", WATER_C),
    _Number("supply_temperature.min_c", "configuration.flow.temperature.min", WATER_C),
    _Number("supply_temperature.max_c", "configuration.flow.temperature.max", WATER_C),
    _Number("outside_damping_min", "configuration.temperature.outside.DampingFactor", MINUTES),
    _Switch("heating_rod.dhw_allowed", "configuration.heatingRod.dhw", "useApproved"),
    _Switch("heating_rod.heating_allowed", "configuration.heatingRod.heating", "useApproved"),
    _Switch("dhw_heater.allowed", "configuration.dhwHeater", "useApproved"),
)


def heat_pump_configuration(snapshot: FeatureSnapshot, zone: tzinfo | None = None) -> HeatPumpConfiguration:
    """Return all settings that the answer holds. What it does not hold, or cannot mean, has no key. ``zone``:
    the house's, see ``switched_by_hand``."""
    return read_configuration(Reader(snapshot), zone)


def read_configuration(reader: Reader, zone: tzinfo | None = None) -> HeatPumpConfiguration:
    """Return the same through a given reader, which collects what was not believed."""
    snapshot = reader.snapshot
    settings: dict[str, SettingValue] = {}
    changed_at: dict[str, datetime] = {}
    for key, feature, setting in _addresses(snapshot.ids_of("heating.circuits")):
        value = _value(reader, feature, setting)
        if value is None:
            continue
        settings[key] = value
        changed = snapshot.changed_at(feature)
        if changed is not None:
            changed_at[key] = changed
    running = switched_by_hand(reader, zone)
    return HeatPumpConfiguration(
        observed_at=snapshot.received_at,
        device=snapshot.device,
        settings=settings,
        changed_at=changed_at,
        by_hand={place: program for place, (program, _at) in running.items()},
        by_hand_at={place: at for place, (_program, at) in running.items() if at is not None},
    )


@lru_cache(maxsize=32)
def _addresses(circuits: tuple[str, ...]) -> tuple[tuple[str, str, _Setting], ...]:
    """Return key and feature of every setting that a device with these circuits could have."""
    of_circuits = (
        (f"circuits.{circuit}.{setting.key}", f"heating.circuits.{circuit}.{setting.feature}", setting)
        for circuit in circuits
        for setting in CIRCUIT
    )
    return (*of_circuits, *((setting.key, f"heating.{setting.feature}", setting) for setting in HOUSE))


def _value(reader: Reader, feature: str, setting: _Setting) -> SettingValue | None:
    if reader.snapshot.feature(feature) is None:
        return None
    match setting:
        case _Number():
            number = reader.number(feature, setting.quantity, setting.prop)
            return None if number is None else normal_number(number)
        case _Switch():
            return reader.flag(feature, setting.prop)
        case _Text():
            return reader.text(feature, setting.prop)
        case _Schedule():
            return normal_schedule(reader.snapshot.value(feature, "entries")) or None


def normal_number(value: float) -> float | int:
    """Return a number without float noise, and whole numbers as such, so that 22 and 22.000000001 are one
    setting."""
    rounded = round(value, NUMBER_DIGITS)
    return int(rounded) if rounded.is_integer() else rounded
