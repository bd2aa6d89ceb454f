"""The hot-water page: the last run, all runs of a range, draws, the circulation pump, and the year."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from apps.dashboard import formatting
from apps.dashboard.charts.axes import even_axis
from apps.dashboard.charts.periods import BarSet, BarsSpec, stack_totals
from apps.dashboard.contexts import ChartBlock, Fact, Table, TableRow, ValueCard
from apps.dashboard.pages.links import day_href
from apps.metrics.begin import HEAT, measured_from
from apps.metrics.home import Home
from apps.metrics.hot_water import HotWater, WaterDay, hot_water, last_run
from apps.metrics.kept import kept
from apps.metrics.tariff import known_tariffs, tariff_on
from apps.metrics.totals import INTERVAL_FIELDS, totals
from apps.metrics.use_runs import Run

from .drawing import Mark, marks_of

NEWEST = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class LastRun:
    """The newest run in words; ``href`` leads to its hours in the history."""

    title: str
    detail: str
    href: str
    cards: Sequence[ValueCard]


@dataclass(frozen=True, slots=True, kw_only=True)
class HotWaterContext:
    """Everything on the page but what the tank does now. ``has_runs``: there is something to draw.
    ``known_since``: in words, where the heat pump is known for less than the range; None before it is at all.
    """

    title: str
    range_words: str
    last: LastRun | None
    readout: Sequence[Fact]
    days: int
    marks: Sequence[Mark]
    has_night: bool
    has_draws: bool
    summary: str
    axis: Sequence[str]
    counts: ChartBlock
    pump: ChartBlock | None
    night_note: str
    newest: Table
    runs: Table
    by_day: Table
    year: Sequence[Fact]
    has_runs: bool
    is_known: bool
    is_new: bool
    known_since: str | None


@kept
def hot_water_context(home: Home, first: date, last: date, language: str | None) -> HotWaterContext:
    """Return the page of the local days ``first`` to ``last``, in ``language``, which is in force."""
    water = hot_water(home, first, last)
    runs = list(reversed(water.runs))
    draws = [draw for day in water.days for draw in day.draws]
    rows = [_run_row(home, run, run.start in water.night) for run in runs]
    begin = measured_from(home, HEAT)
    return HotWaterContext(
        title=_title((last - first).days + 1),
        range_words=formatting.date_range(first, last),
        last=_last(home),
        readout=_readout(home, water),
        days=len(water.days),
        marks=marks_of(first, last, water.runs, water.night, draws, home.options.zone),
        has_night=bool(water.night_runs),
        has_draws=bool(draws),
        summary=_summary(water),
        axis=_axis(home, first, last),
        counts=_counts(home, water),
        pump=_pump(home, water),
        night_note=_night_note(water),
        newest=_runs_table(home, rows[:NEWEST]),
        runs=_runs_table(home, rows),
        by_day=_day_table(home, water),
        year=_year(home),
        has_runs=bool(runs),
        is_known=water.known_days > 0,
        is_new=begin is None or begin > home.midnight(home.today - timedelta(days=14)),
        known_since=None if begin is None else _since(home, begin, first),
    )


def _since(home: Home, begin: int, first: date) -> str:
    """Return from when on it is known what the heat pump did; empty where that is before the range."""
    return formatting.moment(home, datetime.fromtimestamp(begin, UTC)) if begin > home.midnight(first) else ""


def _title(days: int) -> str:
    return ngettext("%(n)s day", "%(n)s days", days) % {"n": formatting.number(days)}


def _last(home: Home) -> LastRun | None:
    run = last_run(home)
    if run is None:
        return None
    start, end = (datetime.fromtimestamp(at, UTC) for at in (run.start, run.end))
    goes_on = home.interval_s - run.end < 2 * 300
    times = {"start": formatting.moment(home, start), "end": formatting.at_home(home, end)}
    cost = run_cost(home, run)
    heated = (
        f"{formatting.number(run.before_c, 1)} → {formatting.number(run.after_c, 1)}"
        if run.before_c is not None and run.after_c is not None
        else ""
    )
    return LastRun(
        title=(
            _("Being heated since %(start)s") if goes_on else _("Last heated %(start)s to %(end)s")
        )
        % times,
        detail="" if goes_on else formatting.age(end, home.at),
        href=_history_of(run),
        cards=[
            ValueCard(
                label=_("Tank"), value=run.after_c, kind="temperature_c",
                state="none" if run.after_c is None else "fresh", text=f"{heated} °C" if heated else "",
                meta=_("in %(duration)s") % {"duration": formatting.duration(run.length_s)},
            ),
            ValueCard(
                label=_("Electricity"), value=run.energy_wh / 1000, kind="energy_kwh", state="fresh",
                meta=_("at least: part of it was not measured") if run.is_at_least else _("measured"),
            ),
            ValueCard(
                label=_("Cost"), value=cost, kind="count", state="none" if cost is None else "fresh",
                text=formatting.money(cost, home.options.currency),
                meta=_("no price entered") if cost is None else _("without base fee"),
            ),
            ValueCard(
                label=_("COP"), value=run.cop, kind="cop", estimated=True,
                state="none" if run.cop is None else "estimated",
                meta=_("no heat data yet") if run.cop is None else _("about %(heat)s of heat")
                % {"heat": formatting.with_unit(run.heat_wh / 1000, "energy_kwh")},
            ),
        ],
    )  # fmt: skip


def _history_of(run: Run) -> str:
    """Return the query of an hour around a run."""
    start, end = (datetime.fromtimestamp(at, UTC) for at in (run.start - 1800, run.end + 1800))
    return f"from={start:%Y-%m-%dT%H:%MZ}&to={end:%Y-%m-%dT%H:%MZ}"


def run_cost(home: Home, run: Run) -> float | None:
    """Return what the electricity of a run cost, without any base fee."""
    day = datetime.fromtimestamp(run.start, home.options.zone).date()
    tariff = tariff_on(known_tariffs(home.options), day)
    return None if tariff is None else run.energy_wh / 1000 * tariff.price_per_kwh


def _readout(home: Home, water: HotWater) -> list[Fact]:
    runs, known_days = water.runs, water.known_days
    if not runs:
        return []
    draws = sum(len(day.draws) for day in water.days)
    facts = [
        Fact(
            name=ngettext("run", "runs", len(runs)),
            value=formatting.number(len(runs)),
            note=_("%(rate)s a day") % {"rate": formatting.number(len(runs) / known_days, 1)},
        ),
        Fact(name="kWh", value=formatting.number(water.energy_wh / 1000, 1)),
    ]
    costs = [run_cost(home, run) for run in runs]
    known = [cost for cost in costs if cost is not None]
    if known and len(known) == len(costs):
        facts.append(Fact(name="", value=formatting.money(sum(known), home.options.currency)))
    facts.append(Fact(name=_("COP"), value=formatting.number(_cop(runs), 2), estimated=True))
    facts.append(
        Fact(
            name=_("draws a day of 1 K or more"),
            value=formatting.number(draws / known_days, 1),
        )
    )
    hours = water.circulation_h_per_day
    if hours is not None:
        facts.append(Fact(name=_("h a day of circulation pump"), value=formatting.number(hours, 1)))
    return facts


def _cop(runs: Sequence[Run]) -> float | None:
    energy_wh = sum(run.full_energy_wh for run in runs)
    heat_wh = sum(run.heat_wh for run in runs)
    return heat_wh / energy_wh if energy_wh >= 100 and heat_wh else None


def _summary(water: HotWater) -> str:
    runs, night = len(water.runs), len(water.night_runs)
    return _("Each run by day and hour: %(runs)s runs, %(night)s of them at night") % {
        "runs": formatting.number(runs),
        "night": formatting.number(night),
    }


def _axis(home: Home, first: date, last: date) -> list[str]:
    """Return the first, middle and last day under the drawing."""
    days = sorted({first, first + (last - first) / 2, last})
    return [formatting.day_of(home, day) for day in days]


def _counts(home: Home, water: HotWater) -> ChartBlock:
    night = [sum(run.start in water.night for run in day.runs) for day in water.days]
    spec = _bars(
        home,
        water.days,
        "",
        0,
        [
            BarSet(
                label=_("Run by day"),
                colour="b-dhw",
                key="dhw",
                values=[
                    len(day.runs) - at_night if day.known_s else None
                    for day, at_night in zip(water.days, night, strict=True)
                ],
            ),
            BarSet(label=_("Reheat at night"), colour="b-standby", key="standby", hatched=True, values=night),
        ],
    )
    most = max((len(day.runs) for day in water.days), default=0)
    summary = _("Runs per day: at most %(most)s") % {"most": formatting.number(most)}
    return ChartBlock(id="runs-data", data=spec.data, summary=summary, empty=not most)


def _pump(home: Home, water: HotWater) -> ChartBlock | None:
    hours = [_circulation_h(day) for day in water.days]
    known = [value for value in hours if value is not None]
    if not known:
        return None
    label = _("Circulation pump on")
    spec = _bars(
        home, water.days, "h", 1, [BarSet(label=label, colour="s-return", key="cooling", values=hours)]
    )
    summary = _("Circulation pump: between %(low)s and %(high)s h a day") % {
        "low": formatting.number(min(known), 1),
        "high": formatting.number(max(known), 1),
    }
    return ChartBlock(id="pump-data", data=spec.data, summary=summary)


def _circulation_h(day: WaterDay) -> float | None:
    return round(day.circulation.on_h, 2) if day.circulation.known_h else None


def _bars(home: Home, days: Sequence[WaterDay], unit: str, decimals: int, sets: Sequence[BarSet]) -> BarsSpec:
    totals = stack_totals(sets)
    return BarsSpec(
        labels=[formatting.local_date(each.day, "day") for each in days],
        titles=[formatting.local_date(each.day, "weekday_date") for each in days],
        unit=unit,
        decimals=decimals,
        sets=sets,
        partial=[each.day == home.today for each in days],
        axis=even_axis(totals, from_zero=True, least_span=1),
        totals=totals if len(sets) > 1 else [],
        links=[day_href(each.day) for each in days],
        words={"total": _("Total"), "open": pgettext("a period", "Open"), "empty": _("no data")},
    )


def _night_note(water: HotWater) -> str:
    night = water.night_runs
    if not night:
        return ""
    words = {
        "n": formatting.number(len(night)),
        "energy": formatting.with_unit(sum(run.energy_wh for run in night) / 1000, "energy_kwh"),
    }
    return (
        ngettext("%(n)s reheat at night, %(energy)s.", "%(n)s reheats at night, %(energy)s.", len(night))
        % words
    )


def _runs_table(home: Home, rows: Sequence[TableRow]) -> Table:
    return Table(
        name=_("Hot-water runs, newest first"),
        columns=[
            _("Run"), _("kWh"), _("Cost %(currency)s") % {"currency": home.options.currency}, _("COP"),
            _("Tank °C"), _("Length"), _("Remark"),
        ],
        rows=rows,
    )  # fmt: skip


def _run_row(home: Home, run: Run, at_night: bool) -> TableRow:
    start, end = (datetime.fromtimestamp(at, UTC) for at in (run.start, run.end))
    day = start.astimezone(home.options.zone).date()
    head = f"{formatting.day_of(home, day, 'weekday_day')}, {formatting.at_home(home, start)}"
    remarks = [_("reheat at night")] if at_night else []
    remarks += [_("at least")] if run.is_at_least else []
    return TableRow(
        head=f"{head}–{formatting.at_home(home, end)}",
        cells=[
            formatting.number(run.energy_wh / 1000, 2),
            formatting.number(run_cost(home, run), 2),
            formatting.number(run.cop, 2),
            f"{formatting.number(run.before_c, 1)} → {formatting.number(run.after_c, 1)}",
            formatting.duration(run.length_s),
            ", ".join(remarks),
        ],
    )


def _day_table(home: Home, water: HotWater) -> Table:
    return Table(
        name=_("Hot water by day, newest first"),
        columns=[
            _("Day"), _("Runs"), _("at night"), _("kWh"), _("Draws of 1 K or more"),
            _("Circulation pump h"), _("Known"),
        ],
        rows=[_day_row(home, water, day) for day in reversed(water.days)],
    )  # fmt: skip


def _day_row(home: Home, water: HotWater, day: WaterDay) -> TableRow:
    start, end = home.day_bounds(day.day)
    elapsed_s = min(end, home.interval_s) - start
    known = day.known_s > 0
    return TableRow(
        head=formatting.day_of(home, day.day, "weekday_day"),
        partial=day.day == home.today,
        cells=[
            formatting.number(len(day.runs) if known else None),
            formatting.number(sum(run.start in water.night for run in day.runs) if known else None),
            formatting.number(sum(run.energy_wh for run in day.runs) / 1000 if known else None, 2),
            formatting.number(len(day.draws) if known else None),
            formatting.number(_circulation_h(day), 1),
            formatting.coverage(day.known_s / elapsed_s if elapsed_s > 0 else None),
        ],
    )


def _year(home: Home) -> list[Fact]:
    """Return electricity, its share, COP and cost of the last 365 days; empty where nothing is known."""
    first = home.today - timedelta(days=365)
    tariffs = known_tariffs(home.options)
    starts = [first, *(t.valid_from for t in tariffs if first < t.valid_from < home.today)]
    edges = [*(home.midnight(day) for day in starts), home.midnight(home.today)]
    parts = totals(home, edges)
    whole = totals(home, [edges[0], edges[-1]], INTERVAL_FIELDS)[0]
    used, energy = whole.dhw_energy_wh, whole.energy_wh
    if not used or not energy:
        return []
    costs = [
        part.seconds("electrical_energy_dhw_wh") / 1000 * tariff.price_per_kwh
        for day, part in zip(starts, parts, strict=True)
        if (tariff := tariff_on(tariffs, day)) is not None
    ]
    facts = [
        Fact(name=_("Electricity"), value=formatting.with_unit(used / 1000, "energy_whole_kwh")),
        Fact(name=_("Share of all electricity"), value=formatting.coverage(used / energy)),
    ]
    if len(costs) == len(parts):
        facts.append(Fact(name=_("Cost"), value=formatting.money(sum(costs), home.options.currency)))
    facts.append(Fact(name=_("COP"), value=formatting.with_unit(whole.cop_dhw, "jaz"), estimated=True))
    measured = round(365 * (whole.electrical_coverage or 0.0))
    if measured < 360:
        facts.append(Fact(name=_("Days measured"), value=formatting.number(measured)))
    return facts
