"""Electrical energy of every interval of a stretch: minute rows, else counters, else lumps or nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from . import raw
from .energy import INTERVAL_S, CounterReading, KnownEnergy, LumpOfEnergy, energy_from_counter, resolve
from .store.base import TimeSeriesStore

CHUNK_S = 32 * 86_400
HOUR_S = 3600
# A counter that rises faster than this is another meter's.
IMPOSSIBLE_WH_PER_HOUR = 50_000.0
SHORT_RANGE_S = 2 * 86_400

RESET, REPLACED, PROFILE = "counter_reset", "meter_replaced", "profile_changed"


@dataclass(slots=True)
class Electricity:
    """Energies [Wh] of the intervals from ``start`` on, None where not known alone; ``special``: those not
    simply the sum of five rows; ``replaced``: ids of stored lumps that these results take the place of."""

    start: int
    energies: list[float | None] = field(default_factory=list)
    special: dict[int, KnownEnergy] = field(default_factory=dict)
    lumps: list[LumpOfEnergy] = field(default_factory=list)
    replaced: list[int] = field(default_factory=list)

    @property
    def end(self) -> int:
        return self.start + len(self.energies) * INTERVAL_S

    def energy(self, interval: int) -> float | None:
        return self.energies[(interval - self.start) // INTERVAL_S]

    def lump_intervals(self) -> set[int]:
        """Intervals that lie wholly inside a lump."""
        return {
            interval
            for lump in self.lumps
            for interval in range(
                lump.start + -lump.start % INTERVAL_S, lump.end - INTERVAL_S + 1, INTERVAL_S
            )
        }

    @property
    def open_at_start(self) -> bool:
        return bool(self.energies) and (self.energies[0] is None or self.start in self.special)

    @property
    def open_at_end(self) -> bool:
        last = self.end - INTERVAL_S
        return bool(self.energies) and (self.energies[-1] is None or last in self.special)


def electricity(
    store: TimeSeriesStore, site: int, channels: Sequence[str], start: int, end: int
) -> Electricity:
    """Electricity of [start, end), multiples of 300 s, which must not cut a gap that counters bridge
    (see ``without_cut_gaps``)."""
    result = Electricity(start=start)
    for first in range(start, end, CHUNK_S):
        last = min(first + CHUNK_S, end)
        rows = raw.combined(store, site, raw.energy_of(channels), first, last, raw.MINUTES)
        result.energies += [
            energy if complete else None for energy, complete in zip(rows.sum, rows.complete, strict=True)
        ]
    extent = store.extent(site, "meter_counter") or (start, start)
    for first, last in _gaps(result):
        _resolve_gap(store, site, channels, first, last, extent, result)
    return result


def _gaps(known: Electricity) -> list[tuple[int, int]]:
    """Stretches without five minute rows."""
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


def _resolve_gap(
    store: TimeSeriesStore,
    site: int,
    channels: Sequence[str],
    start: int,
    end: int,
    extent: tuple[int, int],
    result: Electricity,
) -> None:
    before = raw.previous_counter(store, site, start, extent[0])
    after = raw.next_counter(store, site, end, extent[1])
    first = start if before is None else before
    last = end if after is None else after
    minutes = raw.minute_energies(store, site, channels, min(first, start), max(last, end))
    readings = raw.counter_readings(store, site, channels, first, last + 1)
    resolved = resolve(start, end, minutes, readings)
    for interval, known in resolved.intervals.items():
        result.energies[(interval - result.start) // INTERVAL_S] = known.energy_wh
        result.special[interval] = known
    result.lumps += resolved.lumps


def without_cut_gaps(
    store: TimeSeriesStore, site: int, channels: Sequence[str], known: Electricity
) -> tuple[int, int]:
    """[start, end) widened so that no gap with counters on both sides is cut by its edges."""
    start, end = known.start, known.end
    extent = store.extent(site, "meter_counter")
    if extent is None:
        return start, end
    if known.open_at_start and raw.next_counter(store, site, start + 1, extent[1]) is not None:
        before = raw.previous_counter(store, site, start, extent[0])
        start = start if before is None else min(start, before - before % INTERVAL_S)
    if known.open_at_end and raw.previous_counter(store, site, known.end - 1, extent[0]) is not None:
        after = raw.next_counter(store, site, known.end, extent[1])
        end = end if after is None else max(end, after + -after % INTERVAL_S)
    return start, end


@dataclass(frozen=True, slots=True)
class CounterEvent:
    at: int
    device: str
    kind: str


def counter_events(
    store: TimeSeriesStore, site: int, channels: Sequence[str], start: int, end: int
) -> list[CounterEvent]:
    """Resets, replaced meters and changed profiles whose first new reading lies in [start, end)."""
    extent = store.extent(site, "meter_counter")
    if extent is None:
        return []
    if end - start <= SHORT_RANGE_S:
        return _events_within(store, site, channels, start, end, extent[0])
    events = []
    for hour in _suspicious_hours(store, site, channels, max(start, extent[0]), min(end, extent[1] + 1)):
        events += _events_within(store, site, channels, max(start, hour), min(end, hour + HOUR_S), extent[0])
    return events


def _events_within(
    store: TimeSeriesStore, site: int, channels: Sequence[str], start: int, end: int, first: int
) -> list[CounterEvent]:
    before = raw.previous_counter(store, site, start - 1, first)
    readings = raw.counter_readings(store, site, channels, start if before is None else before, end)
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


def _suspicious_hours(
    store: TimeSeriesStore, site: int, channels: Sequence[str], start: int, end: int
) -> list[int]:
    """Hours in which some counter falls, or rises faster than a house can draw."""
    hours: set[int] = set()
    for name in channels:
        series = store.series(site, f"energy_counter_{name}_wh", start, end, HOUR_S)
        highest: float | None = None
        last_hour = 0
        for hour, low, high in zip(series.time, series.min, series.max, strict=True):
            if low is None or high is None:
                continue
            if highest is not None:
                hours_passed = (hour - last_hour) / HOUR_S + 1
                if low < highest - 0.5 or high - highest > IMPOSSIBLE_WH_PER_HOUR * hours_passed:
                    hours.add(hour)
            highest, last_hour = high, hour
    return sorted(hours)
