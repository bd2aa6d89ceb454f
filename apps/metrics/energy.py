"""◇ Electrical energy from minute rows, and from counters where rows are missing.

Energy is import only, in Wh. Nothing is interpolated: energy that is known only over a longer stretch
is one lump. Times are epoch seconds; intervals start at multiples of 300 s.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from .grid import INTERVAL_S, MINUTE_S, interval_of, intervals, minutes

RESET_DROP_WH = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CounterReading:
    """The counters at a minute edge, by channel [Wh]. ``series``: device and profile; no difference
    reaches from one series into another."""

    at: int
    wh: tuple[float | None, ...]
    series: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CounterStep:
    """Energy between two counter readings [Wh]; after a ``reset`` only what the new counter shows."""

    start: int
    end: int
    energy_wh: float
    reset: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownEnergy:
    """Energy of one interval [Wh] and for how many of its seconds it is known; ``lump_s``: seconds known
    only inside a lump. ``reset``: a counter began anew inside; ``counter``: not from rows alone."""

    energy_wh: float | None
    known_s: int
    lump_s: int = 0
    reset: bool = False
    counter: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LumpOfEnergy:
    """Energy known only as one sum over [start, end), less that of the rows in between."""

    start: int
    end: int
    energy_wh: float
    reset: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """What is known of a stretch whose minute rows have holes; intervals that are absent are unknown."""

    intervals: dict[int, KnownEnergy] = field(default_factory=dict)
    lumps: list[LumpOfEnergy] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Piece:
    """What one counter step says of the ``minutes`` that have no row."""

    minutes: list[int]
    energy_wh: float
    reset: bool

    @property
    def start(self) -> int:
        return self.minutes[0]

    @property
    def end(self) -> int:
        return self.minutes[-1] + MINUTE_S

    @property
    def is_lump(self) -> bool:
        return interval_of(self.start) != interval_of(self.end - 1)


def energy_from_counter(readings: Sequence[CounterReading]) -> list[CounterStep]:
    """Return the steps between neighbouring readings, in order of time.

    A rise counts. A drop of less than 1 Wh is jitter: nothing is added and the higher reading is kept. A
    larger drop is a reset: what the new counter shows counts. Nothing across a change of series.
    """
    steps: list[CounterStep] = []
    kept: list[float | None] = list(readings[0].wh) if readings else []
    for before, after in pairwise(readings):
        if before.series != after.series:
            kept = list(after.wh)
            continue
        energy_wh, reset, known = 0.0, False, False
        for channel, new in enumerate(after.wh):
            old = kept[channel]
            if old is None or new is None:
                kept[channel] = new if new is not None else old
                known = known and (old is None and new is None)
                continue
            known = True
            difference = new - old
            if difference <= -RESET_DROP_WH:
                reset, difference = True, new
            kept[channel] = new if difference >= 0 else old
            energy_wh += max(0.0, difference)
        if known:
            steps.append(
                CounterStep(start=before.at, end=after.at, energy_wh=round(energy_wh, 4), reset=reset)
            )
    return steps


def resolve(
    start: int, end: int, minutes_wh: Mapping[int, float], readings: Sequence[CounterReading]
) -> Resolved:
    """Return the energies of the intervals in [start, end) from minute rows and counter readings around them.

    Rows count where they are; counters say only what the minutes between rows used: in their interval, or
    as a lump where that reaches over an edge. ``minutes_wh`` and ``readings`` may reach beyond the stretch.
    """
    steps = (_missing_part(step, minutes_wh) for step in energy_from_counter(readings))
    pieces = [piece for piece in steps if piece is not None and piece.start < end and piece.end > start]
    inside: dict[int, list[_Piece]] = {}
    lump_s: dict[int, int] = {}
    for piece in pieces:
        if not piece.is_lump:
            inside.setdefault(interval_of(piece.start), []).append(piece)
            continue
        for minute in piece.minutes:
            lump_s[interval_of(minute)] = lump_s.get(interval_of(minute), 0) + MINUTE_S
    resolved = Resolved()
    for interval in intervals(start, end):
        known = _known(interval, minutes_wh, inside.get(interval, ()), lump_s.get(interval, 0))
        if known is not None:
            resolved.intervals[interval] = known
    resolved.lumps.extend(
        LumpOfEnergy(start=piece.start, end=piece.end, energy_wh=piece.energy_wh, reset=piece.reset)
        for piece in pieces
        if piece.is_lump
    )
    return resolved


def _missing_part(step: CounterStep, minutes_wh: Mapping[int, float]) -> _Piece | None:
    """Return what the step says about minutes without a row: its energy less that of the rows it spans."""
    spanned = minutes(step.start, step.end)
    missing = [minute for minute in spanned if minute not in minutes_wh]
    if not missing:
        return None
    rows_wh = math.fsum(minutes_wh[minute] for minute in spanned if minute in minutes_wh)
    return _Piece(missing, round(max(0.0, step.energy_wh - rows_wh), 4), step.reset)


def _known(
    interval: int, minutes_wh: Mapping[int, float], pieces: Sequence[_Piece], lump_s: int
) -> KnownEnergy | None:
    rows = [minutes_wh[minute] for minute in minutes(interval, interval + INTERVAL_S) if minute in minutes_wh]
    if not rows and not pieces and not lump_s:
        return None
    energy_wh = round(math.fsum(rows) + math.fsum(piece.energy_wh for piece in pieces), 4)
    counted = sum(len(piece.minutes) for piece in pieces)
    return KnownEnergy(
        energy_wh=energy_wh if rows or pieces else None,
        known_s=MINUTE_S * (len(rows) + counted),
        lump_s=lump_s,
        reset=any(piece.reset for piece in pieces),
        counter=bool(pieces),
    )
