"""◇ What people set on the simulated heat pump, and when they change it."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from random import Random

from .noise import generator

Schedule = dict[str, list[dict[str, str]]]
Value = float | int | str | bool | Schedule

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
SLOT_S = 600
SLOTS_A_DAY = 144

COMFORT = "circuits.1.target_temperature.comfort_c"
NORMAL = "circuits.1.target_temperature.normal_c"
REDUCED = "circuits.1.target_temperature.reduced_c"
HEATING_SCHEDULE = "circuits.1.schedule"
SLOPE = "circuits.1.curve.slope"
SHIFT = "circuits.1.curve.shift"
MODE = "circuits.1.mode"
DHW_TARGET = "dhw.target_temperature_c"
DHW_TARGET_2 = "dhw.target_temperature_2_c"
DHW_HYSTERESIS = "dhw.hysteresis_k"
DHW_SCHEDULE = "dhw.schedule"
CIRCULATION_SCHEDULE = "circulation.schedule"


@dataclass(frozen=True, slots=True)
class SettingChange:
    """From ``at`` (epoch s) on, ``key`` has ``value``."""

    at: int
    key: str
    value: Value


def week(weekdays: Sequence[tuple[str, str, str]], weekend: Sequence[tuple[str, str, str]]) -> Schedule:
    """Make a schedule with one list of (start, end, mode) for Monday to Friday and one for the weekend."""

    def entries(day: Sequence[tuple[str, str, str]]) -> list[dict[str, str]]:
        return [{"start": start, "end": end, "mode": mode} for start, end, mode in day]

    return {name: entries(weekend if name in {"sat", "sun"} else weekdays) for name in WEEKDAYS}


def _heating_week(begin: str, weekend_begin: str, end: str, weekend_end: str) -> Schedule:
    def day(first: str, last: str) -> list[tuple[str, str, str]]:
        return [("00:00", first, "reduced"), (first, last, "normal"), (last, "24:00", "reduced")]

    return week(day(begin, end), day(weekend_begin, weekend_end))


def default_settings() -> dict[str, Value]:
    """Return the settings of a house as its installer and owners left it."""
    return {
        COMFORT: 22,
        NORMAL: 21,
        REDUCED: 19,
        HEATING_SCHEDULE: _heating_week("05:30", "06:30", "22:00", "23:00"),
        "circuits.1.schedule_active": True,
        SLOPE: 0.6,
        SHIFT: 0,
        MODE: "dhwAndHeating",
        DHW_TARGET: 50,
        DHW_TARGET_2: 60,
        DHW_HYSTERESIS: 5,
        DHW_SCHEDULE: week([("04:30", "22:30", "normal")], [("05:30", "23:00", "normal")]),
        CIRCULATION_SCHEDULE: week(
            [("06:00", "08:00", "5/25-cycles"), ("17:00", "21:30", "5/25-cycles")],
            [("07:00", "21:30", "5/25-cycles")],
        ),
    }


def settings_at(initial: Mapping[str, Value], script: Sequence[SettingChange], at: float) -> dict[str, Value]:
    """Return the settings in force at ``at``; ``script`` is ordered by time."""
    result = dict(initial)
    for change in script:
        if change.at > at:
            break
        result[change.key] = change.value
    return result


def as_number(value: Value) -> float:
    """Return a setting that is a number. Raises TypeError for others."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{value!r} is not a number")
    return float(value)


Weeks = tuple[tuple[tuple[str, ...], ...], ...]
"""Heating, hot water, circulation: per weekday the mode of each ten minutes."""


class SettingsInForce:
    """Settings as time goes on; schedules are unfolded only when anything changed."""

    def __init__(self, initial: Mapping[str, Value]) -> None:
        self._initial = initial
        self._seen = -1
        self._values: dict[str, Value] = {}
        self._weeks: Weeks = ()

    def at(self, at: int, script: Sequence[SettingChange]) -> tuple[dict[str, Value], Weeks]:
        """Return the settings and unfolded schedules at ``at``, which never runs backwards; the script is in
        order."""
        due = max(0, self._seen)
        while due < len(script) and script[due].at <= at:
            due += 1
        if due != self._seen:
            self._seen = due
            self._values = settings_at(self._initial, script, at)
            gaps = ((HEATING_SCHEDULE, "standby"), (DHW_SCHEDULE, "off"), (CIRCULATION_SCHEDULE, "off"))
            self._weeks = tuple(slots(self._values[key], gap) for key, gap in gaps)
        return self._values, self._weeks


