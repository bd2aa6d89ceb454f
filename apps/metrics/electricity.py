"""Electrical energy of every interval of a stretch: minute rows, else counters, else lumps or nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from .energy import CounterReading, KnownEnergy, LumpOfEnergy, Resolved, energy_from_counter, resolve
from .grid import INTERVAL_S, edge_from, interval_of, minutes
from .raw import RawRows

CHUNK_S = 32 * 86_400
HOUR_S = 3600
# A counter that rises faster than this is another meter's.
IMPOSSIBLE_WH_PER_HOUR = 50_000.0
SHORT_RANGE_S = 2 * 86_400

RESET, REPLACED, PROFILE = "counter_reset", "meter_replaced", "profile_changed"


@dataclass(slots=True)
class Electricity:
    """Energies [Wh] of the intervals from ``start`` on, where five rows give them, else None; ``special``:
    what is known of the others."""

    start: int
    energies: list[float | None] = field(default_factory=list)
    special: dict[int, KnownEnergy] = field(default_factory=dict)
    lumps: list[LumpOfEnergy] = field(default_factory=list)

    @property
    def end(self) -> int:
        return self.start + len(self.energies) * INTERVAL_S

    def known(self, interval: int) -> KnownEnergy:
        energy_wh = self.energies[(interval - self.start) // INTERVAL_S]
        if energy_wh is not None:
            return KnownEnergy(energy_wh=energy_wh, known_s=INTERVAL_S)
        return self.special.get(interval, NOTHING_KNOWN)


NOTHING_KNOWN = KnownEnergy(energy_wh=None, known_s=0)


def electricity(raw: RawRows, start: int, end: int) -> Electricity:
    """Return the electricity of [start, end), multiples of 300 s, which must not cut a gap that counters
    bridge (see ``without_cut_gaps``)."""
    result = Electricity(start=start)
    for first in range(start, end, CHUNK_S):
        rows = raw.energy(first, min(first + CHUNK_S, end))
        result.energies += [
            energy if complete else None for energy, complete in zip(rows.sum, rows.complete, strict=True)
        ]
    lumps: dict[int, LumpOfEnergy] = {}
    for first, last in _gaps(result):
        resolved = _resolved(raw, first, last)
        result.special.update(resolved.intervals)
        # One counter step may reach over several gaps and the rows in between.
        lumps.update({lump.start: lump for lump in resolved.lumps})
    result.lumps = [lumps[start] for start in sorted(lumps)]
    return result


def _gaps(known: Electricity) -> list[tuple[int, int]]:
    """Return the stretches without five minute rows."""
    gaps: list[tuple[int, int]] = []
    for index, energy in enumerate(known.energies):
        if energy is not None:
            continue
        at = known.start + index * INTERVAL_S
        if gaps and gaps[-1][1] == at:
            gaps[-1] = (gaps[-1][0], at + INTERVAL_S)
        else:
            gaps.append((at, at + INTERVAL_S))
    return gaps


def _resolved(raw: RawRows, start: int, end: int) -> Resolved:
    before, after = raw.previous_counter(start), raw.next_counter(end)
    first = start if before is None else before
    last = end if after is None else after
    return resolve(start, end, raw.minutes(min(first, start), max(last, end)), raw.counters(first, last + 1))


def without_cut_gaps(raw: RawRows, known: Electricity) -> tuple[int, int]:
    """[start, end) widened so that its edges cut no lump, and no counter step that tells of minutes without a
    row."""
    start = min([known.start, *(interval_of(lump.start) for lump in known.lumps)])
    end = max([known.end, *(edge_from(lump.end) for lump in known.lumps)])
    for edge in (known.start, known.end):
        after = raw.next_counter(edge)
        before = None if after is None or after == edge else raw.previous_counter(edge)
        if before is None or after is None:
            continue
        rows = raw.minutes(before, after)
        if any(minute not in rows for minute in minutes(before, after)):
            start, end = min(start, interval_of(before)), max(end, edge_from(after))
    return start, end


@dataclass(frozen=True, slots=True)
class CounterEvent:
    at: int
    device: str
    kind: str


def counter_events(raw: RawRows, start: int, end: int, *, several_meters: bool) -> list[CounterEvent]:
    """Return resets, replaced meters and changed profiles whose first new reading lies in [start, end).

    Of a long stretch with one meter only the hours are read whose counters tell of something.
    """
    within = raw.counters_within
    if within is None:
        return []
    if several_meters or end - start <= SHORT_RANGE_S:
        return _events_within(raw, start, end)
    events = []
    for hour in _suspicious_hours(raw, max(start, within[0]), min(end, within[1] + 1)):
        events += _events_within(raw, max(start, hour), min(end, hour + HOUR_S))
    return events


def _events_within(raw: RawRows, start: int, end: int) -> list[CounterEvent]:
    before = raw.previous_counter(start - 1)
    readings = raw.counters(start if before is None else before, end)
    events = [event for event in _changes_of_series(readings) if event.at >= start]
    by_time = {reading.at: reading for reading in readings}
    events += [
        CounterEvent(step.end, by_time[step.end].series.partition("/")[0], RESET)
        for step in energy_from_counter(readings)
        if step.reset and step.end >= start
    ]
    return sorted(events, key=lambda event: (event.at, event.kind))


def _changes_of_series(readings: Sequence[CounterReading]) -> list[CounterEvent]:
    events = []
    for before, after in zip(readings, readings[1:], strict=False):
        if before.series != after.series:
            old, new = before.series.partition("/")[0], after.series.partition("/")[0]
            events.append(CounterEvent(after.at, new, PROFILE if old == new else REPLACED))
    return events


def _suspicious_hours(raw: RawRows, start: int, end: int) -> list[int]:
    """Return the first hour, and those in which some counter falls, rises faster than a house can draw, or
    counts in another profile."""
    hours: set[int] = set()
    for name in raw.parameters.metered_channels:
        before: tuple[int, float] | None = None
        for hour, low, high in raw.by_hour(f"energy_counter_{name}_wh", start, end):
            hours_passed = (hour - before[0]) / HOUR_S + 1 if before else 0
            if (
                before is None
                or low < before[1] - 0.5
                or high - before[1] > IMPOSSIBLE_WH_PER_HOUR * hours_passed
            ):
                hours.add(hour)
            before = (hour, high)
    profile: float | None = None
    for hour, low, high in raw.by_hour("monophase", start, end):
        if low != high or high != profile:
            hours.add(hour)
        profile = high
    return sorted(hours)
