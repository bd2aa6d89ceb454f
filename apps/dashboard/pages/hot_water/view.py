"""``/hot-water``: when the tank was last heated, how often, and with how much."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from apps.changelog import timeline
from apps.dashboard import formatting
from apps.dashboard.contexts import Fact, RangeBar, RangeLink
from apps.dashboard.pages import page, this_home
from apps.dashboard.pages.overview.live import is_of_now
from apps.dashboard.pages.quick import quick_ranges
from apps.dashboard.pages.ranges import RangeInvalid, parse_days
from apps.dashboard.pages.reasons import fault_in_words, quick_label
from apps.devices.configuration import WEEKDAYS
from apps.metrics.home import Home
from apps.metrics.hot_water import LONGEST_DAYS
from apps.metrics.kept import kept
from apps.metrics.status import HeatPumpStatus, current_status

from .page import hot_water_context

DAYS = (7, 30, 90)
DEFAULT_DAYS = 30


@page
def hot_water(request: HttpRequest) -> HttpResponse:
    """Show when the tank was last heated, how often, and with how much electricity."""
    home = this_home(request)
    error = ""
    try:
        first, last = days_of(home, request.GET)
    except RangeInvalid as fault:
        error = _("%(fault)s. Showing the last 30 days instead.") % {"fault": fault_in_words(fault)}
        first, last = days_of(home, {})
    pump = current_status(home).heat_pump
    context = {
        "at": home.at,
        "error": error,
        "bar": _bar(home, first, last, "" if error else request.GET.get("days", "")),
        "water": hot_water_context(home, first, last, get_language()),
        "now": _now(home, pump),
        "answers": pump.measured_at is not None,
    }
    return render(request, "dashboard/hot_water.html", context, status=400 if error else 200)


def days_of(home: Home, query: Mapping[str, str]) -> tuple[date, date]:
    """Return the local days that the address asks for: ``days`` up to today, or ``from`` and ``to``. Raises
    RangeInvalid."""
    if query.get("from") or query.get("to"):
        longest = timedelta(days=LONGEST_DAYS - 1)
        first, last = parse_days(query, today=home.today, longest=longest)
        return first, min(last, home.today)
    text = query.get("days") or str(DEFAULT_DAYS)
    if text not in {str(days) for days in DAYS}:
        raise RangeInvalid("days", text)
    first = home.today - timedelta(days=int(text) - 1)
    return max(first, min(home.first_day() or first, home.today)), home.today


def _bar(home: Home, first: date, last: date, asked: str) -> RangeBar:
    shown = next((days for days in DAYS if str(days) == asked), DEFAULT_DAYS)
    is_shown = (first, last) == days_of(home, {"days": str(shown)})
    return RangeBar(
        links=[
            RangeLink(
                label=_("%(n)s days") % {"n": formatting.number(days)},
                href=f"?days={days}",
                current=is_shown and days == shown,
            )
            for days in DAYS
        ],
        label="",
        earlier="",
        later="",
        quick=[
            RangeLink(
                label=quick_label(each.kind),
                href=f"?from={each.first.isoformat()}&to={each.last.isoformat()}",
                current=(first, last) == (each.first, each.last),
            )
            for each in quick_ranges(home.today, home.first_day())
        ],
    )


def _now(home: Home, pump: HeatPumpStatus) -> list[Fact]:
    """Return what the tank does now and what is set for it; what is not known is left out."""
    settings = _settings(home, timeline.state(home.site))
    facts = []
    if pump.dhw_storage_temperature_c is not None and pump.measured_at is not None:
        facts.append(
            Fact(
                name=_("In the tank"),
                value=formatting.with_unit(pump.dhw_storage_temperature_c, "temperature_c"),
                note="" if is_of_now(pump) else formatting.moment(home, pump.measured_at),
            )
        )
    facts += _target(settings.get("dhw.target_temperature_c"), settings.get("dhw.hysteresis_k"))
    times = _times(settings.get("dhw.schedule"), home.today)
    if times:
        facts.append(Fact(name=_("Hot-water times today"), value=times))
    state = ""
    if is_of_now(pump) and pump.circulation_pump_active is not None:
        state = _("on now") if pump.circulation_pump_active else _("off now")
    times = _times(settings.get("circulation.schedule"), home.today)
    if times or state:
        facts.append(
            Fact(name=_("Circulation pump today"), value=times or state, note=state if times else "")
        )
    return facts


def _target(target_c: object, hysteresis_k: object) -> list[Fact]:
    if not isinstance(target_c, int | float):
        return []
    target = formatting.with_unit(target_c, "temperature_c")
    if not isinstance(hysteresis_k, int | float):
        return [Fact(name=_("Target"), value=target)]
    below = formatting.with_unit(target_c - hysteresis_k, "temperature_c")
    return [Fact(name=_("Target, reheats below"), value=f"{target}, {below}")]


@kept
def _settings(home: Home, written: tuple[Any, ...]) -> Mapping[str, Any]:
    return timeline.configuration_at(home.site, home.at)


def _times(schedule: object, day: date) -> str:
    """Return the times of a weekly schedule on ``day``; empty where none are known."""
    if not isinstance(schedule, Mapping):
        return ""
    entries = schedule.get(WEEKDAYS[day.weekday()])
    if entries is None:
        return ""
    slots = [f"{entry['start']}–{entry['end']}" for entry in entries if entry.get("mode") != "off"]
    return ", ".join(slots) or _("none")
