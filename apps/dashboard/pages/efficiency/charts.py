"""The efficiency page's charts and tables: days over temperature, cycling, three methods."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta
from itertools import pairwise

from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from apps.dashboard import formatting
from apps.dashboard.charts.periods import (
    Axis,
    Interval,
    PointSet,
    ScatterSpec,
    axis_limits,
    intervals,
)
from apps.dashboard.contexts import ChartBlock, Table, TableRow
from apps.dashboard.pages.links import day_href
from apps.metrics.efficiency import CycleSpan, DayPoint, Efficiency
from apps.metrics.home import Home
from apps.metrics.jaz import Jaz
from apps.metrics.totals import totals
from apps.metrics.windows import day_edges

BIN_C = 3
COUNTER_TOLERANCE = 1


# ---------- three methods ----------


def methods(found: Jaz, modulation: float | None) -> ChartBlock | None:
    """Draw A, B and C as dots, combined as a band."""
    rows = [
        Interval(
            label=_("Combined"), middle=found.jaz, low=found.jaz_low, high=found.jaz_high, colour="accent"
        ),
        Interval(label=_("A modulation"), middle=modulation, colour="s-heat"),
        Interval(label=_("B delta T"), middle=found.jaz_delta_t, colour="s-heat"),
        Interval(label=_("C device"), middle=found.device_cop_total, colour="text-2"),
    ]
    spec = intervals(rows, "", 1, 0.5)
    if spec is None:
        return None
    parts = [f"{row.label} {formatting.number(row.middle, 1)}" for row in rows if row.middle is not None]
    return ChartBlock(id="methods-data", data=spec.data, summary="; ".join(parts))


def methods_table(rows: Sequence[tuple[str, str, float | None]]) -> Table:
    return Table(
        name=_("Three methods"),
        columns=[_("Method"), pgettext("source", "From"), _("COP")],
        rows=[
            TableRow(head=name, cells=[source, formatting.number(value, 1)]) for name, source, value in rows
        ],
    )


# ---------- COP over outside temperature ----------


def is_shown(day: DayPoint) -> bool:
    """Return whether a day has its circle."""
    return day.cop is not None and day.mean_outside_temperature_c is not None


def cop_over_outside(page: Efficiency) -> ChartBlock:
    """Draw one circle per day, sized by electricity used; hollow below 90 % energy coverage."""
    days = [day for day in page.days if is_shown(day)]
    full = [day for day in days if day.cop_is_valid]
    hollow = [day for day in days if not day.cop_is_valid]
    low, high = axis_limits([day.mean_outside_temperature_c or 0.0 for day in days], 5.0)
    bottom, top = axis_limits([day.cop or 0.0 for day in days], 1.0)
    spec = ScatterSpec(
        x=Axis(unit="°C", minimum=low, maximum=high),
        y=Axis(unit="", minimum=bottom, maximum=top),
        sets=[
            _day_set(_("Day"), "filled", full),
            _day_set(_("Less than 90 % measured"), "hollow", hollow),
        ],
    )
    summary = ngettext("%(count)s day", "%(count)s days", len(days)) % {"count": formatting.number(len(days))}
    return ChartBlock(id="cop-data", data=spec.data, summary=summary, table=_cop_table(full))


def _day_set(label: str, style: str, days: Sequence[DayPoint]) -> PointSet:
    return PointSet(
        label=label,
        colour="s-heat",
        style=style,
        points=[
            (
                round(day.mean_outside_temperature_c or 0.0, 2),
                round(day.cop or 0.0, 3),
                round(1.6 + 0.75 * math.sqrt(max(0.0, day.energy_kwh_per_24h or 0.0)), 1),
            )
            for day in days
        ],
        links=[day_href(day.day) for day in days],
        texts=[
            " · ".join(
                (
                    formatting.local_date(day.day),
                    formatting.with_unit(day.mean_outside_temperature_c, "temperature_c"),
                    f"COP {formatting.number(day.cop, 2)}",
                    formatting.with_unit(day.energy_kwh_per_24h, "energy_kwh"),
                )
            )
            for day in days
        ],
    )


def _cop_table(days: Sequence[DayPoint]) -> Table:
    """Return means of the days' COPs weighted by their energy: heat over electricity of each class."""
    bins: dict[int, list[DayPoint]] = defaultdict(list)
    for day in days:
        bins[math.floor((day.mean_outside_temperature_c or 0.0) / BIN_C)].append(day)
    rows = []
    for index, members in sorted(bins.items()):
        energy = sum(day.energy_kwh_per_24h or 0.0 for day in members)
        heat = sum((day.energy_kwh_per_24h or 0.0) * (day.cop or 0.0) for day in members)
        rows.append(
            TableRow(
                head=bin_head(index),
                cells=[
                    formatting.number(len(members)),
                    formatting.number(heat / energy if energy else None, 2),
                ],
            )
        )
    return Table(
        name=_("COP by outdoor temperature"), columns=[_("Outdoor °C"), _("Days"), _("COP")], rows=rows
    )


