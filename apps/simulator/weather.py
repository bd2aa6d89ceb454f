"""◇ Outside temperature and sun at one place, as functions of (seed, time).

Year: a harmonic. Days: first-order autoregressive weather, written as a finite sum over the days before,
so that no day depends on where the simulation began. Hours: a daily course that clouds flatten.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from .noise import generator

DAY_S = 86_400
YEAR_DAYS = 365.2425
_MEMORY_DAYS = 24


@dataclass(frozen=True, slots=True)
class Sky:
    """Outside temperature [°C], cloudiness [0–1] and irradiance [kW/m²] on the ground and on a south wall."""

    outside_c: float
    cloudiness: float
    horizontal_kw_m2: float
    south_wall_kw_m2: float


@dataclass
class Weather:
    """``mean_c``, ``amplitude_k``: the year's harmonic; ``latitude``, ``longitude`` [°] set the sun."""

    seed: int
    latitude: float = 50.0
    longitude: float = 9.0
    mean_c: float = 9.4
    amplitude_k: float = 9.4
    day_sd_k: float = 3.4
    _days: dict[int, tuple[float, float]] = field(default_factory=dict)
    _hours: dict[int, tuple[float, float]] = field(default_factory=dict)

    def sky(self, at: int) -> Sky:
        """Return the sky at epoch second ``at``."""
        day_float = at / DAY_S
        year_angle = 2.0 * math.pi * ((day_float % YEAR_DAYS) - 19.0) / YEAR_DAYS
        anomaly, cloud = self._between_days(day_float - 0.5)
        wobble, cloud_shift = self._between_hours(at)
        cloud = min(1.0, max(0.0, cloud + cloud_shift))
        solar_hour = (at % DAY_S) / 3600.0 + self.longitude / 15.0
        season = -math.cos(year_angle)  # −1 in January, +1 in July
        swing = (2.6 + 1.5 * season) * (1.25 - cloud)
        outside = (
            self.mean_c
            - self.amplitude_k * math.cos(year_angle)
            + anomaly
            + swing * math.cos(2.0 * math.pi * (solar_hour - 14.6) / 24.0)
            + 2.2 * season * (0.55 - cloud)
            + wobble
        )
        horizontal, wall = self._sun(year_angle, solar_hour, cloud)
        return Sky(outside, cloud, horizontal, wall)

    def daily_mean_c(self, day: int) -> float:
        """Return the mean outside temperature of one UTC day, from 48 half hours."""
        return sum(self.sky(day * DAY_S + 1800 * half).outside_c for half in range(48)) / 48.0

    def _sun(self, year_angle: float, solar_hour: float, cloud: float) -> tuple[float, float]:
        declination = -0.409 * math.cos(year_angle + 2.0 * math.pi * 29.0 / YEAR_DAYS)
        latitude = math.radians(self.latitude)
        hour_angle = math.pi * (solar_hour - 12.0) / 12.0
        sine = math.sin(latitude) * math.sin(declination) + math.cos(latitude) * math.cos(
            declination
        ) * math.cos(hour_angle)
        if sine <= 0.01:
            return 0.0, 0.0
        through = 1.0 - 0.78 * cloud**2.4
        direct = 0.92 * math.exp(-0.13 / max(sine, 0.06)) * max(0.0, 1.0 - 1.15 * cloud)
        southward = math.sin(latitude) * math.cos(declination) * math.cos(hour_angle) - math.cos(
            latitude
        ) * math.sin(declination)
        horizontal = 0.98 * sine**1.18 * through
        return horizontal, direct * max(0.0, southward) + 0.3 * horizontal

    def _between_days(self, day_float: float) -> tuple[float, float]:
        day = math.floor(day_float)
        part = day_float - day
        part = part * part * (3.0 - 2.0 * part)
        first, second = self._day(day), self._day(day + 1)
        return first[0] + (second[0] - first[0]) * part, first[1] + (second[1] - first[1]) * part

    def _day(self, day: int) -> tuple[float, float]:
        known = self._days.get(day)
        if known is None:
            anomaly = clouds = 0.0
            for age in range(_MEMORY_DAYS):
                source = generator(self.seed, "weather", day - age)
                anomaly += 0.8**age * source.gauss(0.0, 1.0)
                clouds += 0.6**age * source.gauss(0.0, 1.0)
            # 0.6 and 0.8: standard deviation of an AR(1) process is 1/√(1 − ρ²) of its innovations
            known = (self.day_sd_k * 0.6 * anomaly, 1.0 / (1.0 + math.exp(-(0.35 + 1.7 * 0.8 * clouds))))
            self._days[day] = known
        return known

    def _between_hours(self, at: int) -> tuple[float, float]:
        hour, second = divmod(at, 3600)
        part = second / 3600.0
        first, last = self._hour(hour), self._hour(hour + 1)
        return first[0] + (last[0] - first[0]) * part, first[1] + (last[1] - first[1]) * part

    def _hour(self, hour: int) -> tuple[float, float]:
        known = self._hours.get(hour)
        if known is None:
            if len(self._hours) > 2000:
                self._hours.clear()
            source = generator(self.seed, "hour", hour)
            known = (source.gauss(0.0, 0.35), source.gauss(0.0, 0.16))
            self._hours[hour] = known
        return known
