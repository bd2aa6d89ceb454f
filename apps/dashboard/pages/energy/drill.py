"""Where a bar of the energy page leads, and what its box says beside the uses."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlencode

from django.urls import get_script_prefix
from django.utils.translation import gettext as _

from apps.dashboard import formatting
from apps.dashboard.contexts import Fact
from apps.dashboard.pages.links import day_href, history_href
from apps.metrics.home import Home
from apps.metrics.periods import EnergyRow

from .span import Span

FINER = {"year": "month", "month": "day"}


def bar_href(home: Home, span: Span, row: EnergyRow) -> str:
    """Return the months of a year, the days of a month, the history of a week or day."""
    first = row.start.astimezone(home.options.zone).date()
    if span.period == "day":
        return day_href(first)
    if span.period == "week":
        return history_href("week", first)
    query = urlencode({"period": FINER[span.period], "date": first.isoformat()})
    return f"{get_script_prefix()}energy?{query}"


def highest_day(home: Home, span: Span, rows: Sequence[EnergyRow]) -> list[Fact]:
    """Return the day that used most, with the way to its history; empty unless the bars are several days."""
    known = [(row.electrical_energy_kwh, row) for row in rows if row.electrical_energy_kwh is not None]
    if span.period != "day" or len(known) < 2:
        return []
    energy_kwh, row = max(known, key=lambda each: each[0])
    day = row.start.astimezone(home.options.zone).date()
    return [
        Fact(
            name=_("on %(day)s, the highest day") % {"day": formatting.day_of(home, day, "weekday_day")},
            value=formatting.with_unit(energy_kwh, "energy_kwh"),
            href=day_href(day),
        )
    ]


def bar_facts(home: Home, row: EnergyRow) -> list[tuple[str, str]]:
    """Return names and values in words, without what is not known."""
    known = [
        (_("Cost"), None if row.cost is None else formatting.money(row.cost, home.options.currency)),
        (_("COP (estimated)"), None if row.cop is None else formatting.with_unit(row.cop, "cop")),
        (_("Starts"), None if row.compressor_starts is None else formatting.number(row.compressor_starts)),
        (
            _("Outdoor"),
            None
            if row.mean_outside_temperature_c is None
            else formatting.with_unit(row.mean_outside_temperature_c, "temperature_c"),
        ),
    ]
    return [(name, value) for name, value in known if value is not None]
