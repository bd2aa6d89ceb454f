"""◇ One 5-minute interval: everything a period is summed from, out of energy, running and one snapshot.

State: ``full`` electricity and heat known, ``elec`` electricity alone (or inside a lump, or over a
counter reset), ``none`` electricity unknown. Rules: metrics §1 and §2.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from . import codes
from .cop import MIN_RUN_FRACTION, carnot_cop, interval_cop
from .grid import INTERVAL_S
from .heat import Heat, Snapshot, thermal_power_from_delta_t, thermal_power_from_modulation
from .running import UNKNOWN_RUN, IntervalRun, on_seconds

WH_PER_KW = 1000.0 * INTERVAL_S / 3600.0
W_PER_WH = 3600.0 / INTERVAL_S
# Coefficients outside of these are no heat pump's.
LEAST_COP, GREATEST_COP = 1.0, 10.0

_PARTS = tuple(
    f"electrical_energy_{use}_wh" for use in ("heating", "dhw", "cooling", "standby", "unclassified")
)
_KNOWN_BY_METER = ("electrical_energy_standby_wh", "electrical_energy_unclassified_wh")
_FULL_PARTS = tuple(
    f"full_{kind}_energy_{use}_wh" for use in ("heating", "dhw") for kind in ("electrical", "thermal")
)
_FROM_TEMPERATURES = {codes.NONE, codes.TEMPERATURE_UNKNOWN, codes.NEGATIVE_DELTA_T}


@dataclass(frozen=True, slots=True, kw_only=True)
class PumpState:
    """What one answer of the heat pump says about its interval. Times are epoch seconds; ``rod_s`` is the
    runtime of both rod levels. ``is_repeat``: the source was silent, this is no measurement."""

    snapshot: Snapshot
    requested_at: float | None = None
    dhw_charging: bool | None = None
    dhw_charging_at: float | None = None
    flow_temperature_c: float | None = None
    source_temperature_c: float | None = None
    rod_s: float | None = None
    is_repeat: bool = False

    def as_repeat(self) -> PumpState:
        """Return the same without what would be measured; counters stay what they were."""
        return PumpState(
            snapshot=Snapshot(), requested_at=self.requested_at, rod_s=self.rod_s, is_repeat=True
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """One interval before its results. ``energy_wh``: electricity of ``known_s`` of its seconds, None if
    none is known; ``lump_s``: seconds whose electricity is known only inside a lump.

    ``standby_wh``: energy of its minutes with the compressor off. ``rod_wh``: energy of the heating rod,
    None without the rod's power. ``previous_pump``, ``next_pump``: the answers before and after, whose
    flags tell what changed in this interval. ``heating_neighbour``: the nearest heating snapshot of the same
    run. ``before_answers``: the heat pump has never answered so far, so that nobody knows what it did.
    """

    start: int
    energy_wh: float | None = None
    known_s: int = INTERVAL_S
    lump_s: int = 0
    reset: bool = False
    counter: bool = False
    standby_wh: float = 0.0
    run: IntervalRun = UNKNOWN_RUN
    pump: PumpState | None = None
    previous_pump: PumpState | None = None
    next_pump: PumpState | None = None
    heating_neighbour: Snapshot | None = None
    only_on_or_off: bool = False
    before_answers: bool = False
    rod_active: bool = False
    rod_wh: float | None = None

    @property
    def certain_wh(self) -> float | None:
        """Electricity of the whole interval; None where any of it is missing or a counter began anew."""
        return self.energy_wh if self.known_s == INTERVAL_S and not self.reset else None

    @property
    def has_cooled(self) -> bool:
        return self.pump is not None and self.pump.snapshot.cooling and self.run.on_s > 0


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
    modulation, delta_t = _heats(inputs, flow_rate_m3_h, calibration)
    power_w = None if inputs.certain_wh is None else inputs.certain_wh * W_PER_WH
    cop = cop_delta_t = None
    if not inputs.has_cooled:
        cop = interval_cop(modulation.power_kw, power_w, run_fraction, off_w)
        cop_delta_t = interval_cop(delta_t.power_kw, power_w, run_fraction, off_w)
    values = _values(inputs, modulation, delta_t)
    values["reason"] = float(_reason(inputs, modulation, power_w, off_w))
    flags = _flags(inputs, modulation, (cop, cop_delta_t))
    values["flags"] = float(flags)
    values["implausible_energy_wh"] = inputs.energy_wh if flags & codes.FLAG_COP_UNUSUAL else None
    return Result(
        thermal_power_modulation_kw=modulation.power_kw,
        thermal_power_delta_t_kw=delta_t.power_kw,
        cop=cop,
        cop_delta_t=cop_delta_t,
        values=values,
    )


def _heats(inputs: Inputs, flow_rate_m3_h: float | None, calibration: float) -> tuple[Heat, Heat]:
    """Heat by modulation and by delta T."""
    if inputs.before_answers:
        return (Heat(power_kw=None, reason=codes.NO_SNAPSHOT),) * 2
    run_fraction = inputs.run.run_fraction
    pump = inputs.pump
    snapshot = pump.snapshot if pump is not None and not pump.is_repeat else None
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
    if inputs.has_cooled and delta_t.reason in _FROM_TEMPERATURES:
        delta_t = Heat(power_kw=0.0, flags=codes.FLAG_COOLING)
    if snapshot is None:
        absent = codes.SOURCE_SILENT if pump is not None else codes.NO_SNAPSHOT
        modulation, delta_t = (
            Heat(power_kw=None, reason=absent)
            if heat.reason in {codes.NO_SNAPSHOT, codes.TEMPERATURE_UNKNOWN}
            else heat
            for heat in (modulation, delta_t)
        )
    return modulation, delta_t


def _values(inputs: Inputs, modulation: Heat, delta_t: Heat) -> dict[str, float | None]:
    energy_wh = inputs.energy_wh
    heat_wh, heat_b_wh = _to_wh(modulation.power_kw), _to_wh(delta_t.power_kw)
    certain = inputs.certain_wh is not None
    full, full_b = certain and heat_wh is not None, certain and heat_b_wh is not None
    electric_s = (inputs.known_s if energy_wh is not None else 0) + inputs.lump_s
    state = codes.STATE_FULL if full else codes.STATE_ELEC if electric_s else codes.STATE_NONE
    split = _split(inputs, heat_wh, full)
    # What cooled is part of no COP of heating.
    heating_wh = None if energy_wh is None else energy_wh - (split["electrical_energy_cooling_wh"] or 0.0)
    values: dict[str, float | None] = {
        "electrical_energy_wh": energy_wh,
        "thermal_energy_modulation_wh": heat_wh,
        "thermal_energy_delta_t_wh": heat_b_wh,
        "full_electrical_energy_wh": heating_wh if full else None,
        "full_thermal_energy_wh": heat_wh if full else None,
        "full_delta_t_electrical_energy_wh": heating_wh if full_b else None,
        "full_delta_t_thermal_energy_wh": heat_b_wh if full_b else None,
        "full_s": float(INTERVAL_S) if full else 0.0,
        "electric_s": float(electric_s),
        "electrical_energy_rod_wh": inputs.rod_wh,
        "compressor_starts": float(inputs.run.starts) if inputs.run.known_s else None,
        "compressor_run_s": inputs.run.on_s if inputs.run.known_s else None,
        "compressor_known_s": inputs.run.known_s if inputs.run.known_s else None,
        "state": float(state),
        "method_version": float(codes.METHOD_VERSION),
    }
    values.update(split)
    values.update(_temperatures(inputs, heat_wh, full))
    return values


def _split(inputs: Inputs, heat_wh: float | None, full: bool) -> dict[str, float | None]:
    """Electricity by purpose; the five parts sum to it. Heat by purpose for ``full`` intervals."""
    parts: dict[str, float | None] = dict.fromkeys((*_PARTS, *_FULL_PARTS))
    energy_wh = inputs.energy_wh
    if energy_wh is None:
        return parts
    parts.update(dict.fromkeys(_KNOWN_BY_METER if inputs.before_answers else _PARTS, 0.0))
    run_fraction = inputs.run.run_fraction
    standby_wh = energy_wh if run_fraction == 0 else min(inputs.standby_wh, energy_wh)
    running_wh = energy_wh - standby_wh
    parts["electrical_energy_standby_wh"] = standby_wh
    if inputs.has_cooled:
        parts["electrical_energy_cooling_wh"] = running_wh
        return parts
    share = dhw_share(inputs) if run_fraction else None
    if share is None:
        parts["electrical_energy_unclassified_wh"] = running_wh
        return parts
    dhw_wh = round(running_wh * share, 4)
    parts["electrical_energy_dhw_wh"] = dhw_wh
    parts["electrical_energy_heating_wh"] = running_wh - dhw_wh
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
    inside and the answer before had the other value: then the time is split there. Devices send equal flags
    again with a new timestamp; that is no switch.
    """
    pump = inputs.pump
    if pump is None or pump.dhw_charging is None:
        return None
    start, end = float(inputs.start), float(inputs.start + INTERVAL_S)
    changes: list[tuple[float, bool]] = []
    value = pump.dhw_charging
    before = inputs.previous_pump
    switched = before is not None and before.dhw_charging is (not value)
    if switched and pump.dhw_charging_at is not None and start < pump.dhw_charging_at < end:
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
    if inputs.lump_s or inputs.reset:
        return codes.IN_LUMP
    if power_w is None:
        return codes.NO_ELECTRICITY
    if modulation.power_kw is None:
        return modulation.reason
    if inputs.has_cooled:
        return codes.COOLED
    run_fraction = inputs.run.run_fraction or 0.0
    if run_fraction == 0:
        return codes.NOT_RUNNING
    if run_fraction < MIN_RUN_FRACTION:
        return codes.SHORT_RUN
    return codes.LOW_POWER if power_w < off_w else codes.NONE


def _flags(inputs: Inputs, modulation: Heat, cops: Sequence[float | None]) -> int:
    flags = modulation.flags
    # A defrost gives no heat: its COP of 0 is true.
    unusual = not flags & codes.FLAG_DEFROST and any(
        cop is not None and not LEAST_COP <= cop <= GREATEST_COP for cop in cops
    )
    for is_set, flag in (
        (inputs.rod_active, codes.FLAG_ROD),
        (inputs.lump_s > 0 or inputs.reset, codes.FLAG_LUMP),
        (inputs.reset, codes.FLAG_RESET),
        (inputs.counter, codes.FLAG_COUNTER),
        (inputs.run.minute_means, codes.FLAG_MINUTE_MEANS),
        (unusual, codes.FLAG_COP_UNUSUAL),
    ):
        if is_set:
            flags |= flag
    return flags


def _to_wh(power_kw: float | None) -> float | None:
    return None if power_kw is None else power_kw * WH_PER_KW
