"""A panel of charts over one stretch of time: power, temperatures, state, with the table behind it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, tzinfo
from urllib.parse import urlencode

from django.urls import get_script_prefix
from django.utils.translation import gettext as _

from apps.changelog import timeline
from apps.metrics.series import History, history
from apps.metrics.store.base import Aggregate
from apps.metrics.windows import day_edges, periods

from . import formatting, house_state
from .charts import (
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
from .contexts import GapRow, LegendItem, PanelContext, PlotView, Table, TableRow
from .live import House
from .looks import LOOKS, PLOTS, TEMPERATURE

INTERVAL_S = 300
HEATS = ("thermal_power_modulation_kw", "thermal_power_delta_t_kw")
BAND_LONGEST_S = 9 * DAY
RANGE_OF_STEP_S = HOUR  # from this step on the smallest and largest value of a step are drawn too
WITH_RANGE = {"outside_temperature_c"}  # of power it would be a blur: every step has both


def time_panel(
    house: House,
    start: datetime,
    end: datetime,
    names: Sequence[str],
    *,
    panel_id: str,
    title: str,
    subtitle: str = "",
) -> PanelContext:
    """Charts of ``names`` over [start, end), with markers, state band, gaps and table."""
    start_s, end_s = int(start.timestamp()), int(end.timestamp())
    data = without_false_zeros(
        house, history(house.store, house.site.pk, list(names), start, end, MAX_POINTS)
    )
    spec = line_chart(
        _plots(names, data),
        _markers(house, start, end),
        start=start_s,
        end=end_s,
        now=house.at_s // data.step_s * data.step_s,
        step_s=data.step_s,
        zone=house.options.zone,
        tick_label=formatting.tick_label,
        runs=_runs(house, start_s, end_s),
        zoom=f"{get_script_prefix()}history?" + urlencode({"series": list(names)}, doseq=True),
        words={"state": _("State of the heat pump")},
    )
    return PanelContext(
        id=panel_id,
        title=title,
        subtitle=subtitle or _means(data.step_s),
        spec=spec,
        plots=[_view(house, spec, names, data, name) for name in _plots_of(names)],
        markers=spec.markers,
        table=_table(house, start_s, min(end_s, house.at_s), names),
        csv=_csv(names, start, end),
        gaps=gap_rows(house, spec),
    )


def without_false_zeros(house: House, data: History) -> History:
    """Heat that is 0 only because a step's running intervals are unknown becomes unknown."""
    zeros = [name for name in HEATS if name in data.series and 0.0 in data.series[name].mean]
    if not zeros or data.step_s <= INTERVAL_S:
        return data
    time = data.series[zeros[0]].time
    run = house.store.series(house.site.pk, "compressor_run_s", time[0], time[-1] + data.step_s, data.step_s)
    ran = {at for at, seconds in zip(run.time, run.sum, strict=True) if seconds}
    kept = {
        name: replace(
            data.series[name],
            mean=[
                None if value == 0.0 and at in ran else value
                for at, value in zip(data.series[name].time, data.series[name].mean, strict=True)
            ],
        )
        for name in zeros
    }
    return replace(data, series={**data.series, **kept})


def state_legend(spec: ChartSpec) -> list[LegendItem]:
    """The states that occur, in words."""
    words = {
        "space": _("Space heating"),
        "dhw": _("Hot water"),
        "rod": _("Heating rod"),
        "defrost": _("Defrosting"),
        "unclassified": _("Running, use not known"),
        "off": _("Off"),
        "none": _("No data"),
    }
    keys = {"none": "gap"}
    return [LegendItem(label=words[state], key=keys.get(state, state)) for state in spec.states]


def gap_rows(house: House, spec: ChartSpec) -> list[GapRow]:
    """The hatched gaps in words, newest first."""
    rows = []
    for plot in spec.plots:
        for gap in plot.gaps:
            meter = PLOTS[plot.name].gaps_of == "power_w"
            if not gap.cause:
                continue
            rows.append(
                (
                    gap.start,
                    GapRow(
                        when=_span(house, gap.start, gap.end),
                        source=_("Meter") if meter else _("Heat pump"),
                        cause=gap.cause,
                        effect=_effect(house, meter),
                    ),
                )
            )
    return [row for _start, row in sorted(rows, key=lambda pair: -pair[0])]


def _effect(house: House, meter: bool) -> str:
    if not meter:
        return (
            _("electricity goes on, heat is missing") if house.options.meter_set_up else _("heat is missing")
        )
    if not house.options.meter_set_up:
        return _("electricity is missing")
    return _("filled in later from the meter's own records where it has them")


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
            minimum=_minimum(plot, names, data),
        )
        for plot in _plots_of(names)
    ]


def _minimum(plot: str, names: Sequence[str], data: History) -> float | None:
    """Where the axis begins: temperatures at 0 °C, or at the tens below the coldest."""
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


