"""What a stretch of time came to: sums of the derived intervals and lumps, never a mean of ratios."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from apps.metrics.cop import period_cop
from apps.metrics.store.base import TimeSeriesStore
from apps.metrics.totals import Totals, outside_means, totals

INTERVAL_S = 300
_FIELDS = (
    "electrical_energy_wh",
    "full_electrical_energy_wh",
    "full_thermal_energy_wh",
    "full_delta_t_electrical_energy_wh",
    "full_delta_t_thermal_energy_wh",
    "electric_s",
    "compressor_starts",
    "compressor_run_s",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowSummary:
    """None is not known. Coverages are shares of 1: ``electrical_coverage`` of the elapsed time,
    ``heat_coverage`` of the energy. ``at_least``: a lump reaches over an edge."""

    electrical_energy_kwh: float | None = None
    at_least: bool = False
    cop: float | None = None
    cop_delta_t: float | None = None
    electrical_coverage: float | None = None
    heat_coverage: float | None = None
    compressor_starts: int | None = None
    compressor_run_s: float | None = None
    mean_outside_temperature_c: float | None = None

    @property
    def mean_run_s(self) -> float | None:
        if not self.compressor_starts or self.compressor_run_s is None:
            return None
        return self.compressor_run_s / self.compressor_starts

    @property
    def is_partial(self) -> bool:
        return self.electrical_coverage is not None and self.electrical_coverage < 0.995


def summarise(store: TimeSeriesStore, site: int, start: int, end: int, at: datetime) -> WindowSummary:
    """The whole 5-minute intervals inside [start, end)."""
    first, last = -(-start // INTERVAL_S) * INTERVAL_S, end // INTERVAL_S * INTERVAL_S
    if last <= first:
        return WindowSummary()
    total = totals(store, site, [first, last], at, _FIELDS)[0]
    outside = outside_means(store, site, [first, last])[0].mean
    return _summary(total, outside)


def _summary(total: Totals, outside_c: float | None) -> WindowSummary:
    starts = total["compressor_starts"]
    energy_wh = total.energy_wh
    return WindowSummary(
        electrical_energy_kwh=None if energy_wh is None else energy_wh / 1000,
        at_least=bool(total.crossing),
        cop=period_cop(total["full_thermal_energy_wh"], total["full_electrical_energy_wh"]).value,
        cop_delta_t=period_cop(
            total["full_delta_t_thermal_energy_wh"], total["full_delta_t_electrical_energy_wh"]
        ).value,
        electrical_coverage=total.electric_coverage,
        heat_coverage=total.energy_coverage(),
        compressor_starts=None if starts is None else round(starts),
        compressor_run_s=total["compressor_run_s"],
        mean_outside_temperature_c=outside_c,
    )
