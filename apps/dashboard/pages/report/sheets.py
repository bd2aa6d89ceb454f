"""What the two sheets of the report say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.changelog import timeline
from apps.changelog.timeline import EntryView
from apps.dashboard import formatting
from apps.dashboard.charts.axes import even_axis
from apps.dashboard.charts.periods import BarSet, BarsSpec
from apps.dashboard.contexts import ChartBlock, Fact, Table, TableRow, ValueCard
from apps.dashboard.pages.efficiency import charts
from apps.dashboard.pages.efficiency.curves import CurveBlock, curves
from apps.dashboard.pages.efficiency.page import boundary_in_words
from apps.dashboard.pages.season import heat_sentence, jaz_card, jaz_range
from apps.dashboard.pages.uses import COOLING, KEYS, UNCLASSIFIED, part_label
from apps.devices.models import Device
from apps.metrics.cop import period_cop
from apps.metrics.days import LocalDay, local_days
from apps.metrics.efficiency import efficiency
from apps.metrics.home import Home
from apps.metrics.jaz import Jaz, jaz
from apps.metrics.kept import kept
from apps.metrics.periods import EnergyRow, energy_rows, measured_coverage, row_between
from apps.metrics.windows import local_midnight

MOST_CHANGES = 14
LEAST_USE_KWH = 0.05
BINS: tuple[tuple[float, float], ...] = ((-60, 0), (0, 5), (5, 10), (10, 15), (15, 60))


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Both sheets. ``tiles``: the year in numbers, ``cost`` apart; ``entries``: changes, newest first."""

    title: str
    subtitle: str
    jaz: ValueCard
    jaz_range: str
    sentence: str
    boundary: str
    methods: ChartBlock | None
    tiles: Sequence[Fact]
    cost: str
    months: Table
    starts: ChartBlock | None
    cop: ChartBlock
    curve: CurveBlock | None
    bins: Table
    running: Sequence[Fact]
    entries: Sequence[EntryView]
    more_entries: int
    method_version: int
    measured: str


@kept
def report_context(
    home: Home, first: date, last: date, language: str | None, written: tuple[Any, ...]
) -> Report:
    """Return the report of the local days ``first`` to ``last``, in ``language``, which is in force."""
    found, page = jaz(home, first, last), efficiency(home, first, last)
    whole, months = row_between(home, first, last), energy_rows(home, "month", first, last)
    lived = local_days(home, first, last)
    start, end = (local_midnight(day, home.options.zone) for day in (first, last + timedelta(days=1)))
    entries = timeline.entries(home.site, start=start, end=end, limit=200)
    drawn = curves(home, page)
    return Report(
        title=_("Heat pump report: %(home)s") % {"home": home.site.name},
        subtitle=_subtitle(home, found),
        jaz=jaz_card(found),
        jaz_range=jaz_range(found),
        sentence=heat_sentence(found),
        boundary=boundary_in_words(home.options.metered, found.boundary),
        methods=charts.methods(found, found.jaz) if found.energy_kwh is not None else None,
        tiles=_tiles(found, whole, lived),
        cost=formatting.money(whole.cost, home.options.currency),
        months=_months(home, months, whole),
        starts=_starts(months),
        cop=charts.cop_over_outside(page),
        curve=drawn[0] if drawn else None,
        bins=_bins(lived),
        running=_running(lived),
        entries=entries[:MOST_CHANGES],
        more_entries=max(0, len(entries) - MOST_CHANGES),
        method_version=found.method_version,
        measured=formatting.coverage(measured_coverage(home, whole)),
    )


def _subtitle(home: Home, found: Jaz) -> str:
    device = Device.objects.filter(site=home.site, kind=Device.Kind.HEAT_PUMP, active=True).first()
    days = ngettext("%(range)s, %(days)s day", "%(range)s, %(days)s days", found.days) % {
        "range": formatting.date_range(found.first, found.last),
        "days": formatting.number(found.days),
    }
    return " · ".join(part for part in (device.model if device else "", days) if part)


def _tiles(found: Jaz, whole: EnergyRow, lived: Sequence[LocalDay]) -> list[Fact]:
    days = found.days
    energy = whole.electrical_energy_kwh
    found_jaz = {
        "electrical_energy_heating_kwh": found.jaz_heating,
        "electrical_energy_dhw_kwh": found.jaz_dhw,
    }
    tiles = [
        Fact(
            name=_("Electricity"),
            value=formatting.with_unit(energy, "energy_whole_kwh"),
            note=_("%(energy)s a day")
            % {"energy": formatting.with_unit(None if energy is None else energy / days, "energy_kwh")},
        ),
        *(_use(part_label(name), getattr(whole, name), energy, found_jaz.get(name)) for name in _uses(whole)),
    ]
    starts, run_h = whole.compressor_starts, whole.compressor_run_time_h
    per_day = None if starts is None else starts / days
    tiles.append(
        Fact(
            name=_("Starts"),
            value=formatting.number(starts),
            note=_("%(rate)s a day") % {"rate": formatting.number(per_day, 1)},
        )
    )
    mean_s = run_h * 3600 / starts if starts and run_h is not None else None
    tiles.append(
        Fact(
            name=_("Run time"),
            value=formatting.with_unit(run_h, "hours_h"),
            note=_("%(duration)s a start") % {"duration": formatting.duration(mean_s)},
        )
    )
    known = [day for day in lived if day.outside_c is not None]
    if known:
        coldest = min(known, key=lambda day: day.outside_c if day.outside_c is not None else 99.0)
        tiles.append(
            Fact(
                name=_("Coldest day"),
                value=formatting.with_unit(coldest.outside_c, "temperature_c"),
                note=f"{formatting.local_date(coldest.day)}, "
                + formatting.with_unit(coldest.total.electrical_energy_kwh, "energy_kwh"),
            )
        )
    mean = formatting.with_unit(whole.mean_outside_temperature_c, "temperature_c")
    tiles.append(Fact(name=_("Outdoor, mean"), value=mean))
    return tiles


