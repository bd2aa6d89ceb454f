"""The answers as OpenAPI describes them. They document and are checked by tests; no answer passes through
them at run time, since validating a thousand points costs more than reading them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from ninja import Schema
from pydantic import Field

# An instant as ISO 8601 with offset, a local date, and a number that may be unknown.
Instant = Annotated[str, Field(json_schema_extra={"format": "date-time"})]
LocalDate = Annotated[str, Field(json_schema_extra={"format": "date"})]
Known = float | None
State = Literal["fresh", "stale", "offline", "not_set_up"]


class ErrorBody(Schema):
    code: str
    message: str
    field: str | None


class Error(Schema):
    error: ErrorBody


class SiteOut(Schema):
    id: int
    name: str
    timezone: str
    demo: bool


class PhaseOut(Schema):
    power_w: Known
    voltage_v: Known
    current_a: Known
    connected: bool | None = Field(description="false: the meter finds no voltage, so nothing is measured")
    errors: list[str] = Field(description="faults of the phase as the meter names them")


class MeterOut(Schema):
    state: State
    measured_at: Instant | None
    power_w: Known
    phases: list[PhaseOut]
    energy_counter_wh: Known
    energy_returned_counter_wh: Known
    clock_offset_s: Known = Field(description="the meter's clock minus ours [s]")
    errors: list[str] = Field(description="faults of the meter as it names them")
    message: str | None


class CircuitOut(Schema):
    id: str
    supply_temperature_c: Known
    room_temperature_c: Known
    target_temperature_c: Known
    pump_active: bool | None
    operating_mode: str | None


class HeatPumpOut(Schema):
    state: State
    measured_at: Instant | None
    outside_temperature_c: Known
    supply_temperature_c: Known
    return_temperature_c: Known
    secondary_supply_temperature_c: Known
    dhw_storage_temperature_c: Known
    compressor_active: bool | None
    compressor_phase: str | None
    modulation_percent: Known
    rated_power_kw: Known
    circulation_pump_active: bool | None
    dhw_charging: bool | None
    circuits: list[CircuitOut]
    login_ends_at: Instant | None
    message: str | None


class IntervalOut(Schema):
    start: Instant
    end: Instant
    electrical_power_w: Known
    thermal_power_modulation_kw: Known
    thermal_power_delta_t_kw: Known
    cop: Known
    cop_delta_t: Known
    reason: str | None


class TodayOut(Schema):
    electrical_energy_kwh: Known
    thermal_energy_modulation_kwh: Known
    cop: Known
    electrical_coverage: Known
    heat_coverage: Known


class QuotaOut(Schema):
    limit: int
    stops_at: int
    used_24h: int
    used_utc_day: int
    blocked_until: Instant | None
    left: int = Field(description="requests left until heatmon stops by itself")


class StatusOut(Schema):
    site: SiteOut
    at: Instant
    meter: MeterOut
    heat_pump: HeatPumpOut
    interval: IntervalOut
    today: TodayOut
    quota: QuotaOut


class SeriesOut(Schema):
    unit: str
    time: list[int] = Field(description="start of each step [epoch s]")
    mean: list[float | None]
    min: list[float | None]
    max: list[float | None]


class HistoryOut(Schema):
    from_: Instant = Field(alias="from")
    to: Instant
    step_s: int
    series: dict[str, SeriesOut]


class LumpOut(Schema):
    start: Instant
    end: Instant
    energy_kwh: float


class EnergyRowOut(Schema):
    start: Instant
    end: Instant
    label: str
    electrical_energy_kwh: Known
    electrical_energy_at_least: bool
    lumps: list[LumpOut]
    electrical_coverage: Known
    thermal_energy_modulation_kwh: Known
    thermal_energy_delta_t_kwh: Known
    heat_coverage: Known
    delta_t_coverage: Known
    cop: Known
    cop_delta_t: Known
    electrical_energy_heating_kwh: Known
    electrical_energy_dhw_kwh: Known
    electrical_energy_unclassified_kwh: Known
    electrical_energy_cooling_kwh: Known
    standby_energy_kwh: Known
    cop_heating: Known
    cop_dhw: Known
    compressor_starts: int | None
    compressor_run_time_h: Known
    mean_outside_temperature_c: Known
    heating_degree_days: Known
    heating_degree_days_known: int
    cost: Known
    implausible: bool


class EnergyOut(Schema):
    period: Literal["day", "week", "month", "year"]
    timezone: str
    rows: list[EnergyRowOut]


class JazOut(Schema):
    from_: LocalDate = Field(alias="from")
    to: LocalDate
    jaz: Known
    jaz_low: Known
    jaz_high: Known
    jaz_delta_t: Known
    jaz_heating: Known
    jaz_dhw: Known
    device_cop_total: Known
    coverage: Known
    label: Literal["full", "partial", "insufficient"]
    implausible: bool
    method_version: int | str


class EstimateOut(Schema):
    year: int
    so_far_kwh: Known
    extrapolated_kwh: Known
    forecast_kwh: Known
    forecast_low_kwh: Known
    forecast_high_kwh: Known
    method: str | None
    measured_days: int
    cost: Known
    reason: str | None


class SettingOut(Schema):
    key: str
    before: Any
    after: Any


class EntryOut(Schema):
    id: int
    at: Instant
    kind: Literal["note", "setting", "event"]
    title: str
    text: str
    author: str | None
    version: int
    settings: list[SettingOut]
    begin: Instant | None = Field(description="of an event that lasts: a program by hand, an outage")
    end: Instant | None = Field(description="null while it lasts, and where begin is null")


class EntriesOut(Schema):
    entries: list[EntryOut]


class ConfigurationOut(Schema):
    at: Instant
    settings: dict[str, Any]


class NoteIn(Schema):
    model_config = {"extra": "forbid"}

    text: str = Field(min_length=1, max_length=10_000)
    at: Instant | None = None


class EntryEdit(Schema):
    model_config = {"extra": "forbid"}

    version: int = Field(ge=0, lt=2**31, description="the version that was read")
    text: str | None = Field(default=None, max_length=10_000)
    title: str | None = Field(default=None, max_length=200)
    at: Instant | None = None


class EffectSideOut(Schema):
    from_: LocalDate = Field(alias="from")
    to: LocalDate
    valid_days: int
    mean_outside_temperature_c: Known
    energy_kwh_per_day: Known


class EffectOut(Schema):
    state: Literal["found", "not_provable", "refused", "too_early"]
    reason: str | None
    available_from: LocalDate | None
    target: Literal["total", "space", "dhw"]
    before: EffectSideOut
    after: EffectSideOut
    effect_kwh_per_day: Known
    effect_percent: Known
    low_percent: Known
    high_percent: Known
    cop_effect_percent: Known
    cop_low_percent: Known
    cop_high_percent: Known
    cop_state: Literal["found", "not_provable", "refused"]
    leads: Literal["electricity", "efficiency"]
    own_null_percent: Known
    cost_per_year: Known
    with_changes: list[int] = Field(description="other changes close to this one, judged together with it")
    method_version: int


class CompareOut(Schema):
    a: EnergyRowOut
    b: EnergyRowOut
    raw_percent: Known
    effect_percent: Known = Field(description="more (+) or less (−) in b at equal weather")
    low_percent: Known
    high_percent: Known
    reason: str | None


class ExpectedRowOut(Schema):
    label: LocalDate
    electrical_energy_kwh: Known
    expected_kwh: Known
    low_kwh: Known
    high_kwh: Known
    reason: str | None


class DeviationOut(Schema):
    since: LocalDate
    percent: float
    low_percent: float
    high_percent: float


class ExpectedOut(Schema):
    rows: list[ExpectedRowOut]
    deviation: DeviationOut | None