def slots(schedule: Value, gap: str) -> tuple[tuple[str, ...], ...]:
    """Return per weekday (Monday first) the mode of each ten minutes; where entries overlap the later one
    wins.

    Raises TypeError for a setting that is not a schedule.
    """
    if not isinstance(schedule, dict):
        raise TypeError(f"{schedule!r} is not a schedule")
    result = []
    for name in WEEKDAYS:
        day = [gap] * SLOTS_A_DAY
        for entry in schedule[name]:
            for index in range(_slot_of(entry["start"]), _slot_of(entry["end"])):
                day[index] = entry["mode"]
        result.append(tuple(day))
    return tuple(result)


def _slot_of(clock: str) -> int:
    hours, minutes = clock.split(":")
    return (int(hours) * 60 + int(minutes)) // 10


def _number(key: str, choices: Sequence[float], source: Random, now: Mapping[str, Value]) -> Value:
    return source.choice([choice for choice in choices if choice != now[key]])


def _heating_hours(source: Random, now: Mapping[str, Value]) -> Value:
    begins, weekends = ("05:00", "05:30", "06:00", "06:30"), ("06:30", "07:00", "07:30")
    ends, weekend_ends = ("21:00", "21:30", "22:00"), ("22:00", "22:30", "23:00")
    while True:
        made = _heating_week(*(source.choice(part) for part in (begins, weekends, ends, weekend_ends)))
        if made != now[HEATING_SCHEDULE]:
            return made


def _edited_day(key: str, starts: Sequence[str], source: Random, now: Mapping[str, Value]) -> Value:
    """Return the schedule with the first entry of one weekday beginning at another time."""
    schedule = now[key]
    assert isinstance(schedule, dict)
    edited = copy.deepcopy(schedule)
    entry = edited[source.choice(WEEKDAYS)][0]
    entry["start"] = source.choice([start for start in starts if start != entry["start"]])
    return edited


_EDITS = (
    (SLOPE, partial(_number, SLOPE, (0.5, 0.6, 0.7))),
    (NORMAL, partial(_number, NORMAL, (20, 21))),
    (COMFORT, partial(_number, COMFORT, (21, 22, 23))),
    (DHW_TARGET, partial(_number, DHW_TARGET, (47, 48, 50, 52))),
    (HEATING_SCHEDULE, _heating_hours),
    (REDUCED, partial(_number, REDUCED, (17, 18, 19))),
    (SHIFT, partial(_number, SHIFT, (-1, 0, 1))),
    (DHW_SCHEDULE, partial(_edited_day, DHW_SCHEDULE, ("04:00", "05:00", "06:00"))),
    (DHW_HYSTERESIS, partial(_number, DHW_HYSTERESIS, (4, 5, 6, 7))),
    (CIRCULATION_SCHEDULE, partial(_edited_day, CIRCULATION_SCHEDULE, ("05:30", "06:30", "07:30"))),
)


def made_script(
    seed: int, start: int, end: int, every_days: float, initial: Mapping[str, Value]
) -> tuple[SettingChange, ...]:
    """Return changes at random times of day between ``start`` and ``end``, one about every ``every_days``."""
    source = generator(seed, "script", 0)
    now = dict(initial)
    result: list[SettingChange] = []
    at = start + every_days * 86_400 * source.uniform(0.3, 0.8)
    index = 0
    while at < end:
        key, edit = _EDITS[index % len(_EDITS)]
        value = edit(source, now)
        now[key] = value
        # people sit in front of the device in waking hours; the second is as it comes
        moment = int(at // 86_400) * 86_400 + source.randint(6 * 3600, 20 * 3600)
        result.append(SettingChange(moment, key, value))
        index += 1
        at += every_days * 86_400 * source.uniform(0.75, 1.3)
    return tuple(change for change in result if start < change.at < end)
