"""Weekly schedules as drawings: bars in a strip of 24 hours, positions as attribute texts.

A strip is 288 × 20 units: 5 minutes each. Numbers are made into texts here, since a template would write
them with the reader's decimal comma.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from django.utils.translation import gettext

from apps.devices.configuration import WEEKDAYS

from .schedule_days import WARMEST, Day, Segment, mode_at, segments, warmth
from .sentences import ARROW, day_text, days_text, value_text, weekday_name

UNIT_MIN = 5
FULL_HEIGHT = WARMEST

Week = Mapping[str, Day]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """``kind``: same, add, cut (classes of the style sheet)."""

    x: str
    y: str
    width: str
    height: str
    kind: str
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DayStrip:
    """One line of the drawing: the days it stands for, and its bars."""

    label: str
    bars: tuple[Bar, ...]
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DayRow:
    """One line of the table behind a drawing; ``before`` is empty where nothing is compared."""

    label: str
    before: str
    after: str
    changed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ModeKey:
    """One mode in the legend: its bar's top and height, and its name."""

    y: str
    height: str
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WeekDrawing:
    """A schedule as strips, ``description`` for readers who do not see it, and the table behind.
    ``modes``: what the heights mean, coolest first; empty with one mode, whose bars are all full."""

    strips: tuple[DayStrip, ...]
    description: str
    rows: tuple[DayRow, ...]
    compared: bool
    modes: tuple[ModeKey, ...] = ()


def draw_week(key: str, week: Week) -> WeekDrawing:
    """Draw a schedule as it is; equal days share a strip; of several modes the warmer has the higher bar."""
    days = [day for day in WEEKDAYS if day in week]
    modes = _mode_keys(key, [week[day] for day in days])
    texts = {day: day_text(key, week[day], modes=True) for day in days}
    strips = [
        DayStrip(
            label=days_text(alike),
            bars=tuple(
                _bar(key, segment, "same", by_mode=bool(modes)) for segment in segments(week[alike[0]])
            ),
            text=texts[alike[0]],
        )
        for alike in _alike(days, lambda day: texts[day])
    ]
    rows = [DayRow(label=weekday_name(day), before="", after=texts[day], changed=False) for day in days]
    return WeekDrawing(
        strips=tuple(strips),
        description=_description(strips),
        rows=tuple(rows),
        compared=False,
        modes=modes,
    )


def draw_change(key: str, before: Week, after: Week) -> WeekDrawing:
    """Draw what stays, what was added and what was removed, at the height of its mode; only weekdays known on
    both sides."""
    days = [day for day in WEEKDAYS if day in before and day in after]
    modes = _mode_keys(key, [side[day] for side in (before, after) for day in days])
    old = {day: day_text(key, before[day], modes=True) for day in days}
    new = {day: day_text(key, after[day], modes=True) for day in days}
    strips = []
    for alike in _alike(days, lambda day: (old[day], new[day])):
        first = alike[0]
        if old[first] == new[first]:
            text = gettext("unchanged, %(times)s") % {"times": old[first]}
        else:
            text = f"{old[first]} {ARROW} {new[first]}"
        bars = tuple(
            _bar(key, segment, kind, by_mode=bool(modes))
            for segment, kind in _compared(before[first], after[first])
        )
        strips.append(DayStrip(label=days_text(alike), bars=bars, text=text))
    rows = [
        DayRow(label=weekday_name(day), before=old[day], after=new[day], changed=old[day] != new[day])
        for day in days
    ]
    return WeekDrawing(
        strips=tuple(strips),
        description=_description(strips),
        rows=tuple(rows),
        compared=True,
        modes=modes,
    )


def _mode_keys(key: str, days: Sequence[Day]) -> tuple[ModeKey, ...]:
    """Return the legend of the modes that occur; none where there is only one to tell."""
    heights = {segment.mode: warmth(segment.mode) for day in days for segment in segments(day)}
    if len(heights) < 2:
        return ()
    return tuple(
        ModeKey(y=f"{17 - height:d}", height=f"{height:d}", label=value_text(key, mode))
        for mode, height in sorted(heights.items(), key=lambda pair: (pair[1], pair[0]))
    )


def _compared(before: Day, after: Day) -> list[tuple[Segment, str]]:
    """Return the pieces of the day with what became of them: same, add (also another mode), cut."""
    old, new = segments(before), segments(after)
    edges = sorted({edge for piece in (*old, *new) for edge in (piece.start_min, piece.end_min)})
    found: list[tuple[Segment, str]] = []
    for start, end in pairwise(edges):
        was, now = mode_at(old, start), mode_at(new, start)
        mode = now if now is not None else was
        if mode is None:
            continue
        kind = "same" if was == now else "cut" if now is None else "add"
        last, last_kind = found[-1] if found else (None, "")
        if last is not None and (last.end_min, last.mode, last_kind) == (start, mode, kind):
            found[-1] = (Segment(last.start_min, end, mode), kind)
        else:
            found.append((Segment(start, end, mode), kind))
    return found


def _bar(key: str, piece: Segment, kind: str, *, by_mode: bool) -> Bar:
    height = warmth(piece.mode) if by_mode else FULL_HEIGHT
    return Bar(
        x=f"{piece.start_min / UNIT_MIN:g}",
        y=f"{17 - height:d}",
        width=f"{(piece.end_min - piece.start_min) / UNIT_MIN:g}",
        height=f"{height:d}",
        kind=kind,
        title=f"{piece} {value_text(key, piece.mode)}" if piece.mode else str(piece),
    )


def _alike(days: Sequence[str], look: Callable[[str], object]) -> list[list[str]]:
    groups: dict[object, list[str]] = {}
    for day in days:
        groups.setdefault(look(day), []).append(day)
    return list(groups.values())


def _description(strips: Sequence[DayStrip]) -> str:
    return ". ".join(f"{strip.label}: {strip.text}" for strip in strips)
