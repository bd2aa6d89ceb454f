"""◇ The energy of a minute from the step of the meter's counters, until the meter's own row comes. Pure.

The counters step on each full minute; a reading at second 2 or later of a minute shows its edge, one at
seconds 0 and 1 may show either (metrics.md §1). Only two readings across exactly one edge give a minute.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime

from ..meter_clock import trusted_offset_s
from ..readings import MinuteRecord, PhaseReading, PowerReading

FIRST_TRUSTED_SECOND = 2
RESET_WH = 1.0  # a drop below this is jitter


class MinuteFromCounter:
    """Feed it the readings of one meter in order; it gives a provisional minute at each seen edge."""

    def __init__(self) -> None:
        self._edge: int | None = None  # minute number of the last trusted reading
        self._reading: PowerReading | None = None

    def feed(self, reading: PowerReading) -> MinuteRecord | None:
        """Return the minute that ended with the edge this reading shows first; None if that is uncertain: a
        missed edge, a reset, another device or profile, a counter that is missing."""
        at_s = _meter_time(reading)
        before, before_edge = self._reading, self._edge
        if at_s % 60 < FIRST_TRUSTED_SECOND or all(
            phase.energy_counter_wh is None for phase in reading.phases
        ):
            return None
        edge = int(at_s // 60)
        if before is None or before_edge is None or edge < before_edge or _starts_anew(before, reading):
            self._edge, self._reading = edge, reading
            return None
        if edge == before_edge or _lacks_a_counter(reading, before):
            return None
        self._edge, self._reading = edge, _highest_counters(before, reading)
        return _minute(before, reading, edge - 1) if edge == before_edge + 1 else None


def _meter_time(reading: PowerReading) -> float:
    """Return the meter's own time of the reading [epoch s], in which its minutes and rows are counted; ours,
    but for the seconds, where the meter's clock is wrong."""
    return round(reading.measured_at.timestamp() + trusted_offset_s(reading.clock_offset_s), 3)


def _starts_anew(before: PowerReading, after: PowerReading) -> bool:
    """Return whether no difference can be taken: another device or profile, a new channel, a counter set
    back."""
    return (
        before.device != after.device
        or before.profile != after.profile
        or _lacks_a_counter(before, after)
        or _was_reset(before, after)
    )


def _pairs(before: PowerReading, after: PowerReading) -> Iterable[tuple[PhaseReading, PhaseReading]]:
    return zip(before.phases, after.phases, strict=True)


def _lacks_a_counter(reading: PowerReading, other: PowerReading) -> bool:
    """Return whether ``other`` knows a phase's counter that ``reading`` does not."""
    return any(
        mine.energy_counter_wh is None and theirs.energy_counter_wh is not None
        for mine, theirs in _pairs(reading, other)
    )


def _was_reset(before: PowerReading, after: PowerReading) -> bool:
    return any(
        old.energy_counter_wh is not None
        and new.energy_counter_wh is not None
        and new.energy_counter_wh <= old.energy_counter_wh - RESET_WH
        for old, new in _pairs(before, after)
    )


def _minute(before: PowerReading, after: PowerReading, minute: int) -> MinuteRecord:
    energy = [
        None if _unconnected(old, new) else _step(old.energy_counter_wh, new.energy_counter_wh)
        for old, new in _pairs(before, after)
    ]
    returned = [
        None
        if _unconnected(old, new)
        else _step(old.energy_returned_counter_wh, new.energy_returned_counter_wh)
        for old, new in _pairs(before, after)
    ]
    known = [value for value in energy if value is not None]
    return MinuteRecord(
        at=datetime.fromtimestamp(minute * 60, UTC),
        device=after.device,
        period_s=60,
        energy_wh=(energy[0], energy[1], energy[2]),
        energy_returned_wh=(returned[0], returned[1], returned[2]),
        total_energy_wh=round(sum(known), 2) if known else None,
    )


def _unconnected(before: PhaseReading, after: PhaseReading) -> bool:
    """Return whether a phase shows neither voltage nor energy: the meter's rows do not have it either."""
    return (
        before.voltage_v == after.voltage_v == 0.0
        and _step(before.energy_counter_wh, after.energy_counter_wh) == 0.0
    )


def _step(before_wh: float | None, after_wh: float | None) -> float | None:
    if before_wh is None or after_wh is None or after_wh <= before_wh - RESET_WH:
        return None
    return max(0.0, round(after_wh - before_wh, 2))


def _highest_counters(before: PowerReading, after: PowerReading) -> PowerReading:
    """Return ``after`` with the higher of both counters, so that jitter is not counted when it comes back."""
    a, b, c = (
        replace(new, energy_counter_wh=_higher(old.energy_counter_wh, new.energy_counter_wh))
        for old, new in _pairs(before, after)
    )
    return replace(after, phases=(a, b, c))


def _higher(before_wh: float | None, after_wh: float | None) -> float | None:
    return after_wh if before_wh is None or after_wh is None else max(before_wh, after_wh)
