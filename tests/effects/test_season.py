"""From when on a place is usually cold enough to compare heating."""

from __future__ import annotations

from datetime import date

import pytest

from apps.effects.season import cold_from
from apps.metrics.climate import Harmonic

GERMANY = Harmonic(mean_c=9.0, amplitude_k=9.5, coldest_day=20)


@pytest.mark.parametrize(
    ("today", "length", "expected"),
    [
        (date(2026, 11, 29), 54, date(2026, 11, 29)),
        (date(2026, 3, 1), 54, date(2026, 3, 1)),
        (date(2026, 7, 1), 1, date(2026, 10, 9)),
        (date(2026, 7, 1), 28, date(2026, 9, 25)),
        (date(2026, 7, 1), 54, date(2026, 9, 12)),
    ],
)
def test_days_are_cold_enough_where_their_mean_has_four_heating_degrees(
    today: date, length: int, expected: date
) -> None:
    assert cold_from(GERMANY, today, length) == expected


def test_where_it_is_never_cold_there_is_no_day() -> None:
    assert cold_from(Harmonic(mean_c=24.0, amplitude_k=3.0, coldest_day=20), date(2026, 7, 1), 54) is None
