"""◇ Heating degree days of a day, from its mean outside temperature."""

from __future__ import annotations

HEATING_LIMIT_C = 15.0
VALID_DAY_S = 20 * 3600


def daily_mean_c(sum_c: float | None, count: int, step_s: int = 300) -> float | None:
    """Return the mean outside temperature T_d of a local day [°C] from evenly spaced values; each stands for
    its step. None unless they cover at least 20 hours."""
    if sum_c is None or count * step_s < VALID_DAY_S:
        return None
    return sum_c / count


def heating_degree_days(mean_c: float | None) -> float | None:
    """Return HDD15 [K d] of one day: max(0, 15 − T_d). Source: Destatis, heating limit 15 °C."""
    return None if mean_c is None else max(0.0, HEATING_LIMIT_C - mean_c)
