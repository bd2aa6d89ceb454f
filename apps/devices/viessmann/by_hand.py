"""◇ Programs that somebody switched on outside of the schedule, in one features answer.

A place (a circuit, the hot water, the house) runs at most one of them. On older devices comfort and eco are
only ever switched by hand; newer ones have comfort in their schedules too, where it is by hand only when
the schedule says something else. A place that the answer does not tell of is left out.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta, tzinfo

from apps.devices.configuration import BY_SCHEDULE, HOUSE_PLACE, WATER_PLACE, WEEKDAYS, Schedule

from .schedules import normal_schedule
from .snapshot import Reader

CLOCKS_DIFFER = timedelta(minutes=15)
"""The device switches by its own clock, which nobody can ask for."""

_CIRCUIT: Mapping[str, tuple[str, ...]] = {
    "comfort": ("comfort", "comfortHeating", "comfortCooling"),
    "eco": ("eco",),
    "party": ("party",),
    "holiday": ("holiday",),
    "holiday_at_home": ("holidayAtHome",),
    "last_program": ("forcedLastFromSchedule",),
}
_HOUSE: Mapping[str, tuple[str, ...]] = {"holiday": ("holiday",), "holiday_at_home": ("holidayAtHome",)}
_WATER: Mapping[str, tuple[str, ...]] = {"one_time_charge": ("oneTimeCharge",)}


def switched_by_hand(reader: Reader, zone: tzinfo | None) -> dict[str, tuple[str, datetime | None]]:
    """Return place → (program, when the device changed it); BY_SCHEDULE where none is switched by hand.

    ``zone``: the house's, by which schedules run; without it a program that a schedule has anywhere does
    not count as by hand.
    """
    operating = "heating.operating.programs."
    found = {
        HOUSE_PLACE: _running(reader, operating, _HOUSE, ()),
        WATER_PLACE: _running(reader, "heating.dhw.", _WATER, ()),
    }
    for circuit in reader.snapshot.ids_of("heating.circuits"):
        prefix = f"heating.circuits.{circuit}.operating.programs."
        found[f"circuits.{circuit}"] = _running(
            reader, prefix, _CIRCUIT, _scheduled(reader, circuit, zone), f"{prefix}active"
        )
    return {place: running for place, running in found.items() if running is not None}


def _running(
    reader: Reader,
    prefix: str,
    programs: Mapping[str, tuple[str, ...]],
    scheduled: Collection[str],
    active_feature: str = "",
) -> tuple[str, datetime | None] | None:
    """Return the program that runs though it is not ``scheduled``; None where nothing is known."""
    active = reader.text(active_feature) if active_feature else None
    changes = [reader.snapshot.changed_at(active_feature)] if active is not None else []
    for program, features in programs.items():
        for feature in features:
            flag = reader.flag(f"{prefix}{feature}")
            if (flag or active == feature) and program not in scheduled:
                return program, reader.snapshot.changed_at(f"{prefix}{feature}")
            if flag is not None:
                changes.append(reader.snapshot.changed_at(f"{prefix}{feature}"))
    return (BY_SCHEDULE, max(filter(None, changes), default=None)) if changes else None


def _scheduled(reader: Reader, circuit: str, zone: tzinfo | None) -> set[str]:
    """Return the modes that the circuit's heating schedule may have switched on by now."""
    week = normal_schedule(reader.snapshot.value(f"heating.circuits.{circuit}.heating.schedule", "entries"))
    if zone is None:
        return {entry["mode"] for day in week.values() for entry in day}
    at = reader.snapshot.received_at
    return {
        mode for near in (at - CLOCKS_DIFFER, at, at + CLOCKS_DIFFER) for mode in _modes(week, near, zone)
    }


def _modes(week: Schedule, at: datetime, zone: tzinfo) -> set[str]:
    local = at.astimezone(zone)
    clock = f"{local:%H:%M}"
    day = week.get(WEEKDAYS[local.weekday()], [])
    return {entry["mode"] for entry in day if entry["start"] <= clock < entry["end"]}
