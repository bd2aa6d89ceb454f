"""How the home is right now: what ``GET /api/status``, pages, probes and alarms are told.

All times are aware UTC; None means not measured or not known. Freshness is decided here and nowhere else
(design §3). Faults are codes; their words are made where somebody reads them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings

from apps.devices import storage
from apps.devices.budget import CallBudget
from apps.devices.meter_clock import is_wrong
from apps.devices.models import SourceState
from apps.devices.options import HomeOptions
from apps.devices.readings import PHASES, is_dead
from apps.devices.reports import alarming, login_ends_soon

from .codes import REASONS
from .grid import INTERVAL_S
from .home import Home
from .kept import kept
from .store.base import Row
from .store.schema import COMPRESSOR_PHASES, OPERATING_MODES
from .totals import Totals, kwh, totals

FRESH, STALE, OFFLINE, NOT_SET_UP = "fresh", "stale", "offline", "not_set_up"

METER_STALE_AFTER = timedelta(seconds=30)
METER_OFFLINE_AFTER = timedelta(minutes=5)
POLL_STALE_AFTER = timedelta(minutes=15)
SOURCE_STALE_AFTER = timedelta(hours=2)
# From then on repeated values are no measurements (metrics §1, "Source silent").
SOURCE_SILENT_AFTER = timedelta(minutes=30)
HEAT_PUMP_OFFLINE_AFTER = timedelta(hours=6)
# How far back the last known value is looked for; older ones are history.
REMEMBERED = timedelta(days=35)
NOT_CALCULATED = "not_calculated"

_RESULTS = {
    "thermal_power_modulation_kw": "thermal_power_modulation",
    "thermal_power_delta_t_kw": "thermal_power_delta_t",
    "cop": "cop",
    "cop_delta_t": "cop_delta_t",
}


# Faults that no device error tells.
SOURCE_NOT_SET_UP, NEVER_ANSWERED, SOURCE_SILENT, NOTHING_NEW = (
    "source_not_set_up",
    "never_answered",
    "source_silent",
    "nothing_new",
)

TODAY = (
    "electrical_energy_wh",
    "thermal_energy_modulation_wh",
    "full_thermal_energy_wh",
    "full_electrical_energy_wh",
    "electrical_energy_cooling_wh",
    "electric_s",
    "compressor_run_s",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What is wrong with a source: a code of the device's errors or of this module, and what fills its
    words."""

    source: str
    code: str
    details: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteStatus:
    id: int
    name: str
    timezone: str
    demo: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseStatus:
    """``connected``: false where the meter finds no voltage, None where the phase is not measured at all.
    ``errors``: faults of this phase as the meter names them."""

    power_w: float | None = None
    voltage_v: float | None = None
    current_a: float | None = None
    connected: bool | None = None
    errors: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterStatus:
    """``phases``: a, b, c. ``errors``: faults of the meter as a whole, as it names them.

    ``energy_returned_counter_wh``: energy fed back. ``clock_offset_s``: the meter's clock minus ours.
    """

    state: str
    measured_at: datetime | None = None
    power_w: float | None = None
    phases: tuple[PhaseStatus, ...] = ()
    energy_counter_wh: float | None = None
    energy_returned_counter_wh: float | None = None
    clock_offset_s: float | None = None
    errors: tuple[str, ...] = ()
    fault: Fault | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CircuitStatus:
    id: str
    supply_temperature_c: float | None = None
    room_temperature_c: float | None = None
    target_temperature_c: float | None = None
    pump_active: bool | None = None
    operating_mode: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HeatPumpStatus:
    """``measured_at``: when the cloud was asked. ``compressor_phase``: the device's text."""

    state: str
    measured_at: datetime | None = None
    outside_temperature_c: float | None = None
    supply_temperature_c: float | None = None
    return_temperature_c: float | None = None
    secondary_supply_temperature_c: float | None = None
    dhw_storage_temperature_c: float | None = None
    compressor_active: bool | None = None
    compressor_phase: str | None = None
    modulation_percent: float | None = None
    rated_power_kw: float | None = None
    circulation_pump_active: bool | None = None
    dhw_charging: bool | None = None
    circuits: tuple[CircuitStatus, ...] = ()
    login_ends_at: datetime | None = None
    fault: Fault | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class IntervalStatus:
    """The last finished 5 minutes. ``reason``: why the heat or COP is None, a word of
    ``metrics.codes.REASONS`` or NOT_CALCULATED; None if both are known."""

    start: datetime
    end: datetime
    electrical_power_w: float | None = None
    thermal_power_modulation_kw: float | None = None
    thermal_power_delta_t_kw: float | None = None
    cop: float | None = None
    cop_delta_t: float | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TodayStatus:
    """The local day so far; coverages are shares from 0 to 1."""

    electrical_energy_kwh: float | None = None
    thermal_energy_modulation_kwh: float | None = None
    cop: float | None = None
    electrical_coverage: float | None = None
    heat_coverage: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotaStatus:
    """Calls to the vendor's cloud. ``stops_at``: where heatmon itself stops; ``left``: calls until then."""

    limit: int
    stops_at: int
    used_24h: int
    used_utc_day: int
    blocked_until: datetime | None = None
    left: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    site: SiteStatus
    at: datetime
    meter: MeterStatus
    heat_pump: HeatPumpStatus
    interval: IntervalStatus
    today: TodayStatus
    quota: QuotaStatus


