"""◇ The alternating test: two values of one setting in turn, so that seasons and habits hit both alike.

The plan is a calendar of blocks; which value a day counts for is what the settings history says was set on
it. Source: metrics §5.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from statistics import fmean
from typing import Any

from .estimator import Estimate, effect
from .fortnights import LEAST_DEGREES_K
from .samples import EffectDay, mean_degree_days, samples
from .targets import DHW

ALLOWANCE, SCATTER_A_DAY = 0.005, 0.02
"""What drifts between the blocks of both values: a share of the energy, and in times of the scatter of the
days for each day that a block lasts, three at least."""
SET_BY = time(0, 30)
"""The value of the block must be set by then; a poll may notice some minutes late."""
EVENING = time(18, 0)
"""From then on the next block's value may be set."""
LEAST_DAYS_A_SIDE = 10
DAY = timedelta(days=1)
TYPICAL_HALF_WIDTH = {(18, 3): 6.0, (28, 2): 5.0, (8, 7): 8.5}
"""[%] of a home without a season of its own data: the study's class "middle"."""
SOUGHT_Z = 0.8416
INTERVAL_Z = 1.96
PLACEBO_EVERY_DAYS = 10
MOST_PLACEBOS = 12
LEAST_PLACEBOS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Design:
    """``blocks`` blocks of ``length`` days, the present value first."""

    blocks: int
    length: int

    @property
    def days(self) -> int:
        return self.blocks * self.length


DESIGNS = (Design(blocks=18, length=3), Design(blocks=28, length=2), Design(blocks=8, length=7))


