"""◇ What the heat pump is doing, in one word, from what is known right now."""

from __future__ import annotations

SPACE, DHW, DEFROST, COOLING, RUNNING, OFF, UNKNOWN = (
    "space",
    "dhw",
    "defrost",
    "cooling",
    "running",
    "off",
    "unknown",
)
_DEFROST_PHASES = {"preparing-defrost", "defrost", "passive-defrost"}


def house_state(
    *,
    power_w: float | None,
    off_w: float,
    compressor_active: bool | None,
    compressor_phase: str | None,
    dhw_charging: bool | None,
) -> str:
    """Return the state now. ``power_w`` is the meter's fresh power, else None: then the heat pump's own
    report counts. Only the heat pump knows what it runs for; without it the state is ``running``."""
    running = compressor_active if power_w is None else power_w > off_w
    if running is None:
        return UNKNOWN
    if not running:
        return OFF
    if compressor_phase in _DEFROST_PHASES:
        return DEFROST
    if compressor_phase == "cooling":
        return COOLING
    if dhw_charging is None:
        return RUNNING
    return DHW if dhw_charging else SPACE


def interval_state(
    run_s: float | None, known_s: float | None, dhw_charging: float | None, rod_wh: float | None
) -> str:
    """Return the state of one 5-minute interval for the band under the charts; ``none``: not known."""
    if known_s is None or known_s < 150:
        return "none"
    if rod_wh:
        return "rod"
    if run_s is None or run_s / known_s < 0.5:
        return "off"
    if dhw_charging is None:
        return "unclassified"
    return "dhw" if dhw_charging >= 0.5 else "space"
