"""◇ Several compressors of one heat pump as one.

Heat is the sum over those that run, each with its own rated power and modulation. What one of them does not
tell is missing for the whole: a sum without it would be too small.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Compressor:
    """``output_kw``: rated power × modulation of what runs, where one pair of them does not say it."""

    active: bool | None = None
    phase: str | None = None
    modulation_percent: float | None = None
    rated_power_kw: float | None = None
    starts: float | None = None
    hours: float | None = None
    output_kw: float | None = None


def as_one(compressors: Sequence[Compressor]) -> Compressor:
    """Return the only compressor as it is; of several the sums, and the modulation of their whole power."""
    if len(compressors) == 1:
        return compressors[0]
    output_kw = _sum(_output_kw(each) for each in compressors)
    rated_power_kw = _sum(each.rated_power_kw for each in compressors)
    return Compressor(
        active=_any(each.active for each in compressors),
        phase=_phase(compressors),
        modulation_percent=100.0 * output_kw / rated_power_kw
        if rated_power_kw and output_kw is not None
        else None,
        rated_power_kw=rated_power_kw,
        starts=_sum(each.starts for each in compressors),
        hours=_sum(each.hours for each in compressors),
        output_kw=output_kw,
    )


def _output_kw(compressor: Compressor) -> float | None:
    if compressor.active is False:
        return 0.0
    if None in (compressor.active, compressor.modulation_percent, compressor.rated_power_kw):
        return None
    return (compressor.rated_power_kw or 0.0) * (compressor.modulation_percent or 0.0) / 100.0


def _phase(compressors: Sequence[Compressor]) -> str | None:
    """Return the phase of the first that runs, else of the first."""
    running = [each for each in compressors if each.active]
    return next((each.phase for each in (*running, *compressors) if each.phase is not None), None)


def _any(flags: Iterable[bool | None]) -> bool | None:
    """Return whether one runs; None where that depends on one that does not say."""
    found = set(flags)
    return True if True in found else None if None in found or not found else False


def _sum(values: Iterable[float | None]) -> float | None:
    known = list(values)
    return None if None in known or not known else math.fsum(value for value in known if value is not None)