_SOURCES = "SELECT * FROM devices_sourcestate WHERE site_id = %s"


def current_status(home: Home) -> Status:
    """Return the status of ``home``. Raises StoreUnavailable."""
    sources = {state.source: state for state in SourceState.objects.raw(_SOURCES, [home.id])}
    return Status(
        site=SiteStatus(id=home.id, name=home.site.name, timezone=home.options.time_zone, demo=settings.DEMO),
        at=home.at,
        meter=_meter(home, sources.get(SourceState.Source.METER)),
        heat_pump=_heat_pump(home, sources.get(SourceState.Source.HEAT_PUMP)),
        interval=_interval(home),
        today=_today(totals(home, home.day_bounds(home.today), TODAY)[0]),
        quota=quota_status(home),
    )


def quota_status(home: Home) -> QuotaStatus:
    """Return where the budget of cloud calls stands; without an account nothing is used."""
    budget = CallBudget(
        home.options.viessmann_client_id or "",
        limit=settings.HEATMON.viessmann_daily_limit,
        clock=lambda: home.at,
    )
    quota = budget.quota(home.at)
    return QuotaStatus(
        limit=quota.limit,
        stops_at=quota.stops_at,
        used_24h=quota.used_24h,
        used_utc_day=quota.used_utc_day,
        blocked_until=quota.blocked_until,
        left=quota.left,
    )


def _meter(home: Home, source: SourceState | None) -> MeterStatus:
    row = _last_row(home, "meter", ("power_w", "voltage_a_v", "energy_counter_wh")).get("")
    measured_at = _instant(row.at) if row else None
    state = _meter_state(home.options, measured_at, home.at)
    values: Mapping[str, float | None] = row.values if row else {}
    report: Mapping[str, Any] = source.report if source else {}
    return MeterStatus(
        state=state,
        measured_at=measured_at,
        power_w=values.get("power_w"),
        phases=tuple(_phase(phase, values, report) for phase in PHASES),
        energy_counter_wh=values.get("energy_counter_wh"),
        energy_returned_counter_wh=values.get("energy_returned_counter_wh"),
        clock_offset_s=report.get("clock_offset_s"),
        errors=tuple(report.get("errors", ())),
        fault=_fault("meter", state, source) or _reported(home.options, report),
    )


