"""A panel of charts over one stretch of time: power, temperatures, state, with the table behind it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any
from urllib.parse import urlencode

from django.template.loader import render_to_string
from django.urls import get_script_prefix
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from apps.changelog import timeline
from apps.changelog.glossary import BY_HAND
from apps.changelog.sentences import EVENT_SENTENCES
from apps.dashboard import formatting
from apps.dashboard.charts.lines import (
    DAY,
    GAP_STEPS,
    HOUR,
    MAX_POINTS,
    ChartSpec,
    LineData,
    Marker,
    PlotData,
    Run,
    line_chart,
    state_runs,
)
from apps.dashboard.charts.looks import COP, LOOKS, PLOTS, TEMPERATURE
from apps.dashboard.contexts import (
    DrawnPanel,
    GapRow,
    LegendItem,
    PanelContext,
    PlotView,
    Table,
    TableRow,
)
from apps.devices.memory import meter_fault, searched_until
from apps.devices.models import HistoryGap
from apps.metrics.grid import INTERVAL_S
from apps.metrics.home import Home
from apps.metrics.kept import kept_if
from apps.metrics.pump_state import interval_state
from apps.metrics.series import RATIOS, History, history, means_between
from apps.metrics.totals import lumps_within, totals
from apps.metrics.windows import day_edges, periods

FINE = timedelta(hours=6)
"""Ranges shorter than this may show single polls."""

ENERGY = "electrical_energy_wh"
ENERGY_PARTS = (ENERGY, "electric_s")
BAND_LONGEST_S = 9 * DAY
RANGE_OF_STEP_S = HOUR  # from this step on the smallest and largest value of a step are drawn too
MOST_SAID = 3  # gaps and bands in the words of a plot
HEAT_OF = {"cop": "thermal_power_modulation_kw", "cop_delta_t": "thermal_power_delta_t_kw"}
WITH_RANGE = {"outside_temperature_c"}  # of power it would be a blur: every step has both


def time_panel(
    home: Home,
    start: datetime,
    end: datetime,
    names: Sequence[str],
    *,
    panel_id: str,
    title: str,
    subtitle: str = "",
    written: tuple[Any, ...],
) -> DrawnPanel:
    """Return charts of ``names`` over [start, end), with markers, state band, gaps and table.

    Drawn once until something is derived or ``written`` (see ``timeline.state``); charts finer than that,
    or without a value yet, are always made anew.
    """
    asked = start, end, tuple(names), panel_id, title, subtitle, get_language()
    return _drawn(home, *asked) if end - start < FINE else _kept(home, written, *asked)


@kept_if(DrawnPanel.is_full)
def _kept(home: Home, written: tuple[Any, ...], *asked: Any) -> DrawnPanel:
    return _drawn(home, *asked)


def _drawn(home: Home, *asked: Any) -> DrawnPanel:
    panel = _panel(home, *asked)
    page = {"panel": panel, "root": get_script_prefix(), "house_zone": home.options.zone}
    return DrawnPanel(
        title=panel.title,
        subtitle=panel.subtitle,
        empty=any(plot.empty for plot in panel.spec.plots),
        charts=render_to_string("dashboard/_plots.html", page),
        table=render_to_string("dashboard/_table.html", {"table": panel.table, "id": panel.id}),
        csv=panel.csv,
        gaps=panel.gaps,
    )


def _panel(
    home: Home,
    start: datetime,
    end: datetime,
    names: Sequence[str],
    panel_id: str,
    title: str,
    subtitle: str,
    language: str | None,
) -> PanelContext:
    start_s, end_s = int(start.timestamp()), int(end.timestamp())
    data = history(home, [*names, *_parts_of_cop(names)], start, end, MAX_POINTS)
    spec = line_chart(
        _plots(names, data),
        _markers(home, start, end),
        start=start_s,
        end=end_s,
        now=home.at_s // data.step_s * data.step_s,
        step_s=data.step_s,
        zone=home.options.zone,
        tick_label=formatting.tick_label,
        runs=_runs(home, start_s, end_s),
        zoom=f"{get_script_prefix()}history?" + urlencode({"series": list(names)}, doseq=True),
        words={"state": _("State of the heat pump")},
    )
    return PanelContext(
        id=panel_id,
        title=title,
        subtitle=subtitle or _means(data.step_s),
        spec=spec,
        plots=[_view(home, spec, names, data, name) for name in _plots_of(names)],
        states=_state_legend(spec),
        markers=spec.markers,
        table=_table(home, start_s, min(end_s, home.at_s), names),
        csv=_csv(names, start, end),
        gaps=gap_rows(home, spec),
    )


def _state_legend(spec: ChartSpec) -> list[LegendItem]:
    """Return the states that occur, in words."""
    words = {
        "space": _("Space heating"),
        "dhw": _("Hot water"),
        "rod": _("Heating rod"),
        "defrost": _("Defrosting"),
        "unclassified": _("Running, purpose unknown"),
        "off": _("Off"),
        "none": _("No data"),
    }
    keys = {"none": "gap"}
    return [LegendItem(label=words[state], key=keys.get(state, state)) for state in spec.states]


def gap_rows(home: Home, spec: ChartSpec) -> list[GapRow]:
    """Return the hatched gaps in words, newest first."""
    rows = []
    unmeasured = [gap for plot in spec.plots if PLOTS[plot.name].gaps_of == "power_w" for gap in plot.gaps]
    for plot in spec.plots:
        for gap in plot.gaps:
            meter = PLOTS[plot.name].gaps_of == "power_w"
            if not gap.cause:
                continue
            electricity_too = any(one.start < gap.end and gap.start < one.end for one in unmeasured)
            rows.append(
                (
                    gap.start,
                    GapRow(
                        when=_span(home, gap.start, gap.end),
                        source=_("Meter") if meter else _("Heat pump"),
                        cause=gap.cause,
                        effect=_missing_minutes(home, gap.start, gap.end)
                        if meter
                        else _missing_heat(home, electricity_too),
                    ),
                )
            )
    return [row for _start, row in sorted(rows, key=lambda pair: -pair[0])]


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


def _plots_of(names: Sequence[str]) -> list[str]:
    return [plot for plot in PLOTS if any(LOOKS[name].plot == plot for name in names)]


def _plots(names: Sequence[str], data: History) -> list[PlotData]:
    return [
        PlotData(
            name=plot,
            title=str(PLOTS[plot].title),
            unit=PLOTS[plot].unit,
            decimals=PLOTS[plot].decimals,
            lines=[_line(name, data) for name in names if LOOKS[name].plot == plot],
            cause=str(PLOTS[plot].cause),
            gaps_of=PLOTS[plot].gaps_of,
            known=_cop_known(names, data) if plot == COP else None,
            minimum=_minimum(plot, names, data),
        )
        for plot in _plots_of(names)
    ]


def _parts_of_cop(names: Sequence[str]) -> list[str]:
    """Return what else the gaps of a COP follow from."""
    heats = [heat for name, heat in HEAT_OF.items() if name in names]
    return [name for name in (*heats, "power_w") if heats and name not in names]


def _cop_known(names: Sequence[str], data: History) -> list[int]:
    """Return the starts of the steps in which electricity and heat are known, be it that there was none."""
    power = data.series["power_w"]
    heats = [data.series[heat].mean for name, heat in HEAT_OF.items() if name in names]
    return [
        at
        for at, power_w, *heat_kw in zip(power.time, power.mean, *heats, strict=True)
        if power_w is not None and any(each is not None for each in heat_kw)
    ]


def _minimum(plot: str, names: Sequence[str], data: History) -> float | None:
    """Return where the axis begins: temperatures at 0 °C, or at the tens below the coldest."""
    if plot != TEMPERATURE:
        return PLOTS[plot].minimum
    lowest = min(
        (
            value
            for name in names
            if LOOKS[name].plot == plot
            for value in (data.series[name].min if data.step_s >= RANGE_OF_STEP_S else data.series[name].mean)
            if value is not None
        ),
        default=0.0,
    )
    return min(0.0, math.floor(lowest / 10) * 10.0)


def _line(name: str, data: History) -> LineData:
    look, found = LOOKS[name], data.series[name]
    with_range = data.step_s >= RANGE_OF_STEP_S and name in WITH_RANGE
    return LineData(
        name=name,
        label=str(look.label),
        colour=look.colour,
        style=look.style,
        filled=look.filled and not with_range,
        time=found.time,
        values=_scaled(found.mean, look.factor),
        low=_scaled(found.min, look.factor) if with_range else (),
        high=_scaled(found.max, look.factor) if with_range else (),
    )


def _scaled(values: Sequence[float | None], factor: float) -> Sequence[float | None]:
    if factor == 1.0:
        return values
    return [None if value is None else value * factor for value in values]


def _markers(home: Home, start: datetime, end: datetime) -> list[Marker]:
    return [
        Marker(
            number=marker.number,
            at=int(marker.at.timestamp()),
            text=marker.title,
            href=f"{get_script_prefix()}changes/{marker.id}",
            until=None if marker.begin is None else int((marker.end or home.at).timestamp()),
        )
        for marker in timeline.markers(home.site, start, end)
    ]


def _runs(home: Home, start: int, end: int) -> tuple[Run, ...]:
    """Return the state band; none for long ranges, where it would be a blur."""
    if end - start > BAND_LONGEST_S:
        return ()
    last = min(end, home.interval_s)
    if last <= start:
        return ()
    times, states = interval_states(home, start, last)
    return state_runs(times, states, INTERVAL_S, last, int(GAP_STEPS * INTERVAL_S))


def interval_states(home: Home, start: int, end: int) -> tuple[list[int], list[str]]:
    """Return the intervals that touch [start, end) (epoch s) and the heat pump's state in each."""
    names = ("compressor_run_s", "compressor_known_s", "dhw_charging", "electrical_energy_rod_wh")
    parts = [home.store.series(home.id, name, start, end, INTERVAL_S) for name in names]
    states = [interval_state(*values) for values in zip(*(part.mean for part in parts), strict=True)]
    return parts[0].time, states


