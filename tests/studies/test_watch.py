"""The watch on simulated homes."""

from __future__ import annotations

from tools.study.effect_homes import CLASSES
from tools.study.watch import watched


def test_a_deviation_that_shows_on_a_day_without_data_is_followed_all_the_same() -> None:
    """In this home one ends, and the next shows on a day that was not measured, with none of it before."""
    assert watched(30_028, "brine", CLASSES[2]).false_alarms >= 1
