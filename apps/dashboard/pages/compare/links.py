"""Where a comparison at equal weather can answer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from django.utils.http import urlencode
from django.utils.translation import gettext as _

from apps.effects.comparing import comparable
from apps.effects.fortnights import Window
from apps.metrics.home import Home


@dataclass(frozen=True, slots=True, kw_only=True)
class CompareLink:
    """``query``: both periods; ``text`` says where they are longer than what was asked."""

    query: str
    text: str


def compare_link(home: Home, first: date, last: date) -> CompareLink | None:
    """Return the comparison nearest to ``first`` to ``last`` that may have an answer; None without one."""
    found = comparable(Window(first=first, last=last), home.first_day(), home.today)
    if found is None:
        return None
    a, b = found
    asked = {"a_from": a.first, "a_to": a.last, "b_from": b.first, "b_to": b.last}
    is_wider = b.first < first
    return CompareLink(
        query=urlencode({name: day.isoformat() for name, day in asked.items()}),
        text=_("Compare four weeks at equal weather") if is_wider else _("Compare at equal weather"),
    )
