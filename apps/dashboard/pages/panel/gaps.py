"""The gaps of a panel in words: when, whose, why, and what becomes of the energy."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from django.utils.translation import gettext as _

from apps.dashboard.charts.lines import ChartSpec
from apps.dashboard.charts.looks import PLOTS, POWER
from apps.dashboard.contexts import GapRow
from apps.devices.memory import meter_fault, searched_until
from apps.devices.models import HistoryGap
from apps.metrics.home import Home
from apps.metrics.totals import lumps_within

from .frame import span_words


def gap_rows(home: Home, spec: ChartSpec) -> list[GapRow]:
    """Return the hatched gaps in words, newest first."""
    rows: dict[tuple[int, int, bool], GapRow] = {}
    unmeasured = [gap for plot in spec.plots for gap in plot.gaps if gap.cause == PLOTS[POWER].cause]
    for plot in spec.plots:
        for gap in plot.gaps:
            meter = gap.cause == PLOTS[POWER].cause
            if not gap.cause or (gap.start, gap.end, meter) in rows:
                continue
            electricity_too = any(one.start < gap.end and gap.start < one.end for one in unmeasured)
            rows[gap.start, gap.end, meter] = GapRow(
                when=span_words(home, gap.start, gap.end),
                source=_("Meter") if meter else _("Heat pump"),
                cause=gap.cause,
                effect=_missing_minutes(home, gap.start, gap.end)
                if meter
                else _missing_heat(home, electricity_too),
                letter=gap.letter,
            )
    return [rows[key] for key in sorted(rows, key=lambda key: -key[0])]


def _missing_heat(home: Home, electricity_too: bool) -> str:
    if home.options.meter_set_up and not electricity_too:
        return _("electricity is still measured, heat is missing")
    return _("heat is missing")


def _missing_minutes(home: Home, start: int, end: int) -> str:
    """Say what becomes of minutes that neither polls nor the meter's memory have filled."""
    if not home.options.meter_set_up:
        return _("electricity is missing")
    first, last = datetime.fromtimestamp(start, UTC), datetime.fromtimestamp(end, UTC)
    hours = HistoryGap.objects.filter(site=home.site, start__gt=first - timedelta(hours=1), start__lt=last)
    states = set(hours.values_list("state", flat=True))
    if HistoryGap.State.OPEN in states:
        if meter_fault(home.site) is not None:
            return _("electricity is missing; it is fetched from the meter's memory once the meter responds")
        return _("being fetched from the meter's memory")
    if lumps_within(home.id, start, end):
        return _("known only as one total for the whole gap")
    searched = searched_until(home.site)
    if HistoryGap.State.LOST not in states and (searched is None or last > searched):
        return _("electricity is missing; the meter's memory has not been searched yet")
    return _("electricity is missing; the meter no longer has it")
