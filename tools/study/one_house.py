"""What a single wild home shows of a true −10 % when it is looked at as the real pump was: on dates of three
winters, from electricity and outside temperature alone, the days with the new value scaled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import partial
from statistics import fmean

import numpy as np

from apps.effects import alternating
from apps.effects.alternating import Design, planned_days
from apps.effects.estimator import effect
from apps.effects.fortnights import (
    COLD_DRIFT,
    LEAST_DEGREES_K,
    WIDEST_PERCENT,
    Group,
    drift_allowance,
    refusal,
    scatter_allowance,
    sides,
    windows,
)
from apps.effects.null import quantile
from apps.effects.samples import EffectDay, Sample, mean_degree_days, samples

from .effect_homes import CLASSES, DAYS, lived_home
from .effects import DESIGNS, FORTNIGHTS, KINDS

FIRST_SEED = 50_000
THREE_WINTERS = DAYS + 365
EVERY_DAYS = 7
LEAST_DATES = 10
LEFT = 0.9
"""A true −10 %."""
APART = 15 / 28
"""The centres of two fortnights with a day between them, in times of 28 days."""
TEST_ALLOWANCE = 0.02
"""Of the specification's alternating test."""
EDGES = (0.025, 0.975)

Days = Mapping[date, EffectDay]
Found = tuple[bool, bool]
"""By the specification's interval, by heatmon's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OneHouse:
    """Shares found by home [%]: by the specification's interval, by heatmon's."""

    specified: tuple[float, ...]
    ours: tuple[float, ...]

    @property
    def edges(self) -> tuple[float, float]:
        """What 95 % of the homes lie between, by the specification's interval."""
        low, high = (quantile(self.specified, edge) for edge in EDGES)
        return low, high

    def reaching(self, percent: float) -> float:
        """Return the share of homes that show so much or more by the specification's interval [%]."""
        return 100.0 * fmean(share >= percent for share in self.specified)


def one_house(homes: int, jobs: int) -> dict[str, OneHouse]:
    """Return what single homes show by design, of ``homes`` wild ones with each pump."""
    seen: dict[str, list[tuple[float, float]]] = {}
    with ProcessPoolExecutor(jobs) as pool:
        for kind in KINDS:
            seeds = range(FIRST_SEED, FIRST_SEED + homes)
            for shares in pool.map(partial(shares_of, kind=kind), seeds, chunksize=5):
                for method, share in shares.items():
                    seen.setdefault(method, []).append(share)
    return {
        method: OneHouse(
            specified=tuple(share for share, _ours in shares), ours=tuple(ours for _share, ours in shares)
        )
        for method, shares in seen.items()
    }


def shares_of(seed: int, kind: str) -> dict[str, tuple[float, float]]:
    """Return the shares found in one home [%], by design; none where too few dates can be asked."""
    home = lived_home(seed, kind, CLASSES[-1], THREE_WINTERS)
    days = {day.day: day for day in home.days(np.ones(THREE_WINTERS), range(THREE_WINTERS))}
    dates = [home.day(number) for number in range(0, THREE_WINTERS, EVERY_DAYS)]
    found = {FORTNIGHTS: [_fortnights(day, days) for day in dates]}
    for name, design in DESIGNS.items():
        found[name] = [_test(day, days, design) for day in dates]
    return {method: shares for method, each in found.items() if (shares := _shares(each)) is not None}


def _shares(asked: Sequence[Found | None]) -> tuple[float, float] | None:
    answers = [each for each in asked if each is not None]
    if len(answers) < LEAST_DATES:
        return None
    specified, ours = (100.0 * fmean(each[way] for each in answers) for way in (0, 1))
    return specified, ours


def _fortnights(day: date, days: Days) -> Found | None:
    group = Group(ids=(), first=day, last=day)
    before, after = windows(group, ())
    if refusal(group, before, after, days, "total", date.max) is not None:
        return None
    old, new = samples(*sides(before, after, days), "total")
    degrees_k = min(mean_degree_days(old), mean_degree_days(new))
    return _found(
        [*old, *_less(new)],
        COLD_DRIFT * APART,
        (drift_allowance(before, after, degrees_k, "total"), scatter_allowance(before, after)),
    )


def _test(first: date, days: Days, design: Design) -> Found | None:
    planned = planned_days(first, design)
    if planned[-1].day > max(days) - timedelta(days=1):
        return None
    old, new = (
        [days[each.day] for each in planned if each.side == side and each.day in days] for side in (0.0, 1.0)
    )
    asked_old, asked_new = samples(old, new, "total")
    if mean_degree_days([*asked_old, *asked_new]) < LEAST_DEGREES_K:
        return None
    scatter = alternating.SCATTER_A_DAY * max(design.length, 3)
    return _found([*asked_old, *_less(asked_new)], TEST_ALLOWANCE, (alternating.ALLOWANCE, scatter))


def _less(days: Sequence[Sample]) -> list[Sample]:
    return [replace(day, value=LEFT * day.value) for day in days]


def _found(days: Sequence[Sample], specified: float, ours: tuple[float, float]) -> Found | None:
    """Return whether both intervals leave zero out; None where one gives no answer."""
    first, second = effect(days, specified), effect(days, *ours)
    if first is None or second is None or second.half_width_percent > WIDEST_PERCENT:
        return None
    return first.is_found, second.is_found