def _phase(name: str, values: Mapping[str, float | None], report: Mapping[str, Any]) -> PhaseStatus:
    power_w, voltage_v = values.get(f"power_{name}_w"), values.get(f"voltage_{name}_v")
    connected = None if voltage_v is None else not is_dead(power_w, voltage_v)
    return PhaseStatus(
        power_w=power_w if connected is not False else None,
        voltage_v=voltage_v if connected is not False else None,
        current_a=values.get(f"current_{name}_a") if connected is not False else None,
        connected=connected,
        errors=tuple(report.get("phases", {}).get(name, ())),
    )


def _reported(options: HomeOptions, report: Mapping[str, Any]) -> Fault | None:
    """Return what the meter itself says that makes its values doubtful."""
    offset_s = report.get("clock_offset_s")
    if is_wrong(offset_s):
        host = urlsplit(options.shelly_url or "").netloc.rpartition("@")[2]
        return Fault(source="meter", code="clock_wrong", details={"host": host, "offset_s": offset_s})
    faults = alarming(report)
    return Fault(source="meter", code="meter_faults", details={"reported": faults}) if faults else None


def _meter_state(options: HomeOptions, measured_at: datetime | None, at: datetime) -> str:
    if not options.meter_set_up:
        return NOT_SET_UP
    # A row bears the start of its 10 s.
    if measured_at is None or at - measured_at > METER_OFFLINE_AFTER:
        return OFFLINE
    return STALE if at - measured_at > METER_STALE_AFTER else FRESH


def _heat_pump(home: Home, source: SourceState | None) -> HeatPumpStatus:
    rows = _last_row(home, "heat_pump", ("requested_at",))
    unit = rows.get("")
    values: Mapping[str, float | None] = unit.values if unit else {}
    measured_at = _instant(values.get("requested_at") or unit.at) if unit else None
    heartbeat = values.get("newest_source_at")
    source_at = _instant(heartbeat) if heartbeat is not None else None
    state = _heat_pump_state(home.options, measured_at, source_at, home.at)
    return HeatPumpStatus(
        state=state,
        measured_at=measured_at,
        outside_temperature_c=values.get("outside_temperature_c"),
        supply_temperature_c=values.get("supply_temperature_c"),
        return_temperature_c=values.get("return_temperature_c"),
        secondary_supply_temperature_c=values.get("secondary_supply_temperature_c"),
        dhw_storage_temperature_c=values.get("dhw_storage_temperature_c"),
        compressor_active=_flag(values.get("compressor_active")),
        compressor_phase=_text(values.get("compressor_phase"), COMPRESSOR_PHASES),
        modulation_percent=values.get("modulation_percent"),
        rated_power_kw=values.get("rated_power_kw"),
        circulation_pump_active=_flag(values.get("circulation_pump_active")),
        dhw_charging=_flag(values.get("dhw_charging")),
        circuits=tuple(_circuit(rows[circuit]) for circuit in sorted(rows) if circuit),
        login_ends_at=source.login_ends_at if source else None,
        fault=_heat_pump_fault(state, source, measured_at, source_at, home.at),
    )


def _login_fault(source: SourceState | None, at: datetime) -> Fault | None:
    ends_at = source.login_ends_at if source else None
    if ends_at is None or not login_ends_soon(ends_at, at):
        return None
    return Fault(source="heat_pump", code="login_ends_soon", details={"ends_at": ends_at.isoformat()})


def _heat_pump_state(
    options: HomeOptions, measured_at: datetime | None, source_at: datetime | None, at: datetime
) -> str:
    if not options.heat_pump_set_up:
        return NOT_SET_UP
    if measured_at is None:
        return OFFLINE
    poll_age = at - measured_at
    source_age = at - source_at if source_at is not None else timedelta(0)
    if max(poll_age, source_age) > HEAT_PUMP_OFFLINE_AFTER:
        return OFFLINE
    return STALE if poll_age > POLL_STALE_AFTER or source_age > SOURCE_STALE_AFTER else FRESH


