"""A range against the one a year before, in words."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.dashboard import formatting
from apps.metrics.comparison import Comparison, against_year_before
from apps.metrics.home import Home
from apps.metrics.periods import EnergyRow

from .span import Span, axis_label, before_label

MOST_STRETCHES = 3


def comparison_words(
    home: Home, span: Span, rows: Sequence[EnergyRow], before: Sequence[EnergyRow | None]
) -> str:
    """Say how bars compare, as in days 1–22: +8 % compared with November 2025, 1.8 K colder. Empty where
    nothing can be compared."""
    found = against_year_before(rows, before, home.at)
    if found is None:
        return ""
    compared = _compared(found, before_label(span))
    if found.is_whole:
        return compared
    bars = _named(home, span, rows, found.numbers)
    return _("%(bars)s: %(compared)s") % {"bars": bars, "compared": compared}


def _named(home: Home, span: Span, rows: Sequence[EnergyRow], numbers: Sequence[int]) -> str:
    """Name the bars of ``numbers`` (rising), neighbours joined: days 1–12, 14–22."""
    stretches: list[list[int]] = []
    for number in numbers:
        if stretches and stretches[-1][1] == number - 1:
            stretches[-1][1] = number
        else:
            stretches.append([number, number])
    count = len(numbers)
    if len(stretches) > MOST_STRETCHES:
        return {
            "day": ngettext("%(n)s day known in both years", "%(n)s days known in both years", count),
            "week": ngettext("%(n)s week known in both years", "%(n)s weeks known in both years", count),
            "month": ngettext("%(n)s month known in both years", "%(n)s months known in both years", count),
        }[span.period] % {"n": formatting.number(count)}
    listed = ", ".join(
        "–".join(axis_label(span, rows[number], home) for number in sorted(set(stretch)))
        for stretch in stretches
    )
    if span.period == "day":
        return ngettext("day %(days)s", "days %(days)s", count) % {"days": listed}
    if span.period == "week":
        return ngettext("week %(weeks)s", "weeks %(weeks)s", count) % {"weeks": listed}
    return listed


def _compared(found: Comparison, before: str) -> str:
    words = (
        _("%(percent)s compared with %(before)s")
        % {"percent": formatting.signed_percent(found.percent), "before": before}
        if abs(found.percent) >= 0.5
        else _("same as in %(before)s") % {"before": before}
    )
    if found.colder_k is None or abs(found.colder_k) < 0.05:
        return words
    difference = formatting.with_unit(abs(found.colder_k), "temperature_difference_k")
    weather = _("%(difference)s colder") if found.colder_k > 0 else _("%(difference)s warmer")
    return f"{words}, {weather % {'difference': difference}}"
