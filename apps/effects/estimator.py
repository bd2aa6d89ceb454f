"""◇ Estimator G: what a change did to the electricity of a day at equal weather.

Generalised least squares over a grid of day-to-day correlation, share of the day before in the
temperature, and balance temperature; the cells are weighted by how well they explain the days. Needs
numpy, imported only where it is used; best run in a child process. Source: metrics §5.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .samples import EffectDay, Sample

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

RHOS = (0.0, 0.2, 0.4, 0.6, 0.75, 0.9)
PHIS = (0.0, 0.3, 0.6)
BALANCES_C = tuple(float(balance) for balance in range(11, 20))
DRAWS = 4000
SEED = 20260101
FLOOR = 1e-12
"""Share of the sum of squares that an exact fit is taken to leave unexplained."""

EFFICIENCY_ALLOWANCE = 0.0225
FLAT_K = 1e-6
LEAST_OWN = 0.1
"""Share of a column's spread that the others must leave unexplained."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """More (+) or less (−) than without the change [%], with the 95 % interval. ``without_kwh``: what a day
    after it would have needed without it; None for an efficiency."""

    percent: float
    low_percent: float
    high_percent: float
    without_kwh: float | None = None

    @property
    def half_width_percent(self) -> float:
        return (self.high_percent - self.low_percent) / 2.0

    @property
    def is_found(self) -> bool:
        """The interval leaves zero out."""
        return self.low_percent > 0.0 or self.high_percent < 0.0

    def kwh(self, percent: float) -> float | None:
        """Return a percentage of this estimate as kWh a day."""
        return None if self.without_kwh is None else percent / 100.0 * self.without_kwh

    @property
    def kwh_per_day(self) -> float | None:
        return self.kwh(self.percent)


@dataclass(frozen=True, slots=True)
class _Cells:
    """The fits of all cells: effect, its standard error, weight; ``freedom``: degrees of freedom."""

    effects: Floats
    errors: Floats
    weights: Floats
    freedom: int

    def draws(self) -> tuple[Floats, Floats]:
        """Return draws of the effect, and standard normal ones for the drift; always the same ones."""
        import numpy as np

        generator = np.random.default_rng(SEED)
        cells = generator.choice(len(self.weights), size=DRAWS, p=self.weights)
        t = generator.standard_t(self.freedom, DRAWS)
        return self.effects[cells] + self.errors[cells] * t, generator.standard_normal(DRAWS)


def effect(days: Sequence[Sample], allowance: float) -> Estimate | None:
    """Return the effect on the days with ``after`` 1; ``allowance``: drift between the sides, as a share of
    the energy. None where the days cannot tell (too few, or energy not positive)."""
    import numpy as np

    fitted = _fit(days)
    if fitted is None:
        return None
    mean_after = _mean_after(days)
    middle = float(fitted.weights @ fitted.effects)
    without = mean_after - middle
    if without <= 0.0:
        return None
    drawn, noise = fitted.draws()
    shares = drawn / np.maximum(mean_after - drawn, 0.05 * without) + allowance * noise
    low, high = (float(share) for share in np.percentile(shares, [2.5, 97.5]))
    return Estimate(
        percent=100.0 * middle / without,
        low_percent=100.0 * low,
        high_percent=100.0 * high,
        without_kwh=without,
    )


def middle_percent(days: Sequence[Sample]) -> float | None:
    """Return the effect without its interval [%]: what many placebo dates need."""
    fitted = _fit(days)
    if fitted is None:
        return None
    middle = float(fitted.weights @ fitted.effects)
    without = _mean_after(days) - middle
    return 100.0 * middle / without if without > 0.0 else None


def _mean_after(days: Sequence[Sample]) -> float:
    after = [day.value for day in days if day.after == 1.0]
    return math.fsum(after) / len(after)


def efficiency_effect(before: Sequence[EffectDay], after: Sequence[EffectDay]) -> Estimate | None:
    """Return how much more (+) heat a kWh gives [%]; None where the days cannot tell."""
    import numpy as np

    days = sorted(
        [(day, 0.0) for day in before if _tells_efficiency(day)]
        + [(day, 1.0) for day in after if _tells_efficiency(day)],
        key=lambda pair: pair[0].day,
    )
    sides = {side for _day, side in days}
    if sides != {0.0, 1.0}:
        return None
    columns = [np.ones(len(days))]
    for values in (
        [day.outside_c for day, _side in days],
        [day.source_c for day, _side in days],
        [day.dhw_share for day, _side in days],
    ):
        if all(value is not None for value in values):
            column = np.array(values, dtype=float)
            if _tells_more(column, columns):
                columns.append(column)
    design = np.stack([*columns, np.array([side for _day, side in days])], axis=1)[None]
    numbers = np.array([day.day.toordinal() for day, _side in days], dtype=float)
    fitted = _cells(numbers, np.array([day.efficiency for day, _side in days], dtype=float), design)
    if fitted is None:
        return None
    drawn, noise = fitted.draws()
    low, high = np.percentile(np.expm1(drawn + EFFICIENCY_ALLOWANCE * noise), [2.5, 97.5])
    middle = math.expm1(float(fitted.weights @ fitted.effects))
    return Estimate(
        percent=100.0 * middle,
        low_percent=100.0 * float(low),
        high_percent=100.0 * float(high),
    )


def _tells_more(column: Floats, known: Sequence[Floats]) -> bool:
    """Return whether a column holds more than the known ones do: an air pump's source is the outside air."""
    import numpy as np

    spread = float(np.std(column))
    if spread <= FLAT_K:
        return False
    design = np.stack(known, axis=1)
    rest = column - design @ np.linalg.lstsq(design, column, rcond=None)[0]
    return float(np.std(rest)) > LEAST_OWN * spread


