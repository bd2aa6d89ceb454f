"""◇ What a meter says of itself beside its values, as stored with the state of the source. ◇

errors          names of faults of the meter as a whole, as told
phases          {"a": names of faults of that phase}, only phases with faults
not_connected   phases without voltage: nothing is clamped there
returned_wh     energy fed back that the meter counted [Wh], None where it does not count it
clock_offset_s  the meter's clock minus ours [s], None while it is not set
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .meter_clock import is_wrong
from .readings import PHASES, PowerReading

# Faults that make values wrong or missing: worth an alarm, not just a line.
ALARMING = frozenset({"power_meter_failure", "phase_sequence", "ct_type_not_set", "database_error"})


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


def is_news(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Whether a report says something else than the one stored, so that it is stored at once."""
    told = ("errors", "phases", "not_connected")
    if any(before.get(part) != after.get(part) for part in told):
        return True
    return is_wrong(before.get("clock_offset_s")) != is_wrong(after.get("clock_offset_s"))


def is_alarming(report: Mapping[str, Any]) -> bool:
    """Whether a fault of the report makes values wrong."""
    names = [
        *report.get("errors", ()),
        *(name for part in report.get("phases", {}).values() for name in part),
    ]
    return any(name.removeprefix("n:") in ALARMING or "out_of_range" in name for name in names)
