"""◇ One change, one verdict: electricity at equal weather, the efficiency beside it, or why neither."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from statistics import fmean
from typing import Any

from .estimator import Estimate, effect, efficiency_effect
from .fortnights import (
    BEING_CALCULATED,
    LEAST_DAYS,
    METER_CHANGED,
    NO_ESTIMATE,
    NOT_OVER,
    PART_OF_TEST,
    TOO_WIDE,
    WIDEST_PERCENT,
    Group,
    Refusal,
    Window,
    alike,
    drift_allowance,
    once_over,
    refusal,
    scatter_allowance,
    sides,
    windows,
)
from .null import OwnNull, with_null
from .plain import plain
from .samples import EffectDay, Sample, mean_degree_days, samples
from .source import source_share
from .targets import EFFICIENCY, Target

METHOD_VERSION = 5

FOUND, NOT_PROVABLE, REFUSED, TOO_EARLY = "found", "not_provable", "refused", "too_early"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """``others``: days of changes outside the group; ``meter_days``: on which the meter or what it measures
    changed; ``today`` is not over; ``in_test``: the change is one switch of an alternating test."""

    group: Group
    others: tuple[date, ...]
    target: Target
    days: Mapping[date, EffectDay]
    today: date
    meter_days: tuple[date, ...] = ()
    null: OwnNull | None = None
    in_test: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One window: its valid days and what they were like."""

    first: date
    last: date
    valid_days: int
    outside_c: float | None
    degrees_k: float
    energy_kwh: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """``state`` is that of the electricity, ``efficiency_state`` of the pump (found, not_provable or
    refused). ``alike_days``: days after within the weather of before. ``ids``: the changes judged
    together."""

    state: str
    reason: str | None
    available_from: date | None
    target: str
    leads: str
    before: Side
    after: Side
    alike_days: int
    electricity: Estimate | None
    efficiency: Estimate | None
    efficiency_state: str
    null_percent: float | None
    null_dates: int
    ids: tuple[int, ...]

    @property
    def head(self) -> Estimate | None:
        """The estimate that is told first, if it is provable or the only one."""
        return self.efficiency if self.efficiency_leads else self.electricity

    @property
    def efficiency_leads(self) -> bool:
        return self.leads == EFFICIENCY and self.efficiency is not None

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON types."""
        return plain(self)

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Verdict:
        """Return the verdict that ``as_json`` made."""
        return cls(
            **{
                **kept,
                "available_from": _date(kept["available_from"]),
                "before": _side(kept["before"]),
                "after": _side(kept["after"]),
                "electricity": _estimate(kept["electricity"]),
                "efficiency": _estimate(kept["efficiency"]),
                "ids": tuple(kept["ids"]),
            }
        )


def verdicts(asked: Sequence[Question]) -> list[Verdict]:
    """Return the verdict on each question."""
    return [verdict(each) for each in asked]


def verdict(asked: Question) -> Verdict:
    """Return the verdict. Needs numpy: best run in a child process."""
    before, after = windows(asked.group, asked.others)
    lived = sides(before, after, asked.days)
    old, new = samples(*lived, asked.target.energy)
    refused = _refused(asked, before, after)
    electricity = None
    if refused is None:
        electricity = electricity_effect(before, after, asked.days, asked.target.energy, asked.null)
        electricity, refused = _narrow_enough(electricity, once_over(after, asked.today))
    efficiency = _efficiency(*lived) if refused is None or refused.reason in (TOO_WIDE, NO_ESTIMATE) else None
    return Verdict(
        state=_state(electricity, refused),
        reason=None if refused is None else refused.reason,
        available_from=None if refused is None else refused.available_from,
        target=asked.target.energy,
        leads=asked.target.leads,
        before=_side_of(before, old),
        after=_side_of(after, new),
        alike_days=alike(old, new) if old else 0,
        electricity=electricity,
        efficiency=efficiency,
        efficiency_state=REFUSED if efficiency is None else _found(efficiency),
        null_percent=None if asked.null is None else asked.null.percent,
        null_dates=0 if asked.null is None else asked.null.dates,
        ids=asked.group.ids,
    )


def awaited_until(found: Verdict, today: date) -> date | None:
    """Return the last day of the window after; None where it is over, or its days cannot tell. What is still
    to be calculated may."""
    may_come = found.available_from is not None or found.reason == BEING_CALCULATED
    is_final = found.state == REFUSED and not may_come
    return None if is_final or found.after.last < today else found.after.last


def _refused(asked: Question, before: Window, after: Window) -> Refusal | None:
    if asked.in_test:
        return Refusal(reason=PART_OF_TEST)
    if any(before.first <= day <= after.last for day in asked.meter_days):
        return Refusal(reason=METER_CHANGED)
    return refusal(asked.group, before, after, asked.days, asked.target.energy, asked.today)


def electricity_effect(
    before: Window, after: Window, days: Mapping[date, EffectDay], target: str, null: OwnNull | None
) -> Estimate | None:
    """Return the effect between two windows at equal weather and source; None where the days cannot tell.

    What drifts between the windows is in the home's own null; until that is known, it is allowed for.
    """
    lived = sides(before, after, days)
    old, new = samples(*lived, target)
    if null is None:
        degrees = min(mean_degree_days(old), mean_degree_days(new))
        allowance = drift_allowance(before, after, degrees, target)
        found = effect([*old, *new], allowance, scatter_allowance(before, after))
    else:
        found = effect([*old, *new], 0.0)
    if found is None:
        return None
    found = found.less(source_share(*lived))
    return found if null is None else with_null(found, null)


def _narrow_enough(found: Estimate | None, later: date | None) -> tuple[Estimate | None, Refusal | None]:
    """Return the estimate, or why it is none. ``later``: the day from which on more days can tell."""
    if found is None:
        return None, Refusal(reason=NO_ESTIMATE, available_from=later)
    if found.half_width_percent > WIDEST_PERCENT:
        return None, Refusal(reason=TOO_WIDE, available_from=later)
    return found, None


def _efficiency(before: list[EffectDay], after: list[EffectDay]) -> Estimate | None:
    known = [[day for day in side if day.efficiency is not None] for side in (before, after)]
    if min(len(side) for side in known) < LEAST_DAYS:
        return None
    return efficiency_effect(*known)


def _state(electricity: Estimate | None, refused: Refusal | None) -> str:
    if refused is not None:
        return TOO_EARLY if refused.reason == NOT_OVER else REFUSED
    return REFUSED if electricity is None else _found(electricity)


def _found(estimate: Estimate) -> str:
    return FOUND if estimate.is_found else NOT_PROVABLE


def _side_of(window: Window, days: list[Sample]) -> Side:
    return Side(
        first=window.first,
        last=window.last,
        valid_days=len(days),
        outside_c=fmean(day.outside_c for day in days) if days else None,
        degrees_k=mean_degree_days(days),
        energy_kwh=fmean(day.value for day in days) if days else None,
    )


def _date(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)


def _side(kept: Mapping[str, Any]) -> Side:
    first, last = date.fromisoformat(kept["first"]), date.fromisoformat(kept["last"])
    return Side(**{**kept, "first": first, "last": last})


def _estimate(kept: Mapping[str, Any] | None) -> Estimate | None:
    return None if kept is None else Estimate(**kept)
