"""◇ What a whole year will need: by simple proportion, by degree-day shares, and by the house's signature.

Energies in kWh, temperatures in °C. The signature needs numpy, imported only where it is used, and is
best run in a child process (see ``child``).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from .climate import WEATHER_SD_K, Harmonic, Offset, harmonic_of_days, offset_from
from .degree_days import heating_degree_days

if TYPE_CHECKING:
    from numpy.random import Generator

# Share of the yearly heat by month, VDI 2067 / DIN 4713.
MONTH_PERMILLE = (170, 150, 130, 80, 40, 40 / 3, 40 / 3, 40 / 3, 30, 80, 120, 160)
MIN_PERMILLE = 60.0
# 80 % band that belongs to the mean absolute error of the degree-day share (22 %, metrics §4).
SHARE_BAND = 0.35

MIN_HEATING_DAYS = 20
HEATING_DAY_K = 2.0
OWN_CLIMATE_DAYS = 300
BALANCES_C = tuple(12.0 + 0.5 * step for step in range(15))
BALANCE_PRIOR_C, BALANCE_PRIOR_SD_K = 15.5, 1.5
EFFECTIVE_SHARE = 3.0
WEIGHT_TODAY = 0.7
WEATHER_RHO, YEAR_OFFSET_SD_K = 0.8, 0.8
BASE_ERROR = 0.15
# How far the heat of days to come lies off the fit (1σ), by (hot water is known apart, a winter was seen).
HEAT_ERROR = {(True, True): 0.10, (True, False): 0.18, (False, True): 0.16, (False, False): 0.30}
HABITS_ERROR = 0.08  # what people change from year to year, of all energy
WINTER_MARGIN_K = 2.0
DRAWS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class EnergyDay:
    """One local day, scaled to 24 h. ``energy_kwh`` None: not completely measured. The parts are None
    where the hot-water flag was missing for more than a tenth of the day's energy."""

    day: date
    energy_kwh: float | None = None
    space_kwh: float | None = None
    base_kwh: float | None = None
    temperature_c: float | None = None
    previous_temperature_c: float | None = None

    @property
    def effective_c(self) -> float | None:
        """0.7·T_d + 0.3·T_{d−1}; T_d alone without the day before."""
        if self.temperature_c is None:
            return None
        before = self.previous_temperature_c
        before = self.temperature_c if before is None else before
        return WEIGHT_TODAY * self.temperature_c + (1 - WEIGHT_TODAY) * before


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """Energy of a stretch of days: median and 80 % band [kWh]; all None with a ``reason``."""

    kwh: float | None = None
    low_kwh: float | None = None
    high_kwh: float | None = None
    method: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Signature:
    """E = base + slope·max(0, balance − T_eff), by balance temperature of ``BALANCES_C``."""

    weights: tuple[float, ...]
    slopes: tuple[float, ...]
    slope_errors: tuple[float, ...]
    bases: tuple[float, ...]


def extrapolated(so_far_kwh: float, measured_days: int, year_days: int) -> float | None:
    """Return the plan's estimate: so far + mean of the measured days × remaining days."""
    if measured_days == 0:
        return None
    return so_far_kwh + so_far_kwh / measured_days * (year_days - measured_days)


def permille_of(days: Iterable[date]) -> float:
    """Return the share of a year's heat that normally falls on these days [‰]."""
    return math.fsum(MONTH_PERMILLE[day.month - 1] / _month_days(day) for day in days)


def degree_day_share(
    so_far_kwh: float, measured: Sequence[date], base_kwh_per_day: float, year_days: int
) -> Forecast:
    """Return a whole year by degree-day shares: heat so far / its share, plus the base of every day."""
    permille = permille_of(measured)
    if permille < MIN_PERMILLE:
        return Forecast(reason="not_enough_heating_days")
    heat_kwh = max(0.0, so_far_kwh - base_kwh_per_day * len(measured))
    total = heat_kwh / (permille / 1000.0) + base_kwh_per_day * year_days
    return Forecast(
        kwh=total,
        low_kwh=max(so_far_kwh, total * (1 - SHARE_BAND)),
        high_kwh=total * (1 + SHARE_BAND),
        method="degree_day_share",
    )


def _month_days(day: date) -> int:
    following = (day.replace(day=1) + timedelta(days=32)).replace(day=1)
    return (following - day.replace(day=1)).days


def heating_days(days: Sequence[EnergyDay]) -> int:
    """Return the valid days with more than 2 K of heating degree days."""
    return sum(
        day.energy_kwh is not None and (heating_degree_days(day.temperature_c) or 0.0) > HEATING_DAY_K
        for day in days
    )


def signature_forecast(
    history: Sequence[EnergyDay], remaining: Sequence[EnergyDay], normals: Harmonic | None, seed: int
) -> Forecast:
    """Return the energy of the ``remaining`` days, in order, from the house's own days; see metrics §4.

    ``remaining`` days with a known temperature use it; the others get drawn weather around the normals
    (own climate from 300 days on). The same seed returns the same forecast.
    """
    usable = [day for day in history if day.energy_kwh is not None and day.effective_c is not None]
    if heating_days(usable) < MIN_HEATING_DAYS:
        return Forecast(reason="not_enough_heating_days")
    measured = [(day.day, day.temperature_c) for day in history if day.temperature_c is not None]
    climate, offset = _climate(measured, normals)
    if climate is None:
        return Forecast(reason="no_normals")
    split = [day for day in usable if day.space_kwh is not None and day.base_kwh is not None]
    is_split = len(split) >= 0.9 * len(usable)
    house = _signature(split if is_split else usable, is_split)
    if house is None:
        return Forecast(reason="not_enough_heating_days")
    heat_error = HEAT_ERROR[is_split, _saw_winter(usable, climate)]
    low, middle, high = _draws(house, remaining, climate, offset, heat_error, seed)
    return Forecast(
        kwh=middle, low_kwh=low, high_kwh=high, method="signature" if is_split else "signature_total"
    )


