"""◇ From when on a place is usually cold enough for a comparison of heating."""

from __future__ import annotations

from datetime import date, timedelta
from statistics import fmean

from apps.metrics.climate import Harmonic

from .fortnights import LEAST_DEGREES_K

WARMEST_C = 15.0 - LEAST_DEGREES_K
YEAR_DAYS = 365


def cold_from(normal: Harmonic, today: date, length: int) -> date | None:
    """Return the first day from ``today`` on whose next ``length`` days are usually cold enough: 4 heating
    degrees on average; None where that never is."""
    curve = [
        normal.at((today + timedelta(days=ahead)).timetuple().tm_yday) for ahead in range(YEAR_DAYS + length)
    ]
    ahead = next(
        (first for first in range(YEAR_DAYS) if fmean(curve[first : first + length]) <= WARMEST_C), None
    )
    return None if ahead is None else today + timedelta(days=ahead)
