"""``/report``: a year on two sheets of A4, for the installer."""

from __future__ import annotations

from datetime import date, timedelta

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from apps.changelog import timeline
from apps.dashboard.contexts import RangeLink
from apps.dashboard.pages import page, this_home
from apps.metrics.home import Home

from .sheets import report_context

ROLLING = "12-months"


@page
def report(request: HttpRequest) -> HttpResponse:
    """Show a year as it prints on two sheets: JAZ, months, starts, curve, changes with their verdicts."""
    home = this_home(request)
    periods = periods_of(home)
    asked = request.GET.get("period") or ROLLING
    error = ""
    if asked not in periods:
        error = _("“%(value)s” is not a valid range. Showing the last twelve months instead.") % {
            "value": asked
        }
        asked = ROLLING
    first, last = periods[asked]
    has_day = (home.first_day() or home.today) < home.today
    context = {
        "at": home.at,
        "error": error,
        "periods": [RangeLink(label=_label(name), href=name, current=name == asked) for name in periods],
        "with_notes": "period" not in request.GET or bool(request.GET.get("notes")),
        "with_costs": bool(request.GET.get("costs")),
        "is_demo": settings.DEMO,
        "report": report_context(home, first, last, get_language(), timeline.shown_state(home.site))
        if has_day
        else None,
    }
    return render(request, "dashboard/report.html", context, status=400 if error else 200)


def periods_of(home: Home) -> dict[str, tuple[date, date]]:
    """Return the years that can be reported: the last twelve whole months, and each calendar year that is
    over."""
    yesterday = home.today - timedelta(days=1)
    oldest = min(home.first_day() or yesterday, yesterday)
    this_month = home.today.replace(day=1)
    rolling = max(this_month.replace(year=this_month.year - 1), oldest)
    last = this_month - timedelta(days=1)
    found = {ROLLING: (rolling, last) if rolling <= last else (oldest, yesterday)}
    for year in range(home.today.year - 1, oldest.year - 1, -1):
        found[str(year)] = max(date(year, 1, 1), oldest), date(year, 12, 31)
    return found


def _label(name: str) -> str:
    return _("Last twelve months") if name == ROLLING else _("Year %(year)s") % {"year": name}
