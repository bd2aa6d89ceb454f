"""◇ Weekly schedules in one normal form, so that equal schedules compare equal."""

from __future__ import annotations

import marshal
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from apps.devices.configuration import WEEKDAYS, Schedule, ScheduleEntry

_TIME = re.compile(r"(\d{1,2}):([0-5]\d)(?::[0-5]\d)?")
_DAY_MIN = 24 * 60


@dataclass(frozen=True, slots=True, order=True)
class _Entry:
    """Sorts by start, end, mode. Times in minutes since midnight."""

    start_min: int
    end_min: int
    mode: str

    def overlaps(self, other: _Entry) -> bool:
        return self.start_min < other.end_min and other.start_min < self.end_min

    def as_setting(self) -> ScheduleEntry:
        return {"start": _clock(self.start_min), "end": _clock(self.end_min), "mode": self.mode}


def normal_schedule(entries: object) -> Schedule:
    """Return the normal form of a schedule's ``entries`` as the device gives them (weekday → list of
    entries).

    Each day is sorted by start, end and mode; only entries that overlap keep the device's order, since
    there the ``position`` decides. Weekdays come in the order of the week. A weekday that is missing or
    cannot be read is unknown and left out; an empty list is an empty day. ``{}`` where nothing is known.
    """
    if not isinstance(entries, Mapping):
        return {}
    try:
        packed = marshal.dumps(dict(entries))
    except ValueError:  # a mapping of our own making, not decoded JSON
        return _normal(entries)
    return {weekday: [dict(entry) for entry in day] for weekday, day in _normal_of(packed).items()}


@lru_cache(maxsize=32)
def _normal_of(packed: bytes) -> Schedule:
    """Return the normal form; it is cached, as polls repeat the same schedules for months."""
    return _normal(marshal.loads(packed))


def _normal(entries: Mapping[str, object]) -> Schedule:
    schedule: Schedule = {}
    for weekday in WEEKDAYS:
        day = _entries_of(entries.get(weekday))
        if day is not None:
            schedule[weekday] = [entry.as_setting() for entry in _in_normal_order(day)]
    return schedule


def _entries_of(day: object) -> list[_Entry] | None:
    """Return a day's entries by position; None where one of them cannot be read."""
    if not isinstance(day, list | tuple):
        return None
    placed: list[tuple[float, int, _Entry]] = []
    for index, raw in enumerate(day):
        entry = _entry(raw)
        if entry is None:
            return None
        position = raw.get("position", index)
        if isinstance(position, bool) or not isinstance(position, int | float):
            position = index
        placed.append((position, index, entry))
    return [entry for _, _, entry in sorted(placed, key=lambda item: item[:2])]


def _entry(raw: object) -> _Entry | None:
    if not isinstance(raw, Mapping):
        return None
    start_min, end_min, mode = _minutes(raw.get("start")), _minutes(raw.get("end")), raw.get("mode")
    if start_min is None or end_min is None or not isinstance(mode, str):
        return None
    return _Entry(start_min, end_min, mode)


def _in_normal_order(entries: list[_Entry]) -> list[_Entry]:
    """Sort with the smallest entry first, unless an overlapping one stands before it on the device."""
    waiting, ordered = list(entries), []
    while waiting:
        free = [
            index
            for index, entry in enumerate(waiting)
            if not any(entry.overlaps(earlier) for earlier in waiting[:index])
        ]
        ordered.append(waiting.pop(min(free, key=lambda index: waiting[index])))
    return ordered


def _minutes(text: object) -> int | None:
    match = _TIME.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        return None
    minutes = int(match[1]) * 60 + int(match[2])
    return minutes if minutes <= _DAY_MIN else None


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02d}:{minutes % 60:02d}"
