"""A panel of lines over a short stretch of time: power, temperatures, state, with the table behind it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.urls import get_script_prefix
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from apps.changelog.glossary import BY_HAND
from apps.changelog.sentences import EVENT_SENTENCES
from apps.dashboard import formatting
from apps.dashboard.charts.lines import (
    GAP_STEPS,
    MAX_POINTS,
    MINUTE,
    ChartSpec,
    LineData,
    PlotData,
    Run,
    line_chart,
    state_runs,
)
from apps.dashboard.charts.looks import COP, LOOKS, PLOTS, POWER
from apps.dashboard.contexts import DrawnPanel, LegendItem, PanelContext, PlotView
from apps.metrics.begin import HEAT, measured_from
from apps.metrics.grid import INTERVAL_S
from apps.metrics.home import Home
from apps.metrics.pump_state import interval_state
from apps.metrics.series import POINTS_MIN, History, history

from .frame import (
    STATE_KEYS,
    csv_address,
    drawn,
    kept_panel,
    markers_of,
    span_words,
    state_words,
    states_summary,
)
from .gaps import gap_rows
from .table import averages

FINE = timedelta(hours=6)
"""Ranges up to this length show single polls: a quarter of a day, to which Enter zooms."""
POLLS_SUFFICE = 0.6

MOST_SAID = 3  # gaps and bands in the words of a plot
HEAT_OF = {"cop": "thermal_power_modulation_kw", "cop_delta_t": "thermal_power_delta_t_kw"}


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

    Drawn once until something is derived or ``written`` (see ``timeline.shown_state``); charts finer than
    that, or without a value yet, are always made anew.
    """
    asked = start, end, tuple(names), panel_id, title, subtitle, get_language()
    if end - start <= FINE:
        return drawn(home, _panel, *asked)
    return kept_panel(home, written, _panel, *asked)


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
    fine = _fine_power(home, start, end) if "power_w" in names and end - start <= FINE else None
    step_s, note = fine.step_s if fine else data.step_s, _note(names, data, fine)
    runs = _runs(home, start_s, end_s)
    spec = line_chart(
        _plots(home, names, data, fine),
        markers_of(home, start, end),
        start=start_s,
        end=end_s,
        now=home.at_s // step_s * step_s,
        step_s=step_s,
        zone=home.options.zone,
        tick_label=formatting.tick_label,
        runs=runs,
        zoom=f"{get_script_prefix()}history?" + urlencode({"series": list(names)}, doseq=True),
        words={
            **state_words(),
            "state": _("State of the heat pump"),
            "states": states_summary(runs),
            "note": note,
        },
    )
    return PanelContext(
        id=panel_id,
        title=title,
        subtitle=subtitle or note,
        spec=spec,
        plots=[_view(home, spec, names, data, name) for name in _plots_of(names)],
        states=[
            LegendItem(label=spec.words[state], key=STATE_KEYS.get(state, state)) for state in spec.states
        ],
        markers=spec.markers,
        table=averages(home, start_s, min(end_s, home.at_s), names),
        csv=csv_address(names, start, end),
        gaps=gap_rows(home, spec),
    )


def _fine_power(home: Home, start: datetime, end: datetime) -> History:
    """Return power as it was measured: every poll, or minutes where there are fewer polls or more points."""
    found = history(home, ["power_w"], start, end, MAX_POINTS)
    elapsed = max(0, min(home.at_s, int(end.timestamp())) - int(start.timestamp())) // found.step_s
    known = sum(value is not None for value in found.series["power_w"].mean)
    if found.step_s >= MINUTE or known >= elapsed * POLLS_SUFFICE:
        return found
    minutes = int((end - start).total_seconds()) // MINUTE + 2
    return history(home, ["power_w"], start, end, max(POINTS_MIN, minutes))


def _note(names: Sequence[str], data: History, fine: History | None) -> str:
    """Say what a point is."""
    every = {"duration": formatting.duration(data.step_s)}
    if fine is None or fine.step_s == data.step_s:
        return _("Averages over %(duration)s.") % every
    power = {"power": formatting.duration(fine.step_s)}
    if len(names) == 1:
        return _("Power every %(power)s.") % power
    return _("Power every %(power)s, everything else every %(duration)s.") % (power | every)


def _plots_of(names: Sequence[str]) -> list[str]:
    return [plot for plot in PLOTS if any(LOOKS[name].plot == plot for name in names)]


def _plots(home: Home, names: Sequence[str], data: History, fine: History | None) -> list[PlotData]:
    electricity, heat = measured_from(home) or 0, measured_from(home, HEAT) or 0
    return [
        PlotData(
            name=plot,
            title=str(PLOTS[plot].title),
            unit=PLOTS[plot].unit,
            decimals=PLOTS[plot].decimals,
            lines=[_line(name, data, fine) for name in names if LOOKS[name].plot == plot],
            cause=str(PLOTS[plot].cause),
            gaps_of=PLOTS[plot].gaps_of,
            known=_cop_known(names, data) if plot == COP else None,
            begin=electricity if plot == POWER else heat,
            from_zero=PLOTS[plot].from_zero,
            least_span=PLOTS[plot].least_span,
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


def _line(name: str, data: History, fine: History | None) -> LineData:
    is_fine = fine is not None and name in fine.series
    shown = fine if fine is not None and is_fine else data
    look, found = LOOKS[name], shown.series[name]
    return LineData(
        name=name,
        label=str(look.label),
        colour=look.colour,
        style=look.style,
        filled=look.filled,
        time=found.time,
        values=_scaled(found.mean, look.factor),
        key=look.key,
        step_s=shown.step_s,
        stepped=fine is not None and not is_fine,
    )


def _scaled(values: Sequence[float | None], factor: float) -> Sequence[float | None]:
    if factor == 1.0:
        return values
    return [None if value is None else value * factor for value in values]


def _runs(home: Home, start: int, end: int) -> tuple[Run, ...]:
    """Return the state band."""
    start, last = max(start, measured_from(home) or 0), min(end, home.interval_s)
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
            parts.append(f"{gap.cause}: {span_words(home, gap.start, gap.end)}")
    bands = [(mark, mark.until) for mark in spec.markers if mark.until is not None]
    parts.extend(f"{mark.text}: {span_words(home, mark.at, until)}" for mark, until in bands[:MOST_SAID])
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


def last_day(home: Home) -> tuple[datetime, datetime]:
    """Return the 24 hours up to now, on the 5-minute grid."""
    end = datetime.fromtimestamp(-(-home.at_s // INTERVAL_S) * INTERVAL_S, UTC)
    return end - timedelta(days=1), end
