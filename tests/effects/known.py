"""Days of known answer 23 and others like them, for the tests of effects."""

from __future__ import annotations

import random
from datetime import date, timedelta

from apps.effects.samples import EffectDay, Sample

FIRST = date(2026, 1, 5)
OUTSIDE_C = (0, 5, 10, -2, 7, 3, 12, 1, 8, -5, 4, 6, 2, 9)


def known_23(*, less_kwh: float = 0.0, times: float = 1.0) -> list[Sample]:
    """E = 3 + 0.8·max(0, 15 − T) on 14 and 14 days, 4 °C before each; the second 14 differ."""
    found = []
    for number, outside in enumerate(OUTSIDE_C * 2):
        place, after = number % 14, float(number >= 14)
        energy = 3 + 0.8 * max(0, 15 - outside)
        found.append(
            Sample(
                number=FIRST.toordinal() + number + (number >= 14),
                value=energy * times - less_kwh if after else energy,
                outside_c=float(outside),
                before_c=4.0 if place == 0 else float(OUTSIDE_C[place - 1]),
                after=after,
            )
        )
    return found


def house_days(
    first: date, count: int, *, seed: int = 1, noise: float = 0.03, mean_c: float = 3.0
) -> dict[date, EffectDay]:
    """A house of 3 + 0.8·max(0, 15 − T) kWh a day, 2 of the 3 for hot water, with a COP of about 4."""
    chance = random.Random(seed)
    found = {}
    outside = before = mean_c
    for number in range(count):
        day = first + timedelta(days=number)
        outside = mean_c + 0.7 * (outside - mean_c) + chance.gauss(0, 2.2)
        habits = 1 + chance.gauss(0, noise)
        space, dhw = 0.8 * max(0.0, 15 - outside) * habits, 2.0 * habits
        found[day] = EffectDay(
            day=day,
            outside_c=outside,
            before_c=before,
            energy_kwh=space + dhw + 1.0,
            space_kwh=space,
            dhw_kwh=dhw,
            efficiency=1.38 + 0.01 * outside + chance.gauss(0, 0.02),
            source_c=8.0,
            dhw_share=0.15 + chance.gauss(0, 0.01),
        )
        before = outside
    return found
