"""◇ What moved together with a lasting deviation: signs of its cause, each against the time before.

Energies in kWh a day, temperature differences in K, None where not measured.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from statistics import fmean

LEAST_HOURS = 48
"""Hours of running from which on a mean temperature difference counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signs:
    """Means of one stretch of time. ``rod_h``: hours a day of the heating rod; ``carnot_percent``: of the
    Carnot limit, which knows the temperatures; ``source_k`` and ``water_k``: how far brine cools and heating
    water warms while the compressor runs."""

    standby_kwh: float | None = None
    dhw_kwh: float | None = None
    rod_h: float | None = None
    carnot_percent: float | None = None
    source_k: float | None = None
    water_k: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sign:
    """One sign before and since. ``points``: it moved as a cause of this deviation would; None: not known."""

    code: str
    before: float | None
    since: float | None
    points: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rule:
    """From which change on a sign points: by so much, and by this share of before. ``falls``: it falls where
    more is used."""

    least: float
    share: float = 0.0
    falls: bool = False


# Less than what differs between quiet months of a home: a tenth of a kWh is a clock, half of one a bath less.
_RULES = {
    "standby_kwh": _Rule(least=0.3),
    "dhw_kwh": _Rule(least=0.5, share=0.15),
    "rod_h": _Rule(least=0.1),
    "carnot_percent": _Rule(least=0.0, share=0.05, falls=True),
    "source_k": _Rule(least=0.7, share=0.2),
    "water_k": _Rule(least=1.0, share=0.2),
}


def compared(before: Signs, since: Signs, *, is_more: bool) -> list[Sign]:
    """Return each sign before and since the begin of a deviation; ``is_more``: more is used than expected."""
    return [
        Sign(
            code=each.name,
            before=(old := getattr(before, each.name)),
            since=(new := getattr(since, each.name)),
            points=None if old is None or new is None else _points(_RULES[each.name], old, new, is_more),
        )
        for each in fields(Signs)
    ]


def _points(rule: _Rule, old: float, new: float, is_more: bool) -> bool:
    change = (new - old) * (1 if is_more != rule.falls else -1)
    return change > 0 and change >= max(rule.least, rule.share * abs(old))


def mean_difference(pairs: Sequence[tuple[float, float]]) -> float | None:
    """Return the mean of first minus second; None with too few hours."""
    return fmean(warm - cold for warm, cold in pairs) if len(pairs) >= LEAST_HOURS else None
