"""``/energy``: how much electricity, what it was used for, what it cost, and the year's forecast."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from apps.dashboard.pages import page, piece, this_home
from apps.dashboard.pages.compare.links import compare_link
from apps.dashboard.pages.downloads import energy_csv
from apps.dashboard.pages.ranges import RangeInvalid
from apps.dashboard.pages.reasons import fault_in_words
from apps.dashboard.pages.season import year_card

from .cards import energy_context
from .marks import marked
from .span import parse_span


@page
def energy(request: HttpRequest) -> HttpResponseBase:
    """Show how much electricity was used, for what and at what cost, and the year's forecast."""
    home = this_home(request)
    if piece(request) == "year":
        context = {"at": home.at, "year": year_card(home), "wide": bool(request.GET.get("wide"))}
        return render(request, "dashboard/_year.html", context)
    error = ""
    try:
        span = parse_span(home, request.GET)
    except RangeInvalid as fault:
        error = _("%(fault)s. Showing the current month instead.") % {"fault": fault_in_words(fault)}
        span = parse_span(home, {})
    if request.GET.get("format") == "csv":
        return energy_csv(home, span, request.GET.get("dialect", ""))
    found = marked(home, energy_context(home, span, get_language()))
    shown = found.page
    context = {
        "at": home.at,
        "error": error,
        "energy": shown,
        "markers": found.markers,
        "more_markers": found.more,
        "compare": compare_link(home, span.first, span.last) if span.period != "year" else None,
        "alone": shown.sums is None and bool(shown.tariffs.rows),
        "year": year_card(home) if request.GET.get("forecast") else None,
    }
    return render(request, "dashboard/energy.html", context, status=400 if error else 200)
