"""◇ Days as the estimators of effects see them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from statistics import fmean

from apps.metrics.degree_days import heating_degree_days


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectDay:
    """One local day; energies [kWh per 24 h], temperatures [°C].

    ``energy_kwh``, ``space_kwh``, ``dhw_kwh``: None unless the day is valid and split. ``efficiency``:
    ln(Q_c/E), heat corrected for the flow temperature; None unless the day's COP is valid.
    """

    day: date
    outside_c: float | None
    before_c: float | None
    energy_kwh: float | None = None
    space_kwh: float | None = None
    dhw_kwh: float | None = None
    efficiency: float | None = None
    source_c: float | None = None
    dhw_share: float | None = None

    def value(self, target: str) -> float | None:
        """Return the energy of ``target`` (total, space or dhw) [kWh per 24 h]."""
        return {"total": self.energy_kwh, "space": self.space_kwh, "dhw": self.dhw_kwh}[target]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One day in a fit. ``number``: the real day number, so that gaps count; ``after``: 0 with the old
    value, 1 with the new one."""

    number: int
    value: float
    outside_c: float
    before_c: float
    after: float


def samples(
    before: Sequence[EffectDay], after: Sequence[EffectDay], target: str
) -> tuple[list[Sample], list[Sample]]:
    """Return the days of both sides that have a value of ``target`` and a temperature."""
    return (
        [found for day in before if (found := _sample(day, target, 0.0)) is not None],
        [found for day in after if (found := _sample(day, target, 1.0)) is not None],
    )


def _sample(day: EffectDay, target: str, after: float) -> Sample | None:
    value = day.value(target)
    if value is None or day.outside_c is None:
        return None
    return Sample(
        number=day.day.toordinal(),
        value=value,
        outside_c=day.outside_c,
        before_c=day.outside_c if day.before_c is None else day.before_c,
        after=after,
    )


def mean_degree_days(days: Sequence[Sample]) -> float:
    """Return the mean HDD15 [K] of some days; 0 of none."""
    return fmean(heating_degree_days(day.outside_c) or 0.0 for day in days) if days else 0.0
