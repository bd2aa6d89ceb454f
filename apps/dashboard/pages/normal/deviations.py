"""A lasting deviation in words: for the page of what is normal, and for its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from django.utils.http import urlencode
from django.utils.translation import gettext as _

from apps.changelog.timeline import EntryView
from apps.dashboard import formatting
from apps.effects.causes import signs_of
from apps.effects.deviations import also_near, likely_causes
from apps.effects.expected import Deviation
from apps.metrics.home import Home

from .signs import POINTS, SignView, sign_view

AROUND = timedelta(days=14)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviationView:
    """A lasting deviation: "+14 % (8 to 21)" since when, the changes near its begin, and what moved with it.
    ``pointing``: the signs that point to a cause; ``entry``: where it stands in the list of changes;
    ``chart``: the query of its chart."""

    text: str
    since: date
    until: date | None
    noticed: date
    kwh: str
    is_more: bool
    causes: Sequence[EntryView]
    near: Sequence[EntryView]
    signs: Sequence[SignView]
    entry: EntryView | None
    chart: str

    @property
    def pointing(self) -> Sequence[SignView]:
        return [sign for sign in self.signs if sign.state == POINTS]


def deviation_view(home: Home, found: Deviation, entry: EntryView | None = None) -> DeviationView:
    """Return a deviation in words, with the ``entry`` that it leads to."""
    return DeviationView(
        text=_("%(percent)s (%(low)s to %(high)s)")
        % {
            "percent": formatting.signed_percent(found.percent),
            "low": formatting.signed_percent(found.low_percent),
            "high": formatting.signed_percent(found.high_percent),
        },
        since=found.since,
        until=found.until,
        noticed=found.noticed,
        kwh=formatting.with_unit(abs(found.kwh_per_day), "energy_kwh"),
        is_more=found.percent > 0,
        causes=likely_causes(home, found),
        near=also_near(home, found),
        signs=[sign_view(sign) for sign in signs_of(home, found)],
        entry=entry,
        chart=_chart(home, found),
    )


def _chart(home: Home, found: Deviation) -> str:
    """Return the days of the chart: the deviation with a fortnight on both sides."""
    last = min((found.until or home.today) + AROUND, home.today - timedelta(days=1))
    return urlencode({"from": (found.since - AROUND).isoformat(), "to": last.isoformat()})