def _view(home: Home, spec: ChartSpec, names: Sequence[str], data: History, name: str) -> PlotView:
    look = PLOTS[name]
    plot = next(plot for plot in spec.plots if plot.name == name)
    parts = [_line_summary(line_name, data) for line_name in names if LOOKS[line_name].plot == name]
    for gap in plot.gaps[:MOST_SAID]:
        if gap.cause:
            parts.append(f"{gap.cause}: {_span(home, gap.start, gap.end)}")
    bands = [(mark, mark.until) for mark in spec.markers if mark.until is not None]
    parts.extend(f"{mark.text}: {_span(home, mark.at, until)}" for mark, until in bands[:MOST_SAID])
    legend = [
        LegendItem(label=str(LOOKS[each].label), key=LOOKS[each].key)
        for each in names
        if LOOKS[each].plot == name
    ]
    if plot.gaps:
        legend.append(LegendItem(label=_("No data"), key="gap"))
    if bands:
        legend.append(LegendItem(label=str(EVENT_SENTENCES[BY_HAND]), key="k-hand"))
    return PlotView(
        name=name,
        title=str(look.title),
        size=look.size,
        summary=f"{look.title}. {'; '.join(parts)}.",
        legend=legend,
        empty=plot.empty,
    )


def _line_summary(name: str, data: History) -> str:
    look = LOOKS[name]
    known = [value for value in data.series[name].mean if value is not None]
    if not known:
        return _("%(series)s: no data") % {"series": look.label}
    return _("%(series)s between %(low)s and %(high)s") % {
        "series": look.label,
        "low": formatting.with_unit(min(known), look.kind),
        "high": formatting.with_unit(max(known), look.kind),
    }


