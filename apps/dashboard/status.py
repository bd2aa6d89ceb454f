"""How the house is right now: exactly the fields of ``GET /api/status``, for the API and the pages.

All times are aware UTC; None means not measured or not known. States by design §3.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

FRESH, STALE, OFFLINE, NOT_SET_UP = "fresh", "stale", "offline", "not_set_up"


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteStatus:
    id: int
    name: str
    timezone: str
    demo: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseStatus:
    power_w: float | None = None
    voltage_v: float | None = None
    current_a: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterStatus:
    """``phases``: a, b, c. ``message``: one sentence when something is wrong, else None."""

    state: str
    measured_at: datetime | None = None
    power_w: float | None = None
    phases: tuple[PhaseStatus, ...] = ()
    energy_counter_wh: float | None = None
    message: str | None = None


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
    message: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class IntervalStatus:
    """The last finished 5 minutes. ``reason``: why a value is None, in words; None if all are known."""

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
    """Calls to the vendor's cloud. ``stops_at``: where heatmon itself stops."""

    limit: int
    stops_at: int
    used_24h: int
    used_utc_day: int
    blocked_until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    site: SiteStatus
    at: datetime
    meter: MeterStatus
    heat_pump: HeatPumpStatus
    interval: IntervalStatus
    today: TodayStatus
    quota: QuotaStatus
