"""◇ Which numbers a heat pump takes for a setting, so that no test is planned of one that it refuses.

Source: the limits of the vendor's commands for set values; a home's own present value always counts as taken.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """From ``low`` to ``high``, in multiples of ``step`` if there is one, in the unit of the setting."""

    low: float
    high: float
    step: float | None = None

    def allow(self, value: float) -> bool:
        is_multiple = self.step is None or math.isclose(value / self.step, round(value / self.step))
        return self.low <= value <= self.high and (is_multiple or math.isclose(value, 0.0))


_RULES: tuple[tuple[str, Bounds], ...] = (
    (r".*\.curve\.slope", Bounds(low=0.0, high=3.5, step=0.1)),
    (r".*\.curve\.shift", Bounds(low=-15, high=40, step=1.0)),
    (r"circuits\.\w+\.target_temperature\..*", Bounds(low=3, high=37)),
    (r"dhw\.target_temperature.*", Bounds(low=10, high=60)),
    (r"dhw\.max_temperature_c|buffer\.max_temperature_c", Bounds(low=10, high=75)),
    (r".*supply_temperature\.min_c", Bounds(low=1, high=70)),
    (r".*supply_temperature\.max_c", Bounds(low=10, high=70)),
    (r".*hysteresis.*", Bounds(low=0, high=20)),
    (r".*\.summer_eco\.threshold_c", Bounds(low=0, high=35)),
    (r"outside_damping_min", Bounds(low=0, high=2880)),
)


def bounds_of(key: str, present: Mapping[str, Any]) -> Bounds | None:
    """Return what a setting may be beside the ``present`` ones: a maximum lies above its minimum; None where
    that is not known."""
    known = next((bounds for pattern, bounds in _RULES if re.fullmatch(pattern, key)), None)
    if known is None:
        return None
    low, high = known.low, known.high
    if key.endswith(".max_c"):
        low = max(low, present.get(key.removesuffix("max_c") + "min_c", low))
    if key.endswith(".min_c"):
        high = min(high, present.get(key.removesuffix("min_c") + "max_c", high))
    now = present.get(key, low)
    return Bounds(low=min(low, now), high=max(high, now), step=known.step)