def _climate(
    measured: Sequence[tuple[date, float]], normals: Harmonic | None
) -> tuple[Harmonic | None, Offset]:
    """Return the place's own climate from 300 days on, before that its normals and how far off they are."""
    if len(measured) >= OWN_CLIMATE_DAYS:
        return harmonic_of_days(measured), Offset(mean_k=0.0, sd_k=0.0)
    return normals, offset_from(normals, measured) if normals else Offset(mean_k=0.0, sd_k=0.0)


def _saw_winter(days: Sequence[EnergyDay], climate: Harmonic) -> bool:
    """Return whether the coldest tenth of the days lies below the normal January mean + 2 K."""
    temperatures = sorted(day.temperature_c for day in days if day.temperature_c is not None)
    coldest = temperatures[: max(1, len(temperatures) // 10)]
    january = sum(climate.at(day) for day in range(1, 32)) / 31
    return coldest[-1] < january + WINTER_MARGIN_K


def _signature(days: Sequence[EnergyDay], is_split: bool) -> _Signature | None:
    """Fit on a grid of balance temperatures, n/3 days counting as independent."""
    import numpy as np

    effective = np.array([day.effective_c for day in days], dtype=float)
    if is_split:
        energy = np.array([day.space_kwh for day in days], dtype=float)
        base = float(np.mean([day.base_kwh for day in days]))
    else:
        energy = np.array([day.energy_kwh for day in days], dtype=float)
        base = 0.0
    count = len(days)
    independent = count / EFFECTIVE_SHARE
    floor = 1e-12 * float(energy @ energy) + 1e-12
    logs, slopes, errors, bases = [], [], [], []
    for balance in BALANCES_C:
        degrees = np.maximum(0.0, balance - effective)
        columns = degrees[:, None] if is_split else np.column_stack([np.ones(count), degrees])
        gram = columns.T @ columns
        if np.linalg.cond(gram) > 1e12:
            logs.append(-math.inf)
            slopes.append(0.0)
            errors.append(0.0)
            bases.append(base)
            continue
        inverse = np.linalg.inv(gram)
        solution = inverse @ (columns.T @ energy)
        rest = energy - columns @ solution
        squares = max(floor, float(rest @ rest))
        variance = squares / max(1.0, count - columns.shape[1]) * EFFECTIVE_SHARE
        logs.append(
            -0.5 * independent * math.log(squares)
            - 0.5 * ((balance - BALANCE_PRIOR_C) / BALANCE_PRIOR_SD_K) ** 2
        )
        slopes.append(float(solution[-1]))
        errors.append(math.sqrt(variance * float(inverse[-1, -1])))
        bases.append(base if is_split else float(solution[0]))
    best = max(logs)
    if best == -math.inf:
        return None
    weights = [math.exp(log - best) for log in logs]
    total = sum(weights)
    return _Signature(
        weights=tuple(weight / total for weight in weights),
        slopes=tuple(slopes),
        slope_errors=tuple(errors),
        bases=tuple(bases),
    )


def _draws(
    house: _Signature,
    remaining: Sequence[EnergyDay],
    climate: Harmonic,
    offset: Offset,
    heat_error: float,
    seed: int,
) -> tuple[float, float, float]:
    """Return the 10, 50 and 90 % quantiles of the energy of the remaining days over 200 draws of weather and
    parameters."""
    import numpy as np

    generator = np.random.default_rng(seed)
    normal = np.array([climate.at(day.day.timetuple().tm_yday) for day in remaining]) + offset.mean_k
    warmer_sd_k = math.hypot(YEAR_OFFSET_SD_K, offset.sd_k)
    known = np.array([np.nan if day.effective_c is None else day.effective_c for day in remaining])
    totals = []
    for _ in range(DRAWS):
        cell = int(generator.choice(len(BALANCES_C), p=house.weights))
        slope = max(0.0, house.slopes[cell] + house.slope_errors[cell] * generator.standard_normal())
        base = max(0.0, house.bases[cell] * (1 + BASE_ERROR * generator.standard_normal()))
        heat = max(0.0, 1 + heat_error * generator.standard_normal())
        habits = max(0.0, 1 + HABITS_ERROR * generator.standard_normal())
        drawn = normal + warmer_sd_k * generator.standard_normal()
        drawn = drawn + _weather(len(remaining), generator)
        before = np.concatenate([drawn[:1], drawn[:-1]])
        effective = WEIGHT_TODAY * drawn + (1 - WEIGHT_TODAY) * before
        effective = np.where(np.isnan(known), effective, known)
        degrees = np.maximum(0.0, BALANCES_C[cell] - effective)
        totals.append(habits * (base * len(remaining) + heat * slope * float(degrees.sum())))
    low, middle, high = np.percentile(totals, [10, 50, 90])
    return float(low), float(middle), float(high)


def _weather(count: int, generator: Generator) -> list[float]:
    """Return the deviations from normal as an AR(1) process [K]."""
    shocks = generator.standard_normal(count)
    weather = []
    state = 0.0
    for number in range(count):
        if number == 0:
            state = WEATHER_SD_K * float(shocks[0])
        else:
            spread = WEATHER_SD_K * math.sqrt(1 - WEATHER_RHO**2)
            state = WEATHER_RHO * state + spread * float(shocks[number])
        weather.append(state)
    return weather
