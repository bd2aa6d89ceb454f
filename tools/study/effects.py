"""Effects of changes on simulated homes: how often the interval holds the truth, and what it finds."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import partial

import numpy as np

from apps.effects.alternating import ALLOWANCE, Design, planned_days
from apps.effects.estimator import Estimate, effect, efficiency_effect
from apps.effects.fortnights import (
    WIDEST_PERCENT,
    Group,
    drift_allowance,
    refusal,
    sides,
    windows,
)
from apps.effects.null import OwnNull, at_least, own_null
from apps.effects.samples import EffectDay, mean_degree_days, samples

from .effect_homes import CLASSES, DAYS, FIRST, Floats, HomeClass, LivedHome, lived_home

KINDS = ("air", "brine")
EFFECTS = (0.0, -0.05, -0.10)
SEASON = (458, 644 - 14)
"""Numbers of the days on which a change may fall: October to early April of the second season."""
DESIGNS = {
    "alternating 18 × 3": Design(blocks=18, length=3),
    "alternating 28 × 2": Design(blocks=28, length=2),
    "alternating 8 × 7": Design(blocks=8, length=7),
}
FORTNIGHTS, WITH_NULL, PUMP = "14 + 14", "14 + 14, with the home's own null", "efficiency, 14 + 14"
FLOW_K = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One verdict. ``truth``, ``percent``, ``low``, ``high`` in %."""

    method: str
    effect: float
    truth: float
    percent: float
    low: float
    high: float

    @property
    def holds(self) -> bool:
        return self.low <= self.truth <= self.high

    @property
    def is_found(self) -> bool:
        return self.low > 0.0 or self.high < 0.0


@dataclass(slots=True)
class Study:
    """Answers by (class, kind); ``asked``: how many homes."""

    asked: int
    answers: dict[tuple[str, str], list[Answer]] = field(default_factory=dict)


def study(homes: int, jobs: int, classes: Iterable[HomeClass] = CLASSES) -> Study:
    """Return the answers of ``homes`` homes of each class and kind."""
    found = Study(asked=homes)
    with ProcessPoolExecutor(jobs) as pool:
        for home_class in classes:
            for kind in KINDS:
                job = partial(answers_of, kind=kind, home_class=home_class)
                parts = pool.map(job, range(homes), chunksize=5)
                found.answers[home_class.name, kind] = [answer for part in parts for answer in part]
    return found


def answers_of(seed: int, kind: str, home_class: HomeClass) -> list[Answer]:
    """Return all verdicts of one home."""
    home = lived_home(seed, kind, home_class)
    chance = np.random.default_rng([seed, 77])
    change = int(chance.integers(*SEASON))
    heating_only = bool(chance.integers(0, 2))
    quiet = {day.day: day for day in home.days(np.ones(DAYS))}
    null = own_null({day: each for day, each in quiet.items() if day < home.day(change)}, (), "total")
    found: list[Answer] = []
    for size in EFFECTS:
        found += _fortnights(home, change, size, heating_only, null)
        found += _efficiency(home, change, size)
        start = int(np.random.default_rng([seed, 78]).integers(SEASON[0], SEASON[1] - 50))
        for name, design in DESIGNS.items():
            found += _alternating(home, name, design, start, size, heating_only)
    return found


def _days(home: LivedHome, changed: Floats, size: float, heating_only: bool) -> dict[date, EffectDay]:
    """Return the measured days, with an effect of ``size`` where ``changed`` is 1."""
    if not heating_only:
        return {day.day: day for day in home.days(1.0 + size * changed)}
    # on the heating alone, so large that all electricity of these days changes by ``size``
    everything = home.space_kwh + home.dhw_kwh + home.standby_kwh
    share = float(changed @ home.space_kwh / (changed @ everything)) if changed.any() else 1.0
    plain, acted = home.days(np.ones(DAYS)), home.days(1.0 + size / max(share, 0.3) * changed)
    return {
        old.day: EffectDay(
            day=old.day,
            outside_c=old.outside_c,
            before_c=old.before_c,
            energy_kwh=(old.energy_kwh or 0.0) + (new.space_kwh or 0.0) - (old.space_kwh or 0.0),
            space_kwh=new.space_kwh,
            dhw_kwh=old.dhw_kwh,
        )
        for old, new in zip(plain, acted, strict=True)
    }


def _truth(home: LivedHome, days: Iterable[EffectDay]) -> float:
    """Return by how much the given days really differ from what they were without the change [%]."""
    plain = home.space_kwh + home.dhw_kwh + home.standby_kwh
    with_it = without = 0.0
    for day in days:
        with_it += day.energy_kwh or 0.0
        without += float(plain[(day.day - FIRST).days])
    return 100.0 * (with_it / without - 1.0)


def _fortnights(
    home: LivedHome, change: int, size: float, heating_only: bool, null: OwnNull | None
) -> list[Answer]:
    acted = (home.numbers > change) & (home.numbers <= change + 14)
    days = _days(home, acted.astype(float), size, heating_only)
    day = home.day(change)
    group = Group(ids=(), first=day, last=day)
    before, after = windows(group, ())
    if refusal(group, before, after, days, "total", day + timedelta(days=30)) is not None:
        return []
    lived = sides(before, after, days)
    old, new = samples(*lived, "total")
    degrees = min(mean_degree_days(old), mean_degree_days(new))
    found = effect([*old, *new], drift_allowance(before, after, degrees, "total"))
    if found is None or found.half_width_percent > WIDEST_PERCENT:
        return []
    truth = _truth(home, lived[1])
    return [
        _answer(FORTNIGHTS, size, truth, found),
        _answer(WITH_NULL, size, truth, at_least(found, null)),
    ]


def _alternating(
    home: LivedHome, name: str, design: Design, start: int, size: float, heating_only: bool
) -> list[Answer]:
    planned = planned_days(home.day(start), design)
    changed = np.zeros(DAYS)
    for number, each in enumerate(planned):
        changed[start + number] = each.side or 0.0
    days = _days(home, changed, size, heating_only)
    first = [days[each.day] for each in planned if each.side == 0.0 and each.day in days]
    second = [days[each.day] for each in planned if each.side == 1.0 and each.day in days]
    old, new = samples(first, second, "total")
    if min(mean_degree_days(old), mean_degree_days(new)) < 4.0:
        return []
    found = effect([*old, *new], ALLOWANCE)
    return [] if found is None else [_answer(name, size, _truth(home, second), found)]


def _efficiency(home: LivedHome, change: int, size: float) -> list[Answer]:
    """Return the verdict on a pump that needs less for the same heat, with a flow 3 K lower."""
    factors = np.where(home.numbers > change, 1.0 + size, 1.0)
    flow_k = FLOW_K if size else 0.0
    days = {day.day: day for day in home.days(factors, acts_on_efficiency=True, flow_k=flow_k)}
    day = home.day(change)
    before, after = windows(Group(ids=(), first=day, last=day), ())
    lived = sides(before, after, days)
    if min(len(side) for side in lived) < 10:
        return []
    found = efficiency_effect(*lived)
    return [] if found is None else [_answer(PUMP, size, 100.0 * (1.0 / (1.0 + size) - 1.0), found)]


def _answer(method: str, size: float, truth: float, found: Estimate) -> Answer:
    return Answer(
        method=method,
        effect=size,
        truth=truth,
        percent=found.percent,
        low=found.low_percent,
        high=found.high_percent,
    )
