"""Rows of days, weeks, months and years: what `/api/energy`, the energy page and `report` show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from .begin import measured_from
from .degree_days import daily_mean_c, heating_degree_days
from .home import Home
from .kept import kept
from .store.base import Aggregate
from .tariff import Tariff, changes_within, cost, known_tariffs
from .totals import MEASURED, LumpSpan, Totals, kwh, outside_means, totals
from .windows import Period, day_edges, local_date, periods


@dataclass(frozen=True, slots=True, kw_only=True)
class EnergyRow:
    """One period; the fields of GET /api/energy. Energies in kWh, coverages 0 to 1, None where unknown.

    ``electrical_energy_at_least``: a lump reaches over the edge, so that the true sum is larger.
    ``heating_degree_days_known``: days whose temperature is known, which alone they sum. ``implausible``:
    heat and COP are those of no heat pump, so that some setting is probably wrong.
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
    electrical_energy_cooling_kwh: float | None
    standby_energy_kwh: float | None
    cop_heating: float | None
    cop_dhw: float | None
    compressor_starts: int | None
    compressor_run_time_h: float | None
    mean_outside_temperature_c: float | None
    heating_degree_days: float | None
    cost: float | None
    heating_degree_days_known: int
    implausible: bool

    def is_measured(self, at: datetime) -> bool:
        """Return whether it is over at ``at`` and its electricity measured, by the rule of ``Totals``."""
        return (
            self.end <= at
            and (self.electrical_coverage or 0.0) >= MEASURED
            and not self.electrical_energy_at_least
        )

    @property
    def scaled_energy_kwh(self) -> float | None:
        """Known electricity scaled up to the whole elapsed time."""
        energy_kwh, coverage = self.electrical_energy_kwh, self.electrical_coverage
        return energy_kwh / coverage if energy_kwh is not None and coverage else energy_kwh

    def as_dict(self) -> dict[str, Any]:
        """Return field names and values, lumps as dictionaries, instants as they are."""
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Weather:
    """Mean of the valid days' means [°C] and sum of their heating degree days [K d], None without one;
    ``days``: how many those are."""

    mean_c: float | None
    degree_days: float | None
    days: int = 0


@kept
def energy_rows(home: Home, period: str, first: date, last: date) -> list[EnergyRow]:
    """Return all periods that touch the local days ``first`` to ``last``.

    Raises ValueError for an unknown period or a range that ends before it starts.
    """
    _in_order(first, last)
    return _rows(home, periods(period, first, last, home.options.zone))


@kept
def row_between(home: Home, first: date, last: date) -> EnergyRow:
    """Return the local days ``first`` to ``last`` as one row. Raises ValueError for a range that ends before
    it starts."""
    _in_order(first, last)
    start, end = home.day_bounds(first)[0], home.day_bounds(last)[1]
    label = first.isoformat() if first == last else f"{first.isoformat()}/{last.isoformat()}"
    (row,) = _rows(home, [Period(start=start, end=end, label=label, first=first, last=last)])
    return row


@kept
def stretch_rows(home: Home, edges: tuple[int, ...]) -> list[EnergyRow]:
    """Return the stretches between neighbouring edges (epoch s, parts of local days) as rows, without cost
    and degree days."""
    zone = home.options.zone
    unknown = Weather(mean_c=None, degree_days=None)
    rows = []
    for total in totals(home, edges):
        day = local_date(datetime.fromtimestamp(total.start, UTC), zone)
        period = Period(start=total.start, end=total.end, label="", first=day, last=day)
        rows.append(_row(period, total, unknown, None, zone))
    return rows


def measured_coverage(home: Home, row: EnergyRow) -> float | None:
    """Return the share of the elapsed time since the home is measured that has electricity."""
    begin, start = measured_from(home), int(row.start.timestamp())
    if begin is None or begin <= start or row.electrical_coverage is None:
        return row.electrical_coverage
    until = min(int(row.end.timestamp()), home.interval_s)
    return min(1.0, row.electrical_coverage * (until - start) / (until - begin)) if until > begin else None


def _in_order(first: date, last: date) -> None:
    if last < first:
        raise ValueError("the range ends before it starts")


def _rows(home: Home, calendar: Sequence[Period]) -> list[EnergyRow]:
    """Return neighbouring periods as rows."""
    rows = totals(home, [calendar[0].start, *(each.end for each in calendar)])
    weather = _weather(home, calendar)
    costs = _costs(home, calendar, rows)
    return [
        _row(each, total, sky, price, home.options.zone)
        for each, total, sky, price in zip(calendar, rows, weather, costs, strict=True)
    ]


