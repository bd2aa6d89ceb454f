"""The efficiency page: how efficient, by which method, and how it depends on the weather."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from apps.dashboard import formatting
from apps.dashboard.contexts import ChartBlock, Fact, RangeBar, RangeLink, Table, ValueCard
from apps.dashboard.pages.quick import (
    MONTH,
    SEASON,
    SEASON_FIRST_MONTH,
    SEASON_LAST_DAY,
    SEASON_LAST_MONTH,
    WEEK,
    quick_ranges,
)
from apps.dashboard.pages.ranges import RangeInvalid
from apps.dashboard.pages.reasons import quick_label
from apps.dashboard.pages.season import heat_sentence, jaz_card, jaz_from, jaz_range, measured_year
from apps.metrics.cycles import SHORT_CYCLE_DAYS
from apps.metrics.efficiency import Efficiency, efficiency
from apps.metrics.home import Home
from apps.metrics.jaz import Jaz, jaz
from apps.metrics.kept import kept
from apps.metrics.totals import totals, window
from apps.metrics.windows import day_edges

from . import charts
from .curves import CurveBlock, curves

RANGES = ("month", "season", "365", "all")
LONGEST_DAYS = 3660
LEAST_KNOWN_S = 20 * 3600  # of a day, as of its outdoor temperature


@dataclass(frozen=True, slots=True, kw_only=True)
class EfficiencyContext:
    """Everything on the efficiency page. ``agree``: A and B lie within a quarter of each other; None where
    there is only one."""

    at: datetime
    first: date
    last: date
    days: str
    bar: RangeBar
    jaz: ValueCard
    jaz_range: str
    sentence: str
    disagree: bool
    facts: Sequence[Fact]
    boundary: str
    methods: ChartBlock | None
    methods_table: Table
    agree: bool | None
    cop: ChartBlock
    has_hollow: bool
    curves: Sequence[CurveBlock]
    starts: Table
    short_cycling: bool
    cycling_known: bool
    csv: str
    method_version: int
    flow_rate: str


@kept
def efficiency_context(
    home: Home, kind: str, language: str | None, entries: tuple[Any, ...]
) -> EfficiencyContext:
    """Return the page for one of RANGES, in ``language``, which is in force.

    ``entries``: the state of the timeline, which the curves rest on.
    """
    first, last = days_of(home, kind)
    found = jaz(home, first, last)
    page = efficiency(home, first, last)
    modulation = _modulation_cop(home, found)
    rate = home.options.estimated_flow_rate
    return EfficiencyContext(
        at=home.at,
        first=first,
        last=last,
        days=formatting.date_range(first, last),
        bar=_bar(home, kind),
        jaz=jaz_card(found, jaz_from(home) if kind == "365" else None),
        jaz_range=jaz_range(found),
        sentence=heat_sentence(found),
        disagree=found.disagree,
        facts=_facts(found, page),
        boundary=boundary_in_words(home.options.metered, found.boundary),
        methods=None if found.energy_kwh is None else charts.methods(found, modulation),
        methods_table=_methods_table(home, found, modulation),
        agree=_agree(modulation, found.jaz_delta_t, found.disagree),
        cop=charts.cop_over_outside(page),
        has_hollow=any(not day.cop_is_valid for day in page.days if charts.is_shown(day)),
        curves=curves(home, page),
        starts=charts.starts_table(home, page),
        short_cycling=page.short_cycling,
        cycling_known=_is_cycling_known(home),
        csv="?" + urlencode({"range": kind, "format": "csv"}),
        method_version=found.method_version,
        flow_rate=formatting.with_unit(rate, "flow_m3_h") if rate is not None else "",
    )


def range_of(query: Mapping[str, str]) -> str:
    """Return the range in the address; by default 365 days. Raises RangeInvalid."""
    kind = query.get("range") or "365"
    if kind not in (*RANGES, WEEK, MONTH, SEASON):
        raise RangeInvalid("range", kind)
    return kind


def days_of(home: Home, kind: str) -> tuple[date, date]:
    """Return the local days of the range; today is left out unless the range has no other day."""
    yesterday = home.today - timedelta(days=1)
    oldest = home.first_day() or home.today
    named = next((each for each in quick_ranges(home.today, date.min) if each.kind == kind), None)
    if named is not None:
        return named.first, named.last
    if kind == "month":
        first = home.today.replace(day=1)
        return first, max(first, yesterday)
    if kind == "season":
        in_season = home.today.month >= SEASON_FIRST_MONTH
        first = date(home.today.year - (0 if in_season else 1), SEASON_FIRST_MONTH, 1)
        end = date(first.year + 1, SEASON_LAST_MONTH, SEASON_LAST_DAY)
        return first, max(first, min(yesterday, end))
    if kind == "all":
        first = max(oldest, yesterday - timedelta(days=LONGEST_DAYS))
        return min(first, yesterday), yesterday
    return measured_year(home)


def _bar(home: Home, kind: str) -> RangeBar:
    words = {
        "month": _("Month"),
        "season": _("Heating season"),
        "365": _("365 days"),
        "all": pgettext("range", "All"),
    }
    links = [RangeLink(label=words[each], href=f"?range={each}", current=each == kind) for each in RANGES]
    quick = [
        RangeLink(label=quick_label(each.kind), href=f"?range={each.kind}", current=each.kind == kind)
        for each in quick_ranges(home.today, home.first_day())
    ]
    return RangeBar(links=links, label="", earlier="", later="", quick=quick)


def _modulation_cop(home: Home, found: Jaz) -> float | None:
    """Return the COP by method A, which ``found`` leaves out where the methods disagree."""
    if found.jaz is not None:
        return found.jaz
    if not found.disagree:
        return None
    return window(home, home.midnight(found.first), home.midnight(found.last + timedelta(days=1))).cop


def _is_cycling_known(home: Home) -> bool:
    """Return whether the compressor's state is known for most of each of the last three whole days."""
    edges = day_edges(
        home.today - timedelta(days=SHORT_CYCLE_DAYS), home.today - timedelta(days=1), home.options.zone
    )
    days = totals(home, edges, ("electrical_energy_wh", "compressor_known_s"))
    return all(day.seconds("compressor_known_s") >= LEAST_KNOWN_S for day in days)


