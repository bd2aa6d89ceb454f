"""The overview's cards: what is true right now, in words and numbers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import npgettext

from apps.dashboard import formatting
from apps.dashboard.contexts import Fact, Hero, LiveContext, Mix, ValueCard
from apps.dashboard.pages.links import day_href
from apps.dashboard.pages.panel.lines import interval_states
from apps.dashboard.pages.reasons import implausible_words, reason_in_words
from apps.metrics import pump_state
from apps.metrics.alike import alike_day
from apps.metrics.begin import HEAT, measured_from
from apps.metrics.grid import INTERVAL_S
from apps.metrics.home import Home
from apps.metrics.periods import energy_rows
from apps.metrics.status import (
    FRESH,
    NOT_SET_UP,
    SOURCE_SILENT,
    HeatPumpStatus,
    Status,
)
from apps.metrics.tariff import known_tariffs, tariff_on
from apps.metrics.totals import Totals, window

from .alarms import alarms, is_awaited, worst
from .temperatures import aged, dhw_target_c, temperature_cards

COP_WINDOW_S = 1800
LEAST_RUN_S = 600
LOOK_BACK_S = 12 * 3600
WAITING = {"no_electricity", "no_snapshot", "run_state_unknown", "not_calculated"}
"""Reasons that a home of a few minutes has only because its first interval is not over."""


def live_context(home: Home, status: Status, written: tuple[Any, ...]) -> LiveContext:
    """Return the cards, state and alarms at ``home.at``; ``written``: see ``timeline.shown_state``."""
    today = window(home, home.midnight(home.today), home.at_s)
    said = alarms(home, status)
    return LiveContext(
        at=home.at,
        alarms=said,
        level=worst([alarm.level for alarm in said]),
        measuring=_measuring(home, status),
        hero=_hero(home, status, today),
        today=_today_facts(home, today),
        since=datetime.fromtimestamp(today.start + today.before_s, UTC) if today.before_s else None,
        cards=temperature_cards(home, status, dhw_target_c(home, written)),
    )


def is_set_up(status: Status) -> bool:
    """Return False while there is neither a device nor a value: the page then only says what to do."""
    return any(
        source.state != NOT_SET_UP or source.measured_at is not None
        for source in (status.meter, status.heat_pump)
    )


def _measuring(home: Home, status: Status) -> str:
    parts = []
    for name, source in ((_("meter"), status.meter), (_("heat pump"), status.heat_pump)):
        if source.measured_at is not None:
            parts.append(f"{name} {formatting.age(source.measured_at, home.at)}")
        elif source.state == NOT_SET_UP:
            parts.append(_("%(source)s not connected") % {"source": name})
        else:
            parts.append(_("%(source)s: no values yet") % {"source": name})
    return " · ".join(parts)


# ---------- the leading card ----------

_ICONS = {
    pump_state.SPACE: "radiator",
    pump_state.DHW: "drop",
    pump_state.DEFROST: "snow",
    pump_state.COOLING: "snow",
    pump_state.RUNNING: "flame",
    pump_state.OFF: "off",
    pump_state.UNKNOWN: "none",
}


def _title(state: str) -> str:
    return {
        pump_state.SPACE: _("Heating the house"),
        pump_state.DHW: _("Making hot water"),
        pump_state.DEFROST: _("Defrosting"),
        pump_state.COOLING: _("Cooling"),
        pump_state.RUNNING: _("Running"),
        pump_state.OFF: _("On standby"),
        pump_state.UNKNOWN: _("State unknown"),
    }[state]


def _hero(home: Home, status: Status, today: Totals) -> Hero:
    pump, pump_fresh = status.heat_pump, is_of_now(status.heat_pump)
    power_w = status.meter.power_w if status.meter.state == FRESH else None
    state = pump_state.house_state(
        power_w=power_w,
        off_w=home.options.compressor_off_w,
        compressor_active=pump.compressor_active if pump_fresh else None,
        compressor_phase=pump.compressor_phase if pump_fresh else None,
        dhw_charging=pump.dhw_charging if pump_fresh else None,
    )
    recent = window(home, home.interval_s - COP_WINDOW_S, home.at_s)
    return Hero(
        state=state,
        icon=_ICONS[state],
        title=_title(state),
        detail=_detail(home, status, state),
        power=_power_card(home, status),
        heat=_heat_card(home, status, state),
        cop=_cop_card(home, status, recent, state),
        mix=_mix(recent, today),
    )


def _detail(home: Home, status: Status, state: str) -> str:
    parts = []
    since, certain = _since(home, state)
    if since is not None:
        lasting = formatting.duration((home.at - since).total_seconds())
        wording = _("since %(time)s (%(duration)s)") if certain else _("for more than %(duration)s")
        parts.append(wording % {"time": formatting.moment(home, since), "duration": lasting})
    pump = status.heat_pump
    if status.meter.state == FRESH and pump.state != FRESH and pump.measured_at is not None:
        parts.append(
            _("according to the meter; mode as of %(time)s")
            % {"time": formatting.moment(home, pump.measured_at)}
        )
    elif (
        pump.state == FRESH
        and pump.modulation_percent is not None
        and state not in {pump_state.OFF, pump_state.UNKNOWN}
    ):
        parts.append(
            _("compressor %(percent)s")
            % {"percent": formatting.with_unit(pump.modulation_percent, "percent")}
        )
    return " · ".join(parts)


_INTERVAL_STATES = {
    pump_state.SPACE: "space",
    pump_state.DHW: "dhw",
    pump_state.RUNNING: "unclassified",
    pump_state.OFF: "off",
}
"""The states that intervals know too; of others nobody knows when they began."""


def _since(home: Home, state: str) -> tuple[datetime | None, bool]:
    """Return when the present state began, by the finished intervals; False: before they were looked at."""
    wanted = _INTERVAL_STATES.get(state)
    if wanted is None:
        return None, True
    end = home.interval_s
    times, states = interval_states(home, end - LOOK_BACK_S, end)
    began = None
    for at, found in zip(reversed(times), reversed(states), strict=True):
        if found == "none" and at >= end - 2 * INTERVAL_S and began is None:
            continue  # not derived yet
        if found != wanted:
            return (None if began is None else datetime.fromtimestamp(began, UTC)), True
        began = at
    return (None if began is None else datetime.fromtimestamp(began, UTC)), False


def _power_card(home: Home, status: Status) -> ValueCard:
    meter = status.meter
    phases = [
        f"L{number}{formatting.NARROW}{formatting.number(phase.power_w)}"
        for number, phase in enumerate(meter.phases, start=1)
        if phase.power_w is not None
    ]
    meta = " · ".join(phases) + (f"{formatting.NARROW}W" if phases else "")
    return aged(home, meter.state, meter.measured_at, _("Electric power"), meter.power_w, "power_w", meta)


def _heat_card(home: Home, status: Status, state: str) -> ValueCard:
    interval = status.interval
    by_modulation, by_delta_t = interval.thermal_power_modulation_kw, interval.thermal_power_delta_t_kw
    label = _("Heat")
    is_silent = state != pump_state.OFF and _is_silent(status.heat_pump)
    if is_silent or (by_modulation is None and by_delta_t is None):
        return ValueCard(
            label=label,
            value=None,
            kind="power_kw",
            state="none",
            estimated=True,
            meta=_silent_since(home, status)
            if is_silent
            else _not_yet(home, status) or reason_in_words(interval.reason),
        )
    meta = _("delta T: %(value)s") % {"value": formatting.with_unit(by_delta_t, "power_kw")}
    if by_modulation is not None:
        meta = " · ".join((_("modulation"), meta))
    value = by_modulation if by_modulation is not None else by_delta_t
    if state == pump_state.OFF and value:
        meta = f"{_span(home, interval.start, interval.end)} · {meta}"
    return ValueCard(label=label, value=value, kind="power_kw", state="estimated", estimated=True, meta=meta)


def _not_yet(home: Home, status: Status) -> str:
    """Return that a source is not connected, or when the next value comes; empty where neither is so."""
    for name, source in ((_("meter"), status.meter), (_("heat pump"), status.heat_pump)):
        if source.state == NOT_SET_UP:
            return _("%(source)s not connected") % {"source": name}
    if is_awaited(status):
        return _("first values within 5 minutes")
    both = (status.meter.state, status.heat_pump.state) == (FRESH, FRESH)
    if not both or status.interval.reason not in WAITING:
        return ""
    time = {"time": formatting.at_home(home, datetime.fromtimestamp(home.interval_s + INTERVAL_S, UTC))}
    if measured_from(home, HEAT) is None:
        return _("first value comes at %(time)s") % time
    asked_at = status.heat_pump.measured_at
    if asked_at is not None and asked_at >= status.interval.end:
        return _("next value comes at %(time)s") % time
    return ""


def is_of_now(source: HeatPumpStatus) -> bool:
    """Tell whether its values are measurements of now; a silent source only repeats itself."""
    return source.state == FRESH and not _is_silent(source)


def _is_silent(source: HeatPumpStatus) -> bool:
    return source.fault is not None and source.fault.code == SOURCE_SILENT


def _silent_since(home: Home, status: Status) -> str:
    fault = status.heat_pump.fault
    since = fault.details["since"] if fault is not None else None
    return _("nothing new from the heat pump since %(time)s") % {"time": formatting.moment(home, since)}


def _span(home: Home, start: datetime, end: datetime) -> str:
    return f"{formatting.at_home(home, start)}–{formatting.at_home(home, end)}"


def _cop_card(home: Home, status: Status, recent: Totals, state: str) -> ValueCard:
    label = _("COP, 30 min")
    if state != pump_state.OFF and _is_silent(status.heat_pump):
        meta = _silent_since(home, status)
        return ValueCard(label=label, value=None, kind="cop", state="none", estimated=True, meta=meta)
    if (recent.compressor_run_s or 0.0) < LEAST_RUN_S or recent.cop is None:
        later = _not_yet(home, status) if status.meter.state != NOT_SET_UP else ""
        meta = later or (
            _("shown once it has run for 10 minutes")
            if recent.compressor_run_s is not None and recent.compressor_run_s < LEAST_RUN_S
            else _("no current value")
        )
        return ValueCard(label=label, value=None, kind="cop", state="none", estimated=True, meta=meta)
    meta = _("delta T: %(value)s") % {"value": formatting.with_unit(recent.cop_delta_t, "cop")}
    if state == pump_state.OFF:
        meta = " · ".join([_("of its last run"), meta])
    if recent.implausible:
        meta = implausible_words()
    return ValueCard(label=label, value=recent.cop, kind="cop", state="estimated", estimated=True, meta=meta)


def _mix(recent: Totals, today: Totals) -> Mix | None:
    running = (recent.compressor_run_s or 0.0) >= LEAST_RUN_S and recent.cop is not None
    cop = recent.cop if running else today.cop
    if cop is None or cop <= 1.0:
        return None
    return Mix(electric_percent=round(100 / cop, 1), ground_kwh=cop - 1, heat_kwh=cop, of_today=not running)


# ---------- today ----------


def _today_facts(home: Home, today: Totals) -> list[Fact]:
    facts = [_electricity(_("Electricity"), today)]
    cost = _cost_of_today(home)
    if cost is not None:
        facts.append(
            Fact(
                name=_("Cost"),
                value=formatting.money(cost, home.options.currency),
                note=" · ".join(_of_cost(home, is_more=bool(today.at_least or today.is_partial))),
            )
        )
    measured = _("(heat known for %(share)s)") % {"share": formatting.coverage(today.heat_coverage)}
    facts.append(
        Fact(
            name=_("COP"),
            value=formatting.with_unit(today.cop, "cop"),
            note=measured if today.heat_coverage is not None else "",
            estimated=True,
        )
    )
    starts = formatting.number(today.compressor_starts)
    if today.compressor_starts is not None:
        words = npgettext("compressor", "%(n)s start", "%(n)s starts", today.compressor_starts)
        starts = words % {"n": starts}
    facts.append(
        Fact(name=_("Starts and run time"), value=f"{starts} · {formatting.duration(today.compressor_run_s)}")
    )
    yesterday = home.today - timedelta(days=1)
    before = window(home, home.midnight(yesterday), _same_time_yesterday_s(home))
    name = _("Yesterday until %(time)s") % {"time": formatting.at_home(home, home.at)}
    if before.before_s < before.elapsed_s:
        facts.append(_electricity(name, before, day_href(yesterday)))
    return [*facts, *_equally_cold(home)]


def _equally_cold(home: Home) -> list[Fact]:
    """Return what another day had used by this time that was as cold; empty where none was."""
    found = alike_day(home)
    if found is None:
        return []
    names = {
        "day": formatting.day_of(home, found.day),
        "time": formatting.at_home(home, home.at),
    }
    temperature = {"outside": formatting.with_unit(found.outside_c, "temperature_c")}
    return [
        Fact(
            name=_("As cold: %(day)s until %(time)s") % names,
            value=formatting.with_unit(found.energy_kwh, "energy_kwh"),
            note=_("at %(outside)s") % temperature,
            href=day_href(found.day),
        )
    ]


def _electricity(name: str, part: Totals, href: str = "") -> Fact:
    notes = []
    if part.is_partial and part.electrical_energy_kwh is not None:
        share = formatting.coverage(part.measured_coverage)
        notes.append(_("partial, %(share)s measured") % {"share": share})
    if part.at_least:
        notes.append(_("at least"))
    return Fact(
        name=name,
        value=formatting.with_unit(part.electrical_energy_kwh, "energy_kwh"),
        note=" · ".join(notes),
        href=href,
    )


def _cost_of_today(home: Home) -> float | None:
    return energy_rows(home, "day", home.today, home.today)[0].cost


def _of_cost(home: Home, *, is_more: bool) -> list[str]:
    """Return what the cost of today includes, and whether it is a lower bound."""
    tariff = tariff_on(known_tariffs(home.options), home.today)
    has_fee = tariff is not None and tariff.base_fee_per_day
    return [*([_("at least")] if is_more else []), *([_("Base fee included")] if has_fee else [])]


def _same_time_yesterday_s(home: Home) -> int:
    local = home.at.astimezone(home.options.zone)
    return int((local - timedelta(days=1)).timestamp())
