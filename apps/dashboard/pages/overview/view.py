"""``/``: is all well, what does it do now, what did today cost."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.templatetags.static import static
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from apps.changelog import timeline
from apps.dashboard import formatting
from apps.dashboard.charts.looks import DEFAULT_SERIES
from apps.dashboard.pages import page, piece, this_home
from apps.dashboard.pages.panel.lines import last_day, time_panel
from apps.dashboard.pages.season import season_card
from apps.dashboard.settings.setup_steps import Checklist, checklist
from apps.devices.memory import MemoryProgress, hours_open, memory_progress, meter_fault
from apps.metrics.home import Home
from apps.metrics.kept import kept
from apps.metrics.status import current_status

from .first_days import coming, first_shown
from .live import is_set_up, live_context

WORTH_TELLING_H = 6


@login_not_required
@require_safe
def favicon(request: HttpRequest) -> HttpResponse:
    """Serve the icon where browsers look without having read a page."""
    return redirect(static("favicon.svg"))


@page
def overview(request: HttpRequest) -> HttpResponse:
    """Show whether all is well, what the heat pump is doing and what today has cost."""
    home = this_home(request)
    wanted = piece(request)
    if wanted == "day":
        return render(request, "dashboard/_day.html", _day(home, timeline.shown_state(home.site)))
    written = timeline.shown_state(home.site)
    status = current_status(home)
    if not is_set_up(status):
        return render(request, "dashboard/not_set_up.html", {"at": home.at})
    context: dict[str, Any] = {"at": home.at, "live": live_context(home, status, written)}
    context["interval"] = status.interval
    context["memory"] = _memory(home)
    if wanted == "live":
        return render(request, "dashboard/_live_piece.html", context)
    context |= _day(home, written)
    context["entries"] = _latest(home, written, get_language())
    context["season"] = season_card(home)
    context["coming"] = coming(home, get_language())
    context["checklist"] = _checklist(request, home)
    return render(request, "dashboard/overview.html", context)


def _checklist(request: HttpRequest, home: Home) -> Checklist | None:
    """Return what the owner has not set up yet; the demo has nothing to set up."""
    is_owner = not settings.DEMO and request.user.is_superuser
    return checklist(home.options) if is_owner else None


def _memory(home: Home) -> MemoryProgress | None:
    """Return how far the meter's own history is, while that is more than a short outage and it responds."""
    if hours_open(home.site) < WORTH_TELLING_H or meter_fault(home.site) is not None:
        return None
    progress = memory_progress(home.site, home.at, home.options.zone)
    return progress if progress is not None and progress.hours_open >= WORTH_TELLING_H else None


@kept
def _latest(home: Home, written: tuple[Any, ...], language: str | None) -> list[timeline.EntryView]:
    return timeline.entries(home.site, limit=3)


def _day(home: Home, written: tuple[Any, ...]) -> dict[str, Any]:
    start, end = last_day(home)
    begin = first_shown(home, end)
    is_young = begin is not None and begin > start
    start = begin if begin is not None and is_young else start
    panel = time_panel(
        home,
        start,
        end,
        DEFAULT_SERIES,
        panel_id="day-data",
        title=_("From the start") if is_young else _("Last 24 hours"),
        subtitle=_("%(start)s to %(end)s")
        % {
            "start": formatting.at_home(home, start, "datetime"),
            "end": formatting.at_home(home, end, "datetime"),
        },
        written=written,
    )
    return {"at": home.at, "panel": panel}
