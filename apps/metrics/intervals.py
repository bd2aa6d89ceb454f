"""◇ One 5-minute interval: everything a period is summed from, out of energy, running and one snapshot.

State: ``full`` electricity and heat known, ``elec`` electricity alone (or inside a lump, or over a
counter reset), ``none`` electricity unknown. Rules: metrics §1 and §2.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from . import codes
from .cop import MIN_RUN_FRACTION, carnot_cop, interval_cop
from .grid import INTERVAL_S
from .heat import Heat, Snapshot, thermal_power_from_delta_t, thermal_power_from_modulation
from .running import UNKNOWN_RUN, IntervalRun, on_seconds

WH_PER_KW = 1000.0 * INTERVAL_S / 3600.0
W_PER_WH = 3600.0 / INTERVAL_S


@dataclass(frozen=True, slots=True, kw_only=True)
class PumpState:
    """What one answer of the heat pump says about its interval. Times are epoch seconds; ``rod_s`` is the
    runtime of both rod levels."""

    snapshot: Snapshot
    requested_at: float | None = None
    dhw_charging: bool | None = None
    dhw_charging_at: float | None = None
    flow_temperature_c: float | None = None
    source_temperature_c: float | None = None
    rod_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """One interval before its results. ``energy_wh`` None: unknown, or only inside a lump (``in_lump``).

    ``standby_wh``: energy of its minutes with the compressor off. ``rod_wh``: energy of the heating rod,
    None without the rod's power. ``next_pump``: the following interval's answer, whose timestamps may lie
    in this one. ``heating_neighbour``: the nearest heating snapshot of the same run.
    """

    start: int
    energy_wh: float | None = None
    in_lump: bool = False
    reset: bool = False
    counter: bool = False
    standby_wh: float = 0.0
    run: IntervalRun = UNKNOWN_RUN
    pump: PumpState | None = None
    next_pump: PumpState | None = None
    heating_neighbour: Snapshot | None = None
    only_on_or_off: bool = False
    rod_active: bool = False
    rod_wh: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """Results of one interval. ``values``: the fields of the measurement ``interval``."""

    thermal_power_modulation_kw: float | None
    thermal_power_delta_t_kw: float | None
    cop: float | None
    cop_delta_t: float | None
    values: Mapping[str, float | None]


def interval_result(
    inputs: Inputs, *, flow_rate_m3_h: float | None, off_w: float, calibration: float = 1.0
) -> Result:
    """Return all results of one interval."""
    run_fraction = inputs.run.run_fraction
    snapshot = inputs.pump.snapshot if inputs.pump is not None else None
    modulation = thermal_power_from_modulation(
        snapshot,
        run_fraction,
        same_run=inputs.heating_neighbour,
        only_on_or_off=inputs.only_on_or_off,
        rod_active=inputs.rod_active,
        calibration=calibration,
    )
    delta_t = thermal_power_from_delta_t(
        flow_rate_m3_h,
        snapshot.secondary_supply_temperature_c if snapshot else None,
        snapshot.return_temperature_c if snapshot else None,
        run_fraction,
    )
    if delta_t.reason == codes.TEMPERATURE_UNKNOWN and snapshot is None:
        delta_t = Heat(power_kw=None, reason=codes.NO_SNAPSHOT)
    certain = inputs.energy_wh is not None and not inputs.reset and not inputs.in_lump
    power_w = inputs.energy_wh * W_PER_WH if certain and inputs.energy_wh is not None else None
    cop = interval_cop(modulation.power_kw, power_w, run_fraction, off_w)
    cop_delta_t = interval_cop(delta_t.power_kw, power_w, run_fraction, off_w)
    values = _values(inputs, modulation, delta_t, certain)
    values["reason"] = float(_reason(inputs, modulation, power_w, off_w))
    values["flags"] = float(_flags(inputs, modulation, cop))
    return Result(
        thermal_power_modulation_kw=modulation.power_kw,
        thermal_power_delta_t_kw=delta_t.power_kw,
        cop=cop,
        cop_delta_t=cop_delta_t,
        values=values,
    )


def _values(inputs: Inputs, modulation: Heat, delta_t: Heat, certain: bool) -> dict[str, float | None]:
    energy_wh = inputs.energy_wh
    heat_wh = _to_wh(modulation.power_kw)
    heat_b_wh = _to_wh(delta_t.power_kw)
    full, full_b = certain and heat_wh is not None, certain and heat_b_wh is not None
    electric = energy_wh is not None or inputs.in_lump
    state = codes.STATE_FULL if full else codes.STATE_ELEC if electric else codes.STATE_NONE
    values: dict[str, float | None] = {
        "electrical_energy_wh": energy_wh,
        "thermal_energy_modulation_wh": heat_wh,
        "thermal_energy_delta_t_wh": heat_b_wh,
        "full_electrical_energy_wh": energy_wh if full else None,
        "full_thermal_energy_wh": heat_wh if full else None,
        "full_delta_t_electrical_energy_wh": energy_wh if full_b else None,
        "full_delta_t_thermal_energy_wh": heat_b_wh if full_b else None,
        "full_s": float(INTERVAL_S) if full else 0.0,
        "electric_s": float(INTERVAL_S) if electric else 0.0,
        "electrical_energy_rod_wh": inputs.rod_wh,
        "compressor_starts": float(inputs.run.starts) if inputs.run.known_s else None,
        "compressor_run_s": inputs.run.on_s if inputs.run.known_s else None,
        "compressor_known_s": inputs.run.known_s if inputs.run.known_s else None,
        "state": float(state),
        "method_version": float(codes.METHOD_VERSION),
    }
    values.update(_split(inputs, heat_wh, full))
    values.update(_temperatures(inputs, heat_wh, full))
    return values


def _split(inputs: Inputs, heat_wh: float | None, full: bool) -> dict[str, float | None]:
    """Return the electricity by purpose; the four parts sum to it. Heat by purpose for ``full`` intervals."""
    parts: dict[str, float | None] = {
        "electrical_energy_heating_wh": None,
        "electrical_energy_dhw_wh": None,
        "electrical_energy_standby_wh": None,
        "electrical_energy_unclassified_wh": None,
        "full_electrical_energy_heating_wh": None,
        "full_thermal_energy_heating_wh": None,
        "full_electrical_energy_dhw_wh": None,
        "full_thermal_energy_dhw_wh": None,
    }
    energy_wh = inputs.energy_wh
    if energy_wh is None:
        return parts
    run_fraction = inputs.run.run_fraction
    standby_wh = energy_wh if run_fraction == 0 else min(inputs.standby_wh, energy_wh)
    running_wh = energy_wh - standby_wh
    parts["electrical_energy_standby_wh"] = standby_wh
    share = dhw_share(inputs) if run_fraction else None
    if share is None:
        parts["electrical_energy_unclassified_wh"] = running_wh
        parts["electrical_energy_heating_wh"] = parts["electrical_energy_dhw_wh"] = 0.0
        return parts
    dhw_wh = round(running_wh * share, 4)
    parts["electrical_energy_dhw_wh"] = dhw_wh
    parts["electrical_energy_heating_wh"] = running_wh - dhw_wh
    parts["electrical_energy_unclassified_wh"] = 0.0
    if full and heat_wh is not None:
        dhw_heat_wh = round(heat_wh * share, 4)
        if share > 0:
            parts["full_electrical_energy_dhw_wh"] = dhw_wh
            parts["full_thermal_energy_dhw_wh"] = dhw_heat_wh
        if share < 1:
            parts["full_electrical_energy_heating_wh"] = running_wh - dhw_wh
            parts["full_thermal_energy_heating_wh"] = heat_wh - dhw_heat_wh
    return parts


def dhw_share(inputs: Inputs) -> float | None:
    """Return the share of the running time that heated hot water, 0 to 1; None if the flag is missing.

    The flag holds for the whole interval, unless its own timestamp (this answer's or the next one's) lies
    inside: then the time is split there.
    """
    pump = inputs.pump
    if pump is None or pump.dhw_charging is None:
        return None
    start, end = float(inputs.start), float(inputs.start + INTERVAL_S)
    changes: list[tuple[float, bool]] = []
    value = pump.dhw_charging
    if pump.dhw_charging_at is not None and start < pump.dhw_charging_at < end:
        changes.append((pump.dhw_charging_at, value))
        value = not value
    following = inputs.next_pump
    if (
        following is not None
        and following.dhw_charging is not None
        and following.dhw_charging != pump.dhw_charging
        and following.dhw_charging_at is not None
        and max(start, pump.requested_at or start) <= following.dhw_charging_at < end
    ):
        changes.append((following.dhw_charging_at, following.dhw_charging))
    if not changes:
        return 1.0 if value else 0.0
    dhw_s, cursor = 0.0, start
    for at, after in [*changes, (end, False)]:
        dhw_s += on_seconds(inputs.run, cursor, at) if value else 0.0
        cursor, value = at, after
    return dhw_s / inputs.run.on_s if inputs.run.on_s else None


def _temperatures(inputs: Inputs, heat_wh: float | None, full: bool) -> dict[str, float | None]:
    """Return what heat-weighted flow and % of Carnot are summed from."""
    values: dict[str, float | None] = {
        "flow_weighted_wh_c": None,
        "flow_weight_wh": None,
        "carnot_work_wh": None,
        "carnot_energy_wh": None,
    }
    pump = inputs.pump
    if pump is None or not heat_wh:
        return values
    if pump.flow_temperature_c is not None:
        values["flow_weighted_wh_c"] = heat_wh * pump.flow_temperature_c
        values["flow_weight_wh"] = heat_wh
    ideal = carnot_cop(pump.flow_temperature_c, pump.source_temperature_c)
    if full and ideal is not None and (inputs.run.run_fraction or 0.0) >= MIN_RUN_FRACTION:
        values["carnot_work_wh"] = heat_wh / ideal
        values["carnot_energy_wh"] = inputs.energy_wh
    return values


def _reason(inputs: Inputs, modulation: Heat, power_w: float | None, off_w: float) -> int:
    """Return why the interval has no COP: the first that applies."""
    if inputs.in_lump or inputs.reset:
        return codes.IN_LUMP
    if inputs.energy_wh is None or power_w is None:
        return codes.NO_ELECTRICITY
    if modulation.power_kw is None:
        return modulation.reason
    run_fraction = inputs.run.run_fraction or 0.0
    if run_fraction == 0:
        return codes.NOT_RUNNING
    if run_fraction < MIN_RUN_FRACTION:
        return codes.SHORT_RUN
    return codes.LOW_POWER if power_w < off_w else codes.NONE


def _flags(inputs: Inputs, modulation: Heat, cop: float | None) -> int:
    flags = modulation.flags
    for is_set, flag in (
        (inputs.rod_active, codes.FLAG_ROD),
        (inputs.in_lump or inputs.reset, codes.FLAG_LUMP),
        (inputs.reset, codes.FLAG_RESET),
        (inputs.counter, codes.FLAG_COUNTER),
        (inputs.run.minute_means, codes.FLAG_MINUTE_MEANS),
        (cop is not None and not 1.0 <= cop <= 10.0, codes.FLAG_COP_UNUSUAL),
    ):
        if is_set:
            flags |= flag
    return flags


def _to_wh(power_kw: float | None) -> float | None:
    return None if power_kw is None else power_kw * WH_PER_KW
