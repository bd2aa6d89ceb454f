"""Effects of changes on simulated homes: how often the interval holds the truth, and what it finds."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import partial

import numpy as np

from apps.effects.alternating import Design, estimate, planned_days
from apps.effects.estimator import Estimate, effect, efficiency_effect
from apps.effects.fortnights import (
    COLD_DRIFT,
    LEAST_ALIKE_DAYS,
    LEAST_DAYS,
    LEAST_DEGREES_K,
    WIDEST_PERCENT,
    Group,
    Window,
    alike,
    refusal,
    sides,
    windows,
)
from apps.effects.null import OwnNull, own_null
from apps.effects.samples import EffectDay, mean_degree_days, samples
from apps.effects.verdicts import electricity_effect

from .effect_homes import CLASSES, DAYS, FIRST, FIRST_SEED, Floats, HomeClass, LivedHome, lived_home

KINDS = ("air", "brine")
EFFECTS = (0.0, -0.05, -0.10)
SEASON = (458, 644 - 14)
"""Numbers of the days on which a change may fall: October to early April of the second season."""
TESTED = 10_000
"""Alternating tests have homes of their own, so much further in the seeds: the others helped to set their
constants."""
DATES = 10
"""So many dates are tried until the weather of one allows an answer."""
DESIGNS = {
    "alternating 18 × 3": Design(blocks=18, length=3),
    "alternating 28 × 2": Design(blocks=28, length=2),
    "alternating 8 × 7": Design(blocks=8, length=7),
}
FORTNIGHTS, WITH_NULL, PUMP = "14 + 14", "14 + 14, with the home's own null", "efficiency, 14 + 14"
MONTHS = "28 + 28"
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
    """Answers by (class, kind), ``asked`` homes each. ``placebos``: apparent effects [%] of nothing by
    design, from electricity and outside temperature alone, as on the real pump."""

    asked: int
    answers: dict[tuple[str, str], list[Answer]] = field(default_factory=dict)
    placebos: dict[tuple[str, str], dict[str, list[float]]] = field(default_factory=dict)


def study(homes: int, jobs: int, classes: Iterable[HomeClass] = CLASSES) -> Study:
    """Return the answers of ``homes`` homes of each class and kind."""
    found = Study(asked=homes)
    seeds = range(FIRST_SEED, FIRST_SEED + homes)
    with ProcessPoolExecutor(jobs) as pool:
        for home_class in classes:
            for kind in KINDS:
                job = partial(answers_of, kind=kind, home_class=home_class)
                parts = list(pool.map(job, seeds, chunksize=5))
                key = home_class.name, kind
                found.answers[key] = [answer for answers, _placebos in parts for answer in answers]
                found.placebos[key] = _by_design(placebos for _answers, placebos in parts)
                sys.stderr.write(f"{homes} {home_class.name} homes, {kind}\n")
    return found


def _by_design(parts: Iterable[dict[str, float]]) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {}
    for part in parts:
        for name, percent in part.items():
            found.setdefault(name, []).append(percent)
    return found


def answers_of(seed: int, kind: str, home_class: HomeClass) -> tuple[list[Answer], dict[str, float]]:
    """Return all verdicts of one home and all tests of another, and the apparent effects of nothing by
    design."""
    found, placebos = _of_changes(lived_home(seed, kind, home_class), seed)
    tests = tests_of(seed + TESTED, kind, home_class)
    return found + tests, placebos | {each.method: each.percent for each in tests if not each.effect}


def _of_changes(home: LivedHome, seed: int) -> tuple[list[Answer], dict[str, float]]:
    chance = np.random.default_rng([seed, 77])
    heating_only = bool(chance.integers(0, 2))
    quiet = {day.day: day for day in home.days(np.ones(DAYS))}
    change = _change(home, quiet, chance)
    null = own_null({day: each for day, each in quiet.items() if day < home.day(change)}, (), "total")
    found: list[Answer] = []
    for size in EFFECTS:
        found += _fortnights(home, change, size, heating_only, null)
        found += _efficiency(home, change, size)
    placebos = {
        name: percent
        for name, days in ((FORTNIGHTS, 14), (MONTHS, 28))
        if (percent := _placebo(home, change, days, quiet)) is not None
    }
    return found, placebos


def tests_of(seed: int, kind: str, home_class: HomeClass) -> list[Answer]:
    """Return the alternating tests of one home."""
    home = lived_home(seed, kind, home_class)
    chance = np.random.default_rng([seed, 78])
    heating_only = bool(chance.integers(0, 2))
    start = int(chance.integers(SEASON[0], SEASON[1] - 50))
    return [
        answer
        for size in EFFECTS
        for name, design in DESIGNS.items()
        for answer in _alternating(home, name, design, start, size, heating_only)
    ]


def _change(home: LivedHome, quiet: dict[date, EffectDay], chance: np.random.Generator) -> int:
    change = 0
    for _ in range(DATES):
        change = int(chance.integers(*SEASON))
        if _refused(home, change, quiet) is None:
            break
    return change


def _refused(home: LivedHome, change: int, days: dict[date, EffectDay]) -> object:
    group, before, after = _around(home, change)
    return refusal(group, before, after, days, "total", group.last + timedelta(days=30))


def _around(home: LivedHome, change: int) -> tuple[Group, Window, Window]:
    day = home.day(change)
    group = Group(ids=(), first=day, last=day)
    return group, *windows(group, ())


def _days(
    home: LivedHome, changed: Floats, size: float, heating_only: bool, numbers: range
) -> dict[date, EffectDay]:
    """Return the measured days, with an effect of ``size`` where ``changed`` is 1."""
    if not heating_only:
        return {day.day: day for day in home.days(1.0 + size * changed, numbers)}
    # on the heating alone, so large that all electricity of these days changes by ``size``
    everything = home.space_kwh + home.dhw_kwh + home.standby_kwh
    share = float(changed @ home.space_kwh / (changed @ everything)) if changed.any() else 1.0
    acted = home.days(1.0 + size / max(share, 0.3) * changed, numbers)
    return {
        old.day: EffectDay(
            day=old.day,
            outside_c=old.outside_c,
            before_c=old.before_c,
            energy_kwh=(old.energy_kwh or 0.0) + (new.space_kwh or 0.0) - (old.space_kwh or 0.0),
            space_kwh=new.space_kwh,
            dhw_kwh=old.dhw_kwh,
            source_c=old.source_c,
        )
        for old, new in zip(home.days(np.ones(DAYS), numbers), acted, strict=True)
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
    days = _days(home, acted.astype(float), size, heating_only, range(change - 15, change + 16))
    if _refused(home, change, days) is not None:
        return []
    _group, before, after = _around(home, change)
    truth = _truth(home, sides(before, after, days)[1])
    answers = []
    for method, known in ((FORTNIGHTS, None), (WITH_NULL, null)):
        found = electricity_effect(before, after, days, "total", known)
        if found is not None and found.half_width_percent <= WIDEST_PERCENT:
            answers.append(_answer(method, size, truth, found))
    return answers


def _placebo(home: LivedHome, change: int, window: int, days: dict[date, EffectDay]) -> float | None:
    """Return what two windows around a day without a change seem to differ by [%], where that is not
    refused."""
    before = Window(first=home.day(change - window), last=home.day(change - 1))
    after = Window(first=home.day(change + 1), last=home.day(change + window))
    old, new = samples(*sides(before, after, days), "total")
    if min(len(old), len(new)) < LEAST_DAYS or alike(old, new) < LEAST_ALIKE_DAYS:
        return None
    if min(mean_degree_days(old), mean_degree_days(new)) < LEAST_DEGREES_K:
        return None
    found = effect([*old, *new], COLD_DRIFT * (window + 1) / 28.0)
    return None if found is None or found.half_width_percent > WIDEST_PERCENT else found.percent


def _alternating(
    home: LivedHome, name: str, design: Design, start: int, size: float, heating_only: bool
) -> list[Answer]:
    planned = planned_days(home.day(start), design)
    changed = np.zeros(DAYS)
    changed[start : start + design.days] = [each.side or 0.0 for each in planned]
    days = _days(home, changed, size, heating_only, range(start, start + design.days))
    found = estimate(days, planned, "total", design.length)
    second = [days[each.day] for each in planned if each.side == 1.0 and each.day in days]
    return [] if found is None else [_answer(name, size, _truth(home, second), found)]


def _efficiency(home: LivedHome, change: int, size: float) -> list[Answer]:
    """Return the verdict on a pump that needs less for the same heat, with a flow 3 K lower."""
    factors = np.where(home.numbers > change, 1.0 + size, 1.0)
    days = home.days(
        factors,
        range(change - 15, change + 16),
        acts_on_efficiency=True,
        flow_k=FLOW_K if size else 0.0,
    )
    _group, before, after = _around(home, change)
    lived = sides(before, after, {day.day: day for day in days})
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
