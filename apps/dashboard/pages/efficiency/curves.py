"""The measured flow over the outside temperature, against the heating curve that was set at the time."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.changelog import timeline
from apps.dashboard import formatting
from apps.dashboard.charts.periods import Axis, PointLine, PointSet, ScatterSpec, axis_limits
from apps.dashboard.contexts import ChartBlock, Table, TableRow
from apps.dashboard.pages.links import day_href
from apps.metrics.efficiency import Efficiency, HeatingCurve, heating_curve
from apps.metrics.home import Home

from .charts import BIN_C, bin_head

DailyFlow = tuple[date, float, float]
"""(day, outside, flow): means [°C] of the hours in which the house was heated."""

STYLES = ("dashed", "dotted", "solid")
MOST_CURVES = 6
"""So many numbered curves can be told apart; of more the newest are drawn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SetPeriod:
    """A curve as it was set from ``start`` to ``end``, and the days that lie wholly inside."""

    curve: HeatingCurve
    start: datetime
    end: datetime
    days: Sequence[DailyFlow]


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodWords:
    """``set_words``: what was set, and when if it changed; ``conclusion``: how the flow lay against it.

    ``name``: the number at its curve, empty where there is only one; ``style``: empty where not drawn.
    """

    set_words: str
    conclusion: str
    name: str
    style: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CurveBlock:
    """Measured flow over outside temperature with the curves set for one circuit, where they are known."""

    circuit: str
    chart: ChartBlock
    periods: Sequence[PeriodWords]

    @property
    def not_drawn(self) -> int:
        return sum(not period.style for period in self.periods)

    @property
    def concluded(self) -> bool:
        return any(period.conclusion for period in self.periods)


def curves(home: Home, page: Efficiency) -> list[CurveBlock]:
    """Return one block for each circuit whose curve is known, else one without a curve."""
    days = _daily_flow(home, page)
    start = datetime.fromtimestamp(home.midnight(page.first), home.options.zone)
    end = datetime.fromtimestamp(home.midnight(page.last + timedelta(days=1)), home.options.zone)
    history = timeline.configurations(home.site, start, end)
    circuits = sorted(
        {
            key.split(".")[1]
            for _at, settings in history
            for key in settings
            if key.startswith("circuits.") and ".curve." in key
        }
    )
    blocks = [
        _curve_block(home, circuit, found, days)
        for circuit in circuits
        if (found := set_periods(home, circuit, history, end, days))
    ]
    return blocks or ([_curve_block(home, "", [], days)] if days else [])


def set_periods(
    home: Home,
    circuit: str,
    history: Sequence[tuple[datetime, Mapping[str, Any]]],
    end: datetime,
    days: Sequence[DailyFlow],
) -> list[SetPeriod]:
    """Return the stretches between which the circuit's curve changed, oldest first.

    ``history``: (time, settings), the first in force at the start. A day on which it changed counts for
    neither side.
    """
    changes: list[tuple[datetime, HeatingCurve]] = []
    for at, settings in history:
        curve = heating_curve(circuit, settings)
        if curve is not None and (not changes or changes[-1][1] != curve):
            changes.append((at, curve))
    edges = [*(at for at, _curve in changes), end]
    return [
        SetPeriod(curve=curve, start=begin, end=until, days=_within(home, days, begin, until))
        for (begin, until), (_at, curve) in zip(pairwise(edges), changes, strict=True)
    ]


def _within(home: Home, days: Sequence[DailyFlow], start: datetime, end: datetime) -> list[DailyFlow]:
    begin, until = start.timestamp(), end.timestamp()
    return [
        each
        for each in days
        if begin <= home.midnight(each[0]) and home.midnight(each[0] + timedelta(days=1)) <= until
    ]


def _daily_flow(home: Home, page: Efficiency) -> list[DailyFlow]:
    """Return the daily means of the hours in which the house was heated."""
    hours: dict[date, list[tuple[float, float]]] = defaultdict(list)
    for point in page.flow:
        day = datetime.fromtimestamp(point.at, home.options.zone).date()
        hours[day].append((point.outside_temperature_c, point.flow_temperature_c))
    return [
        (
            day,
            sum(outside for outside, _flow in each) / len(each),
            sum(flow for _outside, flow in each) / len(each),
        )
        for day, each in sorted(hours.items())
    ]


