"""◇ What each template is given: one dataclass a page or piece, so that a page's needs can be read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from .charts.lines import ChartSpec, Marker


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueCard:
    """One number with its state (fresh, stale, none, partial, estimated); ``kind`` of formatting.QUANTITIES.

    ``text`` stands for the number where it is no plain quantity (money), ``href`` leads to more of it.
    ``meta`` says age or reason,
    ``note`` more in the same line, ``struck``: struck through, as nothing can be so. ``spark`` is the path
    of a small curve of the last 24 hours, ``key`` its class.
    """

    label: str
    value: float | None
    kind: str
    state: str
    icon: str = ""
    meta: str = ""
    note: str = ""
    spark: str = ""
    key: str = ""
    estimated: bool = False
    text: str = ""
    struck: bool = False
    href: str = ""

    @property
    def state_icon(self) -> str:
        return {"fresh": "check", "stale": "warn", "none": "none", "partial": "info"}.get(self.state, "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """What is wrong with a source, or that nothing is; ``level`` good, info (nothing is connected), warn or
    bad."""

    level: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Mix:
    """1 kWh of electricity and what came on top, shares of the bar in percent."""

    electric_percent: float
    ground_kwh: float
    heat_kwh: float
    of_today: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Hero:
    """The state of the house in words, and the three leading numbers."""

    state: str
    icon: str
    title: str
    detail: str
    power: ValueCard
    heat: ValueCard
    cop: ValueCard
    mix: Mix | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """A name and a value in words; ``note`` is smaller behind it, ``href`` leads to more of it."""

    name: str
    value: str
    note: str = ""
    estimated: bool = False
    href: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveContext:
    """What changes every 10 seconds on the overview. ``at``: when, for "until 14:05"; ``since``: from when on
    today is measured, on the first day. ``level``: the worst of the alarms."""

    at: datetime
    alarms: Sequence[Alarm]
    level: str
    measuring: str
    hero: Hero
    today: Sequence[Fact]
    since: datetime | None
    cards: Sequence[ValueCard]


@dataclass(frozen=True, slots=True, kw_only=True)
class LegendItem:
    """``key``: class of the sample; ``shape`` line, area or dot; ``banded``: with its range behind it;
    ``total`` in words."""

    label: str
    key: str
    shape: str = "line"
    banded: bool = False
    total: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlotView:
    """One plot of a panel: its legend, and what a screen reader says of it. ``empty``: nothing to draw;
    ``scale``: the limits of a heat map's classes."""

    name: str
    title: str
    size: str
    summary: str
    legend: Sequence[LegendItem]
    empty: bool
    scale: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TableRow:
    head: str
    cells: Sequence[str]
    partial: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """The numbers behind a chart, already as text."""

    name: str
    columns: Sequence[str]
    rows: Sequence[TableRow]
    foot: TableRow | None = None


NO_TABLE = Table(name="", columns=(), rows=())


@dataclass(frozen=True, slots=True, kw_only=True)
class GapRow:
    """``letter`` stands in the charts."""

    when: str
    source: str
    cause: str
    effect: str
    letter: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PanelContext:
    """Charts over one time axis with everything around them. ``id`` names the data in the page."""

    id: str
    title: str
    subtitle: str
    spec: ChartSpec
    plots: Sequence[PlotView]
    states: Sequence[LegendItem]
    markers: Sequence[Marker]
    table: Table
    csv: str
    gaps: Sequence[GapRow] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnPanel:
    """A panel as it is kept: ``charts`` and ``table`` are safe HTML. ``empty``: a plot has no value yet."""

    title: str
    subtitle: str
    empty: bool
    charts: str
    table: str
    csv: str
    gaps: Sequence[GapRow]

    def is_full(self) -> bool:
        return not self.empty


@dataclass(frozen=True, slots=True, kw_only=True)
class ChartBlock:
    """A single chart that is not over time: ``data`` for charts.js, ``summary`` in words, its table.
    ``empty``: there is nothing to draw."""

    id: str
    data: Mapping[str, Any]
    summary: str
    table: Table = NO_TABLE
    empty: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SeasonCard:
    """JAZ and this month. ``jaz_number`` is "4.4"; ``jaz_range`` "(4.0–4.9), estimated"."""

    jaz: ValueCard
    jaz_title: str
    jaz_range: str
    month: ValueCard
    month_title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pick:
    """A series that can be shown or not."""

    name: str
    label: str
    key: str
    chosen: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RangeLink:
    label: str
    href: str
    current: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RangeBar:
    """Views to choose from, the arrows (empty addresses are drawn as not available), and ranges that have a
    name, as last week."""

    links: Sequence[RangeLink]
    label: str
    earlier: str
    later: str
    quick: Sequence[RangeLink] = ()
