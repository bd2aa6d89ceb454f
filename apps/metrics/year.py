"""The estimate of a calendar year's electricity, from a site's own days."""

from __future__ import annotations

from calendar import isleap
from dataclasses import asdict, dataclass, replace
from datetime import date, timedelta
from hashlib import sha256
from typing import Any

from apps.devices.options import HomeOptions

from . import estimate
from .child import in_child
from .climate import harmonic
from .codes import METHOD_VERSION
from .days import LocalDay, local_days
from .estimate import EnergyDay, Forecast
from .home import Home
from .models import EstimateCache
from .normals import normals_of
from .tariff import known_tariffs, tariff_on
from .totals import MEASURED, Totals
from .windows import days

HISTORY_DAYS = 400
MAX_UNCLASSIFIED = 0.1
NAMES = (
    "electrical_energy_wh",
    "electric_s",
    "electrical_energy_heating_wh",
    "electrical_energy_dhw_wh",
    "electrical_energy_standby_wh",
    "electrical_energy_unclassified_wh",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """The fields of GET /api/estimate. ``so_far_kwh`` sums the completely measured days of the year, today
    not among them; ``method`` is ``measured``, ``signature``, ``signature_total``, ``degree_day_share`` or
    empty with a ``reason``. ``normals``: where the climate comes from."""

    year: int
    so_far_kwh: float | None
    extrapolated_kwh: float | None
    forecast_kwh: float | None
    forecast_low_kwh: float | None
    forecast_high_kwh: float | None
    method: str
    measured_days: int
    cost: float | None
    reason: str
    normals: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return the answer of GET /api/estimate; empty texts are null."""
        answer = asdict(self)
        del answer["normals"]
        return {name: None if value == "" else value for name, value in answer.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Year:
    """``measured``: days of the year that are complete, alone or together in a lump; ``so_far_kwh`` their
    energy. ``history``: days to learn from; ``remaining``: days of the year without a complete
    measurement, with what temperatures are known."""

    number_of_days: int
    measured: tuple[date, ...]
    so_far_kwh: float
    history: tuple[EnergyDay, ...]
    remaining: tuple[EnergyDay, ...]


def estimate_year(home: Home, year: int, seed: int = 1, *, run_in_child: bool = True) -> Estimate:
    """Return the estimate of a calendar year.

    The answer of a day is kept until its inputs change; the numerics run in a child process. Raises
    ChildFailed if that fails.
    """
    inputs = _inputs(home, year)
    key = sha256(repr((METHOD_VERSION, seed, inputs, normals_of(home.options))).encode()).hexdigest()
    kept = EstimateCache.objects.filter(site=home.site, year=year, key=key).first()
    if kept is not None:
        forecast = Forecast(**kept.result)
    else:
        forecast = _forecast(inputs, home.options, seed, run_in_child)
        EstimateCache.objects.update_or_create(
            site=home.site,
            year=year,
            defaults={"key": key, "result": asdict(forecast)},
        )
    return _estimate(home, inputs, forecast, year)


def _estimate(home: Home, inputs: _Year, forecast: Forecast, year: int) -> Estimate:
    count, options = len(inputs.measured), home.options
    tariff = tariff_on(known_tariffs(options), home.today)
    normals = normals_of(options)
    cost = None
    if tariff is not None and forecast.kwh is not None:
        cost = forecast.kwh * tariff.price_per_kwh + inputs.number_of_days * tariff.base_fee_per_day
    return Estimate(
        year=year,
        so_far_kwh=inputs.so_far_kwh if count else None,
        extrapolated_kwh=estimate.extrapolated(inputs.so_far_kwh, count, inputs.number_of_days),
        forecast_kwh=forecast.kwh,
        forecast_low_kwh=forecast.low_kwh,
        forecast_high_kwh=forecast.high_kwh,
        method=forecast.method,
        measured_days=count,
        cost=cost,
        reason=forecast.reason,
        normals=normals.source if normals is not None else "",
    )


def _forecast(inputs: _Year, options: HomeOptions, seed: int, run_in_child: bool) -> Forecast:
    if not inputs.remaining:
        return Forecast(
            kwh=inputs.so_far_kwh,
            low_kwh=inputs.so_far_kwh,
            high_kwh=inputs.so_far_kwh,
            method="measured",
        )
    if not any(day.energy_kwh is not None for day in inputs.history):
        return Forecast(reason="no_complete_days")
    known = estimate.heating_days(inputs.history)
    if _goes_by_share(inputs, known):
        return _by_share(inputs)
    if known < estimate.MIN_HEATING_DAYS:
        return Forecast(reason="not_enough_heating_days")
    normals = normals_of(options)
    climate = harmonic(normals.months_c) if normals is not None else None
    arguments = (inputs.history, inputs.remaining, climate, seed)
    rest = (
        in_child(estimate.signature_forecast, *arguments)
        if run_in_child
        else estimate.signature_forecast(*arguments)
    )
    if rest.kwh is None or rest.low_kwh is None or rest.high_kwh is None:
        return _by_share(inputs) if rest.reason == "no_normals" else rest
    return Forecast(
        kwh=inputs.so_far_kwh + rest.kwh,
        low_kwh=inputs.so_far_kwh + rest.low_kwh,
        high_kwh=inputs.so_far_kwh + rest.high_kwh,
        method=rest.method,
    )


def _goes_by_share(inputs: _Year, heating_days: int) -> bool:
    """Return whether the typical share of the year is all there is: few ``heating_days`` are known, and most
    measured days have no outdoor temperature, as a meter may remember days before it."""
    known = [day.temperature_c is not None for day in inputs.history if day.energy_kwh is not None]
    return bool(known) and heating_days < estimate.MIN_HEATING_DAYS and 2 * sum(known) <= len(known)


def heating_days_known(home: Home) -> int | None:
    """Return how many heating days the forecast of this year may learn from; None where it does not wait for
    them, because there is one by the typical share of the year."""
    inputs = _inputs(home, home.today.year)
    known = estimate.heating_days(inputs.history)
    return None if _goes_by_share(inputs, known) else known


def _by_share(inputs: _Year) -> Forecast:
    bases = [day.base_kwh for day in inputs.history if day.base_kwh is not None]
    base = sum(bases) / len(bases) if bases else 0.0
    return estimate.degree_day_share(inputs.so_far_kwh, inputs.measured, base, inputs.number_of_days)


def _inputs(home: Home, year: int) -> _Year:
    first, last = date(year, 1, 1), date(year, 12, 31)
    today = home.today
    known_until = min(last, today)
    known_from = min(first, known_until - timedelta(days=HISTORY_DAYS))
    oldest = home.first_day()
    known_from = max(known_from, oldest) if oldest else known_from
    has_data = oldest is not None and known_from <= known_until
    lived = local_days(home, known_from, known_until, NAMES) if has_data else []
    by_day = {each.day: each.total for each in lived}
    history = tuple(_energy_day(each) for each in lived if each.day < today)
    measured, so_far = _measured(by_day, first, last, today)
    known = set(measured)
    learned = {day.day: day for day in history}
    remaining = tuple(learned.get(day, EnergyDay(day=day)) for day in days(first, last) if day not in known)
    return _Year(
        number_of_days=366 if isleap(year) else 365,
        measured=measured,
        so_far_kwh=so_far,
        history=history,
        remaining=remaining,
    )


def _energy_day(lived: LocalDay) -> EnergyDay:
    """Return a day as the fit sees it, scaled to 24 h. Only measured days that are not dead have energies."""
    part, energy_kwh = lived.total, lived.energy_kwh_per_24h
    energy_wh = part.energy_wh
    day = EnergyDay(
        day=lived.day, temperature_c=lived.outside_c, previous_temperature_c=lived.outside_before_c
    )
    if not part.is_measured or lived.is_dead or energy_kwh is None or energy_wh is None:
        return day
    is_split = (part.unclassified_energy_wh or 0.0) <= MAX_UNCLASSIFIED * energy_wh
    base_wh = (part["electrical_energy_dhw_wh"] or 0.0) + (part["electrical_energy_standby_wh"] or 0.0)
    base_kwh = energy_kwh * base_wh / energy_wh if energy_wh else 0.0
    return replace(
        day,
        energy_kwh=energy_kwh,
        space_kwh=energy_kwh - base_kwh if is_split else None,
        base_kwh=base_kwh if is_split else None,
    )


def _measured(
    by_day: dict[date, Totals], first: date, last: date, today: date
) -> tuple[tuple[date, ...], float]:
    """Return the days of the year that are measured, and their electricity [kWh].

    Days that share a lump count if all of them are known; the lump belongs to their common sum.
    """
    known = {
        day
        for day, part in by_day.items()
        if first <= day <= last
        and day < today
        and part.is_over
        and (part.electrical_coverage or 0.0) >= MEASURED
    }
    lumps = {
        (lump.start.timestamp(), lump.end.timestamp()): lump.energy_kwh
        for day in known
        for lump in by_day[day].crossing
    }
    dropped = True
    while dropped:
        dropped = False
        for start, end in list(lumps):
            reached = {day for day, part in by_day.items() if part.start < end and part.end > start}
            inside = min(by_day[day].start for day in reached) <= start and end <= max(
                by_day[day].end for day in reached
            )
            if not inside or not reached <= known:
                known -= reached
                del lumps[start, end]
                dropped = True
    measured = sorted(known)
    energy = sum(by_day[day].scaled_energy_wh or 0.0 for day in measured) / 1000.0
    return tuple(measured), energy + sum(lumps.values())
