"""The charts of a change: both intervals on one axis, and the days over outside temperature."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from apps.dashboard import formatting
from apps.dashboard.charts.periods import (
    Axis,
    Interval,
    PointLine,
    PointSet,
    ScatterSpec,
    axis_limits,
    intervals,
)
from apps.dashboard.contexts import ChartBlock
from apps.dashboard.pages.links import day_href
from apps.effects.estimator import Estimate
from apps.effects.lines import Lines, efficiency_lines, energy_lines
from apps.effects.samples import EffectDay, samples
from apps.effects.targets import TOTAL
from apps.effects.verdicts import Verdict

RADIUS = 5.0


def interval_chart(found: Verdict) -> ChartBlock | None:
    """Draw what the pump and the bill need at equal weather; further left is better in both."""
    pump, bill = less_electricity(found.efficiency), found.electricity
    rows = []
    if pump is not None:
        rows.append(_row(_("The heat pump"), pump, "s-heat"))
    if bill is not None:
        rows.append(_row(_("The bill"), bill, "s-power"))
    if bill is not None and found.null_percent is not None:
        rows.append(
            Interval(
                label=_("without any change"),
                middle=None,
                low=-found.null_percent,
                high=found.null_percent,
                colour="text-2",
            )
        )
    return _signed("effect-data", rows)


def signed_intervals(name: str, rows: Sequence[tuple[str, Estimate, str]]) -> ChartBlock | None:
    """Draw estimates (label, estimate, colour) on one axis around zero; None without any."""
    return _signed(name, [_row(*row) for row in rows])


def _signed(name: str, rows: Sequence[Interval]) -> ChartBlock | None:
    spec = intervals(rows, "%", 0, 5.0)
    if spec is None:
        return None
    signed = replace(spec, minimum=min(spec.minimum, -5.0), maximum=max(spec.maximum, 5.0), signed=True)
    said = "; ".join(
        f"{row.label}: {formatting.signed_percent(row.low)} – {formatting.signed_percent(row.high)}"
        for row in rows
    )
    return ChartBlock(id=name, data=signed.data, summary=said)


def less_electricity(efficiency: Estimate | None) -> Estimate | None:
    """Return more heat per kWh as less electricity for the same heat."""
    if efficiency is None:
        return None

    def less(percent: float) -> float:
        return 100.0 * (1.0 / (1.0 + percent / 100.0) - 1.0)

    return Estimate(
        percent=less(efficiency.percent),
        low_percent=less(efficiency.high_percent),
        high_percent=less(efficiency.low_percent),
    )


def _row(label: str, found: Estimate, colour: str) -> Interval:
    return Interval(
        label=label, middle=found.percent, low=found.low_percent, high=found.high_percent, colour=colour
    )


def bill_chart(found: Verdict, before: Sequence[EffectDay], after: Sequence[EffectDay]) -> ChartBlock | None:
    """Draw the electricity of each day over its outside temperature."""
    return _energy_cloud("bill-data", before, after, found.target, found.electricity)


def pump_chart(found: Verdict, before: Sequence[EffectDay], after: Sequence[EffectDay]) -> ChartBlock | None:
    """Draw the heat per kWh of each day, corrected for the flow temperature."""
    if found.efficiency is None:
        return None
    old, new = (
        [(day, math.exp(day.efficiency)) for day in side if day.efficiency is not None]
        for side in (before, after)
    )
    if not old or not new:
        return None
    lines = efficiency_lines(before, after, found.efficiency.percent)
    return _cloud("pump-data", old, new, lines, "", 2)


def periods_chart(
    names: tuple[str, str],
    first: Sequence[EffectDay],
    second: Sequence[EffectDay],
    difference: Estimate | None,
) -> ChartBlock | None:
    """Draw the electricity of each day of two periods called ``names``."""
    return _energy_cloud("periods-data", first, second, TOTAL, difference, names)


def _energy_cloud(
    name: str,
    first: Sequence[EffectDay],
    second: Sequence[EffectDay],
    target: str,
    found: Estimate | None,
    names: tuple[str, str] | None = None,
) -> ChartBlock | None:
    """Draw the electricity of each day, with both lines where the difference is known."""
    before, after = samples(first, second, target)
    if not before or not after:
        return None
    kwh = None if found is None else found.kwh_per_day
    old, new = (
        [(day, value) for day in side if (value := day.value(target)) is not None] for side in (first, second)
    )
    lines = None if kwh is None else energy_lines([*before, *after], kwh)
    return _cloud(name, old, new, lines, "kWh", 1, names)


def _cloud(
    name: str,
    old: Sequence[tuple[EffectDay, float]],
    new: Sequence[tuple[EffectDay, float]],
    lines: Lines | None,
    unit: str,
    decimals: int,
    names: tuple[str, str] | None = None,
) -> ChartBlock:
    first, second = names or (pgettext("effect", "before"), pgettext("effect", "after"))
    outside = [day.outside_c or 0.0 for day, _value in (*old, *new)]
    low, high = axis_limits(outside, 2.0)
    bottom, top = axis_limits([value for _day, value in (*old, *new)], 5.0 if unit else 0.5)
    spec = ScatterSpec(
        x=Axis(unit="°C", minimum=low, maximum=high),
        y=Axis(unit=unit, minimum=bottom, maximum=top),
        sets=[
            _set(first, "text-2", "hollow", old, unit, decimals),
            _set(second, "accent", "dot", new, unit, decimals),
        ],
        lines=[]
        if lines is None
        else [
            PointLine(label=first, points=lines.before, colour="text-2"),
            PointLine(label=second, points=lines.after, colour="accent", style="solid"),
        ],
    )
    summary = _("%(first)s: %(old)s days, %(second)s: %(new)s days") % {
        "first": first,
        "second": second,
        "old": formatting.number(len(old)),
        "new": formatting.number(len(new)),
    }
    return ChartBlock(id=name, data=spec.data, summary=summary)


def _set(
    label: str, colour: str, style: str, days: Sequence[tuple[EffectDay, float]], unit: str, decimals: int
) -> PointSet:
    return PointSet(
        label=label,
        colour=colour,
        style=style,
        points=[(round(day.outside_c or 0.0, 2), round(value, 3), RADIUS) for day, value in days],
        texts=[
            " · ".join(
                (
                    formatting.local_date(day.day),
                    formatting.with_unit(day.outside_c, "temperature_c"),
                    f"{formatting.number(value, decimals)} {unit}".strip(),
                )
            )
            for day, value in days
        ],
        links=[day_href(day.day) for day, _value in days],
    )
