"""◇ Heat of a 5-minute interval, estimated twice: from modulation (A) and from delta T (B).

There is no heat meter. Each result carries the reason why it is missing and flags on how it came about;
the codes are those of ``codes.py``. Case tables: metrics §1.
"""

from __future__ import annotations

from dataclasses import dataclass

from . import codes
from .store.schema import COMPRESSOR_PHASES

WATER_KWH_M3_K = 1.16
"""Heat capacity of water [kWh/(m³ K)]: 1.160 at 20 °C, 1.154 at 35 °C, 1.150 at 45 °C."""

_COOLING = float(COMPRESSOR_PHASES["cooling"])
_NOT_HEATING = {
    float(COMPRESSOR_PHASES[phase]): flag
    for phase, flag in (
        ("cooling", codes.FLAG_COOLING),
        ("passive-defrost", codes.FLAG_DEFROST),
        ("defrost", codes.FLAG_DEFROST),
    )
}
# Phases in which an active compressor is not (yet) heating. Others, unknown ones and those that newer
# devices report (ready) say nothing: there `active` alone decides.
_BETWEEN = {float(COMPRESSOR_PHASES[phase]) for phase in ("off", "preparing", "pause", "preparing-defrost")}


ALL_KNOWN = 0.995
"""Share from which on what is known counts as all: a heat of 0 was measured (cooling, defrosting)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """What the heat pump said at one instant inside an interval; codes as stored. ``output_kw``: rated power
    × modulation, summed over several compressors."""

    active: bool | None = None
    phase: float | None = None
    modulation_percent: float | None = None
    rated_power_kw: float | None = None
    output_kw: float | None = None
    secondary_supply_temperature_c: float | None = None
    return_temperature_c: float | None = None

    @property
    def heating(self) -> bool:
        """The compressor heats at this instant, as far as the device says."""
        return self.active is True and self.phase not in _BETWEEN and self.phase not in _NOT_HEATING

    @property
    def cooling(self) -> bool:
        return self.phase == _COOLING


@dataclass(frozen=True, slots=True, kw_only=True)
class Heat:
    """``power_kw`` None: missing, with ``reason``; zero is measured."""

    power_kw: float | None
    reason: int = codes.NONE
    flags: int = 0


def thermal_power_from_modulation(
    snapshot: Snapshot | None,
    run_fraction: float | None,
    *,
    same_run: Snapshot | None = None,
    only_on_or_off: bool = False,
    rod_active: bool = False,
    calibration: float = 1.0,
) -> Heat:
    """Return the heat by method A: rated × modulation × run fraction [kW], mean of the interval.

    ``same_run``: the nearest heating snapshot of the same run, at most 2 intervals away.
    ``only_on_or_off``: this unit never showed a modulation other than 0 and 100.
    ``rod_active``: the heating rod's runtime rose, so that the power may be the rod's.
    """
    if run_fraction is None:
        return Heat(power_kw=None, reason=codes.RUN_STATE_UNKNOWN)
    if snapshot is not None and snapshot.phase in _NOT_HEATING:
        return Heat(power_kw=0.0, flags=_NOT_HEATING[snapshot.phase])
    if run_fraction == 0:
        conflict = snapshot is not None and snapshot.active is True
        return Heat(power_kw=0.0, flags=codes.FLAG_CONFLICT if conflict else 0)
    if snapshot is None:
        return Heat(power_kw=None, reason=codes.NO_SNAPSHOT)
    if snapshot.active is None:
        return Heat(power_kw=None, reason=codes.ACTIVE_UNKNOWN)
    if snapshot.heating and snapshot.output_kw is not None:
        return Heat(power_kw=calibration * snapshot.output_kw * run_fraction)
    if snapshot.heating:
        return _from_modulation(
            snapshot.modulation_percent, snapshot.rated_power_kw, run_fraction, calibration
        )
    return _not_seen_running(snapshot, run_fraction, same_run, only_on_or_off, rod_active, calibration)


def _not_seen_running(
    snapshot: Snapshot,
    run_fraction: float,
    same_run: Snapshot | None,
    only_on_or_off: bool,
    rod_active: bool,
    calibration: float,
) -> Heat:
    """Return whether the meter saw the compressor but the snapshot did not: the run began or ended around
    it."""
    if same_run is not None and same_run.modulation_percent is not None:
        rated = snapshot.rated_power_kw if snapshot.rated_power_kw is not None else same_run.rated_power_kw
        heat = _from_modulation(same_run.modulation_percent, rated, run_fraction, calibration)
        return Heat(power_kw=heat.power_kw, reason=heat.reason, flags=codes.FLAG_NEIGHBOUR)
    if rod_active:
        return Heat(power_kw=None, reason=codes.ROD_OR_COMPRESSOR)
    if only_on_or_off:
        heat = _from_modulation(100.0, snapshot.rated_power_kw, run_fraction, calibration)
        return Heat(power_kw=heat.power_kw, reason=heat.reason, flags=codes.FLAG_ASSUMED_FULL)
    return Heat(power_kw=None, reason=codes.NOT_ACTIVE)


def _from_modulation(
    modulation_percent: float | None, rated_kw: float | None, run_fraction: float, calibration: float
) -> Heat:
    if modulation_percent is None:
        return Heat(power_kw=None, reason=codes.MODULATION_UNKNOWN)
    if rated_kw is None:
        return Heat(power_kw=None, reason=codes.RATED_POWER_UNKNOWN)
    share = min(max(modulation_percent, 0.0), 100.0) / 100.0
    return Heat(power_kw=calibration * rated_kw * share * run_fraction)


def thermal_power_from_delta_t(
    flow_m3_h: float | None,
    secondary_supply_c: float | None,
    return_c: float | None,
    run_fraction: float | None,
) -> Heat:
    """Return the heat by method B: flow × 1.16 kWh/(m³ K) × (secondary supply − return) × run fraction [kW].

    Zero when nothing ran; missing with a negative difference while running. Raises ValueError for a
    negative flow.
    """
    if flow_m3_h is None:
        return Heat(power_kw=None, reason=codes.NO_FLOW_RATE)
    if flow_m3_h < 0:
        raise ValueError("a flow rate cannot be negative")
    if run_fraction is None:
        return Heat(power_kw=None, reason=codes.RUN_STATE_UNKNOWN)
    if run_fraction == 0:
        return Heat(power_kw=0.0)
    if secondary_supply_c is None or return_c is None:
        return Heat(power_kw=None, reason=codes.TEMPERATURE_UNKNOWN)
    if secondary_supply_c < return_c:
        return Heat(power_kw=None, reason=codes.NEGATIVE_DELTA_T)
    return Heat(power_kw=flow_m3_h * WATER_KWH_M3_K * (secondary_supply_c - return_c) * run_fraction)


def known_heat(
    heat: float | None,
    *,
    run_s: float | None,
    full_energy_wh: float | None,
    energy_wh: float | None,
    cooling_wh: float | None,
) -> float | None:
    """Return the heat of a stretch, or None where its 0 is not one.

    The intervals that know their heat may all be rests of the compressor, while it ran in others: what
    those gave is unknown, not 0. ``heat`` in any unit; ``run_s`` seconds of running; ``full_energy_wh``
    electricity of the intervals that know their heat, out of ``energy_wh`` without ``cooling_wh``.
    """
    if heat != 0.0 or not run_s:
        return heat
    if not energy_wh:
        return None
    return heat if (full_energy_wh or 0.0) >= ALL_KNOWN * (energy_wh - (cooling_wh or 0.0)) else None