def _heat_pump_fault(
    state: str,
    source: SourceState | None,
    measured_at: datetime | None,
    source_at: datetime | None,
    at: datetime,
) -> Fault | None:
    answers = measured_at is not None and at - measured_at <= POLL_STALE_AFTER
    silent = source_at is not None and at - source_at > SOURCE_SILENT_AFTER
    if state != NOT_SET_UP and answers and silent and not (source and source.error_code):
        return Fault(source="heat_pump", code=SOURCE_SILENT, details={"since": source_at})
    return _fault("heat_pump", state, source) or _messages_fault(source) or _login_fault(source, at)


def _messages_fault(source: SourceState | None) -> Fault | None:
    """Return what the heat pump itself asks attention for."""
    codes = source.report.get("errors", []) if source else []
    return Fault(source="heat_pump", code="heat_pump_messages", details={"codes": codes}) if codes else None


def _circuit(row: Row) -> CircuitStatus:
    return CircuitStatus(
        id=row.circuit,
        supply_temperature_c=row.values.get("supply_temperature_c"),
        room_temperature_c=row.values.get("room_temperature_c"),
        target_temperature_c=row.values.get("target_temperature_c"),
        pump_active=_flag(row.values.get("pump_active")),
        operating_mode=_text(row.values.get("operating_mode"), OPERATING_MODES),
    )


def _last_row(home: Home, measurement: str, names: tuple[str, ...]) -> dict[str, Row]:
    """Return the newest row of each circuit, found by those of ``names`` that are known."""
    since = int((home.at - REMEMBERED).timestamp())
    # What bears a time to come was stored under a wrong clock: it is neither the newest nor fresh.
    samples = home.store.latest(home.id, names, since, home.at_s + 1).values()
    newest = max((sample.at for sample in samples if sample is not None), default=None)
    if newest is None:
        return {}
    return {
        row.circuit: row for row in home.store.rows(home.id, measurement, newest, newest + 1, circuit=None)
    }


@kept
def _interval(home: Home) -> IntervalStatus:
    """Return the last finished interval; the one before it until that is calculated."""
    last = home.interval_s - INTERVAL_S
    derived = list(home.store.rows(home.id, "interval", last - INTERVAL_S, last + INTERVAL_S))
    values = derived[-1].values if derived else {}
    start = derived[-1].at if derived else last
    energy_wh = values.get("electrical_energy_wh")
    results = {
        name: next(
            (row.values.get("value") for row in home.store.rows(home.id, measurement, start, start + 1)), None
        )
        for name, measurement in _RESULTS.items()
    }
    reason = REASONS.get(int(values.get("reason") or 0), "") if derived else NOT_CALCULATED
    return IntervalStatus(
        start=_instant(start),
        end=_instant(start + INTERVAL_S),
        electrical_power_w=None if energy_wh is None else energy_wh * 3600 / INTERVAL_S,
        reason=reason or None,
        **results,
    )


def _today(total: Totals) -> TodayStatus:
    return TodayStatus(
        electrical_energy_kwh=total.electrical_energy_kwh,
        thermal_energy_modulation_kwh=kwh(total.modulation_heat_wh),
        cop=total.cop,
        electrical_coverage=total.electrical_coverage,
        heat_coverage=total.heat_coverage,
    )


def _fault(name: str, state: str, source: SourceState | None) -> Fault | None:
    """Return why ``name`` does not deliver; also where its last poll failed but its values are fresh."""
    if state == NOT_SET_UP:
        return Fault(source=name, code=SOURCE_NOT_SET_UP, details={})
    if source is not None and source.error_code:
        return Fault(source=name, code=source.error_code, details=source.error_details)
    if state == FRESH:
        return None
    if source is None or source.last_success_at is None:
        return Fault(source=name, code=NEVER_ANSWERED, details={})
    return Fault(source=name, code=storage.fault() or NOTHING_NEW, details={})


def _instant(epoch_s: float) -> datetime:
    return datetime.fromtimestamp(epoch_s, UTC)


def _flag(value: float | None) -> bool | None:
    return None if value is None else value != 0


def _text(code: float | None, codes: Mapping[str, int]) -> str | None:
    return next((text for text, known in codes.items() if known == code), None)
