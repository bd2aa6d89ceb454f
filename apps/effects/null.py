"""◇ How much two fortnights of a home differ without any change: what its own quiet dates show."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from .estimator import MOST_SAVED, Estimate, middle_percent
from .fortnights import WINDOW_DAYS, Group, Window, refusal, sides, windows
from .samples import EffectDay, samples
from .source import source_share

EVERY_DAYS = 4
MOST_DATES = 45
LEAST_DATES = 15
QUIET = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnNull:
    """``percent``: 95 % of the quiet dates show an apparent effect within ± this; ``dates``: how many."""

    percent: float
    dates: int


def own_nulls(
    days: Mapping[date, EffectDay], changes: Collection[date], targets: Sequence[str]
) -> dict[str, OwnNull | None]:
    """Return the null of each target."""
    return {target: own_null(days, changes, target) for target in targets}


def own_null(days: Mapping[date, EffectDay], changes: Collection[date], target: str) -> OwnNull | None:
    """Return the null of a home from the newest of its quiet dates; None with too few of them."""
    found = [
        abs(percent)
        for before, after in quiet_windows(days, changes, target)
        if (percent := _apparent(before, after, days, target)) is not None
    ]
    if len(found) < LEAST_DATES:
        return None
    return OwnNull(percent=quantile(found, QUIET), dates=len(found))


def quiet_windows(
    days: Mapping[date, EffectDay], changes: Collection[date], target: str
) -> Iterator[tuple[Window, Window]]:
    """Yield the fortnights around dates without a change near them, newest first."""
    if not days:
        return
    day, first = max(days) - timedelta(days=WINDOW_DAYS), min(days) + timedelta(days=WINDOW_DAYS)
    found = 0
    while day >= first and found < MOST_DATES:
        group = Group(ids=(), first=day, last=day)
        before, after = windows(group, ())
        is_quiet = not any(before.first <= change <= after.last for change in changes)
        if is_quiet and refusal(group, before, after, days, target, date.max) is None:
            found += 1
            yield before, after
        day -= timedelta(days=EVERY_DAYS)


def _apparent(before: Window, after: Window, days: Mapping[date, EffectDay], target: str) -> float | None:
    lived = sides(before, after, days)
    old, new = samples(*lived, target)
    percent = middle_percent([*old, *new])
    return None if percent is None else percent - 100.0 * source_share(*lived)


def quantile(values: Sequence[float], share: float) -> float:
    """Return the quantile of some values, linear between neighbours."""
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    low = math.floor(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (place - low) * (ordered[high] - ordered[low])


def with_null(estimate: Estimate, null: OwnNull) -> Estimate:
    """Return the estimate with an interval never narrower than the home's own null, and half way to it if it
    is wider: fourteen days say little about their own drift, the quiet dates of a season more."""
    half = estimate.half_width_percent
    wanted = max(null.percent, math.hypot(half, null.percent) / math.sqrt(2.0))
    if half <= 0.0:
        low = high = wanted
    else:
        low, high = (
            wanted / half * side
            for side in (estimate.percent - estimate.low_percent, estimate.high_percent - estimate.percent)
        )
    return replace(
        estimate, low_percent=max(MOST_SAVED, estimate.percent - low), high_percent=estimate.percent + high
    )
