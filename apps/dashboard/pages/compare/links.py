"""Where a comparison at equal weather can answer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from django.utils.http import urlencode
from django.utils.translation import gettext as _

from apps.dashboard.formatting import date_range
from apps.effects.comparing import comparable, year_before
from apps.effects.fortnights import Window
from apps.metrics.home import Home


@dataclass(frozen=True, slots=True, kw_only=True)
class CompareLink:
    """``query``: both periods; ``text`` says where they are longer than what was asked, and with what it is
    compared if not with the year before."""

    query: str
    text: str


def compare_link(home: Home, first: date, last: date) -> CompareLink | None:
    """Return the comparison nearest to ``first`` to ``last`` that may have an answer; None without one."""
    found = comparable(Window(first=first, last=last), home.first_day(), home.today)
    if found is None:
        return None
    a, b = found
    asked = {"a_from": a.first, "a_to": a.last, "b_from": b.first, "b_to": b.last}
    text = _("Compare four weeks at equal weather") if b.first < first else _("Compare at equal weather")
    if a != year_before(b):
        text = _("%(compare)s with %(days)s") % {"compare": text, "days": date_range(a.first, a.last)}
    return CompareLink(
        query=urlencode({name: day.isoformat() for name, day in asked.items()}),
        text=text,
    )