def _uses(whole: EnergyRow) -> list[str]:
    """Return the uses that add up to the electricity; cooling and what is not classified only where there is
    some."""
    sometimes = (COOLING, UNCLASSIFIED)
    return [name for name in KEYS if name not in sometimes or (getattr(whole, name) or 0.0) >= LEAST_USE_KWH]


def _use(name: str, used: float | None, energy: float | None, cop: float | None) -> Fact:
    share = formatting.coverage(used / energy) if used is not None and energy else ""
    note = ", ".join(
        part for part in (share, _("COP %(cop)s") % {"cop": formatting.number(cop, 1)} if cop else "") if part
    )
    return Fact(name=name, value=formatting.with_unit(used, "energy_whole_kwh"), note=note)


def _months(home: Home, rows: Sequence[EnergyRow], whole: EnergyRow) -> Table:
    uses = _uses(whole)
    return Table(
        name=_("Month by month"),
        columns=[
            _("Month"), _("Outdoor °C"), _("Electricity kWh"), *(part_label(name) for name in uses),
            _("Heat kWh"), _("COP"), _("Starts"), _("Run h"), _("Measured"),
        ],
        rows=[
            TableRow(
                head=formatting.local_date(row.start.date(), "month"), cells=_month_cells(home, row, uses)
            )
            for row in rows
        ],
        foot=TableRow(head=_("Sum"), cells=_month_cells(home, whole, uses)),
    )  # fmt: skip


def _month_cells(home: Home, row: EnergyRow, uses: Sequence[str]) -> list[str]:
    energies = (
        row.electrical_energy_kwh,
        *(getattr(row, name) for name in uses),
        row.thermal_energy_modulation_kwh,
    )
    return [
        formatting.number(row.mean_outside_temperature_c, 1),
        *(formatting.number(value) for value in energies),
        formatting.number(row.cop, 1),
        formatting.number(row.compressor_starts),
        formatting.number(row.compressor_run_time_h),
        formatting.coverage(measured_coverage(home, row)),
    ]


def _starts(rows: Sequence[EnergyRow]) -> ChartBlock | None:
    values = [
        None
        if row.compressor_starts is None
        else round(row.compressor_starts / (row.end - row.start).days, 1)
        for row in rows
    ]
    known = [value for value in values if value is not None]
    if len(known) < 2:
        return None
    labels = [formatting.local_date(row.start.date(), "month_short") for row in rows]
    spec = BarsSpec(
        labels=labels,
        titles=labels,
        unit="",
        decimals=1,
        sets=[BarSet(label=_("Starts per day"), colour="b-space", key="space", values=values)],
        partial=[False] * len(rows),
        axis=even_axis(values, from_zero=True, least_span=1),
        words={"total": "", "open": "", "empty": _("no data")},
    )
    summary = _("Starts per day by month: between %(low)s and %(high)s") % {
        "low": formatting.number(min(known), 1),
        "high": formatting.number(max(known), 1),
    }
    return ChartBlock(id="starts-data", data=spec.data, summary=summary)


def _bins(lived: Sequence[LocalDay]) -> Table:
    rows = []
    for low, high in BINS:
        found = [day for day in lived if day.outside_c is not None and low <= day.outside_c < high]
        if not found:
            continue
        energy = sum(day.total.seconds("full_electrical_energy_wh") for day in found)
        heat = sum(day.total.seconds("full_thermal_energy_wh") for day in found)
        flow, weight = (
            sum(day.total.seconds(name) for day in found) for name in ("flow_weighted_wh_c", "flow_weight_wh")
        )
        starts = sum(day.total.compressor_starts or 0 for day in found) / len(found)
        rows.append(
            TableRow(
                head=_bin_words(low, high),
                cells=[
                    formatting.number(len(found)),
                    formatting.number(period_cop(heat, energy).value, 1),
                    formatting.number(flow / weight if weight else None),
                    formatting.number(starts, 1),
                ],
            )
        )
    columns = [_("Outdoor °C"), _("Days"), _("COP"), _("Flow °C"), _("Starts a day")]
    return Table(name=_("By outdoor temperature"), columns=columns, rows=rows)


def _bin_words(low: float, high: float) -> str:
    edges = {"low": formatting.number(low), "high": formatting.number(high)}
    if low < -50:
        return _("below %(high)s") % edges
    return _("above %(low)s") % edges if high > 50 else _("%(low)s to %(high)s") % edges


def _running(lived: Sequence[LocalDay]) -> list[Fact]:
    counted = [(day.total.compressor_starts or 0, day.day) for day in lived]
    most, day = max(counted, default=(0, None))
    facts = []
    if day is not None and most:
        value = f"{formatting.number(most)}, {formatting.local_date(day)}"
        facts.append(Fact(name=_("Most starts on one day"), value=value))
    return facts
