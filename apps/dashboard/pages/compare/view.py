"""``/compare``: any two periods side by side, as billed and at equal weather."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from apps.changelog.timeline import EntryView
from apps.dashboard import formatting
from apps.dashboard.contexts import ChartBlock, Table
from apps.dashboard.pages import page, this_home
from apps.dashboard.pages.change.charts import periods_chart, signed_intervals
from apps.dashboard.pages.change.words import Chip, kwh_range, percent, plain_range, signed_range
from apps.dashboard.pages.ranges import REVERSED, RangeInvalid, parse_date
from apps.dashboard.pages.reasons import fault_in_words
from apps.effects.comparing import (
    LONGEST_DAYS,
    OVERLAP,
    PeriodComparison,
    changes_between,
    compare,
    period_days,
    year_before,
)
from apps.effects.estimator import Estimate
from apps.effects.fortnights import FEW_DAYS_AFTER, FEW_DAYS_BEFORE, OTHER_WEATHER, TOO_WIDE, Window
from apps.metrics.child import ChildFailed
from apps.metrics.home import Home

from .links import CompareLink, compare_link
from .table import periods_table, raw_words, span_words

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class CompareContext:
    """``raw``: the difference a day as measured, ``raw_kwh`` in words; ``chip``: at equal weather, or why
    not, ``kwh`` what that is a day; ``names`` of both periods; ``days`` of them over outside temperature;
    ``instead``: periods that may have an answer, where too few days were measured."""

    names: tuple[str, str]
    raw: str
    raw_kwh: str
    chip: Chip
    kwh: str
    chart: ChartBlock | None
    days: ChartBlock | None
    table: Table
    changes: Sequence[EntryView]
    instead: CompareLink | None


@page
def compare_page(request: HttpRequest) -> HttpResponse:
    """Show two periods side by side; by default this month so far and the same days a year before."""
    home = this_home(request)
    try:
        a, b = _periods(home, request.GET)
    except RangeInvalid as fault:
        asked = {name: request.GET.get(name, "") for name in ("a_from", "a_to", "b_from", "b_to")}
        context = {"at": home.at, "error": fault_in_words(fault), "asked": asked}
        return render(request, "dashboard/compare/compare.html", context, status=400)
    try:
        found = compare(home, a, b)
    except ChildFailed as failure:
        log.error("The periods could not be compared: %s", failure)
        return render(request, "dashboard/store_unavailable.html", status=503)
    days = {"a_from": a.first, "a_to": a.last, "b_from": b.first, "b_to": b.last}
    asked = {name: day.isoformat() for name, day in days.items()}
    context = {"at": home.at, "asked": asked, "page": _context(home, a, b, found)}
    return render(request, "dashboard/compare/compare.html", context)


def _periods(home: Home, query: Mapping[str, str]) -> tuple[Window, Window]:
    """Return periods a and b as the address has them; b ends yesterday at the latest. Raises
    RangeInvalid."""
    yesterday = home.today - timedelta(days=1)
    last = min(_date(query, "b_to") or yesterday, yesterday)
    b = _window(_date(query, "b_from") or last.replace(day=1), last, "b_to")
    before = year_before(b)
    a = _window(_date(query, "a_from") or before.first, _date(query, "a_to") or before.last, "a_to")
    return a, b


def _date(query: Mapping[str, str], name: str) -> date | None:
    return parse_date(query[name]) if query.get(name) else None


def _window(first: date, last: date, name: str) -> Window:
    if last < first:
        raise RangeInvalid(name, f"{first} – {last}", REVERSED)
    if (last - first).days >= LONGEST_DAYS:
        raise RangeInvalid(name, f"{first} – {last}")
    return Window(first=first, last=last)


def _context(home: Home, a: Window, b: Window, found: PeriodComparison) -> CompareContext:
    names = span_words(a), span_words(b)
    return CompareContext(
        names=names,
        raw=formatting.signed_percent(found.raw_percent),
        raw_kwh=raw_words(found),
        chip=_chip(found),
        kwh="" if found.difference is None else kwh_range(found.difference),
        chart=_chart(found.difference),
        table=periods_table(home, names, found),
        days=periods_chart(names, period_days(home, a), period_days(home, b), found.difference),
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
