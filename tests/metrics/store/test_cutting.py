"""Local calendar stretches are cut into whole steps of UTC grids."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.metrics.store.cutting import GRIDS_S, Stretch, stretches_between

from .engines import DAY, MIDNIGHT


@given(start=st.integers(0, 3 * DAY), length=st.integers(1, 3 * DAY))
def test_pieces_cover_a_stretch_once_without_overlap(start: int, length: int) -> None:
    position = start
    for step_s, first, last in Stretch(start, start + length).pieces():
        assert first == position < last
        assert step_s in GRIDS_S
        assert first % step_s == last % step_s == 0
        position = last
    assert position == start + length


def test_a_local_month_is_hours_days_and_hours() -> None:
    first, last = MIDNIGHT - 3600, MIDNIGHT + 31 * DAY - 3600
    assert list(Stretch(first, last).pieces()) == [
        (3600, first, MIDNIGHT),
        (86_400, MIDNIGHT, MIDNIGHT + 30 * DAY),
        (3600, MIDNIGHT + 30 * DAY, last),
    ]


def test_a_local_day_of_a_zone_with_minutes_is_cut_at_five_minutes() -> None:
    first = MIDNIGHT - 20_700  # midnight in Kathmandu, UTC+05:45
    assert list(Stretch(first, first + DAY).pieces()) == [
        (300, first, first + 2700),
        (3600, first + 2700, first + 2700 + 23 * 3600),
        (300, first + 2700 + 23 * 3600, first + DAY),
    ]


def test_between_equal_boundaries_there_is_nothing() -> None:
    assert stretches_between([0, 300, 300, 600]) == [(0, 300), None, (300, 600)]
    with pytest.raises(ValueError, match="boundaries must rise"):
        stretches_between([300, 0])
