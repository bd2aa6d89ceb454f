"""◇ What a device says of itself beside its values, as stored with the state of the source. ◇

Of a heat pump ``errors`` are the codes of its messages, and nothing else is stored. Of a meter:

errors          names of faults of the meter as a whole, as told
phases          {"a": names of faults of that phase}, only phases with faults
not_connected   phases without voltage: nothing is clamped there
returned_wh     energy fed back that the meter counted [Wh], None where it does not count it
clock_offset_s  the meter's clock minus ours [s], None while it is not set
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from .meter_clock import is_wrong
from .readings import PHASES, HeatPumpReading, PowerReading

# Faults that make values wrong or missing: worth an alarm, not just a line.
ALARMING = frozenset({"power_meter_failure", "phase_sequence", "ct_type_not_set", "database_error"})


WARN_OF_LOGIN = timedelta(days=14)


def login_ends_soon(ends_at: datetime | None, at: datetime) -> bool:
    """Return whether the owner should log in to the cloud again (14 days or less are left); False while
    unknown."""
    return ends_at is not None and ends_at - at <= WARN_OF_LOGIN


def meter_report(reading: PowerReading) -> dict[str, Any]:
    """Return the report of one reading, as plain JSON."""
    phases = dict(zip(PHASES, reading.phases, strict=True))
    return {
        "errors": list(reading.errors),
        "phases": {name: list(phase.errors) for name, phase in phases.items() if phase.errors},
        "not_connected": [name for name, phase in phases.items() if not phase.is_connected],
        "returned_wh": reading.energy_returned_counter_wh,
        "clock_offset_s": None if reading.clock_offset_s is None else round(reading.clock_offset_s),
    }


def heat_pump_report(reading: HeatPumpReading) -> dict[str, Any]:
    """Return the report of one reading, as plain JSON."""
    return {"errors": list(reading.messages)}


def is_news(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Return whether a report says something else than the one stored, so that it is stored at once."""
    told = ("errors", "phases", "not_connected")
    if any(before.get(part) != after.get(part) for part in told):
        return True
    return is_wrong(before.get("clock_offset_s")) != is_wrong(after.get("clock_offset_s"))


def reported(report: Mapping[str, Any]) -> list[str]:
    """Return all faults of the report; those of a phase as ``a:name``."""
    phases: Mapping[str, list[str]] = report.get("phases", {})
    of_phases = (f"{phase}:{fault}" for phase, faults in phases.items() for fault in faults)
    return [*report.get("errors", ()), *of_phases]


def alarming(report: Mapping[str, Any]) -> list[str]:
    """Return the faults of the report that make values wrong; those of a phase as ``a:name``."""
    return [fault for fault in reported(report) if _is_alarming(fault)]


def _is_alarming(fault: str) -> bool:
    place, _colon, rest = fault.partition(":")
    name = rest if place in (*PHASES, "n") else fault
    return name in ALARMING or name.startswith("out_of_range:")
