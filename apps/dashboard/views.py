"""The pages: one function each. A view gathers, builds a context, and picks the page or a piece of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.templatetags.static import static
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from apps.changelog import timeline
from apps.devices import clock
from apps.devices.options import default_site, home_options
from apps.metrics.apps import default_store
from apps.metrics.store.base import StoreUnavailable

from . import formatting
from .contexts import Fact, Pick, RangeBar, RangeLink
from .downloads import days_csv, energy_csv
from .efficiency_page import days_of, efficiency_context, range_of
from .energy_page import energy_context
from .energy_span import parse_span
from .live import House, is_set_up, live_context
from .looks import DEFAULT_SERIES, LOOKS
from .panel import last_day, state_legend, time_panel
from .ranges import RANGES, Range, RangeInvalid, parse_range
from .reasons import fault_in_words
from .season import season_card, year_card
from .status import current_status
from .window_summary import WindowSummary

View = Callable[..., HttpResponseBase]


def page(view: View) -> View:
    """A page of the house: read only, never kept by a cache, and a sentence where the store is away."""

    @require_safe
    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            response = view(request, *args, **kwargs)
        except StoreUnavailable:
            response = render(request, "dashboard/store_unavailable.html", status=503)
        patch_vary_headers(response, ["HX-Request", "HX-Target", "Cookie"])
        response["Cache-Control"] = "no-store"
        return response

    return answer


def this_house() -> House:
    """The only home, at this moment."""
    site = default_site()
    return House(
        site=site, options=home_options(site, with_secrets=False), store=default_store(), at=clock.now()
    )


def piece(request: HttpRequest) -> str:
    """The id of the element that htmx wants alone; empty for the whole page."""
    htmx = getattr(request, "htmx", None)
    return (htmx.target or "") if htmx else ""


@login_not_required
@require_safe
def favicon(request: HttpRequest) -> HttpResponse:
    """Where browsers look without having read a page."""
    return redirect(static("favicon.svg"))


@page
def overview(request: HttpRequest) -> HttpResponse:
    """Is all well, what does it do now, what did today cost."""
    house = this_house()
    wanted = piece(request)
    if wanted == "day":
        return render(request, "dashboard/_day.html", _day(house))
    status = current_status(house.site, house.at)
    if not is_set_up(status):
        return render(request, "dashboard/not_set_up.html", {"at": house.at})
    context: dict[str, Any] = {"at": house.at, "live": live_context(house, status)}
    if wanted == "live":
        return render(request, "dashboard/_live_piece.html", context)
    context |= _day(house)
    context["entries"] = timeline.entries(house.site, limit=3)
    context["season"] = season_card(house)
    return render(request, "dashboard/overview.html", context)


def _day(house: House) -> dict[str, Any]:
    start, end = last_day(house)
    panel = time_panel(
        house,
        start,
        end,
        DEFAULT_SERIES,
        panel_id="day-data",
        title=_("Last 24 hours"),
        subtitle=_("%(start)s to %(end)s")
        % {"start": house.local(start, "datetime"), "end": house.local(end, "datetime")},
    )
    return {"at": house.at, "panel": panel, "states": state_legend(panel.spec)}


@page
def history(request: HttpRequest) -> HttpResponse:
    """What happened at that time."""
    house = this_house()
    zone, error = house.options.zone, ""
    stored_from = _stored_from(house)
    try:
        shown = parse_range(request.GET, now=house.at, stored_from=stored_from, zone=zone)
    except RangeInvalid as fault:
        error = _("%(fault)s; this is today.") % {"fault": fault_in_words(fault)}
        shown = parse_range({}, now=house.at, stored_from=stored_from, zone=zone)
    names = _chosen(request)
    panel = time_panel(
        house, shown.start, shown.end, names, panel_id="history-data", title=_("Power, temperatures, state")
    )
    summary = house.summary(shown.start_s, min(shown.end_s, house.at_s))
    context = {
        "at": house.at,
        "error": error,
        "range": shown,
        "bar": _range_bar(house, shown, names),
        "picks": [
            Pick(name=name, label=str(look.short), key=look.key, chosen=name in names)
            for name, look in LOOKS.items()
        ],
        "panel": panel,
        "states": state_legend(panel.spec),
        "summary": summary,
        "readout": _readout(summary),
        "from_local": _form_time(house, shown.start),
        "to_local": _form_time(house, shown.end),
    }
    return render(request, "dashboard/history.html", context)


def _chosen(request: HttpRequest) -> list[str]:
    asked = {name for value in request.GET.getlist("series") for name in value.split(",")}
    return [name for name in LOOKS if name in asked] or list(DEFAULT_SERIES)


def _stored_from(house: House) -> datetime | None:
    extents = [
        house.store.extent(house.site.pk, name) for name in ("interval", "meter_minute", "heat_pump", "meter")
    ]
    known = [extent[0] for extent in extents if extent]
    return datetime.fromtimestamp(min(known), UTC) if known else None


def _range_bar(house: House, shown: Range, names: list[str]) -> RangeBar:
    words = {"day": _("Day"), "week": _("Week"), "month": _("Month"), "year": _("Year")}
    keep = {} if names == list(DEFAULT_SERIES) else {"series": ",".join(names)}
    day = min(shown.day, house.today)

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
        label=_range_label(house, shown),
        earlier=address(shown.earlier),
        later=address(shown.later),
    )


def _range_label(house: House, shown: Range) -> str:
    if shown.kind == "day":
        return formatting.local_date(shown.first, "weekday_date")
    if shown.kind == "month":
        return formatting.local_date(shown.first, "month")
    if shown.kind == "year":
        return formatting.local_date(shown.first, "year")
    if shown.kind == "week":
        iso = shown.first.isocalendar()
        return _("Week %(week)s, %(year)s") % {"week": iso.week, "year": iso.year}
    return f"{house.local(shown.start, 'day_time')} – {house.local(shown.end, 'day_time')}"


def _readout(summary: WindowSummary) -> list[Fact]:
    facts = [
        Fact(name=_("electricity"), value=formatting.with_unit(summary.electrical_energy_kwh, "energy_kwh")),
        Fact(name=_("COP"), value=formatting.with_unit(summary.cop, "cop"), estimated=True),
    ]
    if summary.compressor_starts is not None:
        facts.append(
            Fact(
                name=_("starts"),
                value=formatting.number(summary.compressor_starts),
                note=_("mean run %(duration)s") % {"duration": formatting.duration(summary.mean_run_s)},
            )
        )
    facts.append(
        Fact(
            name=_("outdoor"), value=formatting.with_unit(summary.mean_outside_temperature_c, "temperature_c")
        )
    )
    return facts


def _form_time(house: House, at: datetime) -> str:
    return at.astimezone(house.options.zone).strftime("%Y-%m-%dT%H:%M")


@page
def energy(request: HttpRequest) -> HttpResponseBase:
    """How much electricity, for what, how dear, and the year's forecast."""
    house = this_house()
    if piece(request) == "year":
        context = {"at": house.at, "year": year_card(house), "wide": bool(request.GET.get("wide"))}
        return render(request, "dashboard/_year.html", context)
    error = ""
    try:
        span = parse_span(house, request.GET)
    except RangeInvalid as fault:
        error = _("%(fault)s; this is the present month.") % {"fault": fault_in_words(fault)}
        span = parse_span(house, {})
    if request.GET.get("format") == "csv":
        return energy_csv(house, span, request.GET.get("dialect", ""))
    context = {
        "at": house.at,
        "error": error,
        "energy": energy_context(house, span),
        "year": year_card(house) if request.GET.get("forecast") else None,
    }
    return render(request, "dashboard/energy.html", context)


@page
def efficiency(request: HttpRequest) -> HttpResponseBase:
    """How good it is, by which method, and how it hangs on the weather."""
    house = this_house()
    error = ""
    try:
        kind = range_of(request.GET)
    except RangeInvalid as fault:
        error = _("%(fault)s; these are the last 365 days.") % {"fault": fault_in_words(fault)}
        kind = range_of({})
    if request.GET.get("format") == "csv":
        return days_csv(house, *days_of(house, kind), request.GET.get("dialect", ""))
    context = {"at": house.at, "error": error, "page": efficiency_context(house, kind)}
    return render(request, "dashboard/efficiency.html", context)
