"""Rows of days, weeks, months and years: what `/api/energy`, the energy page and `report` show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from apps.devices.options import HomeOptions

from .cop import period_cop
from .degree_days import daily_mean_c, heating_degree_days
from .store.base import Aggregate, TimeSeriesStore
from .tariff import Tariff, changes_within, cost, tariffs_of
from .totals import LumpSpan, Totals, outside_means, totals
from .windows import Period, day_edges, local_date, local_day_bounds, periods


@dataclass(frozen=True, slots=True, kw_only=True)
class EnergyRow:
    """One period; the fields of GET /api/energy. Energies in kWh, coverages 0 to 1, None where unknown.

    ``electrical_energy_at_least``: a lump reaches over the edge, so that the true sum is larger.
    """

    start: datetime
    end: datetime
    label: str
    electrical_energy_kwh: float | None
    electrical_energy_at_least: bool
    lumps: tuple[LumpSpan, ...]
    electrical_coverage: float | None
    thermal_energy_modulation_kwh: float | None
    thermal_energy_delta_t_kwh: float | None
    heat_coverage: float | None
    delta_t_coverage: float | None
    cop: float | None
    cop_delta_t: float | None
    electrical_energy_heating_kwh: float | None
    electrical_energy_dhw_kwh: float | None
    electrical_energy_unclassified_kwh: float | None
    standby_energy_kwh: float | None
    cop_heating: float | None
    cop_dhw: float | None
    compressor_starts: int | None
    compressor_run_time_h: float | None
    mean_outside_temperature_c: float | None
    heating_degree_days: float | None
    cost: float | None

    def as_dict(self) -> dict[str, Any]:
        """Field names and values, lumps as dictionaries, instants as they are."""
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Weather:
    """Mean of the valid days' means [°C] and sum of their heating degree days [K d]; None without one."""

    mean_c: float | None
    degree_days: float | None


def energy_rows(
    store: TimeSeriesStore,
    site_id: int,
    house: HomeOptions,
    period: str,
    first: date,
    last: date,
    at: datetime,
) -> list[EnergyRow]:
    """All periods that touch the local days ``first`` to ``last``. Raises ValueError for an unknown
    period or a range that ends before it starts."""
    if last < first:
        raise ValueError("the range ends before it starts")
    zone = house.zone
    calendar = periods(period, first, last, zone)
    edges = [calendar[0].start, *(each.end for each in calendar)]
    rows = totals(store, site_id, edges, at)
    weather = _weather(store, site_id, calendar, zone)
    costs = _costs(store, site_id, house, calendar, rows, at)
    return [
        _row(each, total, sky, price, zone)
        for each, total, sky, price in zip(calendar, rows, weather, costs, strict=True)
    ]


def _row(period: Period, total: Totals, weather: Weather, price: float | None, zone: ZoneInfo) -> EnergyRow:
    starts = total["compressor_starts"]
    run_s = total["compressor_run_s"]
    return EnergyRow(
        start=datetime.fromtimestamp(period.start, zone),
        end=datetime.fromtimestamp(period.end, zone),
        label=period.label,
        electrical_energy_kwh=kwh(total.energy_wh),
        electrical_energy_at_least=bool(total.crossing),
        lumps=tuple(sorted((*total.inside, *total.crossing), key=lambda lump: lump.start)),
        electrical_coverage=total.electric_coverage,
        thermal_energy_modulation_kwh=kwh(total.modulation_heat_wh),
        thermal_energy_delta_t_kwh=kwh(total.delta_t_heat_wh),
        heat_coverage=total.energy_coverage(),
        delta_t_coverage=total.energy_coverage("full_delta_t_electrical_energy_wh"),
        cop=period_cop(total["full_thermal_energy_wh"], total["full_electrical_energy_wh"]).value,
        cop_delta_t=period_cop(
            total["full_delta_t_thermal_energy_wh"], total["full_delta_t_electrical_energy_wh"]
        ).value,
        electrical_energy_heating_kwh=kwh(total["electrical_energy_heating_wh"]),
        electrical_energy_dhw_kwh=kwh(total["electrical_energy_dhw_wh"]),
        electrical_energy_unclassified_kwh=kwh(total["electrical_energy_unclassified_wh"]),
        standby_energy_kwh=kwh(total["electrical_energy_standby_wh"]),
        cop_heating=cop_heating(total),
        cop_dhw=cop_dhw(total),
        compressor_starts=None if starts is None else round(starts),
        compressor_run_time_h=None if run_s is None else run_s / 3600.0,
        mean_outside_temperature_c=weather.mean_c,
        heating_degree_days=weather.degree_days,
        cost=price,
    )


