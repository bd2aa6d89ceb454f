"""A range of periods against the same one a year before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from .periods import EnergyRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Electricity of the periods that are over and measured in both years.

    ``numbers``: their indices, rising; ``is_whole``: they are all of both ranges. ``percent``: more (+) or
    less (−) than a year before. ``colder_k``: how much colder it was [K]; None where that is not known.
    """

    numbers: tuple[int, ...]
    is_whole: bool
    percent: float
    colder_k: float | None


def against_year_before(
    rows: Sequence[EnergyRow], before: Sequence[EnergyRow | None], at: datetime
) -> Comparison | None:
    """Compare ``rows`` with ``before``, period by period; None unless one is measured in both."""
    pairs = [
        (number, now, then)
        for number, (now, then) in enumerate(zip(rows, before, strict=False))
        if then is not None and now.is_measured(at) and then.is_measured(at)
    ]
    energy = sum(now.scaled_energy_kwh or 0.0 for _number, now, _then in pairs)
    earlier = sum(then.scaled_energy_kwh or 0.0 for _number, _now, then in pairs)
    if not pairs or not earlier:
        return None
    weather = [
        ((now.end - now.start).days, now.mean_outside_temperature_c - then.mean_outside_temperature_c)
        for _number, now, then in pairs
        if now.mean_outside_temperature_c is not None and then.mean_outside_temperature_c is not None
    ]
    days = sum(weight for weight, _difference in weather)
    return Comparison(
        numbers=tuple(number for number, _now, _then in pairs),
        is_whole=len(pairs) == len(rows) == len(before),
        percent=100 * (energy / earlier - 1),
        colder_k=-sum(weight * difference for weight, difference in weather) / days if days else None,
    )
