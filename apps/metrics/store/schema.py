"""◇ What can be stored: measurements, their fields, units and resolution.

One table for both engines, the API and the pages. A field's ``name`` is its series name, and the field
name in InfluxDB; the four results of the plan are measurements of their own with one field ``value``.
``scale`` is the resolution kept: the SQLite engine stores round(value × scale) as an integer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .base import UnknownSeries


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """``series`` is the public name, ``column`` the field's name inside its measurement."""

    series: str
    unit: str
    scale: int
    column: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """``step_s`` is the grid of its points [s]; ``by_circuit``: some fields exist once a heating circuit."""

    name: str
    step_s: int
    fields: tuple[Field, ...]
    by_circuit: bool = False


def _fields(*rows: tuple[str, str, int]) -> tuple[Field, ...]:
    return tuple(Field(series=name, unit=unit, scale=scale, column=name) for name, unit, scale in rows)


def _result(series: str, unit: str, scale: int) -> tuple[Field, ...]:
    return (Field(series=series, unit=unit, scale=scale, column="value"),)


# Codes of texts; an unknown text is -1 and stays readable in the raw answer.
COMPRESSOR_PHASES: Mapping[str, int] = {
    "off": 0,
    "preparing": 1,
    "heating": 2,
    "pause": 3,
    "cooling": 4,
    "preparing-defrost": 5,
    "defrost": 6,
    "passive-defrost": 7,
    "ready": 8,
    "pre-run": 9,
    "post-run": 10,
}
OPERATING_MODES: Mapping[str, int] = {
    "standby": 0,
    "dhw": 1,
    "dhwAndHeating": 2,
    "heating": 3,
    "dhwAndHeatingCooling": 4,
    "heatingCooling": 5,
    "cooling": 6,
    "forcedReduced": 7,
    "forcedNormal": 8,
    "normalStandby": 9,
}
UNKNOWN_CODE = -1

