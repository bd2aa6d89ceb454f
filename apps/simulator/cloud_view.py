"""◇ The house as the vendor's cloud knows it: late, rounded, with the time of each value's last change.

Sensors reach the cloud once a minute and some seconds later, phases up to two minutes late. The modulation
has its own time: written before the phase when the compressor starts, after it when it stops.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .house import House
from .noise import slot
from .settings import (
    CIRCULATION_SCHEDULE,
    COMFORT,
    DHW_HYSTERESIS,
    DHW_SCHEDULE,
    DHW_TARGET,
    DHW_TARGET_2,
    HEATING_SCHEDULE,
    MODE,
    NORMAL,
    REDUCED,
    SHIFT,
    SLOPE,
    Schedule,
    SettingChange,
    Value,
)
from .viessmann_catalogue import SENSOR_FEATURES, flag, number, sensor, text

SENSOR_LAGS_S = {name: 6.0 + 4.7 * index for index, name in enumerate(SENSOR_FEATURES)}
MODULATION_LAG_S = 7.0


def lag_s(at: int, low: float, high: float, salt: int = 0) -> float:
    """Return how late the event of time ``at`` is, between ``low`` and ``high`` seconds; the same each
    time."""
    return low + (high - low) * slot(at * 31 + salt) / 4096.0


def phase_lag_s(at: int) -> float:
    return lag_s(at, 16.0, 120.0)


def modulation_lag_s(at: int, value: int | str | bool) -> float:
    """Return the lag of the modulation written at a start (before the phase) or, 0, at a stop (after it)."""
    return lag_s(at, 3.0, 15.0, 7) if value else phase_lag_s(at) + lag_s(at, 4.0, 30.0, 7)


def setting_lag_s(change: SettingChange) -> float:
    return lag_s(change.at, 10.0, 75.0, 3)


Lag = Callable[[int, Any], float]

EVENT_LAGS: dict[str, Lag] = {
    "phase": lambda at, value: phase_lag_s(at),
    "modulation": modulation_lag_s,
    "charging": lambda at, value: lag_s(at, 5.0, 70.0, 11),
    "circulation": lambda at, value: lag_s(at, 5.0, 60.0, 13),
    "program": lambda at, value: lag_s(at, 3.0, 45.0, 17),
    "circuit_pump": lambda at, value: lag_s(at, 5.0, 60.0, 19),
}


@dataclass
class _Known:
    """What the cloud last heard of one value."""

    value: Any = None
    changed_at: float = 0.0
    position: int = 0


class CloudView:
    """Follows a house; ``refresh`` must be called with times that do not run backwards."""

    def __init__(self, house: House) -> None:
        self.house = house
        self._events = {kind: _Known(changed_at=house.t) for kind in EVENT_LAGS}
        self._sensors = {name: _Known(changed_at=house.t) for name in SENSOR_LAGS_S}
        self._modulation = _Known(value=0, changed_at=house.t)
        self._modulation_row = house.log.start
        self._row_times = dict.fromkeys(SENSOR_LAGS_S, house.log.start)
        self._settings: dict[str, Value] = dict(house.spec.settings)
        self._settings_changed: dict[str, float] = dict.fromkeys(self._settings, house.t - 30 * 86_400.0)
        self._settings_known = 0
        self._counted = _Known(changed_at=house.t)
        self._rod = _Known(value=0, changed_at=house.t)
        self._target = _Known(changed_at=house.t)

    def refresh(self, at: float) -> dict[str, tuple[dict[str, Any], float]]:
        """Return all changing features at ``at``: name → (properties, time of the last change)."""
        for kind in EVENT_LAGS:
            if kind != "modulation":
                self._follow_events(kind, at)
        self._follow_modulation(at)
        for name, lag in SENSOR_LAGS_S.items():
            self._follow_sensor(name, at - lag)
        self._follow_settings(at)
        return self._features(at)

    def _follow_events(self, kind: str, at: float) -> None:
        known, events, lag = self._events[kind], self.house.events[kind], EVENT_LAGS[kind]
        while known.position < len(events):
            happened, value = events[known.position]
            if happened + lag(happened, value) > at:
                break
            if value != known.value:
                known.value, known.changed_at = value, happened + lag(happened, value)
            known.position += 1

    def _follow_modulation(self, at: float) -> None:
        """Record starts and stops as events, and each minute's value while the compressor runs."""
        known, events, log = self._modulation, self.house.events["modulation"], self.house.log
        while True:
            event = events[known.position] if known.position < len(events) else None
            event_at = event[0] + modulation_lag_s(*event) if event else float("inf")
            row_at = self._modulation_row + 60.0 + MODULATION_LAG_S
            if min(event_at, row_at) > at:
                return
            if event is not None and event_at <= row_at:
                value, when = event[1], event_at
                known.position += 1
            else:
                index = (self._modulation_row - log.start) // 60
                self._modulation_row += 60
                if not 0 <= index < len(log):
                    continue
                value, when = round(log.column("modulation", index, index + 1)[0]), row_at
                if value == 0 or known.value == 0:
                    continue  # a start and a stop come as events only
            if value != known.value:
                known.value, known.changed_at = value, when

    def _follow_sensor(self, name: str, until: float) -> None:
        known, log = self._sensors[name], self.house.log
        first = log.index(self._row_times[name] + 59)
        last = log.index(until)
        if last <= first:
            return
        for index, raw in enumerate(log.column(name, first, last), first):
            value = round(raw, 1)
            if value != known.value:
                known.value, known.changed_at = value, log.start + 60.0 * (index + 1)
        self._row_times[name] = log.start + 60 * last

    def _follow_settings(self, at: float) -> None:
        script = self.house.script
        while self._settings_known < len(script):
            change = script[self._settings_known]
            if change.at + setting_lag_s(change) > at:
                break
            self._settings[change.key] = change.value
            self._settings_changed[change.key] = float(change.at)
            self._settings_known += 1

    def _features(self, at: float) -> dict[str, tuple[dict[str, Any], float]]:
        result: dict[str, tuple[dict[str, Any], float]] = {}
        for name, features in SENSOR_FEATURES.items():
            known = self._sensors[name]
            if known.value is not None:
                properties = sensor(known.value)
                result |= dict.fromkeys(features, (properties, known.changed_at))
        self._states(result)
        self._circuit(result)
        self._hot_water(result)
        self._counts(result, at)
        return result

    def _states(self, result: dict[str, tuple[dict[str, Any], float]]) -> None:
        phase, charging = self._events["phase"], self._events["charging"]
        result["heating.compressors.0"] = (
            {"active": flag(phase.value == "heating"), "phase": text(str(phase.value or "off"))},
            phase.changed_at,
        )
        result["heating.compressors.0.sensors.power"] = (
            sensor(self._modulation.value, "percent"),
            self._modulation.changed_at,
        )
        result["heating.dhw.charging"] = ({"active": flag(bool(charging.value))}, charging.changed_at)
        for kind, feature in (
            ("circulation", "heating.dhw.pumps.circulation"),
            ("circuit_pump", "heating.circuits.1.circulation.pump"),
        ):
            known = self._events[kind]
            result[feature] = ({"status": text("on" if known.value else "off")}, known.changed_at)

    def _setting(self, key: str) -> tuple[Any, float]:
        return self._settings[key], self._settings_changed[key]

    def _circuit(self, result: dict[str, tuple[dict[str, Any], float]]) -> None:
        base = "heating.circuits.1."
        program = self._events["program"]
        result[base + "operating.programs.active"] = (
            {"value": text(str(program.value or "normal"))},
            program.changed_at,
        )
        for name, key in (("comfort", COMFORT), ("normal", NORMAL), ("reduced", REDUCED)):
            value, changed = self._setting(key)
            result[f"{base}operating.programs.{name}"] = (
                {
                    "active": flag(program.value == name),
                    "demand": text("unknown"),
                    "temperature": number(value, "celsius"),
                },
                max(changed, program.changed_at),
            )
        result[base + "operating.programs.standby"] = (
            {"active": flag(program.value == "standby")},
            program.changed_at,
        )
        mode, mode_changed = self._setting(MODE)
        result[base + "operating.modes.active"] = ({"value": text(mode)}, mode_changed)
        for name in ("dhw", "dhwAndHeating", "forcedNormal", "forcedReduced", "normalStandby", "standby"):
            result[f"{base}operating.modes.{name}"] = ({"active": flag(mode == name)}, mode_changed)
        (slope, slope_changed), (shift, shift_changed) = self._setting(SLOPE), self._setting(SHIFT)
        result[base + "heating.curve"] = (
            {"shift": number(shift), "slope": number(slope)},
            max(slope_changed, shift_changed),
        )
        result[base + "heating.schedule"] = self._schedule(HEATING_SCHEDULE, mode != "standby")
        target = round(self.house.flow_target_c) if self.house.heating_on else 0
        if target != self._target.value:
            self._target.value, self._target.changed_at = target, float(self.house.t - self.house.t % 600)
        result[base + "temperature"] = ({"value": number(target, "celsius")}, self._target.changed_at)

    def _hot_water(self, result: dict[str, tuple[dict[str, Any], float]]) -> None:
        for feature, key in (
            ("heating.dhw.temperature.main", DHW_TARGET),
            ("heating.dhw.temperature.temp2", DHW_TARGET_2),
        ):
            value, changed = self._setting(key)
            result[feature] = ({"value": number(value, "celsius")}, changed)
        hysteresis, changed = self._setting(DHW_HYSTERESIS)
        result["heating.dhw.temperature.hysteresis"] = (
            {
                "switchOffValue": number(hysteresis, "kelvin"),
                "switchOnValue": number(hysteresis, "kelvin"),
                "value": number(hysteresis, "kelvin"),
            },
            changed,
        )
        result["heating.dhw.schedule"] = self._schedule(DHW_SCHEDULE, True)
        result["heating.dhw.pumps.circulation.schedule"] = self._schedule(CIRCULATION_SCHEDULE, True)

    def _schedule(self, key: str, active: bool) -> tuple[dict[str, Any], float]:
        value, changed = self._setting(key)
        return {"active": flag(active), "entries": entries(value)}, changed

    def _counts(self, result: dict[str, tuple[dict[str, Any], float]], at: float) -> None:
        house = self.house
        counted = (house.starts, round(house.run_s / 3600.0, 1))
        if counted != self._counted.value:
            self._counted.value, self._counted.changed_at = counted, float(house.log.end)
        result["heating.compressors.0.statistics"] = (
            {"hours": number(counted[1], "hour"), "starts": number(counted[0])},
            self._counted.changed_at,
        )
        shares = (("One", 0.01), ("Two", 0.25), ("Three", 0.47), ("Four", 0.26), ("Five", 0.01))
        result["heating.compressors.0.statistics.load"] = (
            {f"hoursLoadClass{name}": number(int(counted[1] * share), "hour") for name, share in shares},
            self._counted.changed_at,
        )
        rod = round(house.rod_s)
        if rod != self._rod.value:
            self._rod.value, self._rod.changed_at = rod, float(house.log.end)
        result["heating.heatingRod.runtime"] = (
            {"levelOne": number(rod, "seconds"), "levelTwo": number(0, "seconds")},
            self._rod.changed_at,
        )
        for name, value in zip(("total", "heating", "dhw"), house.spec.cop_registers, strict=True):
            result[f"heating.cop.{name}"] = ({"value": number(value)}, float(house.log.start))
        hour = at // 3600 * 3600
        result["heating.device.mainECU"] = (
            {"runtime": number(round(house.spec.hours * 3600 * 2.2 + (hour - 1_600_000_000)), "seconds")},
            hour,
        )


_entries_made: dict[int, tuple[Schedule, dict[str, Any]]] = {}


def entries(schedule: Schedule) -> dict[str, Any]:
    """Write a schedule as the cloud does, entries numbered."""
    made = _entries_made.get(id(schedule))
    if made is None or made[0] is not schedule:
        value = {
            day: [
                {"start": entry["start"], "end": entry["end"], "mode": entry["mode"], "position": position}
                for position, entry in enumerate(items)
            ]
            for day, items in schedule.items()
        }
        made = _entries_made[id(schedule)] = (schedule, {"type": "Schedule", "value": value})
    return made[1]
