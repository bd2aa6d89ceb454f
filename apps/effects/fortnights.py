"""◇ The two fortnights around a change: which days they hold, how much they drift, when they cannot tell.

A change has an ordinary local day. Changes with fewer than ten whole days between them are one. Source:
metrics §5.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from .samples import EffectDay, Sample, mean_degree_days, samples
from .targets import DHW

WINDOW_DAYS = 14
LEAST_DAYS = 10
CLOSE_DAYS = 10
LONGEST_GROUP_DAYS = 28
LEAST_DEGREES_K = 4.0
COLD_DEGREES_K = 8.0
COLD_DRIFT, MILD_DRIFT = 0.03, 0.06
SCATTER_DRIFT = 0.6
"""Drift of 28 days, in times of the scatter of the days."""
LEAST_ALIKE_DAYS = 5
ALIKE_K = 1.0
WIDEST_PERCENT = 35.0
DAY = timedelta(days=1)

# Reasons of a refusal.
FEW_DAYS_BEFORE = "few_days_before"
FEW_DAYS_AFTER = "few_days_after"
LITTLE_HEATING = "little_heating"
OTHER_WEATHER = "other_weather"
METER_CHANGED = "meter_changed"
MANY_CHANGES = "many_changes"
TOO_WIDE = "too_wide"
NO_ESTIMATE = "no_estimate"
PART_OF_TEST = "part_of_test"
NOT_OVER = "not_over"
BEING_CALCULATED = "being_calculated"
OF_DAYS = (FEW_DAYS_BEFORE, FEW_DAYS_AFTER, LITTLE_HEATING, OTHER_WEATHER, TOO_WIDE, NO_ESTIMATE)
"""Reasons that other days would change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Local days ``first`` to ``last``, both included; empty where ``last`` lies before ``first``."""

    first: date
    last: date

    @property
    def days(self) -> tuple[date, ...]:
        return tuple(
            self.first + timedelta(days=number) for number in range((self.last - self.first).days + 1)
        )

    @property
    def centre(self) -> float:
        return (self.first.toordinal() + self.last.toordinal()) / 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Changes that are asked about together: ids in order of time and their days."""

    ids: tuple[int, ...]
    first: date
    last: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why there is no answer; ``available_from``: the first day that one can be expected, weather allowing;
    None for never."""

    reason: str
    available_from: date | None = None


def group_of(change: int, days: Mapping[int, date]) -> Group:
    """Return the changes close to ``change``, itself among them, out of id → local day."""
    ordered = sorted(days.items(), key=lambda item: (item[1], item[0]))
    place = next(number for number, (each, _day) in enumerate(ordered) if each == change)
    first = last = place
    while first > 0 and _is_close(ordered[first - 1][1], ordered[first][1]):
        first -= 1
    while last + 1 < len(ordered) and _is_close(ordered[last][1], ordered[last + 1][1]):
        last += 1
    return Group(
        ids=tuple(each for each, _day in ordered[first : last + 1]),
        first=ordered[first][1],
        last=ordered[last][1],
    )


def _is_close(earlier: date, later: date) -> bool:
    return (later - earlier).days <= CLOSE_DAYS


def windows(group: Group, others: Sequence[date]) -> tuple[Window, Window]:
    """Return the fortnights before and after; each stops at the next of the ``others``."""
    before = max((day + DAY for day in others if day < group.first), default=date.min)
    after = min((day - DAY for day in others if day > group.last), default=date.max)
    return (
        Window(first=max(before, group.first - WINDOW_DAYS * DAY), last=group.first - DAY),
        Window(first=group.last + DAY, last=min(after, group.last + WINDOW_DAYS * DAY)),
    )


def drift_allowance(before: Window, after: Window, degrees_k: float, target: str) -> float:
    """Return the drift between the windows as a share of the energy; ``degrees_k``: the lower of both
    windows' mean HDD15."""
    drift = COLD_DRIFT if degrees_k >= COLD_DEGREES_K and target != DHW else MILD_DRIFT
    return drift * _apart(before, after)


def scatter_allowance(before: Window, after: Window) -> float:
    """Return the drift between the windows in times of the scatter of their days."""
    return SCATTER_DRIFT * _apart(before, after)


def _apart(before: Window, after: Window) -> float:
    """Return how far apart the windows are, in times of 28 days."""
    return max((after.centre - before.centre) / 28.0, 1.0 / 3.0)


def refusal(
    group: Group, before: Window, after: Window, days: Mapping[date, EffectDay], target: str, today: date
) -> Refusal | None:
    """Return why the days of the windows cannot answer, or None. ``today`` is not over."""
    old, new = samples(_lived(before, days), _lived(after, days), target)
    if (group.last - group.first).days > LONGEST_GROUP_DAYS:
        return Refusal(reason=MANY_CHANGES)
    if len(old) < LEAST_DAYS:
        return Refusal(reason=FEW_DAYS_BEFORE)
    if target != DHW and mean_degree_days(old) < LEAST_DEGREES_K:
        return Refusal(reason=LITTLE_HEATING)
    if len(new) < LEAST_DAYS:
        return _few_after(after, len(new), today)
    to_come = max(0, (after.last - today).days + 1)
    later = once_over(after, today)
    if target != DHW and mean_degree_days(new) < LEAST_DEGREES_K:
        return Refusal(reason=LITTLE_HEATING, available_from=later)
    missing = LEAST_ALIKE_DAYS - alike(old, new)
    if missing > 0:
        return Refusal(reason=OTHER_WEATHER, available_from=later if missing <= to_come else None)
    return None


def once_over(after: Window, today: date) -> date | None:
    """Return the first day on which all of a window is over; None where it is over already."""
    return after.last + DAY if after.last >= today else None


def _few_after(after: Window, valid: int, today: date) -> Refusal:
    """Return "too early" where the days still to come can bring enough of them."""
    to_come = max(after.first, today)
    missing = LEAST_DAYS - valid
    if (after.last - to_come).days + 1 < missing:
        return Refusal(reason=FEW_DAYS_AFTER)
    return Refusal(reason=NOT_OVER, available_from=to_come + missing * DAY)


def alike(old: Sequence[Sample], new: Sequence[Sample]) -> int:
    """Return how many of the new days lie in the range of outside temperature of the old ones ± 1 K."""
    low, high = (edge(day.outside_c for day in old) for edge in (min, max))
    return sum(low - ALIKE_K <= day.outside_c <= high + ALIKE_K for day in new)


def _lived(window: Window, days: Mapping[date, EffectDay]) -> list[EffectDay]:
    return [days[day] for day in window.days if day in days]


def sides(
    before: Window, after: Window, days: Mapping[date, EffectDay]
) -> tuple[list[EffectDay], list[EffectDay]]:
    """Return the days of both windows, in order."""
    return _lived(before, days), _lived(after, days)
