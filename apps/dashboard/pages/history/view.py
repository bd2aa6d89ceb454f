"""``/history``: what happened at that time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, npgettext

from apps.changelog import timeline
from apps.dashboard import formatting
from apps.dashboard.charts.axes import DAY
from apps.dashboard.charts.columns import column_of
from apps.dashboard.charts.looks import DEFAULT_SERIES, LOOKS
from apps.dashboard.contexts import DrawnPanel, Fact, Pick, RangeBar, RangeLink
from apps.dashboard.pages import page, this_home
from apps.dashboard.pages.panel.columns import LONG_SERIES, column_panel
from apps.dashboard.pages.panel.lines import time_panel
from apps.dashboard.pages.quick import MONTH, WEEK, quick_ranges
from apps.dashboard.pages.ranges import RANGES, Range, RangeInvalid, between, parse_range
from apps.dashboard.pages.reasons import fault_in_words, quick_label
from apps.metrics.home import Home
from apps.metrics.kept import kept
from apps.metrics.totals import Totals, outside_mean_c, window
from apps.metrics.windows import local_midnight

SHORT_LOOK = timedelta(hours=2)


@page
def history(request: HttpRequest) -> HttpResponse:
    """Show what happened at that time."""
    home = this_home(request)
    zone, error = home.options.zone, ""
    stored_from = _stored_from(home)
    try:
        shown = parse_range(request.GET, now=home.at, stored_from=stored_from, zone=zone)
    except RangeInvalid as fault:
        error = _("%(fault)s. Showing today instead.") % {"fault": fault_in_words(fault)}
        shown = parse_range({}, now=home.at, stored_from=stored_from, zone=zone)
    error = error or _unknown_series(request)
    usual = LONG_SERIES if column_of(shown.start_s, shown.end_s) else DEFAULT_SERIES
    names = _chosen(request, usual)
    panel = _panel(home, shown, names)
    until = min(shown.end_s, home.at_s)
    summary = window(home, shown.start_s, until)
    context = {
        "at": home.at,
        "error": error,
        "range": shown,
        "bar": _range_bar(home, shown, [] if names == list(usual) else names),
        "picks": [
            Pick(name=name, label=str(look.short), key=look.key, chosen=name in names)
            for name, look in LOOKS.items()
        ],
        "panel": panel,
        "summary": summary,
        "readout": _readout(summary, outside_mean_c(home, shown.start_s, until)),
        "from_local": _form_time(home, shown.start),
        "to_local": _form_time(home, shown.end),
    }
    return render(request, "dashboard/history.html", context, status=400 if error else 200)


def _panel(home: Home, shown: Range, names: list[str]) -> DrawnPanel:
    """Return lines of a short range, columns of a long one."""
    written = timeline.shown_state(home.site)
    if column_of(shown.start_s, shown.end_s):
        return column_panel(home, shown.start, shown.end, names, panel_id="history-data", written=written)
    return time_panel(
        home,
        shown.start,
        shown.end,
        names,
        panel_id="history-data",
        title=_("Power, temperatures, state"),
        written=written,
    )


def _asked(request: HttpRequest) -> list[str]:
    return [name for value in request.GET.getlist("series") for name in value.split(",") if name]


def _unknown_series(request: HttpRequest) -> str:
    """Name the series of the address that this page does not draw; empty where it draws all."""
    unknown = [name for name in _asked(request) if name not in LOOKS]
    if not unknown:
        return ""
    names = ", ".join(f"“{name}”" for name in unknown)
    return ngettext(
        "%(names)s is not a series of this page. Showing the others, or the usual ones, instead.",
        "%(names)s are not series of this page. Showing the others, or the usual ones, instead.",
        len(unknown),
    ) % {"names": names}


def _chosen(request: HttpRequest, usual: Sequence[str]) -> list[str]:
    asked = _asked(request)
    return [name for name in LOOKS if name in asked] or list(usual)


@kept
def _stored_from(home: Home) -> datetime | None:
    names = ("interval", "meter_minute", "heat_pump", "meter")
    known = [extent[0] for name in names if (extent := home.store.extent(home.id, name))]
    return datetime.fromtimestamp(min(known), UTC) if known else None


def _range_bar(home: Home, shown: Range, chosen: list[str]) -> RangeBar:
    """Return the ranges; ``chosen`` series stay in the addresses."""
    words = {"day": _("Day"), "week": _("Week"), "month": _("Month"), "year": _("Year")}
    keep = {"series": ",".join(chosen)} if chosen else {}
    day = min(shown.day, home.today)

    def address(query: str) -> str:
        return "?" + "&".join(part for part in (query, urlencode(keep)) if part) if query else ""

    return RangeBar(
        links=[
            RangeLink(
                label=words[kind],
                href=address(urlencode({"range": kind, "date": day.isoformat()})),
                current=shown.kind == kind,
            )
            for kind in RANGES
        ],
        label=_range_label(home, shown),
        earlier=address(shown.earlier),
        later=address(shown.later),
        quick=_quick_links(home, shown, address),
    )


def _quick_links(home: Home, shown: Range, address: Callable[[str], str]) -> list[RangeLink]:
    """Return the last two hours, last week, last month and the last heating season."""
    until = home.at.replace(second=0, microsecond=0)
    hours = address(between(until - SHORT_LOOK, until))
    links = [RangeLink(label=_("Last 2 hours"), href=hours, current=False)] if home.first_day() else []
    for quick in quick_ranges(home.today, home.first_day()):
        start, end = (local_midnight(day, home.options.zone) for day in (quick.first, quick.after))
        query = {
            WEEK: {"range": "week", "date": quick.first.isoformat()},
            MONTH: {"range": "month", "date": quick.first.isoformat()},
        }.get(quick.kind) or {"from": quick.first.isoformat(), "to": quick.after.isoformat()}
        links.append(
            RangeLink(
                label=quick_label(quick.kind),
                href=address(urlencode(query)),
                current=(shown.start, shown.end) == (start, end),
            )
        )
    return links


def _range_label(home: Home, shown: Range) -> str:
    if shown.kind == "day":
        return formatting.local_date(shown.first, "weekday_date")
    if shown.kind == "month":
        return formatting.local_date(shown.first, "month")
    if shown.kind == "year":
        return formatting.local_date(shown.first, "year")
    if shown.kind == "week":
        return formatting.week(shown.first)
    zone = home.options.zone
    this_year = all(at.astimezone(zone).year == home.today.year for at in (shown.start, shown.end))
    style = "day_time" if this_year else "datetime"
    return " – ".join(formatting.at_home(home, at, style) for at in (shown.start, shown.end))


def _readout(summary: Totals, outside_c: float | None) -> list[Fact]:
    facts = [
        Fact(name=_("electricity"), value=formatting.with_unit(summary.electrical_energy_kwh, "energy_kwh")),
        Fact(name=_("COP"), value=formatting.with_unit(summary.cop, "cop"), estimated=True),
    ]
    if summary.compressor_starts is not None:
        facts.append(
            Fact(
                name=npgettext("compressor", "start", "starts", summary.compressor_starts),
                value=formatting.number(summary.compressor_starts),
                note=_run_time(summary),
            )
        )
    facts.append(Fact(name=_("outdoor"), value=formatting.with_unit(outside_c, "temperature_c")))
    return facts


def _run_time(summary: Totals) -> str:
    """Return the mean run time; in less than a day, of which runs reach over the edges, the whole."""
    if summary.elapsed_s < DAY:
        return _("run time %(duration)s") % {"duration": formatting.duration(summary.compressor_run_s)}
    return _("mean run time %(duration)s") % {"duration": formatting.duration(summary.mean_run_s)}


def _form_time(home: Home, at: datetime) -> str:
    return at.astimezone(home.options.zone).strftime("%Y-%m-%dT%H:%M")
