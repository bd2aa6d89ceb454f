"""◇ How a home's electricity depends on the weather, fitted to its own days.

Energies in kWh per 24 h, temperatures in °C, shares as fractions. Needs numpy, imported only where it is
used. Source: metrics §5.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from .expected import WeatherDay

    Floats = npt.NDArray[np.float64]

LEAST_DAYS = 60
BALANCES_C = tuple(12.0 + 0.5 * step for step in range(15))
BALANCE_PRIOR_C, BALANCE_PRIOR_SD_K = 15.5, 1.5
EFFECTIVE_SHARE = 3.0
LEAST_BASE = 0.02
"""Share of the mean energy that the warmest day needs at least: a pump that only heats needs nothing then."""
BAND = (0.10, 0.90)
BAND_DAYS = 90
BAND_DRIFT = 0.03
BAND_Z = 1.2816
SUM_DAYS = 28


@dataclass(frozen=True, slots=True)
class Household:
    """E = base + slope·max(0, balance − T_eff), and the relative residuals of its days by expectation.
    ``drift``: what those of 28 days scatter by beyond the chance of their days, a share."""

    base: float
    slope: float
    balance_c: float
    coldest_c: float
    warmest_c: float
    expected: Floats
    residuals: Floats
    drift: float

    def kwh(self, effective_c: float) -> float:
        return self.base + self.slope * max(0.0, self.balance_c - effective_c)

    def band(self, expected_kwh: float) -> tuple[float, float]:
        """Return the 80 % band as shares, from the days with the most similar expectation."""
        import numpy as np

        nearest = np.argsort(np.abs(self.expected - expected_kwh), kind="stable")[:BAND_DAYS]
        low, high = (float(edge) for edge in np.quantile(self.residuals[nearest], BAND))
        drift = BAND_Z * max(BAND_DRIFT, self.drift)
        return -math.hypot(min(low, 0.0), drift), math.hypot(max(high, 0.0), drift)


def household(days: Sequence[WeatherDay]) -> Household | None:
    """Fit a home on a grid of balance temperatures; None with too few days or no energy."""
    import numpy as np

    if len(days) < LEAST_DAYS:
        return None
    energy = np.array([day.energy_kwh for day in days], dtype=float)
    effective = np.array([day.effective_c for day in days], dtype=float)
    balances = np.array(BALANCES_C)
    degrees = np.maximum(0.0, balances[:, None] - effective)
    centred = degrees - degrees.mean(axis=1, keepdims=True)
    spread = np.sum(centred**2, axis=1)
    slopes = np.where(spread > 1e-9, np.maximum(0.0, centred @ energy / np.maximum(spread, 1e-9)), 0.0)
    bases = energy.mean() - slopes * degrees.mean(axis=1)
    least = LEAST_BASE * energy.mean()
    low = bases < least
    least_slopes = degrees @ (energy - least) / np.maximum(np.sum(degrees**2, axis=1), 1e-9)
    bases, slopes = np.where(low, least, bases), np.where(low, np.maximum(0.0, least_slopes), slopes)
    fitted = bases[:, None] + slopes[:, None] * degrees
    squares = np.maximum(np.sum((energy - fitted) ** 2, axis=1), 1e-12 * float(energy @ energy) + 1e-12)
    worth = -0.5 * len(days) / EFFECTIVE_SHARE * np.log(squares)
    worth -= 0.5 * ((balances - BALANCE_PRIOR_C) / BALANCE_PRIOR_SD_K) ** 2
    best = int(np.argmax(worth))
    expected = fitted[best]
    if float(expected.min()) <= 0.0:
        return None
    return Household(
        float(bases[best]),
        float(slopes[best]),
        BALANCES_C[best],
        float(effective.min()),
        float(effective.max()),
        expected,
        energy / expected - 1.0,
        _drift(energy, expected),
    )


def _drift(energy: Floats, expected: Floats) -> float:
    """Return the drift of a home from four weeks to four weeks, as a share."""
    import numpy as np

    weeks = len(energy) // SUM_DAYS
    energy, expected = (each[-weeks * SUM_DAYS :].reshape(weeks, SUM_DAYS) for each in (energy, expected))
    sums = energy.sum(axis=1) / expected.sum(axis=1)
    chance = EFFECTIVE_SHARE * float(np.var(energy / expected - sums[:, None])) / SUM_DAYS
    return math.sqrt(max(0.0, float(np.mean((sums - 1.0) ** 2)) - chance))
