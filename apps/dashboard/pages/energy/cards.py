"""The energy page's context: how much, what it was used for, what it cost, against the year before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.dashboard import formatting
from apps.dashboard.contexts import ChartBlock, Fact, LegendItem, RangeBar, Table, ValueCard
from apps.dashboard.pages.reasons import implausible_words
from apps.metrics.begin import measured_from
from apps.metrics.home import Home
from apps.metrics.kept import kept
from apps.metrics.periods import EnergyRow, energy_rows
from apps.metrics.tariff import known_tariffs
from apps.metrics.totals import Totals, outside_mean_c, window

from . import charts
from .charts import has_base_fee, total_of
from .drill import highest_day
from .rows import is_partial
from .running import running_facts
from .span import Span, address_of, before_label, range_bar, year_before
from .words import comparison_words


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
    legend: Sequence[LegendItem]
    compare_label: str
    has_partial: bool
    bars: ChartBlock
    sums: ChartBlock | None
    sum_legend: Sequence[LegendItem]
    tariffs: Table
    csv: str
    rows: Sequence[EnergyRow]
    running: Sequence[Fact]
    has_base_fee: bool


@kept
def energy_context(home: Home, span: Span, language: str | None) -> EnergyContext:
    """Return the page for the bars of ``span``, in ``language``, which is in force."""
    rows = energy_rows(home, span.period, span.first, span.last)
    before = year_before(home, span)
    start, end = home.midnight(span.first), home.midnight(span.last + timedelta(days=1))
    whole = window(home, start, end)
    cost = charts.cost_of(home, span)
    now = formatting.at_home(home, home.at)
    is_incomplete = whole.at_least or whole.is_partial
    compare_label = before_label(span) if before else ""
    counting = whole.electrical_energy_kwh is not None and any(row.end > home.at for row in rows)
    return EnergyContext(
        at=home.at,
        span=span,
        bar=range_bar(home, span),
        subtitle=_("Counted up to %(time)s.") % {"time": now} if counting else "",
        cards=_cards(home, span, rows, before, whole, outside_mean_c(home, start, end), cost),
        title=charts.title_of(span.period),
        bars_subtitle=charts.subtitle_of(span.period, bool(before)),
        legend=charts.legend(rows, whole.electrical_energy_kwh),
        compare_label=compare_label,
        has_partial=any(is_partial(home, row) for row in rows),
        bars=charts.bars(home, span, rows, before, compare_label, cost),
        sums=charts.sums(home, span, rows, before) if span.period != "year" else None,
        sum_legend=charts.sum_legend(home, span, before, cost, is_incomplete),
        tariffs=charts.tariff_table(home),
        csv=f"{address_of(span)}&format=csv",
        rows=rows,
        running=[*running_facts(home, span, whole), *highest_day(home, span, rows)],
        has_base_fee=has_base_fee(home, span),
    )


def _cards(
    home: Home,
    span: Span,
    rows: Sequence[EnergyRow],
    before: Sequence[EnergyRow | None],
    whole: Totals,
    outside: float | None,
    cost: float | None,
) -> list[ValueCard]:
    partial = whole.is_partial or any(row.end > home.at for row in rows)
    energy = whole.electrical_energy_kwh
    state = "none" if energy is None else "partial" if partial else "fresh"
    share = formatting.coverage(whole.measured_coverage)
    notes = [_("so far")] if any(row.end > home.at for row in rows) and energy is not None else []
    notes += [comparison_words(home, span, rows, before)]
    if whole.is_partial and energy is not None:
        notes.append(_("partial, %(share)s measured") % {"share": share})
    if whole.at_least:
        notes.append(_("at least"))
    heat = total_of(rows, "thermal_energy_modulation_kwh")
    heat_meta = _("COP %(cop)s") % {"cop": formatting.with_unit(whole.cop, "cop")}
    if whole.heat_coverage is not None:
        heat_meta += " · " + _("heat known for %(share)s") % {
            "share": formatting.coverage(whole.heat_coverage)
        }
    if whole.implausible:
        heat_meta = f"{implausible_words()} · {heat_meta}"
    degree_days = total_of(rows, "heating_degree_days")
    return [
        ValueCard(
            label=_("Electricity"), value=energy, kind="energy_whole_kwh", state=state, icon="energy",
            meta=" · ".join(note for note in notes if note),
        ),
        _cost_card(home, cost, state, whole.at_least or whole.is_partial),
        ValueCard(
            label=_("Heat"), value=heat, kind="energy_whole_kwh",
            state="none" if heat is None else "estimated",
            icon="radiator", meta=heat_meta if heat is not None else _("no data"), estimated=True,
        ),
        ValueCard(
            label=_("Outdoor, mean"), value=outside, kind="temperature_c",
            state="none" if outside is None else "fresh", icon="sun",
            meta=_degree_days(home, rows, degree_days)
            if degree_days is not None else _("no data") if outside is None
            else _("no day with at least 20 h of data yet"),
        ),
    ]  # fmt: skip


def _degree_days(home: Home, rows: Sequence[EnergyRow], total: float) -> str:
    """Return the sum, and of how many days it is where some are missing."""
    words = _("%(number)s degree days below 15 °C") % {"number": formatting.number(total)}
    known = sum(row.heating_degree_days_known for row in rows)
    begin = datetime.fromtimestamp(measured_from(home) or 0, UTC)
    starts = [(max(row.start, begin), min(row.end, home.at)) for row in rows]
    over = sum((end - start).days for start, end in starts if start < end)
    if known >= over:
        return words
    days = {"known": formatting.number(known), "days": formatting.number(over)}
    return (
        f"{words} · "
        + ngettext("%(known)s of %(days)s day known", "%(known)s of %(days)s days known", over) % days
    )


def _cost_card(home: Home, total: float | None, state: str, is_incomplete: bool) -> ValueCard:
    tariffs = known_tariffs(home.options)
    if total is None:
        meta = _("no price entered") if not tariffs else _("no data")
        return ValueCard(label=_("Cost"), value=None, kind="count", state="none", icon="coin", meta=meta)
    newest = tariffs[-1]
    meta = formatting.price_per_kwh(newest.price_per_kwh, home.options.currency)
    if newest.base_fee_per_day:
        fee = formatting.money(newest.base_fee_per_day, home.options.currency)
        meta = _("%(price)s and %(fee)s per day") % {"price": meta, "fee": fee}
    if is_incomplete:
        meta = " · ".join((_("at least"), meta))
    return ValueCard(
        label=_("Cost"), value=total, kind="count", state=state, icon="coin", meta=meta,
        text=formatting.money(total, home.options.currency),
    )  # fmt: skip
