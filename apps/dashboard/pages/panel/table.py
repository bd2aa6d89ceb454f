"""The table behind the lines of a panel."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from django.utils.translation import gettext as _

from apps.dashboard import formatting
from apps.dashboard.charts.axes import DAY, HOUR
from apps.dashboard.charts.looks import LOOKS
from apps.dashboard.contexts import Table, TableRow
from apps.metrics.grid import INTERVAL_S
from apps.metrics.home import Home
from apps.metrics.series import RATIOS, means_between
from apps.metrics.totals import totals
from apps.metrics.windows import day_edges

from .grid import day_at

ENERGY = "electrical_energy_wh"
ENERGY_PARTS = (ENERGY, "electric_s")


def averages(home: Home, start: int, end: int, names: Sequence[str]) -> Table:
    edges, style, head = _edges(home, start, end)
    fields = [*names]
    if "power_w" in names:
        fields = [ENERGY, *[name for name in names if name != "power_w"]]
    columns = [head, *[_column(name) for name in fields]]
    if len(edges) < 2:
        return Table(name=_("Averages"), columns=columns, rows=[])
    means = means_between(home, [name for name in fields if name != ENERGY], edges)
    if ENERGY in fields:
        means[ENERGY] = [part.electrical_energy_kwh for part in totals(home, edges, ENERGY_PARTS)]
    rows = [
        TableRow(
            head=formatting.local_time(datetime.fromtimestamp(edge, UTC), home.options.zone, style),
            cells=[formatting.number(means[name][index], _decimals(name)) for name in fields],
        )
        for index, edge in reversed([*enumerate(edges[:-1])])
    ]
    return Table(name=_("Averages"), columns=columns, rows=rows)


def _decimals(name: str) -> int:
    if name == ENERGY or name in RATIOS:
        return 2
    return formatting.QUANTITIES[LOOKS[name].kind].decimals


def _edges(home: Home, start: int, end: int) -> tuple[list[int], str, str]:
    """Return the edges of the rows (multiples of 300 s), how their time is written, and the first column's
    head."""
    span, zone = end - start, home.options.zone
    if span <= 4 * DAY:
        step = HOUR if span <= 36 * HOUR else 6 * HOUR
        first = start // INTERVAL_S * INTERVAL_S
        edges = [*range(first, end, step), end // INTERVAL_S * INTERVAL_S]
        style = "time" if step == HOUR and span <= DAY + HOUR else "day_time"
        return sorted(set(edges)), style, _("From")
    return day_edges(day_at(home, start), day_at(home, end - 1), zone), "weekday_day", _("Day")


def _column(name: str) -> str:
    if name == ENERGY:
        return _("Electricity kWh")
    look = LOOKS[name]
    unit = formatting.QUANTITIES[look.kind].unit
    return f"{look.label} {unit}".strip()
