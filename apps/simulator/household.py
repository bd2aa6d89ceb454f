"""◇ What the people do: hot water drawn, heat given off, and the load of the rest of the house."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from .noise import fraction, gauss_table, generator, slot

COLD_WATER_C = 10.0
WATER_KWH_LITRE_K = 1.163e-3


@dataclass
class Household:
    """``litres_per_day``: mean use of mixed water at 40 °C; ``people_kw``: heat of people and appliances."""

    seed: int
    litres_per_day: float = 150.0
    people_kw: float = 0.42
    _draws: dict[int, dict[int, float]] = field(default_factory=dict)
    _noise: tuple[float, ...] = ()

    def draws(self, day: date) -> Mapping[int, float]:
        """Return local minute of the day → power drawn from the tank in that minute [kW]."""
        ordinal = day.toordinal()
        known = self._draws.get(ordinal)
        if known is None:
            if len(self._draws) > 40:
                self._draws.clear()
            known = self._draws[ordinal] = self._draws_of(ordinal, day.weekday() >= 5)
        return known

    def _draws_of(self, ordinal: int, weekend: bool) -> dict[int, float]:
        source = generator(self.seed, "draws", ordinal)
        scale = self.litres_per_day / 150.0 * math.exp(source.gauss(-0.02, 0.2))
        if fraction(self.seed, "away", ordinal // 7) < 0.05:
            scale *= 0.08  # a week's holiday
        result: dict[int, float] = {}

        def draw(start: float, minutes: int, litres: float) -> None:
            kwh = litres * scale * WATER_KWH_LITRE_K * (40.0 - COLD_WATER_C)
            for minute in range(int(start), int(start) + minutes):
                if 0 <= minute < 1440:
                    result[minute] = result.get(minute, 0.0) + kwh * 60.0 / minutes

        morning = 510.0 if weekend else 400.0
        for _ in range(2):
            draw(source.gauss(morning, 35.0), 5, source.uniform(30.0, 48.0))
        if source.random() < (0.35 if weekend else 0.08):
            draw(source.gauss(1185.0, 40.0), 9, source.uniform(80.0, 110.0))  # a bath
        if source.random() < 0.4:
            draw(source.gauss(1270.0, 45.0), 5, source.uniform(28.0, 45.0))
        for _ in range(source.randint(9, 16)):
            draw(source.uniform(380.0, 1350.0), 1, source.uniform(1.0, 6.0))
        for _ in range(2 if weekend else 1):
            draw(source.gauss(1160.0 if source.random() < 0.6 else 790.0, 40.0), 3, source.uniform(8.0, 16.0))
        return result

    def people_heat_kw(self, minute: int, weekend: bool) -> float:
        """Return the heat given off indoors at a local minute of the day [kW]."""
        hour = minute / 60.0
        evening = math.exp(-(((hour - 19.5) / 2.6) ** 2))
        morning = math.exp(-(((hour - (9.0 if weekend else 7.0)) / 1.6) ** 2))
        return self.people_kw * (0.62 + 0.95 * evening + 0.5 * morning)

    def load_w(self, at: int, minute: int) -> tuple[float, float, float]:
        """Return the electric load of the rest of the house by phase [W] in the 10-second step that begins at
        ``at``."""
        if not self._noise:
            self._noise = gauss_table(self.seed, "load")
        hour = minute / 60.0
        day = (
            1.0
            + 1.3 * math.exp(-(((hour - 19.0) / 2.5) ** 2))
            + 0.7 * math.exp(-(((hour - 12.2) / 1.4) ** 2))
        )
        flicker = self._noise[slot(at // 10)]
        quarter = self._noise[slot(at // 900 + 77)]
        fridge = 70.0 if (at // 60 + self.seed) % 47 < 16 else 0.0
        cooking = 1900.0 if quarter > 1.35 and 11.0 < hour < 20.5 else 0.0
        return (
            (95.0 + 4.0 * flicker + 40.0 * quarter**2) * day,
            (60.0 + 3.0 * flicker) * day + fridge,
            (45.0 + 2.0 * flicker) * day + cooking,
        )
