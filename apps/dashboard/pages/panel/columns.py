"""A panel of columns over a long range: electricity by use, heat, temperatures, COP, and when it ran."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.urls import get_script_prefix
from django.utils.translation import get_language, pgettext
from django.utils.translation import gettext as _

from apps.dashboard import formatting
from apps.dashboard.charts.axes import DAY, HOUR, ValueAxis, even_axis
from apps.dashboard.charts.columns import (
    DAY_COLUMN,
    HOUR_COLUMN,
    Bars,
    Dots,
    Part,
    cells_of,
    dot_sizes,
    hour_cells,
)
from apps.dashboard.charts.lines import ChartSpec, Line, Plot, drawn_markers, lettered
from apps.dashboard.charts.looks import COP, LOOKS, PLOTS, POWER
from apps.dashboard.contexts import DrawnPanel, PanelContext
from apps.dashboard.pages.energy.rows import is_partial, rounded, values_of
from apps.dashboard.pages.uses import COOLING, KEYS, PARTS, UNCLASSIFIED, part_label
from apps.metrics.grid import INTERVAL_S
from apps.metrics.home import Home
from apps.metrics.kept import kept
from apps.metrics.totals import kwh, window
from apps.metrics.windows import day_edges

from .frame import csv_address, kept_panel, markers_of
from .gaps import gap_rows
from .grid import MEASURED_HEAT, Grid, day_at, grid_of, kwh_decimals, stops_of, ticks_of
from .words import HEAT, table_of, view_of

LONG_SERIES = ("power_w", "supply_temperature_c", "outside_temperature_c", "cop")
"""What long ranges show unless asked for something else."""

COVERAGE = {"cop": "heat_coverage", "cop_delta_t": "delta_t_coverage"}
OUTSIDE = "outside_temperature_c"
LONGEST_MAP_S = 400 * DAY
LITTLE_KWH = 0.005


def column_panel(
    home: Home,
    start: datetime,
    end: datetime,
    names: Sequence[str],
    *,
    panel_id: str,
    written: tuple[Any, ...],
) -> DrawnPanel:
    """Return ``names`` over [start, end) as columns, drawn once until something is derived or ``written``."""
    return kept_panel(home, written, _panel, start, end, tuple(names), panel_id, get_language())


def _panel(
    home: Home, start: datetime, end: datetime, names: tuple[str, ...], panel_id: str, language: str | None
) -> PanelContext:
    start_s, end_s = int(start.timestamp()), int(end.timestamp())
    grid = grid_of(home, start_s, end_s)
    plots = lettered(tuple(_plots(home, grid, names)))
    kept_names = () if names == LONG_SERIES else names
    markers, more_markers = drawn_markers(markers_of(home, start, end), grid.start, grid.end)
    zoom = urlencode({"series": kept_names}, doseq=True)
    spec = ChartSpec(
        start=grid.start,
        end=grid.end,
        now=home.at_s,
        step_s=HOUR,
        zone=str(home.options.zone),
        ticks=ticks_of(home, grid),
        plots=plots,
        markers=markers,
        more_markers=more_markers,
        zoom=f"{get_script_prefix()}history?{zoom}",
        words={
            "open": pgettext("a period", "Open"),
            "empty": _("no data"),
            "to": pgettext("lowest to highest", "to"),
        },
        stops=stops_of(home, grid, kept_names),
    )
    title = {
        HOUR_COLUMN: _("Hour by hour"),
        DAY_COLUMN: _("Day by day"),
        "week": _("Week by week"),
        "month": _("Month by month"),
        "year": _("Year by year"),
    }[grid.kind]
    whole = window(home, start_s, min(end_s, home.at_s))
    return PanelContext(
        id=panel_id,
        title=title,
        subtitle=_("One column through all charts; choose one to open it."),
        spec=spec,
        plots=[view_of(plot, whole) for plot in plots],
        states=[],
        markers=spec.markers,
        table=table_of(home, grid, names, plots, title),
        csv=csv_address(names, start, end),
        gaps=gap_rows(home, spec),
    )


def _plots(home: Home, grid: Grid, names: Sequence[str]) -> list[Plot]:
    plots = [_energy(home, grid)] if "power_w" in names else []
    if heats := [name for name in HEAT if name in names]:
        plots.append(_heat(grid, heats))
    means = [name for name in names if LOOKS[name].plot not in {POWER, COP}]
    plots += [
        _means(home, grid, plot, own)
        for plot in PLOTS
        if (own := [name for name in means if LOOKS[name].plot == plot])
    ]
    if cops := [name for name in COVERAGE if name in names]:
        plots.append(_cop(grid, cops))
    if "power_w" in names and grid.kind != HOUR_COLUMN and grid.end - grid.start <= LONGEST_MAP_S:
        plots.append(_hours(home, grid))
    return plots


def _energy(home: Home, grid: Grid) -> Plot:
    shown = [
        (name, colour, hatched)
        for name, colour, hatched in PARTS
        if name not in {COOLING, UNCLASSIFIED}
        or any((getattr(row, name) or 0.0) >= LITTLE_KWH for row in grid.rows)
    ]
    totals = values_of(grid.rows, "electrical_energy_kwh")
    return Plot(
        name="energy",
        title={
            HOUR_COLUMN: _("Electricity per hour, kWh"),
            DAY_COLUMN: _("Electricity per day, kWh"),
            "week": _("Electricity per week, kWh"),
            "month": _("Electricity per month, kWh"),
            "year": _("Electricity per year, kWh"),
        }[grid.kind],
        unit="kWh",
        decimals=kwh_decimals(grid),
        lines=(),
        gaps=grid.gaps(grid.edges, [total is None for total in totals], str(PLOTS[POWER].cause)),
        axis=even_axis(totals, from_zero=True),
        edges=grid.edges,
        bars=Bars(
            label=_("Electricity"),
            parts=tuple(
                Part(
                    label=part_label(name),
                    colour=colour,
                    key=KEYS[name],
                    hatched=hatched,
                    values=values_of(grid.rows, name),
                )
                for name, colour, hatched in shown
            ),
            totals=totals,
            partial=tuple(is_partial(home, row) for row in grid.rows),
        ),
    )


def _heat(grid: Grid, names: Sequence[str]) -> Plot:
    lines = tuple(_line(grid.edges, name, values_of(grid.rows, HEAT[name])) for name in names)
    return _plot_of_lines(
        grid,
        grid.edges,
        lines,
        name="heat",
        title=_("Heat, kWh (estimated)"),
        unit="kWh",
        decimals=kwh_decimals(grid),
        axis=even_axis([value for line in lines for value in line.values], from_zero=True),
    )


def _means(home: Home, grid: Grid, plot: str, names: Sequence[str]) -> Plot:
    look, edges = PLOTS[plot], grid.coarse_edges
    found = home.store.sums(home.id, names, edges)
    lines = []
    for name in names:
        means = [part.mean for part in found[name]]
        if name == OUTSIDE:
            # A mean of whole days, as everywhere; until the first of a column is over, of what is known.
            whole = [row.mean_outside_temperature_c for row in grid.coarse]
            means = [part if day is None else day for part, day in zip(means, whole, strict=True)]
        lines.append(
            _line(
                edges,
                name,
                rounded(means),
                low=rounded([part.min for part in found[name]]),
                high=rounded([part.max for part in found[name]]),
                banded=name == OUTSIDE or len(names) == 1,
            )
        )
    drawn = [line.values if not line.banded else (*line.low, *line.high) for line in lines]
    return _plot_of_lines(
        grid,
        edges,
        tuple(lines),
        name=plot,
        title=str(look.title),
        unit=look.unit,
        decimals=look.decimals,
        axis=even_axis(
            [value for values in drawn for value in values],
            from_zero=look.from_zero,
            least_span=look.least_span,
        ),
    )


def _line(
    edges: Sequence[int],
    name: str,
    values: tuple[float | None, ...],
    *,
    low: tuple[float | None, ...] = (),
    high: tuple[float | None, ...] = (),
    banded: bool = False,
) -> Line:
    look = LOOKS[name]
    return Line(
        name=name,
        label=str(look.label),
        colour=look.colour,
        style=look.style,
        filled=False,
        key=look.key,
        banded=banded,
        time=tuple(edges[:-1]),
        values=values,
        low=low,
        high=high,
    )


def _plot_of_lines(
    grid: Grid,
    edges: tuple[int, ...],
    lines: tuple[Line, ...],
    *,
    name: str,
    title: str,
    unit: str,
    decimals: int,
    axis: ValueAxis,
) -> Plot:
    missing = [all(line.values[index] is None for line in lines) for index in range(len(edges) - 1)]
    return Plot(
        name=name,
        title=title,
        unit=unit,
        decimals=decimals,
        lines=lines,
        gaps=grid.gaps(edges, missing, _("no values from the heat pump")),
        axis=axis,
        edges=edges,
    )


def _cop(grid: Grid, names: Sequence[str]) -> Plot:
    sizes = dot_sizes([row.electrical_energy_kwh for row in grid.coarse])
    unmeasured = [row.electrical_energy_kwh is None for row in grid.coarse]
    without_heat = [
        row.electrical_energy_kwh is not None
        and all(getattr(row, name) is None and not getattr(row, COVERAGE[name]) for name in names)
        for row in grid.coarse
    ]
    dots = tuple(
        Dots(
            label=str(LOOKS[name].label),
            colour=LOOKS[name].colour,
            key="cop" if name == "cop" else "cop-b",
            values=values_of(grid.coarse, name),
            sizes=sizes,
            hollow=tuple((getattr(row, COVERAGE[name]) or 0.0) < MEASURED_HEAT for row in grid.coarse),
        )
        for name in names
    )
    return Plot(
        name="cop",
        title=str(PLOTS[COP].title),
        unit="",
        decimals=PLOTS[COP].decimals,
        lines=(),
        gaps=(
            *grid.gaps(grid.coarse_edges, unmeasured, str(PLOTS[POWER].cause)),
            *grid.gaps(grid.coarse_edges, without_heat, _("no values from the heat pump")),
        ),
        axis=even_axis([value for each in dots for value in each.values], least_span=PLOTS[COP].least_span),
        edges=grid.coarse_edges,
        dots=dots,
    )


def _hours(home: Home, grid: Grid) -> Plot:
    zone = home.options.zone
    edges = tuple(day_edges(day_at(home, grid.start), day_at(home, grid.end - 1), zone))
    return Plot(
        name="hours",
        title=_("When it ran: electricity of each hour, kWh"),
        unit="kWh",
        decimals=2,
        lines=(),
        gaps=(),
        axis=ValueAxis(minimum=0, maximum=24, step=6, decimals=0),
        edges=edges,
        cells=cells_of(
            _("Electricity"),
            [formatting.local_date(day_at(home, at), "weekday_day") for at in edges[:-1]],
            hour_cells(_hour_steps(home, edges[0], edges[-1]), edges, zone, grid.known_from, home.interval_s),
        ),
    )


@kept
def _hour_steps(home: Home, start: int, end: int) -> list[tuple[int, float | None]]:
    """Return (start, kWh) of the hours of [start, end), or of quarters where local hours need them."""
    zone = home.options.zone
    offsets = {datetime.fromtimestamp(at, zone).utcoffset() for at in range(start, end, 20 * DAY)}
    whole = all(offset is not None and offset.total_seconds() % HOUR == 0 for offset in offsets)
    last = max(start + INTERVAL_S, min(end, home.at_s))
    found = home.store.series(home.id, "electrical_energy_wh", start, last, HOUR if whole else HOUR // 4)
    return [(at, kwh(energy_wh)) for at, energy_wh in zip(found.time, found.sum, strict=True)]
