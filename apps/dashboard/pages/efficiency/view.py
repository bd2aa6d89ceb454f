"""``/efficiency``: how good it is, by which method, and how it depends on the weather."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from apps.changelog import timeline
from apps.dashboard.pages import page, this_home
from apps.dashboard.pages.downloads import days_csv
from apps.dashboard.pages.ranges import RangeInvalid
from apps.dashboard.pages.reasons import fault_in_words

from .page import days_of, efficiency_context, range_of


@page
def efficiency(request: HttpRequest) -> HttpResponseBase:
    """Show how efficient the heat pump is, by which method, and how it depends on the weather."""
    home = this_home(request)
    error = ""
    try:
        kind = range_of(request.GET)
    except RangeInvalid as fault:
        error = _("%(fault)s. Showing the last 365 days instead.") % {"fault": fault_in_words(fault)}
        kind = range_of({})
    if request.GET.get("format") == "csv":
        return days_csv(home, *days_of(home, kind), request.GET.get("dialect", ""))
    context = {
        "at": home.at,
        "error": error,
        "page": efficiency_context(home, kind, get_language(), timeline.state(home.site)),
    }
    return render(request, "dashboard/efficiency.html", context, status=400 if error else 200)
