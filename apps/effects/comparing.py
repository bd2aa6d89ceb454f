"""Two periods at equal weather: a difference, never an effect."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import Q

from apps.changelog.models import Entry
from apps.changelog.timeline import EntryView, view
from apps.metrics.child import in_child
from apps.metrics.home import Home
from apps.metrics.kept import kept
from apps.metrics.periods import EnergyRow, row_between
from apps.metrics.windows import local_midnight

from .deviations import lasting
from .estimator import Estimate, effect
from .fortnights import (
    FEW_DAYS_AFTER,
    FEW_DAYS_BEFORE,
    LEAST_ALIKE_DAYS,
    LEAST_DAYS,
    NO_ESTIMATE,
    OTHER_WEATHER,
    TOO_WIDE,
    WIDEST_PERCENT,
    Window,
    alike,
)
from .gathering import METER_CHANGES, effect_days
from .samples import EffectDay, samples
from .targets import TOTAL

NEAR_DAYS = 60
NEAR_DRIFT, FAR_DRIFT = 0.03, 0.08
LONGEST_DAYS = 400
OVERLAP = "overlap"
"""Reason of a refusal: a day of both periods cannot be told from itself."""
WIDER_DAYS = 28
MOST_CHANGES = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodComparison:
    """``raw_percent``: by how much b used more (+) than a a day; ``difference``: the same at equal weather,
    None with a ``reason``. ``elapsed_days`` of a and b: today counts as far as it is over."""

    a: EnergyRow
    b: EnergyRow
    raw_percent: float | None
    difference: Estimate | None
    reason: str | None
    valid_days: tuple[int, int]
    elapsed_days: tuple[float, float]


@kept
def compare(home: Home, a: Window, b: Window) -> PeriodComparison:
    """Return period b against period a. Raises ChildFailed, ValueError for an empty period."""
    rows = row_between(home, a.first, a.last), row_between(home, b.first, b.last)
    elapsed = _elapsed_days(home, a), _elapsed_days(home, b)
    old, new = period_days(home, a), period_days(home, b)
    first, second = samples(old, new, TOTAL)
    difference, reason = None, _refusal(a, b, len(first), len(second))
    if reason is None and alike(first, second) < LEAST_ALIKE_DAYS:
        reason = OTHER_WEATHER
    if reason is None:
        far = abs(b.centre - a.centre) > NEAR_DAYS
        difference = in_child(effect, [*first, *second], FAR_DRIFT if far else NEAR_DRIFT)
        reason = NO_ESTIMATE if difference is None else None
    if difference is not None and difference.half_width_percent > WIDEST_PERCENT:
        difference, reason = None, TOO_WIDE
    return PeriodComparison(
        a=rows[0],
        b=rows[1],
        raw_percent=_raw_percent(rows[0], elapsed[0], rows[1], elapsed[1]),
        difference=difference,
        reason=reason,
        valid_days=(len(first), len(second)),
        elapsed_days=elapsed,
    )


def changes_between(home: Home, a: Window, b: Window) -> list[EntryView]:
    """Return the newest changes of settings and of what is measured, notes and lasting deviations, from the
    begin of the earlier to the end of the later period."""
    first, last = min(a.first, b.first), max(a.last, b.last)
    zone = home.options.zone
    start, end = local_midnight(first, zone), local_midnight(last + timedelta(days=1), zone)
    told = Q(kind__in=(Entry.Kind.SETTING, Entry.Kind.NOTE)) | Q(event_code__in=METER_CHANGES)
    told &= Q(at__gte=start, at__lt=end)
    found = Entry.objects.filter(told | lasting(start, end), site_id=home.id)
    return [view(entry) for entry in found.prefetch_related("setting_changes")[:MOST_CHANGES]]


def period_days(home: Home, period: Window) -> Sequence[EffectDay]:
    """Return the days of a period that are over."""
    last = min(period.last, home.today - timedelta(days=1))
    return list(effect_days(home, period.first, last).values()) if period.first <= last else []


def _elapsed_days(home: Home, period: Window) -> float:
    """Return how many days of a period are over, today by its share."""
    today = home.today
    over = (min(period.last, today - timedelta(days=1)) - period.first).days + 1
    if not period.first <= today <= period.last:
        return float(max(0, over))
    start, end = home.day_bounds(today)
    return over + (home.interval_s - start) / (end - start)


def _refusal(a: Window, b: Window, first: int, second: int) -> str | None:
    if a.first <= b.last and b.first <= a.last:
        return OVERLAP
    if first < LEAST_DAYS:
        return FEW_DAYS_BEFORE
    return FEW_DAYS_AFTER if second < LEAST_DAYS else None


def _raw_percent(a: EnergyRow, a_days: float, b: EnergyRow, b_days: float) -> float | None:
    """Return the difference a day as measured, missing time scaled up."""
    before, after = a.scaled_energy_kwh, b.scaled_energy_kwh
    if not before or after is None or not b_days:
        return None
    return 100.0 * (after / b_days / (before / a_days) - 1.0)


def comparable(period: Window, first_day: date | None, today: date) -> tuple[Window, Window] | None:
    """Return periods a and b that may have an answer, b nearest to ``period``: its days that are over, or the
    four weeks up to them; a the same days a year before, or as many right before b. None where the home,
    measured since ``first_day``, has no such a."""
    last = min(period.last, today - timedelta(days=1))
    first = period.first
    if (last - first).days + 1 < LEAST_DAYS:
        first = last - timedelta(days=WIDER_DAYS - 1)
    b = Window(first=first, last=last)
    right_before = Window(first=first - timedelta(days=len(b.days)), last=first - timedelta(days=1))
    for a in (year_before(b), right_before):
        if first_day is not None and (a.last - max(a.first, first_day)).days + 1 >= LEAST_DAYS:
            return a, b
    return None


def year_before(period: Window) -> Window:
    """Return the same days a year before."""
    return Window(first=_year_before(period.first), last=_year_before(period.last))


def _year_before(day: date) -> date:
    return day.replace(year=day.year - 1, day=28 if (day.month, day.day) == (2, 29) else day.day)
