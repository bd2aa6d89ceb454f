"""``/compare``: any two periods side by side, as billed and at equal weather."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from apps.changelog.timeline import EntryView
from apps.dashboard import formatting
from apps.dashboard.contexts import ChartBlock, Table, TableRow
from apps.dashboard.pages import page, this_home
from apps.dashboard.pages.change.charts import signed_intervals
from apps.dashboard.pages.change.words import Chip, percent, plain_range, signed_range
from apps.dashboard.pages.ranges import RangeInvalid, parse_date
from apps.dashboard.pages.reasons import fault_in_words
from apps.effects.comparing import (
    LONGEST_DAYS,
    OVERLAP,
    PeriodComparison,
    changes_between,
    compare,
    year_before,
)
from apps.effects.estimator import Estimate
from apps.effects.fortnights import FEW_DAYS_AFTER, FEW_DAYS_BEFORE, OTHER_WEATHER, TOO_WIDE, Window
from apps.metrics.child import ChildFailed
from apps.metrics.home import Home

from .links import CompareLink, compare_link

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class CompareContext:
    """``raw``: the difference a day as measured; ``chip``: at equal weather, or why not; ``instead``: periods
    that may have an answer, where too few days were measured."""

    a: Window
    b: Window
    raw: str
    chip: Chip
    chart: ChartBlock | None
    table: Table
    changes: Sequence[EntryView]
    instead: CompareLink | None


@page
def compare_page(request: HttpRequest) -> HttpResponse:
    """Show two periods side by side; by default this month so far and the same days a year before."""
    home = this_home(request)
    error = ""
    try:
        a, b = _periods(home, request.GET)
    except RangeInvalid as fault:
        error = fault_in_words(fault)
        a, b = _periods(home, {})
    try:
        found = compare(home, a, b)
    except ChildFailed as failure:
        log.error("The periods could not be compared: %s", failure)
        return render(request, "dashboard/store_unavailable.html", status=503)
    context = {"at": home.at, "error": error, "page": _context(home, a, b, found)}
    return render(request, "dashboard/compare/compare.html", context, status=400 if error else 200)


def _periods(home: Home, query: Mapping[str, str]) -> tuple[Window, Window]:
    """Return periods a and b as the address has them; b ends yesterday at the latest. Raises
    RangeInvalid."""
    yesterday = home.today - timedelta(days=1)
    last = min(_date(query, "b_to") or yesterday, yesterday)
    b = _window(min(_date(query, "b_from") or last.replace(day=1), last), last, "b_to")
    before = year_before(b)
    a = _window(_date(query, "a_from") or before.first, _date(query, "a_to") or before.last, "a_to")
    return a, b


def _date(query: Mapping[str, str], name: str) -> date | None:
    return parse_date(query[name]) if query.get(name) else None


def _window(first: date, last: date, name: str) -> Window:
    if not first <= last or (last - first).days >= LONGEST_DAYS:
        raise RangeInvalid(name, f"{first} – {last}")
    return Window(first=first, last=last)


def _context(home: Home, a: Window, b: Window, found: PeriodComparison) -> CompareContext:
    return CompareContext(
        a=a,
        b=b,
        raw=formatting.signed_percent(found.raw_percent),
        chip=_chip(found),
        chart=_chart(found.difference),
        table=_table(home, a, b, found),
        changes=changes_between(home, a, b),
        instead=compare_link(home, b.first, b.last)
        if found.reason in (FEW_DAYS_BEFORE, FEW_DAYS_AFTER)
        else None,
    )


def _chip(found: PeriodComparison) -> Chip:
    difference = found.difference
    if difference is None:
        reasons = {
            FEW_DAYS_BEFORE: _("no answer: fewer than 10 measured days in the first period"),
            FEW_DAYS_AFTER: _("no answer: fewer than 10 measured days in the second period"),
            OTHER_WEATHER: _("no answer: the weather was too different"),
            TOO_WIDE: _("no answer: too uncertain"),
            OVERLAP: _("no answer: the periods have days in common"),
        }
        text = reasons.get(found.reason or "", _("no answer: nothing to compare"))
        return Chip(kind="refused", icon="none", text=text)
    if not difference.is_found:
        text = _("difference not provable: %(range)s") % {"range": signed_range(difference)}
        return Chip(kind="unclear", icon="tilde", text=text)
    values = {"percent": percent(abs(difference.percent)), "range": plain_range(difference)}
    if difference.percent < 0:
        return Chip(kind="saves", icon="down", text=_("%(percent)s less (%(range)s)") % values)
    return Chip(kind="costs", icon="up", text=_("%(percent)s more (%(range)s)") % values)


def _chart(difference: Estimate | None) -> ChartBlock | None:
    if difference is None:
        return None
    return signed_intervals("compare-data", [(_("at equal weather"), difference, "accent")])


def _table(home: Home, a: Window, b: Window, found: PeriodComparison) -> Table:
    rows, currency = (found.a, found.b), home.options.currency

    def line(name: str, *cells: str) -> TableRow:
        return TableRow(head=name, cells=cells)

    return Table(
        name=_("Both periods"),
        columns=[pgettext("column of values", "Value"), _span(a), _span(b)],
        rows=[
            line(
                _("Electricity"), *(formatting.with_unit(r.electrical_energy_kwh, "energy_kwh") for r in rows)
            ),
            line(
                _("Electricity a day"),
                *(
                    formatting.with_unit(_a_day(r.scaled_energy_kwh, days), "energy_kwh")
                    for r, days in zip(rows, found.elapsed_days, strict=True)
                ),
            ),
            line(_("Cost"), *(formatting.money(r.cost, currency) for r in rows)),
            line(
                _("Outdoor, mean"),
                *(formatting.with_unit(r.mean_outside_temperature_c, "temperature_c") for r in rows),
            ),
            line(_("Heating degree days"), *(formatting.number(r.heating_degree_days) for r in rows)),
            line(
                _("Heat, estimated"),
                *(formatting.with_unit(r.thermal_energy_modulation_kwh, "energy_whole_kwh") for r in rows),
            ),
            line(_("COP"), *(formatting.number(r.cop, 2) for r in rows)),
            line(_("Measured"), *(formatting.coverage(r.electrical_coverage) for r in rows)),
            line(_("Valid days"), *(formatting.number(days) for days in found.valid_days)),
        ],
    )


def _a_day(energy_kwh: float | None, days: float) -> float | None:
    return energy_kwh / days if energy_kwh is not None and days else None


def _span(period: Window) -> str:
    return f"{formatting.local_date(period.first)} – {formatting.local_date(period.last)}"
