"""◇ What the source of the heat does beside the weather: over a winter the ground cools, and the pump needs
more for the same heat."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean

from .samples import EffectDay

NEED_PER_K = 0.025
"""So much less electricity per kelvin of a warmer source: Carnot at a lift of 40 K."""
FLAT_K = 1e-6
LEAST_OWN = 0.1
"""Share of the source's spread that the weather must leave unexplained."""

Pairs = Sequence[tuple[float, float]]
"""(outside, source) [°C] by day."""


def source_share(before: Sequence[EffectDay], after: Sequence[EffectDay]) -> float:
    """Return how much more (+) electricity the days after need because the source is colder at the same
    outside temperature, as a share; 0 where it is not measured, or is the outside air."""
    old, new = _pairs(before), _pairs(after)
    if not old or not new or not _is_own([*old, *new]):
        return 0.0
    moments = [_moments(old), _moments(new)]
    outside_k2 = math.fsum(outside for outside, _both, _source in moments)
    slope = (
        math.fsum(both for _outside, both, _source in moments) / outside_k2 if outside_k2 > FLAT_K else 0.0
    )
    colder_k = _mean(old, 1) - _mean(new, 1) - slope * (_mean(old, 0) - _mean(new, 0))
    return NEED_PER_K * colder_k


def _pairs(days: Sequence[EffectDay]) -> Pairs:
    return [
        (day.outside_c, day.source_c)
        for day in days
        if day.outside_c is not None and day.source_c is not None
    ]


def _is_own(pairs: Pairs) -> bool:
    """Return whether the source moves apart from the outside temperature."""
    outside, both, source = _moments(pairs)
    rest = source - (both**2 / outside if outside > FLAT_K else 0.0)
    return source > len(pairs) * FLAT_K**2 and rest > LEAST_OWN**2 * source


def _moments(pairs: Pairs) -> tuple[float, float, float]:
    """Return the sums of squares and products around the means: outside, both, source [K²]."""
    outside_c, source_c = _mean(pairs, 0), _mean(pairs, 1)
    return (
        math.fsum((outside - outside_c) ** 2 for outside, _source in pairs),
        math.fsum((outside - outside_c) * (source - source_c) for outside, source in pairs),
        math.fsum((source - source_c) ** 2 for _outside, source in pairs),
    )


def _mean(pairs: Pairs, place: int) -> float:
    return fmean(pair[place] for pair in pairs)
