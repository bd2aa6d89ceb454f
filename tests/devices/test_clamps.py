"""A clamp the wrong way round shows while the heat pump runs, and only then."""

from __future__ import annotations

import pytest

from apps.devices.clamps import power_of_channels, turned_channels
from apps.devices.readings import PhaseReading


def phases(*powers_w: float | None) -> list[PhaseReading]:
    return [PhaseReading(power_w=power_w) for power_w in powers_w]


@pytest.mark.parametrize(
    ("powers_w", "turned"),
    [
        ((862, 850, 855), ()),
        ((862, -850, 855), ("b",)),
        ((-862, -850, -855), ("a", "b", "c")),
        ((862, -30, 855), ()),
        ((862, None, -855), ("c",)),
        ((12, -31, 5), None),
        ((None, None, None), None),
    ],
)
def test_channels_that_export_while_it_runs(
    powers_w: tuple[float | None, ...], turned: tuple[str, ...] | None
) -> None:
    assert turned_channels(phases(*powers_w), "abc", 400.0) == turned


def test_what_the_house_feeds_back_is_no_fault() -> None:
    assert turned_channels(phases(862, 850, -2400), "ab", 400.0) == ()


def test_the_power_once_the_clamps_are_turned() -> None:
    measured = phases(862, -850, 855)
    assert power_of_channels(measured, "abc") == 867
    assert power_of_channels(measured, "abc", without_sign="b") == 2567
    assert power_of_channels(measured, "a") == 862
    assert power_of_channels(phases(None, 4, None), "ac") is None
