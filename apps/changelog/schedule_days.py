"""◇ What is in force when, on one day of a schedule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

DAY_MIN = 24 * 60
WARMEST = 14
WARMTH = {"reduced": 6, "standby": 4, "5/25-cycles": 6, "5/10-cycles": 10, "normal": 10, "temp-2": 12}
"""How much a mode heats, at most WARMEST, which all others are."""

Day = Sequence[Mapping[str, str]]


@dataclass(frozen=True, slots=True, order=True)
class Segment:
    """A stretch of the day [min since midnight] with one mode."""

    start_min: int
    end_min: int
    mode: str

    def __str__(self) -> str:
        return f"{_clock(self.start_min)}–{_clock(self.end_min)}"


def segments(day: Day) -> list[Segment]:
    """Return the day without overlap: of two entries that do, the one that stands first is in force."""
    entries = [Segment(_minutes(entry["start"]), _minutes(entry["end"]), entry["mode"]) for entry in day]
    edges = sorted({edge for entry in entries for edge in (entry.start_min, entry.end_min)})
    pieces: list[Segment] = []
    for start, end in pairwise(edges):
        mode = mode_at(entries, start)
        if mode is None:
            continue
        if pieces and pieces[-1].end_min == start and pieces[-1].mode == mode:
            pieces[-1] = Segment(pieces[-1].start_min, end, mode)
        else:
            pieces.append(Segment(start, end, mode))
    return pieces


def mode_at(entries: Sequence[Segment], minute: int) -> str | None:
    """Return the mode in force; None where there is none."""
    return next((entry.mode for entry in entries if entry.start_min <= minute < entry.end_min), None)


def warmth(mode: str) -> int:
    return WARMTH.get(mode, WARMEST)


@dataclass(frozen=True, slots=True, kw_only=True)
class DayChange:
    """What matters most of a day that changed: the warmest mode whose times did. ``was`` and ``now``: its
    times that differ; ``had`` and ``has``: all of them. Empty: it was not, is not there."""

    mode: str
    was: tuple[Segment, ...]
    now: tuple[Segment, ...]
    had: tuple[Segment, ...]
    has: tuple[Segment, ...]


def day_change(before: Day, after: Day) -> DayChange | None:
    """Return what changed on a day; None where the same modes are in force at the same times."""
    old, new = segments(before), segments(after)
    changed = {segment.mode for segment in set(old) ^ set(new)}
    if not changed:
        return None
    mode = max(changed, key=lambda mode: (warmth(mode), mode))
    had = tuple(segment for segment in old if segment.mode == mode)
    has = tuple(segment for segment in new if segment.mode == mode)
    return DayChange(
        mode=mode,
        was=tuple(segment for segment in had if segment not in has),
        now=tuple(segment for segment in has if segment not in had),
        had=had,
        has=has,
    )


def _minutes(clock: str) -> int:
    hours, _colon, minutes = clock.partition(":")
    return min(int(hours) * 60 + int(minutes), DAY_MIN)


def _clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"