def _row(period: Period, total: Totals, weather: Weather, price: float | None, zone: ZoneInfo) -> EnergyRow:
    run_s = total.compressor_run_s
    return EnergyRow(
        start=datetime.fromtimestamp(period.start, zone),
        end=datetime.fromtimestamp(period.end, zone),
        label=period.label,
        electrical_energy_kwh=total.electrical_energy_kwh,
        electrical_energy_at_least=total.at_least,
        lumps=tuple(sorted((*total.inside, *total.crossing), key=lambda lump: lump.start)),
        electrical_coverage=total.electrical_coverage,
        thermal_energy_modulation_kwh=kwh(total.modulation_heat_wh),
        thermal_energy_delta_t_kwh=kwh(total.delta_t_heat_wh),
        heat_coverage=total.heat_coverage,
        delta_t_coverage=total.delta_t_coverage,
        cop=total.cop,
        cop_delta_t=total.cop_delta_t,
        electrical_energy_heating_kwh=kwh(total.heating_energy_wh),
        electrical_energy_dhw_kwh=kwh(total.dhw_energy_wh),
        electrical_energy_unclassified_kwh=kwh(total.unclassified_energy_wh),
        electrical_energy_cooling_kwh=kwh(total["electrical_energy_cooling_wh"]),
        standby_energy_kwh=kwh(total["electrical_energy_standby_wh"]),
        cop_heating=total.cop_heating,
        cop_dhw=total.cop_dhw,
        compressor_starts=total.compressor_starts,
        compressor_run_time_h=None if run_s is None else run_s / 3600.0,
        mean_outside_temperature_c=weather.mean_c,
        heating_degree_days=weather.degree_days,
        cost=price,
        heating_degree_days_known=weather.days,
        implausible=total.implausible,
    )


def _weather(home: Home, calendar: Sequence[Period]) -> list[Weather]:
    """Return the weather of each period, from the local days of all periods at once."""
    means = [
        daily_mean_c(day.sum, day.count)
        for day in outside_means(home, day_edges(calendar[0].first, calendar[-1].last, home.options.zone))
    ]
    result = []
    position = 0
    for period in calendar:
        result.append(weather_of(means[position : position + period.days]))
        position += period.days
    return result


def weather_of(daily_means_c: Sequence[float | None]) -> Weather:
    """Return the weather of a stretch of local days; days without a valid mean are left out."""
    known = [mean for mean in daily_means_c if mean is not None]
    if not known:
        return Weather(mean_c=None, degree_days=None)
    return Weather(
        mean_c=sum(known) / len(known),
        degree_days=sum(heating_degree_days(mean) or 0.0 for mean in known),
        days=len(known),
    )


@kept
def daily_means(home: Home, first: date, last: date) -> dict[date, float | None]:
    """Return T_d of the local days ``first`` to ``last`` [°C]; None for a day known for less than 20 h."""
    found: list[Aggregate] = outside_means(home, day_edges(first, last, home.options.zone))
    return {
        first + timedelta(days=number): daily_mean_c(each.sum, each.count)
        for number, each in enumerate(found)
    }


def _costs(home: Home, calendar: Sequence[Period], rows: Sequence[Totals]) -> list[float | None]:
    """Return the cost of each period; the base fee counts for days that have begun and lie after the first
    data."""
    tariffs = known_tariffs(home.options)
    first_day = home.first_day() if tariffs else None
    if first_day is None:
        return [None] * len(calendar)
    return [
        _cost(home, tariffs, period, total, first_day) for period, total in zip(calendar, rows, strict=True)
    ]


@kept
def cost_between(home: Home, first: date, last: date) -> float | None:
    """Return the cost of the local days ``first`` to ``last`` as one stretch: a lump over an inner edge
    counts."""
    start, end = home.day_bounds(first)[0], home.day_bounds(last)[1]
    whole = Period(start=start, end=end, label="", first=first, last=last)
    return _costs(home, [whole], totals(home, [start, end], ("electrical_energy_wh", "electric_s")))[0]


def _cost(
    home: Home, tariffs: Sequence[Tariff], period: Period, total: Totals, first_day: date
) -> float | None:
    first, last = max(period.first, first_day), min(period.last, home.today)
    energy_wh = total.energy_wh
    if energy_wh is None or last < first:
        return None
    starts = [first, *changes_within(tariffs, first, last)]
    if len(starts) == 1:
        return cost([(first, (last - first).days + 1, energy_wh / 1000.0)], tariffs)
    edges = [period.start, *(home.midnight(day) for day in starts[1:]), period.end]
    parts = totals(home, edges, ("electrical_energy_wh", "electric_s"))
    ends = [*starts[1:], last + timedelta(days=1)]
    stretches = [
        (start, (end - start).days, _energy_from(part, total) / 1000.0)
        for start, end, part in zip(starts, ends, parts, strict=True)
    ]
    return cost(stretches, tariffs)


def _energy_from(part: Totals, whole: Totals) -> float:
    """Return the energy of a part of a period; a lump over a change of tariff is charged where it starts."""
    crossing = [
        lump
        for lump in part.crossing
        if lump in whole.inside and part.start <= int(lump.start.timestamp()) < part.end
    ]
    return (part.energy_wh or 0.0) + sum(lump.energy_kwh * 1000.0 for lump in crossing)