def cop_heating(total: Totals) -> float | None:
    return period_cop(
        total["full_thermal_energy_heating_wh"], total["full_electrical_energy_heating_wh"]
    ).value


def cop_dhw(total: Totals) -> float | None:
    return period_cop(total["full_thermal_energy_dhw_wh"], total["full_electrical_energy_dhw_wh"]).value


def kwh(energy_wh: float | None) -> float | None:
    return None if energy_wh is None else energy_wh / 1000.0


def _weather(
    store: TimeSeriesStore, site_id: int, calendar: Sequence[Period], zone: ZoneInfo
) -> list[Weather]:
    """From the local days of all periods at once."""
    means = [
        daily_mean_c(day.sum, day.count)
        for day in outside_means(store, site_id, day_edges(calendar[0].first, calendar[-1].last, zone))
    ]
    result = []
    position = 0
    for period in calendar:
        result.append(weather_of(means[position : position + period.days]))
        position += period.days
    return result


def weather_of(daily_means_c: Sequence[float | None]) -> Weather:
    """Weather of a stretch of local days; days without a valid mean are left out."""
    known = [mean for mean in daily_means_c if mean is not None]
    if not known:
        return Weather(mean_c=None, degree_days=None)
    return Weather(
        mean_c=sum(known) / len(known), degree_days=sum(heating_degree_days(mean) or 0.0 for mean in known)
    )


def daily_means(
    store: TimeSeriesStore, site_id: int, first: date, last: date, zone: ZoneInfo
) -> dict[date, float | None]:
    """T_d of the local days ``first`` to ``last`` [°C]; None for a day with less than 20 hours known."""
    found: list[Aggregate] = outside_means(store, site_id, day_edges(first, last, zone))
    return {
        first + timedelta(days=number): daily_mean_c(each.sum, each.count)
        for number, each in enumerate(found)
    }


def _costs(
    store: TimeSeriesStore,
    site_id: int,
    house: HomeOptions,
    calendar: Sequence[Period],
    rows: Sequence[Totals],
    at: datetime,
) -> list[float | None]:
    """Cost of each period; the base fee counts for days that have begun and lie after the first data."""
    tariffs = tariffs_of(house.electricity_price, house.base_fee_per_day, house.tariffs)
    extent = store.extent(site_id, "interval") if tariffs else None
    if extent is None:
        return [None] * len(calendar)
    first_day = local_date(datetime.fromtimestamp(extent[0], house.zone), house.zone)
    today = local_date(at, house.zone)
    return [
        _cost(store, site_id, house.zone, tariffs, period, total, (first_day, today), at)
        for period, total in zip(calendar, rows, strict=True)
    ]


def cost_between(
    store: TimeSeriesStore, site_id: int, house: HomeOptions, first: date, last: date, at: datetime
) -> float | None:
    """Cost of the local days ``first`` to ``last`` as one stretch: a lump over an inner edge counts."""
    start, end = local_day_bounds(first, house.zone)[0], local_day_bounds(last, house.zone)[1]
    whole = Period(start=start, end=end, label="", first=first, last=last)
    names = ("electrical_energy_wh", "electric_s")
    return _costs(store, site_id, house, [whole], totals(store, site_id, [start, end], at, names), at)[0]


def _cost(
    store: TimeSeriesStore,
    site_id: int,
    zone: ZoneInfo,
    tariffs: Sequence[Tariff],
    period: Period,
    total: Totals,
    known_days: tuple[date, date],
    at: datetime,
) -> float | None:
    first, last = max(period.first, known_days[0]), min(period.last, known_days[1])
    energy_wh = total.energy_wh
    if energy_wh is None or last < first:
        return None
    starts = [first, *changes_within(tariffs, first, last)]
    if len(starts) == 1:
        return cost([(first, (last - first).days + 1, energy_wh / 1000.0)], tariffs)
    edges = [period.start, *(local_day_bounds(day, zone)[0] for day in starts[1:]), period.end]
    parts = totals(store, site_id, edges, at, ("electrical_energy_wh", "electric_s"))
    ends = [*starts[1:], last + timedelta(days=1)]
    stretches = [
        (start, (end - start).days, _energy_from(part, total) / 1000.0)
        for start, end, part in zip(starts, ends, parts, strict=True)
    ]
    return cost(stretches, tariffs)


def _energy_from(part: Totals, whole: Totals) -> float:
    """Energy of a part of a period; a lump over a change of tariff is charged where it starts."""
    crossing = [
        lump
        for lump in part.crossing
        if lump in whole.inside and part.start <= int(lump.start.timestamp()) < part.end
    ]
    return (part.energy_wh or 0.0) + sum(lump.energy_kwh * 1000.0 for lump in crossing)
