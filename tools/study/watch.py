"""The watch for lasting deviations on simulated homes: false alarms, detection, and the band of a day."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from statistics import fmean, median

import numpy as np

from apps.effects import expected
from apps.effects.expected import WeatherDay

from .effect_homes import DAYS, FIRST_SEED, HomeClass, LivedHome, lived_home

SHIFTS = (0.10, 0.20, 0.30)
LEARNED = 365
BEGINS = (500, 560)
YEAR = 365.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """One home. ``held``: share of days inside the 80 % band; ``false_alarms`` of the quiet home;
    ``found``: by shift, (days until noticed, days by which the begin is misdated)."""

    held: float
    false_alarms: int
    found: dict[float, tuple[int, int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchRow:
    """All homes of a class and kind. ``alarms_a_year``: false ones; ``found``: share by shift; ``days``:
    median until noticed."""

    held: float
    alarms_a_year: float
    found: dict[float, float]
    days: dict[float, float | None]
    dated: float | None


def watch(homes: int, jobs: int, kind: str, home_class: HomeClass) -> WatchRow:
    """Return what the watch does on ``homes`` homes."""
    seeds = range(FIRST_SEED, FIRST_SEED + homes)
    with ProcessPoolExecutor(jobs) as pool:
        return row_of(list(pool.map(partial(watched, kind=kind, home_class=home_class), seeds, chunksize=5)))


def row_of(seen: Sequence[Watched]) -> WatchRow:
    """Return what the watch did on some homes together."""
    delays = {shift: [each.found[shift][0] for each in seen if shift in each.found] for shift in SHIFTS}
    misdated = [abs(each.found[shift][1]) for each in seen for shift in SHIFTS if shift in each.found]
    return WatchRow(
        held=fmean(each.held for each in seen),
        alarms_a_year=fmean(each.false_alarms for each in seen) / (DAYS / YEAR),
        found={shift: len(delays[shift]) / len(seen) for shift in SHIFTS},
        days={shift: median(delays[shift]) if delays[shift] else None for shift in SHIFTS},
        dated=median(misdated) if misdated else None,
    )


def watched(seed: int, kind: str, home_class: HomeClass) -> Watched:
    """Return what the watch does in one home, quiet and with each shift of its second season."""
    home = lived_home(seed, kind, home_class)
    begin = int(np.random.default_rng([seed, 79]).integers(*BEGINS))
    quiet, false_alarms = expected.watch(_days(home, begin, 0.0))
    inside = [
        day.low_kwh <= day.energy_kwh <= (day.high_kwh or 0.0)
        for day in quiet[LEARNED:]
        if day.low_kwh is not None and day.energy_kwh is not None
    ]
    found = {}
    for shift in SHIFTS:
        _days_of_it, alarms = expected.watch(_days(home, begin, shift))
        hits = [alarm for alarm in alarms if alarm.noticed >= home.day(begin) and alarm.percent > 0]
        if hits:
            found[shift] = (hits[0].noticed - home.day(begin)).days, (hits[0].since - home.day(begin)).days
    return Watched(held=fmean(inside), false_alarms=len(false_alarms), found=found)


def _days(home: LivedHome, begin: int, shift: float) -> list[WeatherDay]:
    factors = np.where(home.numbers >= begin, 1.0 + shift, 1.0)
    measured = {day.day: day.energy_kwh for day in home.days(factors)}
    return [
        WeatherDay(
            day=home.day(number),
            energy_kwh=measured.get(home.day(number)),
            outside_c=float(home.outside_c[number]),
            before_c=float(home.outside_c[max(0, number - 1)]),
        )
        for number in range(DAYS)
    ]
