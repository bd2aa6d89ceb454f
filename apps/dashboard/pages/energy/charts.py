"""The energy page's charts and tables: bars by use, costs adding up, tariffs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from apps.dashboard import formatting
from apps.dashboard.charts.axes import even_axis
from apps.dashboard.charts.periods import BarSet, BarsSpec, Compare, SumSet, SumsSpec, adding_up, brackets_of
from apps.dashboard.contexts import ChartBlock, LegendItem, Table, TableRow
from apps.dashboard.pages.uses import COOLING, KEYS, PARTS, UNCLASSIFIED, part_label
from apps.metrics.home import Home
from apps.metrics.periods import EnergyRow, cost_between, measured_coverage
from apps.metrics.tariff import changes_within, known_tariffs, tariff_on
from apps.metrics.totals import outside_mean_c, window

from .drill import bar_facts, bar_href
from .rows import is_partial, rounded, row_notes, values_of
from .span import Span, axis_label, axis_labels, before_label

LEAST_POINTS = 2  # of a curve


def title_of(period: str) -> str:
    return {
        "day": _("Electricity by day"),
        "week": _("Electricity by week"),
        "month": _("Electricity by month"),
        "year": _("Electricity by year"),
    }[period]


def subtitle_of(period: str, is_compared: bool) -> str:
    """Return what a bar is, and the line of the year before where there is one."""
    words = {
        "day": _("kWh per day"),
        "week": _("kWh per calendar week, Monday to Sunday"),
        "month": _("kWh per calendar month"),
        "year": _("kWh per calendar year"),
    }[period]
    return (
        _("%(bars)s; the line shows the same period a year earlier") % {"bars": words}
        if is_compared
        else words
    )


def total_of(rows: Sequence[EnergyRow], name: str) -> float | None:
    known = [value for row in rows if (value := getattr(row, name)) is not None]
    return sum(known) if known else None


def legend(rows: Sequence[EnergyRow], energy_kwh: float | None) -> list[LegendItem]:
    """Return the uses with their sums; they add up to ``energy_kwh``, that of the whole range."""
    parts = []
    for name, key in KEYS.items():
        total = sum_of_part(rows, name, energy_kwh)
        if key in {"other", "cooling"} and (total or 0.0) < 0.05:
            continue
        parts.append(
            LegendItem(
                label=part_label(name),
                key=key,
                shape="area",
                total=formatting.with_unit(total, "energy_whole_kwh"),
            )
        )
    return parts


def cools(rows: Sequence[EnergyRow]) -> bool:
    """Tell whether the heat pump cooled in any of the rows; otherwise nothing is said of it."""
    return any(row.electrical_energy_cooling_kwh for row in rows)


def _head(span: Span, row: EnergyRow, home: Home) -> str:
    first = row.start.astimezone(home.options.zone).date()
    if span.period == "day":
        head = formatting.day_of(home, first, "weekday_day")
    elif span.period == "week":
        head = formatting.week(first)
    else:
        head = formatting.local_date(first, "month" if span.period == "month" else "year")
    return _("%(period)s, so far") % {"period": head} if row.end > home.at else head


def bars(
    home: Home,
    span: Span,
    rows: Sequence[EnergyRow],
    before: Sequence[EnergyRow | None],
    compare: str,
    cost: float | None,
) -> ChartBlock:
    """Draw the bars. ``cost`` is that of the whole range (``cost_of``)."""
    lumps = [
        (
            int(lump.start.timestamp()),
            int(lump.end.timestamp()),
            _("%(energy)s in total") % {"energy": formatting.with_unit(lump.energy_kwh, "energy_kwh")},
        )
        for row in rows
        for lump in row.lumps
    ]
    totals = values_of(rows, "electrical_energy_kwh")
    earlier = [*rounded([None if row is None else row.electrical_energy_kwh for row in before[: len(rows)]])]
    spec = BarsSpec(
        labels=[axis_label(span, row, home) for row in rows],
        titles=[_head(span, row, home) for row in rows],
        unit="kWh",
        decimals=1,
        sets=[
            BarSet(
                label=part_label(name),
                colour=colour,
                key=KEYS[name],
                hatched=hatched,
                values=values_of(rows, name),
            )
            for name, colour, hatched in PARTS
            if name != COOLING or cools(rows)
        ],
        partial=[is_partial(home, row) for row in rows],
        axis=even_axis([*totals, *earlier], from_zero=True),
        totals=totals,
        links=[bar_href(home, span, row) for row in rows],
        facts=[bar_facts(home, row) for row in rows],
        notes=[" · ".join(row_notes(home, row)) for row in rows],
        words={
            "total": _("Electricity"),
            "open": pgettext("a period", "Open"),
            "empty": _("no data"),
        },
        compare=Compare(label=compare, values=earlier) if before else None,
        brackets=brackets_of(lumps, [(int(row.start.timestamp()), int(row.end.timestamp())) for row in rows]),
    )
    known = [row.electrical_energy_kwh for row in rows if row.electrical_energy_kwh is not None]
    summary = title_of(span.period) + ": "
    summary += (
        _("between %(low)s and %(high)s")
        % {
            "low": formatting.with_unit(min(known), "energy_kwh"),
            "high": formatting.with_unit(max(known), "energy_kwh"),
        }
        if known
        else _("no data")
    )
    return ChartBlock(
        id="energy-data",
        data=spec.data,
        summary=summary,
        table=_table(home, span, rows, bool(known), cost),
        empty=not known,
    )


def _table(home: Home, span: Span, rows: Sequence[EnergyRow], has_foot: bool, cost: float | None) -> Table:
    parts = [name for name in KEYS if name != COOLING or cools(rows)]
    columns = [
        {"day": _("Day"), "week": _("Week"), "month": _("Month"), "year": _("Year")}[span.period],
        _("Electricity kWh"),
        *(part_label(name) for name in parts),
        _("Heat kWh (estimated)"),
        _("COP"),
        _("Heat known"),
        _("Starts"),
        _("Outdoor °C"),
        _("Cost %(currency)s") % {"currency": home.options.currency},
        _("Measured"),
    ]
    foot = None
    if has_foot:
        start, end = int(rows[0].start.timestamp()), int(rows[-1].end.timestamp())
        whole = window(home, start, end)
        foot = TableRow(
            head=_("Sum"),
            cells=_cells(
                whole.electrical_energy_kwh,
                whole.at_least,
                [sum_of_part(rows, name, whole.electrical_energy_kwh) for name in parts],
                total_of(rows, "thermal_energy_modulation_kwh"),
                whole.cop,
                whole.heat_coverage,
                whole.compressor_starts,
                outside_mean_c(home, start, end),
                cost,
                whole.measured_coverage,
            ),
        )
    return Table(
        name=title_of(span.period),
        columns=columns,
        rows=[
            TableRow(
                head=_head(span, row, home),
                partial=is_partial(home, row),
                cells=_cells(
                    row.electrical_energy_kwh,
                    row.electrical_energy_at_least,
                    [getattr(row, name) for name in parts],
                    row.thermal_energy_modulation_kwh,
                    row.cop,
                    row.heat_coverage,
                    row.compressor_starts,
                    row.mean_outside_temperature_c,
                    row.cost,
                    measured_coverage(home, row),
                ),
            )
            for row in reversed(rows)
        ],
        foot=foot,
    )


def _cells(
    energy: float | None,
    at_least: bool,
    parts: Sequence[float | None],
    heat: float | None,
    cop: float | None,
    heat_known: float | None,
    starts: int | None,
    outside: float | None,
    cost: float | None,
    measured: float | None,
) -> list[str]:
    amount, price = formatting.number(energy, 1), formatting.number(cost, 2)
    return [
        f"≥{formatting.NARROW}{amount}" if at_least and energy is not None else amount,
        *(formatting.number(value, 1) for value in (*parts, heat)),
        formatting.number(cop, 2),
        formatting.coverage(heat_known),
        formatting.number(starts),
        formatting.number(outside, 1),
        f"≥{formatting.NARROW}{price}" if at_least and cost is not None else price,
        formatting.coverage(measured),
    ]


def sum_of_part(rows: Sequence[EnergyRow], name: str, energy_kwh: float | None) -> float | None:
    """Sum a part over all rows; what is not classified is the rest of ``energy_kwh``, which has lumps over
    inner edges."""
    known = [value for row in rows if (value := getattr(row, name)) is not None]
    if name != UNCLASSIFIED or energy_kwh is None:
        return sum(known) if known else None
    uses = sum(total_of(rows, each) or 0.0 for each in KEYS if each != UNCLASSIFIED)
    return energy_kwh - uses if energy_kwh - uses > 0.005 else 0.0


def cost_of(home: Home, span: Span) -> float | None:
    """Return the cost of the whole range, lumps over inner edges included."""
    return cost_between(home, span.first, span.last)


def sums(
    home: Home, span: Span, rows: Sequence[EnergyRow], before: Sequence[EnergyRow | None]
) -> ChartBlock | None:
    costs = adding_up([row.cost for row in rows])
    if sum(value is not None for value in costs) < LEAST_POINTS:
        return None
    last = max(index for index, value in enumerate(costs) if value is not None)
    sets = [SumSet(label=span.label, colour="s-power", filled=True, values=costs, mark=last)]
    known = [row for row in before if row is not None]
    if before and len(known) == len(before):
        earlier = adding_up([row.cost for row in known])
        sets.append(SumSet(label=before_label(span), style="dashed", values=earlier))
    spec = SumsSpec(
        labels=max(axis_labels(span), [axis_label(span, row, home) for row in known], key=len),
        unit=formatting.currency_symbol(home.options.currency),
        decimals=2,
        sets=sets,
        axis=even_axis([value for each in sets for value in each.values], from_zero=True),
    )
    summary = _("Cumulative cost, %(total)s in total") % {
        "total": formatting.money(costs[last], home.options.currency)
    }
    return ChartBlock(id="cost-data", data=spec.data, summary=summary)


def sum_legend(
    home: Home, span: Span, before: Sequence[EnergyRow | None], cost: float | None, is_incomplete: bool
) -> list[LegendItem]:
    """Return the legend of the sums. ``is_incomplete``: electricity is missing, so that it cost more than is
    known."""
    total = formatting.money(cost, home.options.currency)
    parts = [
        LegendItem(
            label=span.label,
            key="k-power",
            total=f"≥{formatting.NARROW}{total}" if is_incomplete else total,
        )
    ]
    known = [row for row in before if row is not None]
    if known and len(known) == len(before):
        parts.append(
            LegendItem(
                label=_("%(before)s, full period") % {"before": before_label(span)},
                key="k-prev",
                total=formatting.money(total_of(known, "cost"), home.options.currency),
            )
        )
    return parts


def has_base_fee(home: Home, span: Span) -> bool:
    """Tell whether any tariff of the range has a base fee."""
    tariffs = known_tariffs(home.options)
    days = [span.first, *changes_within(tariffs, span.first, span.last)]
    in_force = [tariff_on(tariffs, day) for day in days]
    return any(tariff is not None and tariff.base_fee_per_day for tariff in in_force)


def tariff_table(home: Home) -> Table:
    currency = home.options.currency
    rows = []
    for tariff in reversed(known_tariffs(home.options)):
        since = (
            _("from the start")
            if tariff.valid_from == date.min
            else _("since %(day)s") % {"day": formatting.local_date(tariff.valid_from)}
        )
        rows.append(
            TableRow(
                head=since,
                cells=[
                    formatting.price_per_kwh(tariff.price_per_kwh, currency),
                    formatting.money(tariff.base_fee_per_day, currency),
                ],
            )
        )
    return Table(name=_("Tariffs"), columns=[_("Valid"), _("Price"), _("Base fee per day")], rows=rows)
