"""What moved with a lasting deviation: which signs point to a cause, which do not, which are not known."""

from __future__ import annotations

import pytest

from apps.effects.signs import Signs, compared, mean_difference


def pointing(before: Signs, since: Signs, *, is_more: bool = True) -> list[str]:
    return [each.code for each in compared(before, since, is_more=is_more) if each.points]


def test_each_sign_points_from_its_own_limit_on() -> None:
    before = Signs(standby_kwh=0.4, dhw_kwh=3.0, rod_h=0.0, carnot_percent=50.0, source_k=3.3, water_k=6.7)
    since = Signs(standby_kwh=0.71, dhw_kwh=3.5, rod_h=0.1, carnot_percent=47.5, source_k=4.0, water_k=8.1)
    assert pointing(before, since) == [
        "standby_kwh", "dhw_kwh", "rod_h", "carnot_percent", "source_k", "water_k",
    ]  # fmt: skip
    less = Signs(standby_kwh=0.69, dhw_kwh=3.4, rod_h=0.09, carnot_percent=47.6, source_k=3.9, water_k=7.9)
    assert pointing(before, less) == []


def test_a_sign_that_moves_against_the_deviation_is_no_cause_of_it() -> None:
    before, since = Signs(dhw_kwh=3.0, carnot_percent=50.0), Signs(dhw_kwh=1.0, carnot_percent=60.0)
    assert pointing(before, since) == []
    assert pointing(before, since, is_more=False) == ["dhw_kwh", "carnot_percent"]


def test_what_is_not_measured_neither_points_nor_is_excluded() -> None:
    found = {each.code: each.points for each in compared(Signs(rod_h=0.0), Signs(), is_more=True)}
    assert found["rod_h"] is None and found["source_k"] is None


def test_a_mean_difference_needs_two_days_of_running() -> None:
    assert mean_difference([(3.0, -0.3)] * 47) is None
    assert mean_difference([(3.0, -0.3)] * 48) == pytest.approx(3.3)
