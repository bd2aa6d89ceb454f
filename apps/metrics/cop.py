"""◇ Coefficients of performance: of an interval, of a period, their boundary, band and label."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

MIN_ENERGY_WH = 100.0
MIN_RUN_FRACTION = 0.9
MIN_LIFT_K = 10.0
KELVIN = 273.15
CONDENSER_OFFSET_K = 2.0
EVAPORATOR_OFFSET_K = 6.0

# A year's coefficient outside of these is no heat pump's.
LEAST_JAZ, GREATEST_JAZ = 1.5, 7.0

METHOD_ERROR = 0.10
CALIBRATED_ERROR = 0.05
GAP_ERROR = 0.20
DISAGREEMENT = 1.25

FULL_YEAR_DAYS = 365
MIN_MONTH_DAYS = 10

COMPRESSOR, SOURCE_PUMP, HEATING_ROD, HEATING_PUMPS = (
    "compressor",
    "source_pump",
    "heating_rod",
    "heating_pumps",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cop:
    """``value`` is ΣQ/ΣE; None with ``reason`` ``no_energy`` or ``no_heat``."""

    value: float | None
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """What a heat number may be: ``low`` to ``high``. ``disagree``: methods differ by more than a quarter,
    so that only the range may be shown."""

    low: float
    high: float
    disagree: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthCoverage:
    """Energy coverage (0 to 1; None: no electricity known) of the ``days`` of a month inside a period."""

    days: int
    energy_coverage: float | None


def interval_cop(
    thermal_kw: float | None, electrical_w: float | None, run_fraction: float | None, off_w: float
) -> float | None:
    """Return the COP of one 5-minute interval, or None unless the compressor runs for nine tenths of the time
    and draw more than the off threshold ``off_w`` [W]. Values outside 1 to 10 are kept; the caller flags
    them."""
    if thermal_kw is None or electrical_w is None or run_fraction is None:
        return None
    if run_fraction < MIN_RUN_FRACTION or electrical_w < off_w or electrical_w <= 0:
        return None
    return thermal_kw * 1000.0 / electrical_w


def period_cop(heat_wh: float | None, energy_wh: float | None) -> Cop:
    """Return the COP of a period: heat over electricity, both summed over the same intervals in state
    ``full``."""
    if energy_wh is None or energy_wh < MIN_ENERGY_WH:
        return Cop(value=None, reason="no_energy")
    if not heat_wh:
        return Cop(value=None, reason="no_heat")
    return Cop(value=heat_wh / energy_wh)


def running_cop(heat_wh: float | None, energy_wh: float | None, standby_wh: float | None) -> Cop:
    """Return the COP while running: heat over electricity without standby."""
    if energy_wh is None:
        return Cop(value=None, reason="no_energy")
    return period_cop(heat_wh, energy_wh - (standby_wh or 0.0))


def boundary(metered: Collection[str]) -> str:
    """Return the SEPEMO boundary of what the meter measures: H1 compressor, H2 + source pump or fan, H3 +
    heating rod, H4 + heating-side pumps. The name is the widest boundary without a hole."""
    name = "H1"
    for level, part in (("H2", SOURCE_PUMP), ("H3", HEATING_ROD), ("H4", HEATING_PUMPS)):
        if part not in metered:
            break
        name = level
    return name


def boundary_cops(
    heat_wh: float, energy_wh: float, rod_wh: float | None, metered: Collection[str]
) -> dict[str, float]:
    """Return the COP by boundary. With the rod on the meter: H2 = Q/(E − E_rod), H3 (H4 with the pumps) = (Q
    + E_rod)/E. Without a known rod energy only the boundary that is metered."""
    if energy_wh < MIN_ENERGY_WH or heat_wh <= 0:
        return {}
    wide = "H4" if HEATING_PUMPS in metered else "H3"
    if HEATING_ROD not in metered:
        return {boundary(metered): heat_wh / energy_wh}
    if rod_wh is None:
        return {wide: heat_wh / energy_wh}
    cops = {wide: (heat_wh + rod_wh) / energy_wh}
    if energy_wh - rod_wh >= MIN_ENERGY_WH:
        cops["H2"] = heat_wh / (energy_wh - rod_wh)
    return cops


def carnot_cop(flow_c: float | None, source_c: float | None) -> float | None:
    """Return the Carnot COP between condenser (flow + 2 K) and evaporator (source − 6 K); None below 10 K of
    lift."""
    if flow_c is None or source_c is None:
        return None
    lift_k = (flow_c + CONDENSER_OFFSET_K) - (source_c - EVAPORATOR_OFFSET_K)
    if lift_k < MIN_LIFT_K:
        return None
    return (flow_c + CONDENSER_OFFSET_K + KELVIN) / lift_k


def percent_of_carnot(ideal_work_wh: float | None, energy_wh: float | None) -> float | None:
    """Return 100·Σ(Q/C)/ΣE over the same intervals [%]."""
    if ideal_work_wh is None or not energy_wh:
        return None
    return 100.0 * ideal_work_wh / energy_wh


def heat_weighted_flow_c(weighted_wh_c: float | None, heat_wh: float | None) -> float | None:
    """Return Σ(Q·T_flow)/ΣQ [°C]; None without heat."""
    if weighted_wh_c is None or not heat_wh:
        return None
    return weighted_wh_c / heat_wh


def calibration_factor(reference_wh: float, modulation_wh: float) -> float:
    """Return k = Q_ref/Q_A of one external reading. Raises ValueError unless both are positive."""
    if reference_wh <= 0 or modulation_wh <= 0:
        raise ValueError("a reference needs heat on both sides")
    return reference_wh / modulation_wh


def cop_band(
    modulation: float,
    others: Sequence[float | None] = (),
    *,
    energy_coverage: float,
    calibrated: bool = False,
) -> Band:
    """Return the band of a period COP, metrics §3: [min, max] of the methods, at least ±10 % of method A,
    wider by a fifth of the energy that is not covered. Calibrated by a reading: ±5 % of A alone."""
    known = [modulation, *([] if calibrated else [other for other in others if other is not None])]
    least = (CALIBRATED_ERROR if calibrated else METHOD_ERROR) * modulation
    gap = (1.0 - energy_coverage) * GAP_ERROR * modulation
    low = min(min(known), modulation - least) - gap
    high = max(max(known), modulation + least) + gap
    return Band(low=low, high=high, disagree=min(known) <= 0 or max(known) / min(known) > DISAGREEMENT)


def is_plausible_jaz(value: float | None) -> bool:
    """Return whether a heat pump may have this COP over a long time; what is not known may be."""
    return value is None or LEAST_JAZ <= value <= GREATEST_JAZ


def coverage_label(
    days: int, electric_coverage: float, energy_coverage: float | None, months: Sequence[MonthCoverage]
) -> str:
    """Return ``full``, ``partial`` or ``insufficient``: rows 2, 3 and 4 of the table in metrics §2.

    Months cut by the ends count from ten days on.
    """
    if days < FULL_YEAR_DAYS or energy_coverage is None:
        return "insufficient"
    worst = min(
        (month.energy_coverage or 0.0 for month in months if month.days >= MIN_MONTH_DAYS), default=0.0
    )
    if electric_coverage >= 0.98 and energy_coverage >= 0.95 and worst >= 0.80:
        return "full"
    if electric_coverage >= 0.90 and energy_coverage >= 0.80 and worst >= 0.50:
        return "partial"
    return "insufficient"