def _tells_efficiency(day: EffectDay) -> bool:
    return day.efficiency is not None and day.outside_c is not None


def _fit(days: Sequence[Sample]) -> _Cells | None:
    import numpy as np

    ordered = sorted(days, key=lambda day: day.number)
    after = np.array([day.after for day in ordered])
    if not 0.0 < after.sum() < len(ordered):
        return None
    numbers = np.array([day.number for day in ordered], dtype=float)
    values = np.array([day.value for day in ordered])
    outside = np.array([day.outside_c for day in ordered])
    before = np.array([day.before_c for day in ordered])
    ones = np.ones(len(ordered))
    designs = [
        np.stack([ones, degrees, after], axis=1)
        for phi in PHIS
        for balance in BALANCES_C
        if float(np.ptp(degrees := np.maximum(0.0, balance - (1 - phi) * outside - phi * before))) > FLAT_K
    ]
    if not designs:  # too warm for any heating, or one temperature: the weather explains nothing
        designs = [np.stack([ones, after], axis=1)]
    return _cells(numbers, values, np.stack(designs))


def _cells(numbers: Floats, values: Floats, designs: Floats) -> _Cells | None:
    """Fit every design (cell × day × column, the effect last) with every correlation."""
    import numpy as np

    freedom = len(values) - designs.shape[2]
    if freedom < 1:
        return None
    parts = list(_fits(numbers, values, designs, freedom))
    effects, errors, logs = (np.concatenate(part) for part in zip(*parts, strict=True))
    usable = np.isfinite(logs)
    if not usable.any():
        return None
    weights = np.where(usable, np.exp(logs - logs[usable].max()), 0.0)
    return _Cells(effects, errors, weights / weights.sum(), freedom)


def _fits(
    numbers: Floats, values: Floats, designs: Floats, freedom: int
) -> Iterator[tuple[Floats, Floats, Floats]]:
    """Yield effects, standard errors and log weights of all designs, by correlation."""
    import numpy as np

    floor = FLOOR * float(values @ values) + np.finfo(float).tiny
    distance = np.abs(numbers[:, None] - numbers[None, :])
    for rho in RHOS:
        # 0 ** 0 is 1: without correlation the matrix is that of one
        inverse = np.linalg.inv(np.linalg.cholesky(rho**distance))
        white, white_values = inverse @ designs, inverse @ values
        gram = np.swapaxes(white, 1, 2) @ white
        sign, log_det = np.linalg.slogdet(gram)
        good = (sign > 0) & (np.linalg.cond(gram) < 1e13)
        gram = np.where(good[:, None, None], gram, np.eye(gram.shape[1]))
        inverted = np.linalg.inv(gram)
        solution = (inverted @ (np.swapaxes(white, 1, 2) @ white_values)[..., None])[..., 0]
        rest = white_values - (white @ solution[..., None])[..., 0]
        squares = np.maximum(floor, np.sum(rest**2, axis=1))
        log = np.log(np.diag(inverse)).sum() - 0.5 * log_det - 0.5 * freedom * np.log(squares)
        errors = np.sqrt(squares / freedom * inverted[:, -1, -1])
        yield solution[:, -1], errors, np.where(good, log, -np.inf)
