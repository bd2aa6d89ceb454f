"""The days behind a verdict as CSV."""

from __future__ import annotations

import math

from django.http import StreamingHttpResponse

from apps.dashboard.pages.downloads import csv_answer
from apps.effects.effects import Answer
from apps.effects.samples import EffectDay
from apps.metrics.home import Home

from .page import days_of

COLUMNS = (
    "day",
    "window",
    "mean_outside_temperature_c",
    "mean_outside_temperature_before_c",
    "energy_kwh_per_24h",
    "heat_per_kwh",
)


def effect_csv(home: Home, answer: Answer, entry_id: int, dialect: str) -> StreamingHttpResponse:
    """Return the days before and after: the electricity that was judged, and the heat per kWh corrected for
    the flow temperature."""
    target = answer.verdict.target
    rows = [
        (day.day, window, *_values(day, target))
        for window, days in zip(("before", "after"), days_of(home, answer.verdict), strict=True)
        for day in days
    ]
    return csv_answer(f"change-{entry_id:d}-{target}", COLUMNS, rows, dialect)


def _values(day: EffectDay, target: str) -> tuple[float | None, ...]:
    heat = None if day.efficiency is None else round(math.exp(day.efficiency), 4)
    return day.outside_c, day.before_c, day.value(target), heat