def _curve_block(
    home: Home, circuit: str, periods: Sequence[SetPeriod], days: Sequence[DailyFlow]
) -> CurveBlock:
    low, high = axis_limits([outside for _day, outside, _flow in days], 5.0)
    lines = [
        PointLine(
            label=_period_label(home, period, periods),
            points=[(x, y) for x, y in period.curve.points if low is None or low <= x <= (high or x)],
            style=_style(number, periods),
            name=_name(number, periods),
        )
        for number, period in enumerate(periods)
        if _style(number, periods)
    ]
    drawn = [y for line in lines for _x, y in line.points]
    bottom, top = axis_limits([flow for _day, _outside, flow in days] + drawn, 5.0)
    spec = ScatterSpec(
        x=Axis(unit="°C", minimum=low, maximum=high),
        y=Axis(unit="°C", minimum=bottom, maximum=top),
        sets=[
            PointSet(
                label=_("Measured"),
                colour="s-flow",
                style="dot",
                points=[(round(outside, 2), round(flow, 2), 2.4) for _day, outside, flow in days],
                texts=[_day_text(each) for each in days],
                links=[day_href(day) for day, _outside, _flow in days],
            )
        ],
        lines=[line for line in lines if line.points],
    )
    summary = ngettext(
        "Flow temperature against outdoor temperature on %(count)s day",
        "Flow temperature against outdoor temperature on %(count)s days",
        len(days),
    ) % {"count": formatting.number(len(days))}
    return CurveBlock(
        circuit=circuit,
        chart=ChartBlock(
            id=f"curve-data-{circuit or 'house'}",
            data=spec.data,
            summary=summary,
            table=_flow_table(days),
        ),
        periods=[
            PeriodWords(
                set_words=_set_words(home, period, periods),
                conclusion=_offset_words(home, period, periods),
                name=_name(number, periods),
                style=_style(number, periods),
            )
            for number, period in enumerate(periods)
        ],
    )


def _style(number: int, periods: Sequence[SetPeriod]) -> str:
    """Return the style of a curve: the newest is dashed as ever, older ones differ from it; the oldest of too
    many have none."""
    age = len(periods) - 1 - number
    return STYLES[age % len(STYLES)] if age < MOST_CURVES else ""


def _name(number: int, periods: Sequence[SetPeriod]) -> str:
    return str(number + 1) if len(periods) > 1 else ""


def _day_text(each: DailyFlow) -> str:
    day, outside, flow = each
    return " · ".join(
        (
            formatting.local_date(day),
            formatting.with_unit(outside, "temperature_c"),
            _("flow %(value)s") % {"value": formatting.with_unit(flow, "temperature_c")},
        )
    )


def _period_label(home: Home, period: SetPeriod, periods: Sequence[SetPeriod]) -> str:
    if len(periods) == 1:
        return _("Set curve")
    return _("Set curve from %(day)s") % {"day": _first_day(home, period)}


def _first_day(home: Home, period: SetPeriod) -> str:
    return formatting.local_date(period.start.astimezone(home.options.zone).date())


def curve_offset_k(curve: HeatingCurve, days: Sequence[DailyFlow]) -> float | None:
    """Return the mean of measured minus set [K] over the days on which the curve asks for heat."""
    settings = {
        f"circuits.{curve.circuit}.curve.slope": curve.slope,
        f"circuits.{curve.circuit}.curve.shift": curve.shift,
        f"circuits.{curve.circuit}.target_temperature.normal_c": curve.room_temperature_c,
    }
    cold = [(outside, flow) for _day, outside, flow in days if outside < curve.room_temperature_c]
    asked = heating_curve(curve.circuit, settings, tuple(outside for outside, _flow in cold))
    if asked is None or not cold:
        return None
    return sum(flow - point[1] for (_outside, flow), point in zip(cold, asked.points, strict=True)) / len(
        cold
    )


def _set_words(home: Home, period: SetPeriod, periods: Sequence[SetPeriod]) -> str:
    curve = period.curve
    words = _("slope %(slope)s, shift %(shift)s, room %(room)s") % {
        "slope": formatting.number(curve.slope, 1),
        "shift": formatting.number(curve.shift),
        "room": formatting.with_unit(curve.room_temperature_c, "temperature_c"),
    }
    if len(periods) == 1:
        return _("Set: %(curve)s") % {"curve": words}
    return _("Set from %(day)s: %(curve)s") % {"day": _first_day(home, period), "curve": words}


def _offset_words(home: Home, period: SetPeriod, periods: Sequence[SetPeriod]) -> str:
    offset = curve_offset_k(period.curve, period.days)
    words = _offset(offset)
    if not words or len(periods) == 1:
        return words
    return _("From %(day)s: %(conclusion)s") % {"day": _first_day(home, period), "conclusion": words}


def _offset(offset: float | None) -> str:
    if offset is None:
        return ""
    if abs(offset) < 0.5:
        return _("The measurements match the set curve to within half a kelvin on average")
    difference = formatting.with_unit(abs(offset), "temperature_difference_k")
    if offset < 0:
        return _("The measurements are %(difference)s below the set curve on average") % {
            "difference": difference
        }
    return _("The measurements are %(difference)s above the set curve on average") % {
        "difference": difference
    }


def _flow_table(days: Sequence[DailyFlow]) -> Table:
    bins: dict[int, list[float]] = defaultdict(list)
    for _day, outside, flow in days:
        bins[math.floor(outside / BIN_C)].append(flow)
    return Table(
        name=_("Flow by outdoor temperature"),
        columns=[_("Outdoor °C"), _("Days"), _("Flow °C")],
        rows=[
            TableRow(
                head=bin_head(index),
                cells=[formatting.number(len(flows)), formatting.number(sum(flows) / len(flows), 1)],
            )
            for index, flows in sorted(bins.items())
        ],
    )
