"""◇ Electrical energy from minute rows, and from counters where rows are missing.

Energy is import only, in Wh. Nothing is interpolated: energy that is known only over a longer stretch
is one lump. Times are epoch seconds; intervals start at multiples of 300 s.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from .grid import INTERVAL_S, MINUTE_S, intervals, minutes

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
    """Energy of one interval [Wh]. ``reset``: a counter restarted inside; ``counter``: not from rows."""

    energy_wh: float
    reset: bool = False
    counter: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class LumpOfEnergy:
    """Energy known only as one sum over [start, end)."""

    start: int
    end: int
    energy_wh: float
    reset: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """What is known of a stretch whose minute rows have holes; intervals in neither are unknown."""

    intervals: dict[int, KnownEnergy] = field(default_factory=dict)
    lumps: list[LumpOfEnergy] = field(default_factory=list)
    resets: list[int] = field(default_factory=list)


@dataclass(slots=True)
class _Piece:
    start: int
    end: int
    energy_wh: float
    reset: bool


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

    ``minutes_wh`` and ``readings`` may reach beyond the stretch: a reading further out serves if the
    minutes between are known.
    """
    pieces: list[_Piece] = []
    resolved = Resolved()
    for step in energy_from_counter(readings):
        if step.reset:
            resolved.resets.append(step.end)
        piece = _missing_part(step, minutes_wh)
        if piece is not None and piece.start < end and piece.end > start:
            pieces.append(piece)
    _place(start, end, minutes_wh, pieces, resolved)
    return resolved


def _missing_part(step: CounterStep, minutes_wh: Mapping[int, float]) -> _Piece | None:
    """Return what the step says about minutes without a row: its energy less that of the rows it spans."""
    missing = [minute for minute in minutes(step.start, step.end) if minute not in minutes_wh]
    if not missing:
        return None
    known_wh = math.fsum(
        minutes_wh[minute] for minute in minutes(step.start, step.end) if minute in minutes_wh
    )
    return _Piece(
        start=missing[0],
        end=missing[-1] + MINUTE_S,
        energy_wh=max(0.0, step.energy_wh - known_wh),
        reset=step.reset,
    )


def _place(
    start: int, end: int, minutes_wh: Mapping[int, float], pieces: list[_Piece], resolved: Resolved
) -> None:
    """Sort what is known into intervals, and into lumps where a piece crosses their edges."""
    by_minute = {minute: piece for piece in pieces for minute in minutes(piece.start, piece.end)}
    for first, last in _groups(start, end, by_minute):
        for begin, to in _covered(first, last, minutes_wh, by_minute):
            inside = [piece for piece in pieces if piece.start >= begin and piece.end <= to]
            energy_wh = round(
                math.fsum(minutes_wh[minute] for minute in minutes(begin, to) if minute in minutes_wh)
                + math.fsum(piece.energy_wh for piece in inside),
                4,
            )
            reset = any(piece.reset for piece in inside)
            if last - first == INTERVAL_S:
                if to - begin == INTERVAL_S:
                    resolved.intervals[first] = KnownEnergy(
                        energy_wh=energy_wh, reset=reset, counter=bool(inside)
                    )
            elif inside:
                resolved.lumps.append(LumpOfEnergy(start=begin, end=to, energy_wh=energy_wh, reset=reset))


def _groups(start: int, end: int, by_minute: Mapping[int, _Piece]) -> list[tuple[int, int]]:
    """Return the neighbouring intervals that some piece binds together; most groups are one interval."""
    groups: list[tuple[int, int]] = []
    first, bound = start, start
    for interval in intervals(start, end):
        if interval >= bound:
            first = interval
        touching = [
            by_minute[minute].end
            for minute in minutes(interval, interval + INTERVAL_S)
            if minute in by_minute
        ]
        bound = max(bound, interval + INTERVAL_S, *touching)
        if bound <= interval + INTERVAL_S or interval + INTERVAL_S >= end:
            groups.append((first, interval + INTERVAL_S))
    return groups


def _covered(
    first: int, last: int, minutes_wh: Mapping[int, float], by_minute: Mapping[int, _Piece]
) -> list[tuple[int, int]]:
    """Return the stretches of a group in which every minute is known, alone or inside a piece."""
    stretches: list[tuple[int, int]] = []
    for minute in minutes(first, last):
        if minute not in minutes_wh and minute not in by_minute:
            continue
        if stretches and stretches[-1][1] == minute:
            stretches[-1] = (stretches[-1][0], minute + MINUTE_S)
        else:
            stretches.append((minute, minute + MINUTE_S))
    return stretches
