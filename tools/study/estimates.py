"""The year's estimate from the first days of a home's year, compared with what the year became."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from statistics import fmean

from apps.metrics.climate import harmonic, normals_of_place
from apps.metrics.estimate import EnergyDay, Forecast, degree_day_share, extrapolated, signature_forecast
from apps.metrics.normals import shipped_regions

from .homes import YEAR_DAYS, StudiedHome

DAYS_OF_DATA = (30, 60, 90, 180, 300)
SEED = 1
ALTITUDE_M = 110.0

Estimator = Callable[[StudiedHome, Sequence[EnergyDay], Sequence[EnergyDay]], Forecast]
"""A whole year from a home, its days so far and the remaining ones, of which nothing is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Accuracy:
    """One estimator after some days: mean absolute error, share of years inside the 80 % band and its half
    width (shares of the true year; None without a band), and how many homes it answered."""

    error: float | None
    held: float | None
    half_width: float | None
    answered: int


def naive(home: StudiedHome, known: Sequence[EnergyDay], remaining: Sequence[EnergyDay]) -> Forecast:
    return Forecast(kwh=extrapolated(_so_far(known), len(known), YEAR_DAYS), method="naive")


def share(home: StudiedHome, known: Sequence[EnergyDay], remaining: Sequence[EnergyDay]) -> Forecast:
    base = fmean(day.base_kwh or 0.0 for day in known)
    return degree_day_share(_so_far(known), [day.day for day in known], base, YEAR_DAYS)


def signature(home: StudiedHome, known: Sequence[EnergyDay], remaining: Sequence[EnergyDay]) -> Forecast:
    return _signature(known, remaining, home.normals_c)


def signature_total(
    home: StudiedHome, known: Sequence[EnergyDay], remaining: Sequence[EnergyDay]
) -> Forecast:
    """Return the total as for a heat pump that does not report when it heats water."""
    blind = [replace(day, space_kwh=None, base_kwh=None) for day in known]
    return _signature(blind, remaining, home.normals_c)


def signature_shipped(
    home: StudiedHome, known: Sequence[EnergyDay], remaining: Sequence[EnergyDay]
) -> Forecast:
    """Return the total with the shipped normals of the place, which are not the climate that the simulated
    house lives in."""
    normals = normals_of_place(shipped_regions(), home.latitude, home.longitude, ALTITUDE_M)
    return _signature(known, remaining, normals.months_c if normals else ())


ESTIMATORS: dict[str, Estimator] = {
    "naive": naive,
    "degree-day share": share,
    "signature, total": signature_total,
    "**signature, DHW split**": signature,
    "same, shipped normals of the region": signature_shipped,
}


def _signature(
    known: Sequence[EnergyDay], remaining: Sequence[EnergyDay], normals_c: Sequence[float]
) -> Forecast:
    rest = signature_forecast(known, remaining, harmonic(normals_c), SEED)
    if rest.kwh is None or rest.low_kwh is None or rest.high_kwh is None:
        return rest
    so_far = _so_far(known)
    return replace(
        rest, kwh=so_far + rest.kwh, low_kwh=so_far + rest.low_kwh, high_kwh=so_far + rest.high_kwh
    )


def _so_far(days: Sequence[EnergyDay]) -> float:
    return sum(day.energy_kwh or 0.0 for day in days)


def accuracies(
    homes: Sequence[StudiedHome], counts: Sequence[int] = DAYS_OF_DATA
) -> dict[str, list[Accuracy]]:
    """Return the accuracies by estimator, after each of these days of data; all on the homes that the
    signature answers."""
    result: dict[str, list[Accuracy]] = {name: [] for name in ESTIMATORS}
    for count in counts:
        answerable = [home for home in homes if _asked(signature, home, count).kwh is not None]
        for name, estimator in ESTIMATORS.items():
            result[name].append(
                _accuracy([(home.year_kwh(count), _asked(estimator, home, count)) for home in answerable])
            )
    return result


def _asked(estimator: Estimator, home: StudiedHome, count: int) -> Forecast:
    remaining = [EnergyDay(day=day.day) for day in home.days[count:]]
    return estimator(home, home.days[:count], remaining)


def _accuracy(answers: Sequence[tuple[float, Forecast]]) -> Accuracy:
    errors, held, widths = [], [], []
    for true_kwh, forecast in answers:
        if forecast.kwh is None:
            continue
        errors.append(abs(forecast.kwh - true_kwh) / true_kwh)
        if forecast.low_kwh is not None and forecast.high_kwh is not None:
            held.append(forecast.low_kwh <= true_kwh <= forecast.high_kwh)
            widths.append((forecast.high_kwh - forecast.low_kwh) / 2.0 / true_kwh)
    return Accuracy(
        error=fmean(errors) if errors else None,
        held=fmean(held) if held else None,
        half_width=fmean(widths) if widths else None,
        answered=len(errors),
    )
