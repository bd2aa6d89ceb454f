"""◇ Estimator G: what a change did to the electricity of a day at equal weather.

Generalised least squares over a grid of day-to-day correlation, share of the day before in the
temperature, and balance temperature; the cells are weighted by how well they explain the days. Needs
numpy, imported only where it is used; best run in a child process. Source: metrics §5.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
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

EFFICIENCY_DRIFT, SOURCE_DRIFT = 0.02, 0.0125
"""What the efficiency drifts between two fortnights: less where a source apart from the outside air is in the
fit, whose column takes part of what changes slowly."""
MOST_SAVED = -100.0
"""No more than all can be saved [%]."""
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

    def less(self, share: float) -> Estimate:
        """Return the estimate without a share of the energy that has another cause."""
        percent, without = max(MOST_SAVED, self.percent - 100.0 * share), self.without_kwh
        if without is not None and percent > MOST_SAVED:
            without *= (100.0 + self.percent) / (100.0 + percent)
        return Estimate(
            percent=percent,
            low_percent=max(MOST_SAVED, self.low_percent - 100.0 * share),
            high_percent=self.high_percent - 100.0 * share,
            without_kwh=without,
        )


@dataclass(frozen=True, slots=True)
class _Cells:
    """The fits of all cells: effect, its standard error, weight; ``freedom``: degrees of freedom;
    ``scatter``: of the days around the best fit that takes them as independent."""

    effects: Floats
    errors: Floats
    weights: Floats
    freedom: int
    scatter: float

    def draws(self) -> tuple[Floats, Floats]:
        """Return draws of the effect, and standard normal ones for the drift; always the same ones."""
        import numpy as np

        generator = np.random.default_rng(SEED)
        cells = generator.choice(len(self.weights), size=DRAWS, p=self.weights)
        t = generator.standard_t(self.freedom, DRAWS)
        return self.effects[cells] + self.errors[cells] * t, generator.standard_normal(DRAWS)


def effect(days: Sequence[Sample], allowance: float, of_scatter: float = 0.0) -> Estimate | None:
    """Return the effect on the days with ``after`` 1. None where the days cannot tell (too few, or energy not
    positive).

    ``allowance``: drift between the sides, as a share of the energy, and at least ``of_scatter`` times the
    scatter of the days: where days differ much, so do weeks.
    """
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
    drift = max(allowance, of_scatter * fitted.scatter / _mean(days))
    shares = drawn / np.maximum(mean_after - drawn, 0.05 * without) + drift * noise
    low, high = (float(share) for share in np.percentile(shares, [2.5, 97.5]))
    return Estimate(
        percent=max(MOST_SAVED, 100.0 * middle / without),
        low_percent=max(MOST_SAVED, 100.0 * low),
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
    return _mean([day for day in days if day.after == 1.0])


def _mean(days: Sequence[Sample]) -> float:
    return math.fsum(day.value for day in days) / len(days)


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
    columns, known = [np.ones(len(days))], set()
    for name in ("outside_c", "source_c", "dhw_share"):
        values = [getattr(day, name) for day, _side in days]
        if all(value is not None for value in values):
            column = np.array(values, dtype=float)
            if _tells_more(column, columns):
                columns.append(column)
                known.add(name)
    design = np.stack([*columns, np.array([side for _day, side in days])], axis=1)[None]
    numbers = np.array([day.day.toordinal() for day, _side in days], dtype=float)
    fitted = _cells(numbers, np.array([day.efficiency for day, _side in days], dtype=float), design)
    if fitted is None:
        return None
    drawn, noise = fitted.draws()
    drift = SOURCE_DRIFT if "source_c" in known else EFFICIENCY_DRIFT
    low, high = np.percentile(np.expm1(drawn + drift * noise), [2.5, 97.5])
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
    felt = [(1 - phi) * outside + phi * before for phi in PHIS]
    degrees = np.maximum(0.0, np.array(BALANCES_C)[:, None] - np.array(felt)[:, None, :])
    degrees = degrees.reshape(-1, len(ordered))
    degrees = degrees[np.ptp(degrees, axis=1) > FLAT_K]
    ones = np.ones(len(ordered))
    if not len(degrees):  # too warm for any heating, or one temperature: the weather explains nothing
        return _cells(numbers, values, np.stack([ones, after], axis=1)[None])
    columns = np.broadcast_arrays(ones, degrees, after)
    return _cells(numbers, values, np.stack(columns, axis=-1))


def _cells(numbers: Floats, values: Floats, designs: Floats) -> _Cells | None:
    """Fit every design (cell × day × column, the effect last) with every correlation."""
    import numpy as np

    freedom = len(values) - designs.shape[2]
    if freedom < 1:
        return None
    effects, errors, logs, squares = _fits(numbers, values, designs, freedom)
    usable = np.isfinite(logs)
    if not usable.any():
        return None
    weights = np.where(usable, np.exp(logs - logs[usable].max()), 0.0).ravel()
    scatter = math.sqrt(float(squares[0, np.argmax(logs[0])]) / freedom)
    return _Cells(effects.ravel(), errors.ravel(), weights / weights.sum(), freedom, scatter)


def _fits(
    numbers: Floats, values: Floats, designs: Floats, freedom: int
) -> tuple[Floats, Floats, Floats, Floats]:
    """Return effects, standard errors, log weights and sums of squares: correlation (the first is none) ×
    design."""
    import numpy as np

    floor = FLOOR * float(values @ values) + np.finfo(float).tiny
    turn = _whitening(numbers)
    white, white_values = turn[:, None] @ designs, (turn @ values)[:, None, :, None]
    turned = np.swapaxes(white, -1, -2)
    gram = turned @ white
    sign, log_det = np.linalg.slogdet(gram)
    good = (sign > 0) & (np.linalg.cond(gram) < 1e13)
    inverted = np.linalg.inv(np.where(good[..., None, None], gram, np.eye(gram.shape[-1])))
    solution = inverted @ (turned @ white_values)
    squares = np.maximum(floor, np.sum((white_values - white @ solution) ** 2, axis=(-2, -1)))
    log = np.log(np.diagonal(turn, axis1=1, axis2=2)).sum(axis=1)[:, None]
    log = log - 0.5 * log_det - 0.5 * freedom * np.log(squares)
    errors = np.sqrt(squares / freedom * inverted[..., -1, -1])
    return solution[..., -1, 0], errors, np.where(good, log, -np.inf), squares


def _whitening(numbers: Floats) -> Floats:
    """Return L⁻¹ of each correlation: a day less what the last day before it lets expect, all with the same
    spread (of days that resemble each other by ρ^distance, earlier ones add nothing)."""
    import numpy as np

    like = np.array(RHOS)[:, None] ** np.diff(numbers)
    scale = 1.0 / np.sqrt(1.0 - like**2)
    turn = np.zeros((len(RHOS), len(numbers), len(numbers)))
    later = np.arange(1, len(numbers))
    turn[:, 0, 0] = 1.0
    turn[:, later, later] = scale
    turn[:, later, later - 1] = -like * scale
    return turn
