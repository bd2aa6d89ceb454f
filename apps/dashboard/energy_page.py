"""The energy page: how much, for what, how dear, and against the year before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlencode

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.metrics.periods import EnergyRow
from apps.metrics.windows import local_midnight

from . import energy_bars, formatting
from .contexts import ChartBlock, RangeBar, Table, ValueCard
from .energy_bars import LegendPart, known_tariffs, total_of
from .energy_span import Span, before_label, is_partial, is_whole, range_bar, year_before
from .live import House
from .window_summary import WindowSummary

MOST_STRETCHES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """This range against the same one a year before, over the bars that are finished and whole in both.
    ``bars`` names them; empty where they are the whole range in both years."""

    bars: str
    percent: float
    label: str
    colder_k: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EnergyContext:
    """Everything on the energy page."""

    at: datetime
    span: Span
    bar: RangeBar
    subtitle: str
    cards: Sequence[ValueCard]
    title: str
    bars_subtitle: str
    legend: Sequence[LegendPart]
    compare_label: str
    has_partial: bool
    bars: ChartBlock
    sums: ChartBlock | None
    sum_legend: Sequence[LegendPart]
    tariffs: Table
    csv: str
    rows: Sequence[EnergyRow]


def energy_context(house: House, span: Span) -> EnergyContext:
    """The page for the bars of ``span``."""
    rows = house.rows(span.period, span.first, span.last)
    before = year_before(house, span)
    window = house.summary(
        int(local_midnight(span.first, house.options.zone).timestamp()),
        int(local_midnight(span.last + timedelta(days=1), house.options.zone).timestamp()),
    )
    cost = energy_bars.cost_of(house, span)
    is_incomplete = window.at_least or window.is_partial
    compare_label = before_label(span) if before else ""
    counting = window.electrical_energy_kwh is not None and any(row.end > house.at for row in rows)
    return EnergyContext(
        at=house.at,
        span=span,
        bar=range_bar(house, span),
        subtitle=_("Counted until %(time)s.") % {"time": house.local(house.at)} if counting else "",
        cards=_cards(house, span, rows, before, window, cost),
        title=energy_bars.title_of(span.period),
        bars_subtitle=energy_bars.subtitle_of(span.period, bool(before)),
        legend=energy_bars.legend(rows, window.electrical_energy_kwh),
        compare_label=compare_label,
        has_partial=any(is_partial(house, row) for row in rows),
        bars=energy_bars.bars(house, span, rows, before, compare_label, cost),
        sums=energy_bars.sums(house, span, rows, before) if span.period != "year" else None,
        sum_legend=energy_bars.sum_legend(house, span, before, cost, is_incomplete),
        tariffs=energy_bars.tariff_table(house),
        csv="?" + urlencode({"period": span.period, "date": span.first.isoformat(), "format": "csv"}),
        rows=rows,
    )


def comparison(
    house: House, span: Span, rows: Sequence[EnergyRow], before: Sequence[EnergyRow | None]
) -> Comparison | None:
    """None unless at least one finished bar is wholly known in both years."""
    numbers = [
        number
        for number, (now, then) in enumerate(zip(rows, before, strict=False))
        if then is not None and now.end <= house.at and is_whole(now) and is_whole(then)
    ]
    pairs = [(rows[number], then) for number in numbers if (then := before[number]) is not None]
    energy = sum(now.electrical_energy_kwh or 0.0 for now, _then in pairs)
    earlier = sum(then.electrical_energy_kwh or 0.0 for _now, then in pairs)
    if not pairs or not earlier:
        return None
    weather = [
        ((now.end - now.start).days, now.mean_outside_temperature_c - then.mean_outside_temperature_c)
        for now, then in pairs
        if now.mean_outside_temperature_c is not None and then.mean_outside_temperature_c is not None
    ]
    days = sum(weight for weight, _difference in weather)
    colder = -sum(weight * difference for weight, difference in weather) / days if days else None
    return Comparison(
        bars="" if len(pairs) == len(rows) == len(before) else _named(house, span, rows, numbers),
        percent=100 * (energy / earlier - 1),
        label=before_label(span),
        colder_k=colder,
    )


def _named(house: House, span: Span, rows: Sequence[EnergyRow], numbers: Sequence[int]) -> str:
    """Days 1–12, 14–22: the bars of ``numbers`` (rising), neighbours joined."""
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
    label = energy_bars.axis_label
    listed = ", ".join(
        "–".join(label(span, rows[number], house) for number in sorted(set(stretch))) for stretch in stretches
    )
    if span.period == "day":
        return ngettext("day %(days)s", "days %(days)s", count) % {"days": listed}
    if span.period == "week":
        return ngettext("week %(weeks)s", "weeks %(weeks)s", count) % {"weeks": listed}
    return listed


def comparison_words(found: Comparison | None) -> str:
    """Days 1–22: +8 % to November 2025, 1.8 K colder."""
    if found is None:
        return ""
    compared = _compared(found)
    return (
        _("%(bars)s: %(compared)s") % {"bars": found.bars, "compared": compared} if found.bars else compared
    )


def _compared(found: Comparison) -> str:
    words = (
        _("%(percent)s to %(before)s")
        % {"percent": formatting.signed_percent(found.percent), "before": found.label}
        if abs(found.percent) >= 0.5
        else _("as much as in %(before)s") % {"before": found.label}
    )
    if found.colder_k is None or abs(found.colder_k) < 0.05:
        return words
    difference = formatting.with_unit(abs(found.colder_k), "temperature_difference_k")
    weather = _("%(difference)s colder") if found.colder_k > 0 else _("%(difference)s warmer")
    return f"{words}, {weather % {'difference': difference}}"


def _cards(
    house: House,
    span: Span,
    rows: Sequence[EnergyRow],
    before: Sequence[EnergyRow | None],
    window: WindowSummary,
    cost: float | None,
) -> list[ValueCard]:
    partial = window.is_partial or any(row.end > house.at for row in rows)
    energy = window.electrical_energy_kwh
    state = "none" if energy is None else "partial" if partial else "fresh"
    share = formatting.coverage(window.electrical_coverage)
    notes = [_("so far")] if any(row.end > house.at for row in rows) and energy is not None else []
    notes += [comparison_words(comparison(house, span, rows, before))]
    if window.is_partial and energy is not None:
        notes.append(_("partial, %(share)s measured") % {"share": share})
    if window.at_least:
        notes.append(_("at least"))
    heat = total_of(rows, "thermal_energy_modulation_kwh")
    heat_meta = _("COP %(cop)s") % {"cop": formatting.with_unit(window.cop, "cop")}
    outside = window.mean_outside_temperature_c
    if window.heat_coverage is not None:
        heat_meta += " · " + _("%(share)s measured") % {"share": formatting.coverage(window.heat_coverage)}
    degree_days = total_of(rows, "heating_degree_days")
    return [
        ValueCard(
            label=_("Electricity"), value=energy, kind="energy_whole_kwh", state=state, icon="energy",
            meta=" · ".join(note for note in notes if note),
        ),
        _cost_card(house, cost, state, window.at_least or window.is_partial),
        ValueCard(
            label=_("Heat"), value=heat, kind="energy_whole_kwh",
            state="none" if heat is None else "estimated",
            icon="radiator", meta=heat_meta if heat is not None else _("no data"), estimated=True,
        ),
        ValueCard(
            label=_("Outdoor, mean"), value=outside, kind="temperature_c",
            state="none" if outside is None else "fresh", icon="sun",
            meta=_("%(number)s degree days below 15 °C") % {"number": formatting.number(degree_days)}
            if degree_days is not None else _("no data") if outside is None
            else _("no day with 20 hours of it yet"),
        ),
    ]  # fmt: skip


def _cost_card(house: House, total: float | None, state: str, is_incomplete: bool) -> ValueCard:
    tariffs = known_tariffs(house)
    if total is None:
        meta = _("no price is set") if not tariffs else _("no data")
        return ValueCard(label=_("Cost"), value=None, kind="count", state="none", icon="coin", meta=meta)
    newest = tariffs[-1]
    meta = formatting.price_per_kwh(newest.price_per_kwh, house.options.currency)
    if newest.base_fee_per_day:
        fee = formatting.money(newest.base_fee_per_day, house.options.currency)
        meta = _("%(price)s and %(fee)s a day") % {"price": meta, "fee": fee}
    if is_incomplete:
        meta = f"{_('at least')} · {meta}"
    return ValueCard(
        label=_("Cost"), value=total, kind="count", state=state, icon="coin", meta=meta,
        text=formatting.money(total, house.options.currency),
    )  # fmt: skip