MEASUREMENTS: tuple[Measurement, ...] = (
    Measurement(
        name="meter",
        step_s=10,
        fields=_fields(
            ("power_w", "W", 10),
            ("power_a_w", "W", 10),
            ("power_b_w", "W", 10),
            ("power_c_w", "W", 10),
            ("voltage_a_v", "V", 10),
            ("voltage_b_v", "V", 10),
            ("voltage_c_v", "V", 10),
            ("current_a_a", "A", 1000),
            ("current_b_a", "A", 1000),
            ("current_c_a", "A", 1000),
            ("energy_counter_wh", "Wh", 100),
            ("energy_returned_counter_wh", "Wh", 100),
        ),
    ),
    # The three counters once a minute, as the meter steps them: what a gap is bridged with.
    Measurement(
        name="meter_counter",
        step_s=60,
        fields=_fields(
            ("energy_counter_a_wh", "Wh", 100),
            ("energy_counter_b_wh", "Wh", 100),
            ("energy_counter_c_wh", "Wh", 100),
            # 1 in the profile monophase: its counters are another store, no difference reaches across.
            ("monophase", "", 1),
        ),
    ),
    # provisional 1: from the counter step (0.01 Wh) until the meter's own row (0.0001 Wh) replaces it.
    Measurement(
        name="meter_minute",
        step_s=60,
        fields=_fields(
            ("energy_wh", "Wh", 10_000),
            ("energy_a_wh", "Wh", 10_000),
            ("energy_b_wh", "Wh", 10_000),
            ("energy_c_wh", "Wh", 10_000),
            ("energy_returned_wh", "Wh", 10_000),
            ("provisional", "", 1),
        ),
    ),
    Measurement(
        name="heat_pump",
        step_s=300,
        by_circuit=True,
        fields=_fields(
            ("outside_temperature_c", "°C", 10),
            ("supply_temperature_c", "°C", 10),
            ("return_temperature_c", "°C", 10),
            ("secondary_supply_temperature_c", "°C", 10),
            ("primary_supply_temperature_c", "°C", 10),
            ("primary_return_temperature_c", "°C", 10),
            ("buffer_temperature_c", "°C", 10),
            ("dhw_storage_temperature_c", "°C", 10),
            ("dhw_current_target_temperature_c", "°C", 10),
            ("room_temperature_c", "°C", 10),
            ("target_temperature_c", "°C", 10),
            ("modulation_percent", "%", 10),
            ("rated_power_kw", "kW", 100),
            # rated power × modulation, summed over several compressors; of one its two values say it
            ("compressors_output_kw", "kW", 10_000),
            ("compressor_active", "", 1),
            ("compressor_phase", "", 1),
            ("operating_mode", "", 1),
            ("circulation_pump_active", "", 1),
            ("pump_active", "", 1),
            ("dhw_charging", "", 1),
            # Epoch second of the flag's own timestamp, and of the newest timestamp of all (heartbeat).
            ("dhw_charging_at", "s", 1),
            ("newest_source_at", "s", 1),
            ("requested_at", "s", 1),
            ("compressor_starts_count", "", 1),
            ("compressor_hours_h", "h", 10),
            ("heating_rod_level_one_s", "s", 1),
            ("heating_rod_level_two_s", "s", 1),
            ("device_cop_total", "", 100),
            ("device_cop_heating", "", 100),
            ("device_cop_dhw", "", 100),
        ),
    ),
    Measurement(
        name="thermal_power_modulation",
        step_s=300,
        fields=_result("thermal_power_modulation_kw", "kW", 10_000),
    ),
    Measurement(
        name="thermal_power_delta_t", step_s=300, fields=_result("thermal_power_delta_t_kw", "kW", 10_000)
    ),
    Measurement(name="cop", step_s=300, fields=_result("cop", "", 10_000)),
    Measurement(name="cop_delta_t", step_s=300, fields=_result("cop_delta_t", "", 10_000)),
    # Everything a period is summed from, so that a year costs no more than a day. Derived; see intervals.py.
    Measurement(
        name="interval",
        step_s=300,
        fields=_fields(
            ("electrical_energy_wh", "Wh", 10_000),
            ("thermal_energy_modulation_wh", "Wh", 10_000),
            ("thermal_energy_delta_t_wh", "Wh", 10_000),
            # electricity of the intervals whose heat is known (states `full`) without that of cooling, and
            # that heat: COP = Q/E
            ("full_electrical_energy_wh", "Wh", 10_000),
            ("full_thermal_energy_wh", "Wh", 10_000),
            ("full_delta_t_electrical_energy_wh", "Wh", 10_000),
            ("full_delta_t_thermal_energy_wh", "Wh", 10_000),
            ("full_s", "s", 1),
            ("electric_s", "s", 1),
            ("electrical_energy_heating_wh", "Wh", 10_000),
            ("electrical_energy_dhw_wh", "Wh", 10_000),
            ("electrical_energy_cooling_wh", "Wh", 10_000),
            ("electrical_energy_standby_wh", "Wh", 10_000),
            ("electrical_energy_unclassified_wh", "Wh", 10_000),
            ("electrical_energy_rod_wh", "Wh", 10_000),
            # as the full_ pairs, of the part that heated the house or the hot water
            ("full_electrical_energy_heating_wh", "Wh", 10_000),
            ("full_thermal_energy_heating_wh", "Wh", 10_000),
            ("full_electrical_energy_dhw_wh", "Wh", 10_000),
            ("full_thermal_energy_dhw_wh", "Wh", 10_000),
            ("compressor_starts", "", 1),
            ("compressor_run_s", "s", 10),
            ("compressor_known_s", "s", 10),
            # Σ Q·T_flow and its Q, Σ Q/C_carnot and its E: heat-weighted flow and % of Carnot
            ("flow_weighted_wh_c", "Wh·°C", 100),
            ("flow_weight_wh", "Wh", 10_000),
            ("carnot_work_wh", "Wh", 10_000),
            ("carnot_energy_wh", "Wh", 10_000),
            # electricity of the intervals whose COP no heat pump can have
            ("implausible_energy_wh", "Wh", 10_000),
            ("state", "", 1),
            ("reason", "", 1),
            ("flags", "", 1),
            ("method_version", "", 1),
        ),
    ),
)

_BY_NAME = {measurement.name: measurement for measurement in MEASUREMENTS}
_SCALES = {
    measurement.name: {field.column: field.scale for field in measurement.fields}
    for measurement in MEASUREMENTS
}
_BY_SERIES = {
    field.series: (measurement, field) for measurement in MEASUREMENTS for field in measurement.fields
}


def measurement_named(name: str) -> Measurement:
    """Return the measurement of that name; KeyError for an unknown one."""
    return _BY_NAME[name]


def scales_of(measurement: str) -> Mapping[str, int]:
    """Return the scale of each field of a measurement by its name; KeyError for an unknown measurement."""
    return _SCALES[measurement]


def series_names() -> list[str]:
    """Return all series names without a circuit, sorted."""
    return sorted(_BY_SERIES)


def field_of(series: str) -> tuple[Measurement, Field, str]:
    """Return (measurement, field, circuit) of a series name such as ``supply_temperature_c.1``.

    Raises UnknownSeries, which lists what there is.
    """
    name, _, circuit = series.partition(".")
    found = _BY_SERIES.get(name)
    if found is None or (circuit and not found[0].by_circuit):
        raise UnknownSeries(series, series_names())
    return *found, circuit
