"""What a stretch of time came to: sums of the derived intervals, never a mean of ratios."""

from __future__ import annotations

from dataclasses import dataclass

from apps.metrics.cop import period_cop
from apps.metrics.store.base import Aggregate, TimeSeriesStore

INTERVAL_S = 300
_FIELDS = (
    "electrical_energy_wh",
    "full_electrical_energy_wh",
    "full_thermal_energy_wh",
    "full_delta_t_electrical_energy_wh",
    "full_delta_t_thermal_energy_wh",
    "electric_s",
    "full_s",
    "compressor_starts",
    "compressor_run_s",
    "outside_temperature_c",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowSummary:
    """None is not known. Coverages are shares of 1: ``electrical_coverage`` of the time,
    ``heat_coverage`` of the energy."""

    electrical_energy_kwh: float | None
    cop: float | None
    cop_delta_t: float | None
    electrical_coverage: float
    heat_coverage: float | None
    compressor_starts: int | None
    compressor_run_s: float | None
    mean_outside_temperature_c: float | None

    @property
    def mean_run_s(self) -> float | None:
        if not self.compressor_starts or self.compressor_run_s is None:
            return None
        return self.compressor_run_s / self.compressor_starts


def summarise(store: TimeSeriesStore, site: int, start: int, end: int) -> WindowSummary:
    """The whole 5-minute intervals inside [start, end)."""
    first, last = -(-start // INTERVAL_S) * INTERVAL_S, end // INTERVAL_S * INTERVAL_S
    if last <= first:
        return _summary({}, 0)
    sums = store.sums(site, _FIELDS, [first, last])
    return _summary({name: parts[0] for name, parts in sums.items()}, last - first)


def _summary(parts: dict[str, Aggregate], seconds: int) -> WindowSummary:
    def total(name: str) -> float | None:
        return parts[name].sum if name in parts else None

    energy = total("electrical_energy_wh")
    full = total("full_electrical_energy_wh")
    starts = total("compressor_starts")
    outside = parts.get("outside_temperature_c")
    return WindowSummary(
        electrical_energy_kwh=None if energy is None else energy / 1000,
        cop=period_cop(total("full_thermal_energy_wh"), full).value,
        cop_delta_t=period_cop(
            total("full_delta_t_thermal_energy_wh"), total("full_delta_t_electrical_energy_wh")
        ).value,
        electrical_coverage=(total("electric_s") or 0.0) / seconds if seconds else 0.0,
        heat_coverage=None if not energy else (full or 0.0) / energy,
        compressor_starts=None if starts is None else round(starts),
        compressor_run_s=total("compressor_run_s"),
        mean_outside_temperature_c=outside.mean if outside else None,
    )