def _means(step_s: int) -> str:
    return _("Averages over %(duration)s.") % {"duration": formatting.duration(step_s)}


def _csv(names: Sequence[str], start: datetime, end: datetime) -> str:
    query = {
        "series": ",".join(names),
        "from": _iso(start),
        "to": _iso(end),
        "points": "1000",
        "format": "csv",
    }
    return f"{get_script_prefix()}api/history?{urlencode(query)}"


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _span(home: Home, start: int, end: int) -> str:
    first, last = datetime.fromtimestamp(start, UTC), datetime.fromtimestamp(end, UTC)
    zone = home.options.zone
    same_day = first.astimezone(zone).date() == last.astimezone(zone).date()
    begin = formatting.at_home(home, first, "day_time")
    return f"{begin}–{formatting.at_home(home, last, 'time' if same_day else 'day_time')}"


# ---------- the table behind the charts ----------


def _table(home: Home, start: int, end: int, names: Sequence[str]) -> Table:
    edges, style, head = _table_edges(home, start, end)
    fields = [*names]
    if "power_w" in names:
        fields = [ENERGY, *[name for name in names if name != "power_w"]]
    columns = [head, *[_column(name) for name in fields]]
    if len(edges) < 2:
        return Table(name=_("Averages"), columns=columns, rows=[])
    means = means_between(home, [name for name in fields if name != ENERGY], edges)
    if ENERGY in fields:
        means[ENERGY] = [part.electrical_energy_kwh for part in totals(home, edges, ENERGY_PARTS)]
    rows = [
        TableRow(
            head=formatting.local_time(datetime.fromtimestamp(edge, UTC), home.options.zone, style),
            cells=[formatting.number(means[name][index], _decimals(name)) for name in fields],
        )
        for index, edge in enumerate(edges[:-1])
    ]
    return Table(name=_("Averages"), columns=columns, rows=rows)


