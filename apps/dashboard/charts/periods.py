"""◇ Charts that are not over time, as data: bars, sums, clouds of points, bands.

charts.js draws them as they are: sizes, texts and limits are worked out here or by the caller.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from .axes import ValueAxis, even_axis


@dataclass(frozen=True, slots=True, kw_only=True)
class BarSet:
    """One part of the stack; ``hatched`` for what is not a use of its own. ``key``: class of its sample."""

    label: str
    colour: str
    key: str
    values: Sequence[float | None]
    hatched: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Compare:
    """The stepped line beside the bars: the same period a year before."""

    label: str
    values: Sequence[float | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bracket:
    """Energy known only for several bars together: indices of the first and the last."""

    first: int
    last: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BarsSpec:
    """``titles`` head the box; ``partial`` bars are hatched. Per bar, where there are any: its ``totals``,
    ``links`` where it leads, ``facts`` (name, value in words), ``notes``. ``words``: total, open, empty."""

    labels: Sequence[str]
    titles: Sequence[str]
    unit: str
    decimals: int
    sets: Sequence[BarSet]
    partial: Sequence[bool]
    axis: ValueAxis
    words: Mapping[str, str]
    totals: Sequence[float | None] = ()
    links: Sequence[str] = ()
    facts: Sequence[Sequence[tuple[str, str]]] = ()
    notes: Sequence[str] = ()
    compare: Compare | None = None
    brackets: Sequence[Bracket] = ()

    @property
    def data(self) -> dict[str, Any]:
        return {"kind": "bars", **asdict(self)}


def stack_totals(sets: Sequence[BarSet]) -> list[float | None]:
    """Return the height of each bar; None where no part is known."""
    stacks = [
        [value for value in values if value is not None]
        for values in zip(*(each.values for each in sets), strict=True)
    ]
    return [sum(stack) if stack else None for stack in stacks]


@dataclass(frozen=True, slots=True, kw_only=True)
class SumSet:
    """A curve that adds up; ``mark`` is the index of a point to be shown, −1 for none."""

    label: str
    values: Sequence[float | None]
    colour: str = ""
    style: str = "solid"
    filled: bool = False
    mark: int = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class SumsSpec:
    labels: Sequence[str]
    unit: str
    decimals: int
    sets: Sequence[SumSet]
    axis: ValueAxis

    @property
    def data(self) -> dict[str, Any]:
        return {"kind": "sums", **asdict(self)}


@dataclass(frozen=True, slots=True, kw_only=True)
class PointSet:
    """``points``: (x, y, radius in pixels); ``style`` filled, hollow, dot or diamond; ``links``: where a
    click on each leads, none if empty."""

    label: str
    colour: str
    style: str
    points: Sequence[tuple[float, float, float]]
    texts: Sequence[str]
    links: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PointLine:
    """``name`` is written at its left end, where there are several."""

    label: str
    points: Sequence[tuple[float, float]]
    colour: str = ""
    style: str = "dashed"
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """Its even ticks are worked out around the limits; without these the browser finds some."""

    unit: str
    minimum: float | None = None
    maximum: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ScatterSpec:
    x: Axis
    y: Axis
    sets: Sequence[PointSet]
    lines: Sequence[PointLine] = ()

    @property
    def data(self) -> dict[str, Any]:
        x, y = ({**asdict(axis), **_even(axis.minimum, axis.maximum)} for axis in (self.x, self.y))
        return {"kind": "scatter", **asdict(self), "x": x, "y": y}


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A dot and its band; None where there is none."""

    label: str
    middle: float | None
    colour: str
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class IntervalsSpec:
    rows: Sequence[Interval]
    minimum: float
    maximum: float
    unit: str
    decimals: int
    signed: bool = False

    @property
    def data(self) -> dict[str, Any]:
        return {"kind": "intervals", **asdict(self), **_even(self.minimum, self.maximum)}


def intervals(rows: Sequence[Interval], unit: str, decimals: int, step: float) -> IntervalsSpec | None:
    """Draw dots and bands on an axis that begins and ends at multiples of ``step``; None without any
    value."""
    values = [value for row in rows for value in (row.low, row.middle, row.high) if value is not None]
    if not values:
        return None
    low = math.floor(min(values) / step - 0.5) * step
    high = math.ceil(max(values) / step + 0.5) * step
    tidy = [
        replace(row, middle=_rounded(row.middle), low=_rounded(row.low), high=_rounded(row.high))
        for row in rows
    ]
    return IntervalsSpec(
        rows=tidy, minimum=round(low, 6), maximum=round(high, 6), unit=unit, decimals=decimals
    )


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 6)


def adding_up(values: Sequence[float | None]) -> list[float | None]:
    """Return the running sums; from the first missing value on nothing is known, leading ones aside."""
    sums: list[float | None] = []
    total = 0.0
    known = True
    for value in values:
        if value is None:
            known = not any(each is not None for each in sums)
            sums.append(None)
            continue
        total += value
        sums.append(round(total, 4) if known else None)
    return sums


def brackets_of(
    spans: Sequence[tuple[int, int, str]], edges: Sequence[tuple[int, int]]
) -> tuple[Bracket, ...]:
    """Return (start, end, text) spans that reach over more than one of the bars [start, end)."""
    found: dict[tuple[int, int, str], None] = {}
    for start, end, text in spans:
        touched = [index for index, (first, last) in enumerate(edges) if start < last and end > first]
        if len(touched) > 1:
            found[touched[0], touched[-1], text] = None
    return tuple(Bracket(first=first, last=last, text=text) for first, last, text in found)


def _even(minimum: float | None, maximum: float | None) -> dict[str, Any]:
    if minimum is None or maximum is None:
        return {}
    axis = even_axis([minimum, maximum])
    return {"minimum": axis.minimum, "maximum": axis.maximum, "step": axis.step}


def axis_limits(values: Sequence[float], step: float) -> tuple[float | None, float | None]:
    """Return the multiples of ``step`` around all values; (None, None) without any."""
    if not values:
        return None, None
    return math.floor(min(values) / step) * step, math.ceil(max(values) / step) * step
