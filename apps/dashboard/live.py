"""The overview's cards: what is true right now, in words and numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from django.utils.translation import gettext as _

from apps.changelog import timeline
from apps.devices.models import Site
from apps.devices.options import HomeOptions
from apps.metrics.periods import EnergyRow, energy_rows
from apps.metrics.store.base import TimeSeriesStore
from apps.metrics.windows import local_midnight

from . import formatting, house_state
from .charts import spark_path
from .contexts import Alarm, Fact, Hero, LiveContext, Mix, ValueCard
from .looks import LOOKS
from .reasons import reason_in_words
from .status import FRESH, NOT_SET_UP, OFFLINE, Status, current_status
from .window_summary import INTERVAL_S, WindowSummary, summarise

COP_WINDOW_S = 1800
LEAST_RUN_S = 600
SPARK_STEP_S = 900
LOOK_BACK_S = 12 * 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """Whose page this is: the site, its values in force, its store, and the page's time."""

    site: Site
    options: HomeOptions
    store: TimeSeriesStore
    at: datetime

    @property
    def at_s(self) -> int:
        return int(self.at.timestamp())

    @property
    def today(self) -> date:
        return self.at.astimezone(self.options.zone).date()

    def summary(self, start: int, end: int) -> WindowSummary:
        """What [start, end) (epoch s) came to."""
        return summarise(self.store, self.site.pk, start, end, self.at)

    def rows(self, period: str, first: date, last: date) -> list[EnergyRow]:
        """Periods that touch the local days ``first`` to ``last``."""
        return energy_rows(self.store, self.site.pk, self.options, period, first, last, self.at)

    def local(self, at: datetime | None, style: str = "time") -> str:
        return formatting.local_time(at, self.options.zone, style)


def live_context(house: House, status: Status | None = None) -> LiveContext:
    """Cards, state and alarms at ``house.at``."""
    status = status or current_status(house.site, house.at)
    today = house.summary(_midnight_s(house, 0), house.at_s)
    said = alarms(house, status)
    return LiveContext(
        at=house.at,
        alarms=said,
        level=_worst([alarm.level for alarm in said]),
        measuring=_measuring(house, status),
        hero=_hero(house, status, today),
        today=_today_facts(house, today),
        cards=_temperature_cards(house, status),
    )


def is_set_up(status: Status) -> bool:
    """False while there is neither a device nor a value: the page then only says what to do."""
    return any(
        source.state != NOT_SET_UP or source.measured_at is not None
        for source in (status.meter, status.heat_pump)
    )


def alarms(house: House, status: Status) -> list[Alarm]:
    """One sentence a source that does not deliver or whose last poll failed; otherwise one that all is
    well, or that nothing is connected."""
    found = []
    sources = ((_("Meter"), status.meter), (_("Heat pump"), status.heat_pump))
    for name, source in sources:
        if source.state == NOT_SET_UP or (source.state == FRESH and source.message is None):
            continue
        if source.state == FRESH:
            said = (source.message or "").removesuffix(".")
            text = _("%(source)s: %(message)s") % {"source": name, "message": said}
        elif source.measured_at is None:
            text = _("%(source)s: no values yet") % {"source": name}
        else:
            text = _("%(source)s: no new values since %(time)s") % {
                "source": name,
                "time": _moment(house, source.measured_at),
            }
        found.append(Alarm(level="bad" if source.state == OFFLINE else "warn", text=text))
    if not found and all(source.state == NOT_SET_UP for _name, source in sources):
        return [Alarm(level="info", text=_("No device is connected"))]
    return found or [Alarm(level="good", text=_("All well"))]


def _worst(levels: Sequence[str]) -> str:
    return next(level for level in ("bad", "warn", "info", "good") if level in levels)


def _measuring(house: House, status: Status) -> str:
    parts = []
    for name, source in ((_("meter"), status.meter), (_("heat pump"), status.heat_pump)):
        if source.measured_at is not None:
            parts.append(f"{name} {formatting.age(source.measured_at, house.at)}")
        elif source.state == NOT_SET_UP:
            parts.append(_("%(source)s not connected") % {"source": name})
    return " · ".join(parts)


# ---------- the leading card ----------

_ICONS = {
    house_state.SPACE: "radiator",
    house_state.DHW: "drop",
    house_state.DEFROST: "snow",
    house_state.COOLING: "snow",
    house_state.RUNNING: "flame",
    house_state.OFF: "off",
    house_state.UNKNOWN: "none",
}


def _title(state: str) -> str:
    return {
        house_state.SPACE: _("Heating the house"),
        house_state.DHW: _("Making hot water"),
        house_state.DEFROST: _("Defrosting"),
        house_state.COOLING: _("Cooling"),
        house_state.RUNNING: _("Running"),
        house_state.OFF: _("Standing by"),
        house_state.UNKNOWN: _("State not known"),
    }[state]