def _agree(modulation: float | None, delta_t: float | None, disagree: bool) -> bool | None:
    if modulation is None or delta_t is None:
        return None
    return not disagree


def boundary_in_words(metered: Sequence[str], boundary: str) -> str:
    """Name the boundary and what it covers, as in H4: compressor, source pump, heating rod, heating pumps."""
    words = {
        "compressor": _("compressor"),
        "source_pump": _("source pump"),
        "heating_rod": _("heating rod"),
        "heating_pumps": _("heating pumps"),
    }
    return f"{boundary}: {', '.join(words[part] for part in words if part in metered)}"


def _facts(found: Jaz, page: Efficiency) -> list[Fact]:
    facts = [
        Fact(name=_("Space heating"), value=formatting.with_unit(found.jaz_heating, "jaz")),
        Fact(name=_("Hot water"), value=formatting.with_unit(found.jaz_dhw, "jaz")),
        Fact(name=_("While running, excluding standby"), value=formatting.with_unit(page.running_cop, "jaz")),
        Fact(
            name=_("Share of the Carnot limit"),
            value=formatting.with_unit(page.percent_of_carnot, "percent"),
        ),
        Fact(
            name=_("Heat-weighted flow temperature"),
            value=formatting.with_unit(page.heat_weighted_flow_c, "temperature_c"),
        ),
    ]
    for name, cop in sorted(found.cops_by_boundary.items()):
        if len(found.cops_by_boundary) > 1:
            facts.append(
                Fact(name=_("Boundary %(name)s") % {"name": name}, value=formatting.with_unit(cop, "jaz"))
            )
    return facts


def _methods_table(home: Home, found: Jaz, modulation: float | None) -> Table:
    rate = home.options.estimated_flow_rate
    by_flow = (
        _("%(rate)s × (flow − return)") % {"rate": formatting.with_unit(rate, "flow_m3_h")}
        if rate is not None
        else _("needs the flow rate; see Settings")
    )
    return charts.methods_table(
        [
            (_("A modulation"), _("rated power × modulation × run time"), modulation),
            (_("B delta T"), by_flow, found.jaz_delta_t),
            (_("C device"), _("the heat pump's own counter, over its lifetime"), found.device_cop_total),
        ]
    )
