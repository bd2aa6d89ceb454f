"""◇ Which clamps of a meter sit the wrong way round, as far as powers tell."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from .readings import PHASES, PhaseReading

# Power that a wrongly turned clamp shows; standby may read a few watts below zero.
BACKWARDS_W = -30.0


def turned_channels(
    phases: Sequence[PhaseReading], channels: Collection[str], running_w: float
) -> tuple[str, ...] | None:
    """Return those of the heat pump's ``channels`` (of a, b, c) that show export, though it feeds nothing
    back; None while it draws less than ``running_w``, whichever way the clamps sit: then nothing is told."""
    measured = {
        name: phase.power_w
        for name, phase in zip(PHASES, phases, strict=True)
        if name in channels and phase.power_w is not None
    }
    if sum(abs(power_w) for power_w in measured.values()) < running_w:
        return None
    return tuple(name for name, power_w in measured.items() if power_w < BACKWARDS_W)


def power_of_channels(
    phases: Sequence[PhaseReading], channels: Collection[str], *, without_sign: Collection[str] = ()
) -> float | None:
    """Return the sum of the channels' powers [W], those ``without_sign`` turned round; None where none is
    measured."""
    powers = [
        abs(phase.power_w) if name in without_sign else phase.power_w
        for name, phase in zip(PHASES, phases, strict=True)
        if name in channels and phase.power_w is not None
    ]
    return sum(powers) if powers else None