def _decimals(name: str) -> int:
    if name == ENERGY or name in RATIOS:
        return 2
    return formatting.QUANTITIES[LOOKS[name].kind].decimals


def _table_edges(home: Home, start: int, end: int) -> tuple[list[int], str, str]:
    """Return the edges of the rows (multiples of 300 s), how their time is written, and the first column's
    head."""
    span, zone = end - start, home.options.zone
    if span <= 4 * DAY:
        step = HOUR if span <= 36 * HOUR else 6 * HOUR
        first = start // INTERVAL_S * INTERVAL_S
        edges = [*range(first, end, step), end // INTERVAL_S * INTERVAL_S]
        style = "time" if step == HOUR and span <= DAY + HOUR else "day_time"
        return sorted(set(edges)), style, _("From")
    first_day, last_day = _local_day(start, zone), _local_day(end - 1, zone)
    if span <= 62 * DAY:
        return day_edges(first_day, last_day, zone), "weekday_day", _("Day")
    kind, style, head = ("month", "month", _("Month")) if span <= 1200 * DAY else ("year", "year", _("Year"))
    found = periods(kind, first_day, last_day, zone)
    return [*[period.start for period in found], found[-1].end], style, head


def _local_day(at: int, zone: tzinfo) -> date:
    return datetime.fromtimestamp(at, zone).date()


def _column(name: str) -> str:
    if name == ENERGY:
        return _("Electricity kWh")
    look = LOOKS[name]
    unit = formatting.QUANTITIES[look.kind].unit
    return f"{look.label} {unit}".strip()


def last_day(home: Home) -> tuple[datetime, datetime]:
    """Return the 24 hours up to now, on the 5-minute grid."""
    end = datetime.fromtimestamp(-(-home.at_s // INTERVAL_S) * INTERVAL_S, UTC)
    return end - timedelta(days=1), end
