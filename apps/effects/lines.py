"""◇ The lines that show an effect beside the days, over outside temperature."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from .estimator import BALANCES_C
from .samples import EffectDay, Sample

STEP_K = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines:
    """Points (outside temperature [°C], value) without and with the change."""

    before: tuple[tuple[float, float], ...]
    after: tuple[tuple[float, float], ...]


def energy_lines(days: Sequence[Sample], effect_kwh: float) -> Lines:
    """Return E = a + b·max(0, T_bal − T), and the same with the effect [kWh per 24 h]."""
    energy = [day.value - effect_kwh * day.after for day in days]
    fits = []
    for balance in BALANCES_C:
        degrees = [max(0.0, balance - day.outside_c) for day in days]
        base, slope = _straight(degrees, energy)
        rest = math.fsum((e - base - slope * d) ** 2 for e, d in zip(energy, degrees, strict=True))
        fits.append((rest, balance, base, slope))
    _rest, balance, base, slope = min(fits)
    shown = [(at, base + slope * max(0.0, balance - at)) for at in _range([day.outside_c for day in days])]
    return Lines(before=tuple(shown), after=tuple((at, value + effect_kwh) for at, value in shown))


def efficiency_lines(before: Sequence[EffectDay], after: Sequence[EffectDay], percent: float) -> Lines:
    """Return heat per kWh as a straight line in the logarithm, and the same with the effect."""
    effect = math.log1p(percent / 100.0)
    days = [(day, 0.0) for day in before] + [(day, 1.0) for day in after]
    known = [
        (day.outside_c, day.efficiency - effect * side)
        for day, side in days
        if day.outside_c is not None and day.efficiency is not None
    ]
    base, slope = _straight([outside for outside, _value in known], [value for _outside, value in known])
    shown = [(at, base + slope * at) for at in _range([outside for outside, _value in known])]
    return Lines(
        before=tuple((at, math.exp(value)) for at, value in shown),
        after=tuple((at, math.exp(value + effect)) for at, value in shown),
    )


def _straight(x: Sequence[float], y: Sequence[float]) -> tuple[float, float]:
    """Return base and slope of the least-squares line; slope 0 where x does not vary."""
    mean_x, mean_y = fmean(x), fmean(y)
    spread = math.fsum((each - mean_x) ** 2 for each in x)
    slope = (
        math.fsum((a - mean_x) * (b - mean_y) for a, b in zip(x, y, strict=True)) / spread if spread else 0.0
    )
    return mean_y - slope * mean_x, slope


def _range(outside_c: Sequence[float]) -> list[float]:
    low, high = min(outside_c), max(outside_c)
    count = max(1, math.ceil((high - low) / STEP_K))
    return [low + (high - low) * number / count for number in range(count + 1)]