def _hero(house: House, status: Status, today: WindowSummary) -> Hero:
    pump, pump_fresh = status.heat_pump, status.heat_pump.state == FRESH
    power_w = status.meter.power_w if status.meter.state == FRESH else None
    state = house_state.house_state(
        power_w=power_w,
        off_w=house.options.compressor_off_w,
        compressor_active=pump.compressor_active if pump_fresh else None,
        compressor_phase=pump.compressor_phase if pump_fresh else None,
        dhw_charging=pump.dhw_charging,
    )
    recent = house.summary(house.at_s // INTERVAL_S * INTERVAL_S - COP_WINDOW_S, house.at_s)
    return Hero(
        state=state,
        icon=_ICONS[state],
        title=_title(state),
        detail=_detail(house, status, state),
        power=_power_card(house, status),
        heat=_heat_card(status, state),
        cop=_cop_card(recent),
        mix=_mix(recent, today),
    )


def _detail(house: House, status: Status, state: str) -> str:
    parts = []
    since, certain = _since(house, state != house_state.OFF)
    if since is not None and state != house_state.UNKNOWN:
        lasting = formatting.duration((house.at - since).total_seconds())
        wording = _("since %(time)s (%(duration)s)") if certain else _("for more than %(duration)s")
        parts.append(wording % {"time": _moment(house, since), "duration": lasting})
    pump = status.heat_pump
    if status.meter.state == FRESH and pump.state != FRESH and pump.measured_at is not None:
        parts.append(
            _("according to the meter; mode of %(time)s") % {"time": _moment(house, pump.measured_at)}
        )
    elif (
        pump.state == FRESH
        and pump.modulation_percent is not None
        and state not in {house_state.OFF, house_state.UNKNOWN}
    ):
        parts.append(
            _("compressor %(percent)s")
            % {"percent": formatting.with_unit(pump.modulation_percent, "percent")}
        )
    return " · ".join(parts)


def _since(house: House, running: bool) -> tuple[datetime | None, bool]:
    """When the present run (or rest) began, by the finished intervals; False: earlier than looked back."""
    end = house.at_s // INTERVAL_S * INTERVAL_S
    start = end - LOOK_BACK_S
    run = house.store.series(house.site.pk, "compressor_run_s", start, end, INTERVAL_S)
    began = None
    for at, seconds in zip(reversed(run.time), reversed(run.mean), strict=True):
        pending = seconds is None and at >= end - 2 * INTERVAL_S and began is None
        if at >= end or pending:
            continue
        if seconds is None or (seconds >= INTERVAL_S / 2) != running:
            return (None if began is None else datetime.fromtimestamp(began, UTC)), True
        began = at
    return (None if began is None else datetime.fromtimestamp(began, UTC)), False


def _power_card(house: House, status: Status) -> ValueCard:
    meter = status.meter
    phases = [
        f"L{number}{formatting.NARROW}{formatting.number(phase.power_w)}"
        for number, phase in enumerate(meter.phases, start=1)
        if phase.power_w is not None
    ]
    meta = " · ".join(phases) + (f"{formatting.NARROW}W" if phases else "")
    return _aged(house, meter.state, meter.measured_at, _("Electric power"), meter.power_w, "power_w", meta)


def _heat_card(status: Status, state: str) -> ValueCard:
    interval = status.interval
    by_modulation, by_delta_t = interval.thermal_power_modulation_kw, interval.thermal_power_delta_t_kw
    label = _("Heat")
    if by_modulation is None and by_delta_t is None:
        return ValueCard(
            label=label,
            value=None,
            kind="power_kw",
            state="none",
            estimated=True,
            meta=reason_in_words(interval.reason),
        )
    meta = _("delta T: %(value)s") % {"value": formatting.with_unit(by_delta_t, "power_kw")}
    if by_modulation is not None:
        meta = f"{_('modulation')} · {meta}"
    value = by_modulation if by_modulation is not None else by_delta_t
    return ValueCard(label=label, value=value, kind="power_kw", state="estimated", estimated=True, meta=meta)


def _cop_card(recent: WindowSummary) -> ValueCard:
    label = _("COP, 30 min")
    if (recent.compressor_run_s or 0.0) < LEAST_RUN_S or recent.cop is None:
        meta = (
            _("shown after 10 minutes of running")
            if recent.compressor_run_s is not None and recent.compressor_run_s < LEAST_RUN_S
            else _("no current value")
        )
        return ValueCard(label=label, value=None, kind="cop", state="none", estimated=True, meta=meta)
    meta = _("delta T: %(value)s") % {"value": formatting.with_unit(recent.cop_delta_t, "cop")}
    return ValueCard(label=label, value=recent.cop, kind="cop", state="estimated", estimated=True, meta=meta)


def _mix(recent: WindowSummary, today: WindowSummary) -> Mix | None:
    running = (recent.compressor_run_s or 0.0) >= LEAST_RUN_S and recent.cop is not None
    cop = recent.cop if running else today.cop
    if cop is None or cop <= 1.0:
        return None
    return Mix(electric_percent=round(100 / cop, 1), ground_kwh=cop - 1, heat_kwh=cop, of_today=not running)


# ---------- today ----------


def _today_facts(house: House, today: WindowSummary) -> list[Fact]:
    facts = [
        Fact(name=_("Electricity"), value=formatting.with_unit(today.electrical_energy_kwh, "energy_kwh"))
    ]
    cost = _cost_of_today(house)
    if cost is not None:
        facts.append(Fact(name=_("Cost"), value=formatting.money(cost, house.options.currency)))
    measured = _("(%(share)s measured)") % {"share": formatting.coverage(today.heat_coverage)}
    facts.append(
        Fact(
            name=_("COP"),
            value=formatting.with_unit(today.cop, "cop"),
            note=measured if today.heat_coverage is not None else "",
            estimated=True,
        )
    )
    starts = formatting.number(today.compressor_starts)
    facts.append(
        Fact(name=_("Starts and run time"), value=f"{starts} · {formatting.duration(today.compressor_run_s)}")
    )
    before = house.summary(_midnight_s(house, -1), _same_time_yesterday_s(house)).electrical_energy_kwh
    facts.append(
        Fact(
            name=_("Yesterday until %(time)s") % {"time": house.local(house.at)},
            value=formatting.with_unit(before, "energy_kwh"),
        )
    )
    return facts


def _cost_of_today(house: House) -> float | None:
    return house.rows("day", house.today, house.today)[0].cost


def _midnight_s(house: House, days: int) -> int:
    return int(local_midnight(house.today + timedelta(days=days), house.options.zone).timestamp())


def _same_time_yesterday_s(house: House) -> int:
    local = house.at.astimezone(house.options.zone)
    return int((local - timedelta(days=1)).timestamp())


# ---------- temperatures ----------


def _temperature_cards(house: House, status: Status) -> Sequence[ValueCard]:
    pump = status.heat_pump
    target = timeline.configuration_at(house.site, house.at).get("dhw.target_temperature_c")
    note = (
        _("target %(value)s") % {"value": formatting.with_unit(target, "temperature_c")}
        if isinstance(target, int | float)
        else ""
    )
    return [
        _temperature_card(
            house, status, _("Outdoor"), "sun", "outside_temperature_c", pump.outside_temperature_c
        ),
        _temperature_card(
            house, status, _("Flow"), "flow", "supply_temperature_c", pump.supply_temperature_c
        ),
        _temperature_card(
            house, status, _("Return"), "ret", "return_temperature_c", pump.return_temperature_c
        ),
        _temperature_card(
            house,
            status,
            _("Hot water"),
            "drop",
            "dhw_storage_temperature_c",
            pump.dhw_storage_temperature_c,
            note,
        ),
    ]


def _temperature_card(
    house: House, status: Status, label: str, icon: str, series: str, value: float | None, note: str = ""
) -> ValueCard:
    start, end = house.at_s - 86400, house.at_s
    steps = house.store.series(house.site.pk, series, start, end, SPARK_STEP_S)
    pump = status.heat_pump
    return _aged(
        house,
        pump.state,
        pump.measured_at,
        label,
        value,
        "temperature_c",
        note=note,
        icon=icon,
        spark=spark_path(steps.time, steps.mean, start, end, SPARK_STEP_S),
        key=LOOKS[series].key,
        say_age=True,
    )


def _aged(
    house: House,
    state: str,
    measured_at: datetime | None,
    label: str,
    value: float | None,
    kind: str,
    meta: str = "",
    note: str = "",
    icon: str = "",
    spark: str = "",
    key: str = "",
    say_age: bool = False,
) -> ValueCard:
    """A value of one source: fresh with its age, stale with its time, or not there."""
    shown = "fresh"
    if value is None:
        shown = "none"
        meta = _("no data: not connected") if state == NOT_SET_UP else _("no data")
    elif state != FRESH:
        shown, note = "stale", ""
        meta = _("stale since %(time)s") % {"time": _moment(house, measured_at)}
    elif say_age:
        meta = formatting.age(measured_at, house.at)
    return ValueCard(
        label=label,
        value=value,
        kind=kind,
        state=shown,
        icon=icon,
        meta=meta,
        note=note,
        spark=spark,
        key=key,
    )


def _moment(house: House, at: datetime | None) -> str:
    """The time of day, with the date where it was not today."""
    if at is None:
        return formatting.MISSING
    zone = house.options.zone
    same_day = at.astimezone(zone).date() == house.at.astimezone(zone).date()
    return house.local(at, "time" if same_day else "day_time")