def _markers(house: House, start: datetime, end: datetime) -> list[Marker]:
    return [
        Marker(
            number=marker.number,
            at=int(marker.at.timestamp()),
            text=marker.title,
            href=f"{get_script_prefix()}changes/{marker.id}",
        )
        for marker in timeline.markers(house.site, start, end)
    ]


def _runs(house: House, start: int, end: int) -> tuple[Run, ...]:
    """The state band; none for long ranges, where it would be a blur."""
    if end - start > BAND_LONGEST_S:
        return ()
    last = min(end, house.at_s // INTERVAL_S * INTERVAL_S)
    if last <= start:
        return ()
    names = ("compressor_run_s", "compressor_known_s", "dhw_charging", "electrical_energy_rod_wh")
    parts = [house.store.series(house.site.pk, name, start, last, INTERVAL_S) for name in names]
    states = [
        house_state.interval_state(*values) for values in zip(*(part.mean for part in parts), strict=True)
    ]
    return state_runs(parts[0].time, states, INTERVAL_S, last, int(GAP_STEPS * INTERVAL_S))


def _view(house: House, spec: ChartSpec, names: Sequence[str], data: History, name: str) -> PlotView:
    look = PLOTS[name]
    plot = next(plot for plot in spec.plots if plot.name == name)
    parts = [_line_summary(line_name, data) for line_name in names if LOOKS[line_name].plot == name]
    for gap in plot.gaps[:3]:
        if gap.cause:
            parts.append(f"{gap.cause}: {_span(house, gap.start, gap.end)}")
    return PlotView(
        name=name,
        title=str(look.title),
        size=look.size,
        summary=f"{look.title}. {'; '.join(parts)}.",
        legend=[
            LegendItem(label=str(LOOKS[each].label), key=LOOKS[each].key)
            for each in names
            if LOOKS[each].plot == name
        ],
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
    return _("Means of %(duration)s.") % {"duration": formatting.duration(step_s)}


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


def _span(house: House, start: int, end: int) -> str:
    first, last = datetime.fromtimestamp(start, UTC), datetime.fromtimestamp(end, UTC)
    zone = house.options.zone
    same_day = first.astimezone(zone).date() == last.astimezone(zone).date()
    return f"{house.local(first, 'day_time')}–{house.local(last, 'time' if same_day else 'day_time')}"


# ---------- the table behind the charts ----------


def _table(house: House, start: int, end: int, names: Sequence[str]) -> Table:
    edges, style, head = _table_edges(house, start, end)
    fields = [*names]
    if "power_w" in names:
        fields = ["electrical_energy_wh", *[name for name in names if name != "power_w"]]
    columns = [head, *[_column(name) for name in fields]]
    if len(edges) < 2:
        return Table(name=_("Means"), columns=columns, rows=[])
    sums = house.store.sums(house.site.pk, [*fields, *_ratio_parts(fields), "compressor_run_s"], edges)
    rows = [
        TableRow(
            head=formatting.local_time(datetime.fromtimestamp(edge, UTC), house.options.zone, style),
            cells=[_cell(name, sums, index) for name in fields],
        )
        for index, edge in enumerate(edges[:-1])
    ]
    return Table(name=_("Means"), columns=columns, rows=rows)


def _table_edges(house: House, start: int, end: int) -> tuple[list[int], str, str]:
    """Edges of the rows (multiples of 300 s), how their time is written, and the first column's head."""
    span, zone = end - start, house.options.zone
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
    if name == "electrical_energy_wh":
        return _("Electricity kWh")
    look = LOOKS[name]
    unit = formatting.QUANTITIES[look.kind].unit
    return f"{look.label} {unit}".strip()


_RATIOS = {
    "cop": ("full_thermal_energy_wh", "full_electrical_energy_wh"),
    "cop_delta_t": ("full_delta_t_thermal_energy_wh", "full_delta_t_electrical_energy_wh"),
}


def _ratio_parts(fields: Sequence[str]) -> list[str]:
    return [part for name in fields for part in _RATIOS.get(name, ())]


def _cell(name: str, sums: Mapping[str, Sequence[Aggregate]], index: int) -> str:
    part = sums[name][index]
    if name == "electrical_energy_wh":
        return formatting.number(None if part.sum is None else part.sum / 1000, 2)
    if name in _RATIOS:
        heat, energy = (sums[each][index].sum for each in _RATIOS[name])
        return formatting.number(heat / energy if heat and energy and energy >= 100 else None, 2)
    if name in HEATS and part.mean == 0.0 and sums["compressor_run_s"][index].sum:
        return formatting.MISSING  # only the rests between runs are known
    return formatting.number(part.mean, formatting.QUANTITIES[LOOKS[name].kind].decimals)


def last_day(house: House) -> tuple[datetime, datetime]:
    """The 24 hours up to now, on the 5-minute grid."""
    end = datetime.fromtimestamp(-(-house.at_s // INTERVAL_S) * INTERVAL_S, UTC)
    return end - timedelta(days=1), end
