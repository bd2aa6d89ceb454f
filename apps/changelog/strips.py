"""Weekly schedules as drawings: bars in a strip of 24 hours, positions as attribute texts.

A strip is 288 × 20 units: 5 minutes each. Numbers are made into texts here, since a template would write
them with the reader's decimal comma.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext

from apps.devices.configuration import WEEKDAYS

from .sentences import ARROW, DASH, day_text, days_text, value_text, weekday_name

UNIT_MIN = 5
DAY_MIN = 24 * 60
FULL_HEIGHT = 14
# How much a mode heats, as the height of its bar.
_HEIGHTS = {"reduced": 6, "standby": 4, "5/25-cycles": 6, "5/10-cycles": 10, "normal": 10, "temp-2": 12}

Day = Sequence[Mapping[str, str]]
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
    """A schedule as it is; equal days share a strip; of several modes the warmer has the higher bar."""
    days = [day for day in WEEKDAYS if day in week]
    modes = _mode_keys(key, [week[day] for day in days])
    texts = {day: day_text(key, week[day], modes=True) for day in days}
    strips = [
        DayStrip(
            label=days_text(alike),
            bars=tuple(
                _bar(key, segment, "same", by_mode=bool(modes)) for segment in _segments(week[alike[0]])
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
    """What stays, what was added and what was removed, at the height of its mode; only weekdays known on
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
    """The legend of the modes that occur; none where there is only one to tell."""
    heights = {
        segment.mode: _HEIGHTS.get(segment.mode, FULL_HEIGHT) for day in days for segment in _segments(day)
    }
    if len(heights) < 2:
        return ()
    return tuple(
        ModeKey(y=f"{17 - height:d}", height=f"{height:d}", label=value_text(key, mode))
        for mode, height in sorted(heights.items(), key=lambda pair: (pair[1], pair[0]))
    )


@dataclass(frozen=True, slots=True)
class _Segment:
    start_min: int
    end_min: int
    mode: str


def _minutes(clock: str) -> int:
    hours, _colon, minutes = clock.partition(":")
    return min(int(hours) * 60 + int(minutes), DAY_MIN)


def _segments(day: Day) -> list[_Segment]:
    """The day's entries without overlap: where two overlap, the one that stands first is in force."""
    entries = [_Segment(_minutes(entry["start"]), _minutes(entry["end"]), entry["mode"]) for entry in day]
    edges = sorted({edge for entry in entries for edge in (entry.start_min, entry.end_min)})
    pieces: list[_Segment] = []
    for start, end in zip(edges, edges[1:], strict=False):
        mode = _mode_at(entries, start)
        if mode is None:
            continue
        if pieces and pieces[-1].end_min == start and pieces[-1].mode == mode:
            pieces[-1] = _Segment(pieces[-1].start_min, end, mode)
        else:
            pieces.append(_Segment(start, end, mode))
    return pieces


def _mode_at(entries: Sequence[_Segment], minute: int) -> str | None:
    return next((entry.mode for entry in entries if entry.start_min <= minute < entry.end_min), None)


def _compared(before: Day, after: Day) -> list[tuple[_Segment, str]]:
    """Pieces of the day with what became of them: same, add (also another mode), cut."""
    old, new = _segments(before), _segments(after)
    edges = sorted({edge for piece in (*old, *new) for edge in (piece.start_min, piece.end_min)})
    found: list[tuple[_Segment, str]] = []
    for start, end in zip(edges, edges[1:], strict=False):
        was, now = _mode_at(old, start), _mode_at(new, start)
        mode = now if now is not None else was
        if mode is None:
            continue
        kind = "same" if was == now else "cut" if now is None else "add"
        last, last_kind = found[-1] if found else (None, "")
        if last is not None and (last.end_min, last.mode, last_kind) == (start, mode, kind):
            found[-1] = (_Segment(last.start_min, end, mode), kind)
        else:
            found.append((_Segment(start, end, mode), kind))
    return found


def _bar(key: str, piece: _Segment, kind: str, *, by_mode: bool) -> Bar:
    height = _HEIGHTS.get(piece.mode, FULL_HEIGHT) if by_mode else FULL_HEIGHT
    times = f"{_clock(piece.start_min)}{DASH}{_clock(piece.end_min)}"
    return Bar(
        x=f"{piece.start_min / UNIT_MIN:g}",
        y=f"{17 - height:d}",
        width=f"{(piece.end_min - piece.start_min) / UNIT_MIN:g}",
        height=f"{height:d}",
        kind=kind,
        title=f"{times} {value_text(key, piece.mode)}" if piece.mode else times,
    )


def _clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"


def _alike(days: Sequence[str], look: Callable[[str], object]) -> list[list[str]]:
    groups: dict[object, list[str]] = {}
    for day in days:
        groups.setdefault(look(day), []).append(day)
    return list(groups.values())


def _description(strips: Sequence[DayStrip]) -> str:
    return ". ".join(f"{strip.label}: {strip.text}" for strip in strips)
