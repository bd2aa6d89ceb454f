"""◇ Charts over time as data: what charts.js draws, and never computes.

All instants are epoch seconds, UTC. A ``ChartSpec`` is a stack of plots over one time axis. Missing is None.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import tzinfo
from typing import Any

from .axes import Tick, TickLabel, ValueAxis, even_axis, time_ticks
from .columns import BLANK, Bars, Cells, Dots, Stops

MAX_POINTS = 800
MAX_MARKERS = 20
MINUTE = 60
GAP_STEPS = 2.5  # a line breaks where two points are further apart than this many steps


@dataclass(frozen=True, slots=True, kw_only=True)
class LineData:
    """One line to be drawn. ``colour`` names a CSS variable, ``style`` solid, dashed, dotted or thin;
    ``low`` and ``high`` (minimum and maximum of each step) are optional. ``step_s`` is the chart's unless it
    has one of its own; ``stepped``: a value holds until the next."""

    name: str
    label: str
    colour: str
    style: str = "solid"
    filled: bool = False
    time: Sequence[int] = ()
    values: Sequence[float | None] = ()
    low: Sequence[float | None] = ()
    high: Sequence[float | None] = ()
    key: str = ""
    step_s: int = 0
    stepped: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line ready to draw: points as they are, one None where it breaks. ``key`` is the class of its sample
    in the box; ``low`` and ``high`` are said, and drawn as a band if ``banded``."""

    name: str
    label: str
    colour: str
    style: str
    filled: bool
    key: str = ""
    step_s: int = 0
    stepped: bool = False
    banded: bool = True
    time: tuple[int, ...]
    values: tuple[float | None, ...]
    low: tuple[float | None, ...] = ()
    high: tuple[float | None, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """A stretch without data, and why; ``letter`` stands in it where the cause has no room."""

    start: int
    end: int
    cause: str
    letter: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A stretch in one state of the heat pump; state ``none``: not known."""

    start: int
    end: int
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Marker:
    """A change, a note, or an event; ``number`` is written in the plot and in the list below. ``until``: the
    end of a stretch that is drawn as a band, None for an instant."""

    number: int
    at: int
    text: str
    href: str = ""
    until: int | None = None

    def touches(self, start: int, end: int) -> bool:
        return self.at < end and (self.at >= start if self.until is None else self.until > start)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlotData:
    """The lines of one plot. ``gaps_of`` names the line whose gaps are hatched; empty: where all are
    missing. ``known``: the starts of the steps that are no gap, where the lines cannot tell. ``cause`` says
    why a gap is there; before ``begin`` there is none."""

    name: str
    title: str
    unit: str
    decimals: int
    lines: Sequence[LineData]
    cause: str
    gaps_of: str = ""
    known: Sequence[int] | None = None
    begin: int = 0
    from_zero: bool = False
    least_span: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Plot:
    """Lines over time; with ``edges``, of columns: their values, bars, dots and cells run on these."""

    name: str
    title: str
    unit: str
    decimals: int
    lines: tuple[Line, ...]
    gaps: tuple[Gap, ...]
    axis: ValueAxis
    edges: tuple[int, ...] = ()
    bars: Bars | None = None
    dots: tuple[Dots, ...] = ()
    cells: Cells | None = None

    @property
    def empty(self) -> bool:
        if not self.edges:
            return not any(line.time for line in self.lines)
        lists = [*(line.values for line in self.lines), *(dots.values for dots in self.dots)]
        lists += [self.bars.totals] if self.bars else []
        lists += self.cells.values if self.cells else ()
        return all(value is None or value == BLANK for values in lists for value in values)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChartSpec:
    """Everything charts.js needs. ``now`` is where the future begins; ``more_markers`` counts those beyond
    the twenty drawn; ``zoom`` is the address that a dragged range is added to, empty for no zoom."""

    start: int
    end: int
    now: int
    step_s: int
    zone: str
    ticks: tuple[Tick, ...]
    plots: tuple[Plot, ...]
    runs: tuple[Run, ...] = ()
    markers: tuple[Marker, ...] = ()
    more_markers: int = 0
    zoom: str = ""
    words: Mapping[str, str] = field(default_factory=dict)
    stops: Stops | None = None

    @property
    def data(self) -> dict[str, Any]:
        """The parts as they are, for an encoder that knows dataclasses."""
        return {"kind": "time", **{each.name: getattr(self, each.name) for each in fields(self)}}

    @property
    def states(self) -> tuple[str, ...]:
        """The states that occur, for the legend."""
        found = {run.state for run in self.runs}
        return tuple(state for state in STATES if state in found)

    @property
    def empty(self) -> bool:
        return all(plot.empty for plot in self.plots)


STATES = ("space", "dhw", "rod", "defrost", "unclassified", "off", "none")


def line_chart(
    plots: Sequence[PlotData],
    markers: Sequence[Marker] = (),
    *,
    start: int,
    end: int,
    now: int,
    step_s: int,
    zone: tzinfo,
    tick_label: TickLabel,
    runs: Sequence[Run] = (),
    zoom: str = "",
    words: Mapping[str, str] | None = None,
) -> ChartSpec:
    """Draw the stack of plots of [start, end); what lies after ``now`` is not a gap but the future."""
    shown, more_markers = drawn_markers(markers, start, end)
    return ChartSpec(
        start=start,
        end=end,
        now=now,
        step_s=step_s,
        zone=str(zone),
        ticks=time_ticks(start, end, zone, tick_label),
        plots=lettered(tuple(_plot(plot, start, min(end, now), step_s) for plot in plots)),
        runs=tuple(runs),
        markers=shown,
        more_markers=more_markers,
        zoom=zoom,
        words=words or {},
    )


def drawn_markers(markers: Sequence[Marker], start: int, end: int) -> tuple[tuple[Marker, ...], int]:
    """Return the markers in [start, end) that are drawn, and how many more there are."""
    shown = [marker for marker in markers if marker.touches(start, end)]
    return tuple(shown[:MAX_MARKERS]), max(0, len(shown) - MAX_MARKERS)


LETTERS = "ABCDEFGH"


def lettered(plots: tuple[Plot, ...]) -> tuple[Plot, ...]:
    """Give the longest gaps with a cause letters, in the order of their begin; the same stretch and cause
    has the same one in every plot."""
    causes = {(gap.start, gap.end, gap.cause) for plot in plots for gap in plot.gaps if gap.cause}
    found = sorted(sorted(causes, key=lambda gap: gap[0] - gap[1])[: len(LETTERS)])
    letters = dict(zip(found, LETTERS, strict=False))
    return tuple(
        replace(
            plot,
            gaps=tuple(
                replace(gap, letter=letters.get((gap.start, gap.end, gap.cause), "")) for gap in plot.gaps
            ),
        )
        for plot in plots
    )


def broken_line(
    time: Sequence[int], values: Sequence[float | None], step_s: int
) -> tuple[list[int], list[float | None]]:
    """Return the known points, and a single None where two are further apart than 2.5 steps.

    A lone missing step (a poll that came a second late) does not tear the line.
    """
    kept_time: list[int] = []
    kept: list[float | None] = []
    for at, value in zip(time, values, strict=True):
        if value is None:
            continue
        if kept_time and at - kept_time[-1] > GAP_STEPS * step_s:
            kept_time.append(kept_time[-1] + step_s)
            kept.append(None)
        kept_time.append(at)
        kept.append(round(value, 3))
    return kept_time, kept


def gaps_in(known: Sequence[int], start: int, end: int, step_s: int, cause: str) -> tuple[Gap, ...]:
    """Return the stretches of [start, end) longer than 2.5 steps in which nothing is known. ``known``: the
    starts of the steps that hold a value, ascending."""
    gaps = []
    seen = start - step_s
    for at in [*known, end]:
        if at - seen > GAP_STEPS * step_s:
            gaps.append(Gap(start=max(start, seen + step_s), end=at, cause=cause))
        seen = at
    return tuple(gaps)


def state_runs(
    time: Sequence[int], states: Sequence[str], step_s: int, end: int, shortest_gap_s: int
) -> tuple[Run, ...]:
    """Join neighbouring steps of equal state. An unknown stretch shorter than ``shortest_gap_s`` is taken as
    the state before it, as the lines above do."""
    runs: list[Run] = []
    for at, state in zip(time, states, strict=True):
        until = min(at + step_s, end)
        if runs and runs[-1].state == state and runs[-1].end == at:
            runs[-1] = Run(start=runs[-1].start, end=until, state=state)
        else:
            runs.append(Run(start=at, end=until, state=state))
    joined: list[Run] = []
    for run in runs:
        short = run.state == "none" and run.end - run.start < shortest_gap_s
        state = joined[-1].state if short and joined else run.state
        if joined and joined[-1].state == state and joined[-1].end == run.start:
            joined[-1] = Run(start=joined[-1].start, end=run.end, state=state)
        else:
            joined.append(Run(start=run.start, end=run.end, state=state))
    return tuple(joined)


def spark_path(time: Sequence[int], values: Sequence[float | None], start: int, end: int, step_s: int) -> str:
    """Return the path of a curve in a box of 100 × 30, torn where data is missing; empty without two
    points."""
    known = [value for value in values if value is not None]
    if len(known) < 2:
        return ""
    low, high = min(known), max(known)
    span = max(high - low, 0.5)  # a flat value is drawn flat, not as noise
    middle = (high + low) / 2
    commands, pen_down = [], False
    for at, value in zip(*broken_line(time, values, step_s), strict=True):
        if value is None:
            pen_down = False
            continue
        x = max(0.0, 100 * (at - start) / (end - start))
        y = 15 - 27 * (value - middle) / span
        commands.append(f"{'L' if pen_down else 'M'}{x:.1f} {y:.1f}")
        pen_down = True
    return "".join(commands)


def _plot(plot: PlotData, start: int, until: int, step_s: int) -> Plot:
    lines = tuple(_line(line, line.step_s or step_s) for line in plot.lines)
    known, known_step_s = _known(plot, step_s)
    return Plot(
        name=plot.name,
        title=plot.title,
        unit=plot.unit,
        decimals=plot.decimals,
        lines=lines,
        gaps=gaps_in(known, max(start, plot.begin), until, known_step_s, plot.cause),
        axis=even_axis(
            [value for line in lines for values in (line.values, line.low, line.high) for value in values],
            from_zero=plot.from_zero,
            least_span=plot.least_span,
        ),
    )


def _line(line: LineData, step_s: int) -> Line:
    time, values = broken_line(line.time, line.values, step_s)
    low: tuple[float | None, ...] = ()
    high: tuple[float | None, ...] = ()
    if line.low and line.high:
        at_low = dict(zip(line.time, line.low, strict=True))
        at_high = dict(zip(line.time, line.high, strict=True))
        low = tuple(_rounded(at_low.get(at)) for at in time)
        high = tuple(_rounded(at_high.get(at)) for at in time)
    return Line(
        name=line.name,
        label=line.label,
        colour=line.colour,
        style=line.style,
        filled=line.filled,
        key=line.key,
        step_s=step_s,
        stepped=line.stepped,
        time=tuple(time),
        values=tuple(values),
        low=low,
        high=high,
    )


def _known(plot: PlotData, step_s: int) -> tuple[Sequence[int], int]:
    """Return the starts of the steps that are no gap, and their length: a minute at least, as a poll that
    comes late is no gap."""
    if plot.known is not None:
        return plot.known, step_s
    chosen = [line for line in plot.lines if line.name == plot.gaps_of] or list(plot.lines)
    length = max(MINUTE, *(line.step_s or step_s for line in chosen)) if chosen else step_s
    known = {
        at // length * length
        for line in chosen
        for at, value in zip(line.time, line.values, strict=True)
        if value is not None
    }
    return sorted(known), length


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
