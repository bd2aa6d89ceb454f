"""What the heat pump is doing, from what is known."""

from __future__ import annotations

import pytest

from apps.metrics.pump_state import house_state, interval_state


def state(
    power_w: float | None = 2400.0,
    active: bool | None = True,
    phase: str | None = "heating",
    dhw: bool | None = False,
) -> str:
    return house_state(
        power_w=power_w, off_w=250.0, compressor_active=active, compressor_phase=phase, dhw_charging=dhw
    )


def test_the_meter_decides_whether_it_runs() -> None:
    assert state(power_w=30.0, active=True) == "off"
    assert state(power_w=2400.0, active=False) == "space"


def test_without_the_meter_the_heat_pump_s_own_word_counts() -> None:
    assert state(power_w=None, active=True, dhw=True) == "dhw"
    assert state(power_w=None, active=False) == "off"
    assert state(power_w=None, active=None) == "unknown"


def test_the_use_is_only_told_when_known() -> None:
    assert state(dhw=None) == "running"
    assert state(dhw=True) == "dhw"


@pytest.mark.parametrize("phase", ["preparing-defrost", "defrost", "passive-defrost"])
def test_defrosting_is_neither_heating_nor_hot_water(phase: str) -> None:
    assert state(phase=phase, dhw=True) == "defrost"


def test_cooling_is_its_own_state() -> None:
    assert state(phase="cooling") == "cooling"


@pytest.mark.parametrize(
    ("run_s", "known_s", "dhw", "rod_wh", "expected"),
    [
        (300.0, 300.0, 0.0, 0.0, "space"),
        (300.0, 300.0, 1.0, None, "dhw"),
        (300.0, 300.0, None, None, "unclassified"),
        (0.0, 300.0, None, None, "off"),
        (0.0, 300.0, 0.0, 500.0, "rod"),
        (None, None, 1.0, None, "none"),
        (60.0, 100.0, 0.0, None, "none"),
    ],
)
def test_an_interval_has_one_state(
    run_s: float | None, known_s: float | None, dhw: float | None, rod_wh: float | None, expected: str
) -> None:
    assert interval_state(run_s, known_s, dhw, rod_wh) == expected