def bin_head(index: int) -> str:
    return _("%(low)s to %(high)s") % {
        "low": formatting.number(index * BIN_C),
        "high": formatting.number((index + 1) * BIN_C),
    }


# ---------- starts ----------


def starts_table(home: Home, page: Efficiency) -> Table:
    """Return the starts and run times of 7, 30 and 365 days, checked against the device's own counter."""
    return Table(
        name=_("Starts and run time"),
        columns=[
            _("Last"), _("Starts"), _("per day"), _("Run time"), _("Mean run time"), _("Standby kWh"),
            _("Known"), _("Counted by the device"),
        ],
        rows=[_starts_row(home, span) for span in page.cycle_spans if span.days <= _needed_days(home, page)],
    )  # fmt: skip


def _needed_days(home: Home, page: Efficiency) -> int:
    """Return the shortest span that holds all days of the home; the longest for one without any."""
    first = home.first_day()
    lived = 0 if first is None else (home.today - first).days
    spans = [span.days for span in page.cycle_spans]
    return next((days for days in spans if days >= lived), spans[-1])


def _starts_row(home: Home, span: CycleSpan) -> TableRow:
    start, end = home.midnight(home.today - timedelta(days=span.days)), home.midnight(home.today)
    cycles = span.cycles
    known = cycles.known_s / (end - start)
    names = ("electrical_energy_wh", "electrical_energy_standby_wh")
    standby = totals(home, [start, end], names)[0]["electrical_energy_standby_wh"]
    rate = cycles.starts_per_hour
    return TableRow(
        head=_("%(n)s days") % {"n": formatting.number(span.days)},
        cells=[
            formatting.number(cycles.starts if cycles.known_s else None),
            formatting.number(None if rate is None else rate * 24, 1),
            formatting.duration(cycles.run_s if cycles.known_s else None),
            formatting.duration(cycles.mean_run_s),
            formatting.number(None if standby is None else standby / 1000, 1),
            formatting.coverage(known),
            _device_starts(home, span.days, cycles.starts if known >= 0.99 else None),
        ],
    )


def _device_starts(home: Home, days: int, ours: int | None) -> str:
    """Say what the heat pump's counter rose by, and how it compares; ``ours`` None: not comparable."""
    edges = day_edges(home.today - timedelta(days=days), home.today - timedelta(days=1), home.options.zone)
    counts = home.store.sums(home.id, ["compressor_starts_count"], edges)["compressor_starts_count"]
    known = [(part.min, part.max) for part in counts if part.min is not None and part.max is not None]
    if len(known) < days:
        return _("known on %(known)s of %(days)s days") % {
            "known": formatting.number(len(known)),
            "days": formatting.number(days),
        }
    if any(later[1] < earlier[1] for earlier, later in pairwise(known)):
        return _("counter was reset")
    counted = round(known[-1][1] - known[0][0])
    if ours is None:
        return formatting.number(counted)
    if counted == ours:
        return _("%(n)s, equal") % {"n": formatting.number(counted)}
    if abs(counted - ours) <= COUNTER_TOLERANCE:
        return _("%(n)s, agrees") % {"n": formatting.number(counted)}
    return _("%(n)s (differs by %(difference)s)") % {
        "n": formatting.number(counted),
        "difference": formatting.number(abs(counted - ours)),
    }