def recommended(target: str) -> Design:
    """Return the design that suits a target best: short blocks for hot water, which no house delays."""
    return DESIGNS[1] if target == DHW else DESIGNS[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Local days ``first`` to ``last``; ``is_new``: with the new value, else the old one."""

    number: int
    first: date
    last: date
    is_new: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Power:
    """What a test can show: ``half_width`` of the interval [%], ``shows_percent``: the effect that 8 of 10
    such tests prove. ``own``: from the home's own days, not from those of a typical one."""

    half_width: float
    shows_percent: float
    own: bool

    def chance(self, percent: float) -> float:
        """Return the share of tests that would prove an effect of ``percent``."""
        sd = self.half_width / INTERVAL_Z
        return 0.5 * (1 + math.erf((abs(percent) - self.half_width) / sd / math.sqrt(2)))


@dataclass(frozen=True, slots=True, kw_only=True)
class LivedDay:
    """One day of a running test. ``side``: 0 the old value, 1 the new one, None: it does not count, for
    ``reason`` (switched, other_value, unknown, paused, other_change, other_meter, not_measured)."""

    day: date
    side: float | None
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What a test showed after a pair of blocks: until ``day``, from ``counted`` days."""

    day: date
    counted: int
    estimate: Estimate


def calendar(first: date, design: Design, paused: Collection[date] = ()) -> list[Block]:
    """Return the blocks from ``first`` on; paused days move the rest."""
    blocks, day = [], first
    for number in range(design.blocks):
        running: list[date] = []
        while len(running) < design.length:
            if day not in paused:
                running.append(day)
            day += DAY
        blocks.append(Block(number=number + 1, first=running[0], last=running[-1], is_new=number % 2 == 1))
    return blocks


def lived_days(
    days: Sequence[date],
    values: Sequence[tuple[datetime, Any]],
    old: Any,
    new: Any,
    zone: tzinfo,
    paused: Collection[date] = (),
    other_changes: Collection[date] = (),
) -> list[LivedDay]:
    """Return what each day counts for. ``values``: (time, value of the setting, None from when it was not
    known), rising; a day counts for the value that was set from its first half hour until 18:00."""
    return [_lived(day, values, old, new, zone, paused, other_changes) for day in days]


def _lived(
    day: date,
    values: Sequence[tuple[datetime, Any]],
    old: Any,
    new: Any,
    zone: tzinfo,
    paused: Collection[date],
    other_changes: Collection[date],
) -> LivedDay:
    if day in paused:
        return LivedDay(day=day, side=None, reason="paused")
    if day in other_changes:
        return LivedDay(day=day, side=None, reason="other_change")
    set_by = datetime.combine(day, SET_BY, tzinfo=zone)
    evening = datetime.combine(day, EVENING, tzinfo=zone)
    before = [value for at, value in values if at <= set_by]
    if not before or before[-1] is None:
        return LivedDay(day=day, side=None, reason="unknown")
    if any(set_by < at < evening and value != before[-1] for at, value in values):
        return LivedDay(day=day, side=None, reason="switched")
    if before[-1] == old:
        return LivedDay(day=day, side=0.0)
    if before[-1] == new:
        return LivedDay(day=day, side=1.0)
    return LivedDay(day=day, side=None, reason="other_value")


def told_days(
    lived: Sequence[LivedDay], days: Mapping[date, EffectDay], target: str, new_meter: date | None
) -> tuple[LivedDay, ...]:
    """Return the days with those that tell nothing left out: they were not measured, or until ``new_meter``
    by another one."""
    return tuple(
        each if each.side is None else _told(each, days.get(each.day), target, new_meter) for each in lived
    )


def _told(lived: LivedDay, day: EffectDay | None, target: str, new_meter: date | None) -> LivedDay:
    if new_meter is not None and lived.day <= new_meter:
        return LivedDay(day=lived.day, side=None, reason="other_meter")
    if day is None or day.value(target) is None:
        return LivedDay(day=lived.day, side=None, reason="not_measured")
    return lived


def estimate(
    days: Mapping[date, EffectDay], lived: Sequence[LivedDay], target: str, length: int
) -> Estimate | None:
    """Return the effect of the new value against the old one in blocks of ``length`` days; None while too few
    days count, and where there is hardly any heating."""
    old, new = samples(
        [days[each.day] for each in lived if each.side == 0.0 and each.day in days],
        [days[each.day] for each in lived if each.side == 1.0 and each.day in days],
        target,
    )
    if min(len(old), len(new)) < LEAST_DAYS_A_SIDE:
        return None
    if target != DHW and mean_degree_days([*old, *new]) < LEAST_DEGREES_K:
        return None
    return effect([*old, *new], ALLOWANCE, SCATTER_A_DAY * max(length, 3))


def narrowing(
    days: Mapping[date, EffectDay], lived: Sequence[LivedDay], target: str, length: int
) -> list[Step]:
    """Return the estimates after each pair of blocks of ``length`` days, the last day included."""
    ends = list(range(2 * length, len(lived) + 1, 2 * length))
    if lived and (not ends or ends[-1] != len(lived)):
        ends.append(len(lived))
    return [
        Step(
            day=lived[end - 1].day,
            counted=sum(each.side is not None for each in lived[:end]),
            estimate=found,
        )
        for end in ends
        if (found := estimate(days, lived[:end], target, length)) is not None
    ]


def planned_days(first: date, design: Design) -> list[LivedDay]:
    """Return the days of a test on which every switch was in time."""
    return [
        LivedDay(day=block.first + number * DAY, side=1.0 if block.is_new else 0.0)
        for block in calendar(first, design)
        for number in range(design.length)
    ]


def powers(days: Mapping[date, EffectDay], changes: Collection[date], target: str) -> dict[Design, Power]:
    """Return what each design could show."""
    return {design: power(days, changes, target, design) for design in DESIGNS}


def power(days: Mapping[date, EffectDay], changes: Collection[date], target: str, design: Design) -> Power:
    """Return what a test of this design could show in this home: from tests of nothing on its own quiet
    days, else what is typical."""
    widths: list[float] = []
    first, day = (min(days), max(days)) if days else (date.max, date.min)
    while (day - first).days >= design.days and len(widths) < MOST_PLACEBOS:
        start = day - (design.days - 1) * DAY
        if not any(start <= change <= day for change in changes):
            planned = planned_days(start, design)
            found = _placebo(days, planned, target, design.length)
            if found is not None:
                widths.append(found.half_width_percent)
        day -= PLACEBO_EVERY_DAYS * DAY
    own = len(widths) >= LEAST_PLACEBOS
    half_width = fmean(widths) if own else TYPICAL_HALF_WIDTH.get((design.blocks, design.length), 8.5)
    shows = half_width * (1 + SOUGHT_Z / INTERVAL_Z)
    return Power(half_width=half_width, shows_percent=shows, own=own)


def _placebo(
    days: Mapping[date, EffectDay], planned: Sequence[LivedDay], target: str, length: int
) -> Estimate | None:
    lived = [days[each.day] for each in planned if each.day in days]
    known, _none = samples(lived, [], target)
    enough = len(known) >= 0.8 * len(planned)
    if not enough or (target != DHW and mean_degree_days(known) < LEAST_DEGREES_K):
        return None
    return estimate(days, planned, target, length)
