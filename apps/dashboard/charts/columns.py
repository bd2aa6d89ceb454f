"""◇ What long ranges draw: a column an hour, day, week or month through all plots of a panel.

Every plot has its own ``edges`` (epoch s), on which its lists run; None is not known.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

from .axes import DAY, even_step

HOURS = 24
CLASSES = 6
"""Shades of a heat map."""
USUAL = 0.995

HOUR_COLUMN, DAY_COLUMN, WEEK_COLUMN, MONTH_COLUMN, YEAR_COLUMN = "hour", "day", "week", "month", "year"
_LONGEST: tuple[tuple[int, str], ...] = (
    # longest range [s], what a column is; empty: lines
    (4 * DAY + DAY // 8, ""),
    (10 * DAY, HOUR_COLUMN),
    (62 * DAY, DAY_COLUMN),
    (800 * DAY, WEEK_COLUMN),
    (3000 * DAY, MONTH_COLUMN),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One use in a stack of bars. ``key`` is the class of its sample in legend and box."""

    label: str
    colour: str
    key: str
    values: tuple[float | None, ...]
    hatched: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Bars:
    """``totals`` are said, the parts drawn; ``partial`` columns are hatched."""

    label: str
    parts: tuple[Part, ...]
    totals: tuple[float | None, ...]
    partial: tuple[bool, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dots:
    """One dot a column; ``sizes`` are radii in pixels, ``hollow`` where too little was measured."""

    label: str
    colour: str
    key: str
    values: tuple[float | None, ...]
    sizes: tuple[float, ...]
    hollow: tuple[bool, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cells:
    """A heat map: ``values[day][hour]``, None is hatched, BLANK left out. Class n begins at n × ``step``; the
    last one ``is_open`` where rare hours lie beyond."""

    label: str
    titles: tuple[str, ...]
    values: tuple[tuple[float | None, ...], ...]
    step: float
    decimals: int
    is_open: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Stops:
    """What the crosshair walks: the finest columns, their names, where each leads and what is said of it."""

    edges: tuple[int, ...]
    titles: tuple[str, ...]
    links: tuple[str, ...]
    notes: tuple[str, ...]


BLANK = -1.0
"""A cell of an hour that is still to come, that the clock skipped, or from before the first data."""


def column_of(start: int, end: int) -> str:
    """Return what a column of [start, end) is; empty where lines show more."""
    return next((kind for longest, kind in _LONGEST if end - start <= longest), YEAR_COLUMN)


def hour_cells(
    steps: Sequence[tuple[int, float | None]], edges: Sequence[int], zone: tzinfo, first: int, now: int
) -> tuple[tuple[float | None, ...], ...]:
    """Arrange (start, kWh) of hours or parts of them by the local days between ``edges`` and 24 local hours.

    The hour that autumn has twice is the mean of both. What lies before ``first`` or after ``now`` is blank,
    a day of nothing else empty.
    """
    days = len(edges) - 1
    sums: list[list[float | None]] = [[None] * HOURS for _day in range(days)]
    spans: list[list[int]] = [[0] * HOURS for _day in range(days)]
    step_s = steps[1][0] - steps[0][0] if len(steps) > 1 else 3600
    day = 0
    for at, value in steps:
        while day < days - 1 and at >= edges[day + 1]:
            day += 1
        if not edges[0] <= at < edges[-1] or at >= now or at + step_s <= first:
            continue
        hour = datetime.fromtimestamp(at, UTC).astimezone(zone).hour
        spans[day][hour] += step_s
        if value is not None:
            sums[day][hour] = (sums[day][hour] or 0.0) + value
    return tuple(
        tuple(_cell(value, span) for value, span in zip(*pair, strict=True)) if any(pair[1]) else ()
        for pair in zip(sums, spans, strict=True)
    )


def _cell(value: float | None, span_s: int) -> float | None:
    if not span_s:
        return BLANK
    return None if value is None else round(value / max(1.0, span_s / 3600), 2)


def cells_of(label: str, titles: Sequence[str], values: Sequence[Sequence[float | None]]) -> Cells:
    """Draw a heat map whose six even classes reach all but the largest half percent of the hours: one odd
    hour of the heating rod must not pale a year."""
    known = sorted(value for day in values for value in day if value is not None and value != BLANK)
    usual = known[int(len(known) * USUAL)] if known else 0.0
    step, decimals = even_step(max(usual, 0.1), CLASSES)
    return Cells(
        label=label,
        titles=tuple(titles),
        values=tuple(tuple(day) for day in values),
        step=step,
        decimals=decimals,
        is_open=bool(known) and known[-1] > step * CLASSES + 1e-9,
    )


def dot_sizes(amounts: Sequence[float | None]) -> tuple[float, ...]:
    """Return radii [px] whose areas follow the amounts."""
    largest = max((amount for amount in amounts if amount), default=1.0)
    return tuple(round(2.0 + 4.5 * math.sqrt(max(0.0, amount or 0.0) / largest), 1) for amount in amounts)
