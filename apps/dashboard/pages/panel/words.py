"""Legends, summaries and the table of a panel of columns."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext as _

from apps.dashboard import formatting
from apps.dashboard.charts.columns import CLASSES, DAY_COLUMN, HOUR_COLUMN, Bars
from apps.dashboard.charts.lines import Line, Plot
from apps.dashboard.charts.looks import LOOKS
from apps.dashboard.contexts import LegendItem, PlotView, Table, TableRow
from apps.dashboard.pages.energy.rows import is_partial, values_of
from apps.dashboard.pages.uses import KEYS, part_label
from apps.metrics.home import Home
from apps.metrics.totals import Totals, kwh

from .grid import Grid, head_of, kwh_decimals

HEAT = {
    "thermal_power_modulation_kw": "thermal_energy_modulation_kwh",
    "thermal_power_delta_t_kw": "thermal_energy_delta_t_kwh",
}
"""Series of a power → field of a row with its energy."""


def view_of(plot: Plot, whole: Totals) -> PlotView:
    legend = []
    if plot.bars:
        legend += _uses(plot.bars, whole)
    legend += [LegendItem(label=_line_label(line), key=line.key, banded=line.banded) for line in plot.lines]
    legend += [LegendItem(label=dots.label, key=dots.key, shape="dot") for dots in plot.dots]
    if any(
        is_hollow and value is not None
        for dots in plot.dots
        for is_hollow, value in zip(dots.hollow, dots.values, strict=True)
    ):
        legend.append(LegendItem(label=_("less than 90 % measured"), key="hollow", shape="dot"))
    if plot.gaps:
        legend.append(LegendItem(label=_("No data"), key="gap"))
    return PlotView(
        name=plot.name,
        title=plot.title,
        size="heat" if plot.cells else "s" if plot.dots else "m",
        summary=f"{plot.title}. {'; '.join(_said(plot))}.",
        legend=legend,
        scale=_scale(plot),
        empty=plot.empty,
    )


def _uses(bars: Bars, whole: Totals) -> list[LegendItem]:
    """Return the uses with their sums over exactly the range that was asked for."""
    sums = {
        "space": kwh(whole.heating_energy_wh),
        "dhw": kwh(whole.dhw_energy_wh),
        "cooling": kwh(whole["electrical_energy_cooling_wh"]),
        "standby": kwh(whole["electrical_energy_standby_wh"]),
        "other": kwh(whole.unclassified_energy_wh),
    }
    shown = {part.key: part for part in bars.parts}
    items = [
        LegendItem(
            label=shown[key].label,
            key=key,
            shape="area",
            total=formatting.with_unit(total, "energy_whole_kwh"),
        )
        for key, total in sums.items()
        if key in shown
    ]
    if any(bars.partial):
        items.append(LegendItem(label=_("so far, or partly measured"), key="partial", shape="area"))
    return items


def _line_label(line: Line) -> str:
    return _("%(series)s: mean, lowest to highest") % {"series": line.label} if line.banded else line.label


def _scale(plot: Plot) -> list[str]:
    """Return the limits of the classes of a heat map."""
    if plot.cells is None:
        return []
    limits = [formatting.number(plot.cells.step * index, plot.cells.decimals) for index in range(CLASSES + 1)]
    return [*limits[:-1], f"{limits[-1]}+"] if plot.cells.is_open else limits


def _said(plot: Plot) -> list[str]:
    lists = [(line.label, line.values) for line in plot.lines]
    lists += [(dots.label, dots.values) for dots in plot.dots]
    if plot.bars:
        lists.append((plot.bars.label, plot.bars.totals))
    said = []
    for label, values in lists:
        known = [value for value in values if value is not None]
        if not known:
            said.append(_("%(series)s: no data") % {"series": label})
            continue
        low, high = (formatting.number(value, plot.decimals) for value in (min(known), max(known)))
        unit = f"{formatting.NARROW}{plot.unit}" if plot.unit else ""
        said.append(
            _("%(series)s between %(low)s and %(high)s")
            % {"series": label, "low": f"{low}{unit}", "high": f"{high}{unit}"}
        )
    return said


def table_of(home: Home, grid: Grid, names: Sequence[str], plots: Sequence[Plot], title: str) -> Table:
    """Return the drawn numbers as a table, a row a column that has begun; in a week one every 6 hours."""
    fields: list[tuple[str, int, tuple[float | None, ...]]] = []
    decimals = kwh_decimals(grid)
    if "power_w" in names:
        fields.append((_("Electricity kWh"), decimals, values_of(grid.coarse, "electrical_energy_kwh")))
        parts = next((plot.bars.parts for plot in plots if plot.bars), ())
        shown = {part.key for part in parts}
        fields += [
            (part_label(name), decimals, values_of(grid.coarse, name))
            for name, key in KEYS.items()
            if key in shown
        ]
    fields += [
        (f"{LOOKS[name].label} kWh", decimals, values_of(grid.coarse, HEAT[name]))
        for name in HEAT
        if name in names
    ]
    for plot in plots:
        unit = f" {plot.unit}" if plot.unit else ""
        if plot.name != "heat":
            fields += [(f"{line.label}{unit}", plot.decimals, line.values) for line in plot.lines]
        fields += [(dots.label, plot.decimals, dots.values) for dots in plot.dots]
    kind = DAY_COLUMN if grid.kind == HOUR_COLUMN else grid.kind
    rows = [
        TableRow(
            head=head_of(home, grid.kind, row),
            partial=is_partial(home, row),
            cells=[formatting.number(values[index], digits) for _label, digits, values in fields],
        )
        for index, row in reversed([*enumerate(grid.coarse)])
        if row.start <= home.at
    ]
    head = {DAY_COLUMN: _("Day"), "week": _("Week"), "month": _("Month"), "year": _("Year")}[kind]
    return Table(
        name=_("Averages"), columns=[head, *(label for label, _digits, _values in fields)], rows=rows
    )
