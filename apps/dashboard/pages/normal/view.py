"""``/normal``: is it normal? What each day needed, and what it should have needed at its weather."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.dashboard import formatting
from apps.dashboard.charts.axes import DAY
from apps.dashboard.charts.lines import ChartSpec, LineData, PlotData, line_chart
from apps.dashboard.contexts import Table, TableRow
from apps.dashboard.pages import page, this_home
from apps.dashboard.pages.panel.frame import markers_of
from apps.dashboard.pages.ranges import REVERSED, RangeInvalid, parse_date
from apps.dashboard.pages.reasons import fault_in_words
from apps.effects.deviations import entries_of
from apps.effects.expected import FEW_DAYS, OTHER_WEATHER, REFIT_DAYS, Deviation, ExpectedDay, Level
from apps.effects.facts import facts_of
from apps.metrics.child import ChildFailed
from apps.metrics.home import Home

from .deviations import DeviationView, deviation_view

log = logging.getLogger(__name__)

SHOWN_DAYS = 60
FEW_INSIDE = 0.65
LEAST_COUNTED = 10
DAYS = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class NormalContext:
    """``now``: the deviation that lasts, None where all is as expected; ``level``: how far from one the last
    28 days are; ``few_inside``: far fewer days than usual lie inside the band; ``why_not``: why nothing can
    be said yet; ``first`` to ``last``: the days of the chart, ``is_latest`` the usual ones."""

    now: DeviationView | None
    past: Sequence[DeviationView]
    spec: ChartSpec
    summary: str
    inside: str
    few_inside: bool
    level: str
    first: date
    last: date
    is_latest: bool
    table: Table
    why_not: str


@page
def normal(request: HttpRequest) -> HttpResponse:
    """Show measured against expected use of the last 60 days, and lasting deviations. ``from`` and ``to``:
    the days of the chart."""
    home = this_home(request)
    error, of_now = "", _shown(home, {})
    try:
        shown = _shown(home, request.GET)
    except RangeInvalid as fault:
        error, shown = fault_in_words(fault), of_now
    try:
        facts = facts_of(home)
    except ChildFailed as failure:
        log.error("The expected use could not be calculated: %s", failure)
        return render(request, "dashboard/store_unavailable.html", status=503)
    latest = [day for day in facts.expected if day.day >= home.today - SHOWN_DAYS * DAYS]
    usual = _counted(latest, facts.deviations)
    days = [day for day in facts.expected if shown[0] <= day.day <= shown[1]]
    entries = entries_of(home, facts.deviations)
    views = [deviation_view(home, *each) for each in zip(facts.deviations, entries, strict=True)]
    spec = _chart(home, days, shown)
    context = NormalContext(
        now=next((view for view in views if view.until is None), None),
        past=[view for view in views if view.until is not None][::-1],
        spec=spec,
        summary=_("%(days)s days") % {"days": formatting.number(len(days))},
        inside=_inside(usual, len(_known(latest))),
        few_inside=_few_inside(usual),
        level=_level(facts.level),
        first=shown[0],
        last=shown[1],
        is_latest=shown == of_now,
        table=_table(days),
        why_not=_why_not(latest),
    )
    found = {"at": home.at, "error": error, "page": context}
    return render(request, "dashboard/normal/normal.html", found, status=400 if error else 200)


def _shown(home: Home, query: Mapping[str, str]) -> tuple[date, date]:
    """Return the first and last day of the chart. Raises RangeInvalid."""
    yesterday = home.today - DAYS
    last = min(parse_date(query["to"], "to"), yesterday) if query.get("to") else yesterday
    first = parse_date(query["from"], "from") if query.get("from") else last - (SHOWN_DAYS - 1) * DAYS
    if first > last:
        raise RangeInvalid("from", query.get("from", ""), REVERSED)
    return first, last


def _counted(days: Sequence[ExpectedDay], deviations: Sequence[Deviation]) -> list[ExpectedDay]:
    """Return the known days outside of deviations."""
    return [day for day in _known(days) if not any(_deviates(day.day, each) for each in deviations)]


def _known(days: Sequence[ExpectedDay]) -> list[ExpectedDay]:
    return [day for day in days if day.energy_kwh is not None and day.low_kwh is not None]


def _held(days: Sequence[ExpectedDay]) -> int:
    return sum((day.low_kwh or 0.0) <= (day.energy_kwh or 0.0) <= (day.high_kwh or 0.0) for day in days)


def _few_inside(usual: Sequence[ExpectedDay]) -> bool:
    """Return whether far fewer days lie inside the band than four of five: days in a row are alike."""
    return len(usual) >= LEAST_COUNTED and _held(usual) < FEW_INSIDE * len(usual)


def _inside(usual: Sequence[ExpectedDay], known: int) -> str:
    """Return how many of the days outside of deviations are as expected; ``known``: all days."""
    if not usual:
        return ""
    text = ngettext(
        "%(days)s day counts, from %(first)s to %(last)s; %(held)s of them lies inside the band, four of "
        "five are expected to.",
        "%(days)s days count, from %(first)s to %(last)s; %(held)s of them lie inside the band, four of five "
        "are expected to.",
        len(usual),
    ) % {
        "held": formatting.number(_held(usual)),
        "days": formatting.number(len(usual)),
        "first": formatting.local_date(usual[0].day, "day"),
        "last": formatting.local_date(usual[-1].day, "day"),
    }
    left_out = (
        _("Days of the deviation below, and those still judged by it, are left out.")
        if len(usual) < known
        else ""
    )
    return " ".join(part for part in (text, _together(usual), left_out) if part)


def _together(days: Sequence[ExpectedDay]) -> str:
    """Return what the days used more or less in all: many a little off count, too."""
    measured = sum(day.energy_kwh or 0.0 for day in days)
    expected = sum(day.expected_kwh or 0.0 for day in days)
    if not expected:
        return ""
    return _("In all, what they used differs from it by %(percent)s.") % {
        "percent": formatting.signed_percent(100 * (measured / expected - 1))
    }


def _level(found: Level | None) -> str:
    """Return how far the last 28 days are from an alarm."""
    if found is None:
        return ""
    return _(
        "The last 28 days together: %(percent)s. This house would have to differ by more than %(limit)s."
    ) % {
        "percent": formatting.signed_percent(found.percent),
        "limit": formatting.with_unit(found.limit_percent, "percent"),
    }


def _deviates(day: date, found: Deviation) -> bool:
    """Return whether a day is of the deviation, or still judged by what that taught."""
    end = found.until if found.over is None else found.over + timedelta(days=REFIT_DAYS)
    return found.since <= day and (end is None or day <= end)


def _why_not(days: Sequence[ExpectedDay]) -> str:
    if any(day.expected_kwh is not None for day in days):
        return ""
    if any(day.reason == OTHER_WEATHER for day in days):
        return _("Such weather has not been seen in this house yet.")
    return _("heatmon learns your house from 60 measured days; then it can say what is normal.")


def _chart(home: Home, days: Sequence[ExpectedDay], shown: tuple[date, date]) -> ChartSpec:
    start, end = home.midnight(shown[0]), home.midnight(shown[1] + DAYS)
    times = [home.midnight(day.day) + DAY // 2 for day in days]
    lines = [
        LineData(
            name="expected",
            label=_("Expected at this weather"),
            colour="text-2",
            key="k-prev",
            style="dashed",
            time=times,
            values=[day.expected_kwh for day in days],
            low=[day.low_kwh for day in days],
            high=[day.high_kwh for day in days],
        ),
        LineData(
            name="measured",
            label=_("Measured"),
            colour="s-power",
            key="k-power",
            time=times,
            values=[day.energy_kwh for day in days],
        ),
    ]
    plot = PlotData(
        name="use",
        title=_("Electricity, kWh a day"),
        unit="kWh",
        decimals=1,
        lines=lines,
        cause=_("No data"),
        gaps_of="measured",
        from_zero=True,
    )
    return line_chart(
        [plot],
        markers_of(home, datetime.fromtimestamp(start, UTC), datetime.fromtimestamp(end, UTC)),
        start=start,
        end=end,
        now=end,
        step_s=DAY,
        zone=home.options.zone,
        tick_label=formatting.tick_label,
    )


def _table(days: Sequence[ExpectedDay]) -> Table:
    return Table(
        name=_("Measured and expected"),
        columns=[_("Day"), _("Measured kWh"), _("Expected kWh"), _("80 % band"), _("Difference")],
        rows=[_row(day) for day in reversed(days)],
    )


def _row(day: ExpectedDay) -> TableRow:
    band = (
        formatting.MISSING
        if day.low_kwh is None
        else f"{formatting.number(day.low_kwh, 1)}–{formatting.number(day.high_kwh, 1)}"
    )
    return TableRow(
        head=formatting.local_date(day.day, "weekday_day"),
        cells=[
            formatting.number(day.energy_kwh, 1),
            formatting.number(day.expected_kwh, 1),
            band,
            formatting.signed_percent(None if day.share is None else 100 * day.share),
        ],
        partial=day.reason == FEW_DAYS,
    )
