"""What the efficiency page draws, and the day so far for the status cards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from apps.devices.options import HomeOptions

from .cop import heat_weighted_flow_c, percent_of_carnot, period_cop, running_cop
from .cycles import Cycles, CyclingDay, cycling_day, is_short_cycling
from .jaz import device_register
from .periods import daily_means, kwh
from .running import INTERVAL_S
from .store.base import TimeSeriesStore
from .totals import Totals, totals
from .windows import day_edges, local_date, local_day_bounds

CYCLE_SPANS_DAYS = (7, 30, 365)
VALID_ENERGY_COVERAGE = 0.9
DAY_S = 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DayPoint:
    """One local day: mean outside temperature T_d, COP, energy of 24 h and energy coverage (0 to 1).

    ``is_valid``: all electricity known and T_d valid; ``cop_is_valid``: also 90 % energy coverage.
    """

    day: date
    mean_outside_temperature_c: float | None
    cop: float | None
    cop_delta_t: float | None
    energy_kwh_per_24h: float | None
    energy_coverage: float | None
    heat_weighted_flow_c: float | None
    percent_of_carnot: float | None
    is_valid: bool
    cop_is_valid: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowPoint:
    """One hour's mean flow temperature over the mean outside temperature [°C], hot water left out."""

    at: int
    outside_temperature_c: float
    flow_temperature_c: float


@dataclass(frozen=True, slots=True, kw_only=True)
class HeatingCurve:
    """A heating circuit's set curve: flow = room + shift + slope·(room − outside) and a little more in the
    cold. ``points``: (outside, flow) [°C]."""

    circuit: str
    slope: float
    shift: float
    room_temperature_c: float
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CycleSpan:
    """Cycling of the last ``days`` local days, and the starts that the device counted itself (None if it
    does not tell): a check on ours."""

    days: int
    cycles: Cycles
    device_starts: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceCops:
    """The device's own long-run registers."""

    total: float | None
    heating: float | None
    dhw: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Efficiency:
    """All of the page for local days ``first`` to ``last``; ``percent_of_carnot`` and
    ``heat_weighted_flow_c`` of the whole range. ``rod_heat_not_counted``: the heating rod ran, but its
    power is not set, so that its heat and electricity cannot be told apart."""

    first: date
    last: date
    days: tuple[DayPoint, ...]
    flow: tuple[FlowPoint, ...]
    cycle_spans: tuple[CycleSpan, ...]
    short_cycling: bool
    percent_of_carnot: float | None
    heat_weighted_flow_c: float | None
    running_cop: float | None
    device: DeviceCops
    rod_runtime_h: float | None
    rod_heat_not_counted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Today:
    """The local day so far; the fields of "today" in GET /api/status."""

    electrical_energy_kwh: float | None
    thermal_energy_modulation_kwh: float | None
    cop: float | None
    electrical_coverage: float | None
    heat_coverage: float | None


def today(store: TimeSeriesStore, site_id: int, house: HomeOptions, at: datetime) -> Today:
    """From local midnight until now."""
    start, end = local_day_bounds(local_date(at, house.zone), house.zone)
    total = totals(
        store,
        site_id,
        [start, end],
        at,
        (
            "electrical_energy_wh",
            "thermal_energy_modulation_wh",
            "full_thermal_energy_wh",
            "full_electrical_energy_wh",
            "electric_s",
            "compressor_run_s",
        ),
    )[0]
    return Today(
        electrical_energy_kwh=kwh(total.energy_wh),
        thermal_energy_modulation_kwh=kwh(total.modulation_heat_wh),
        cop=period_cop(total["full_thermal_energy_wh"], total["full_electrical_energy_wh"]).value,
        electrical_coverage=total.electric_coverage,
        heat_coverage=total.energy_coverage(),
    )


def efficiency(
    store: TimeSeriesStore, site_id: int, house: HomeOptions, first: date, last: date, at: datetime
) -> Efficiency:
    """Raises ValueError if the range ends before it starts."""
    if last < first:
        raise ValueError("the range ends before it starts")
    start, end = local_day_bounds(first, house.zone)[0], local_day_bounds(last, house.zone)[1]
    whole = totals(store, site_id, [start, end], at)[0]
    rod_s = rod_runtime_s(store, site_id, start, end)
    return Efficiency(
        first=first,
        last=last,
        days=tuple(day_points(store, site_id, house, first, last, at)),
        flow=tuple(flow_points(store, site_id, start, end)),
        cycle_spans=tuple(cycle_spans(store, site_id, house, at)),
        short_cycling=is_short_cycling(cycling_days(store, site_id, house, at)),
        percent_of_carnot=percent_of_carnot(whole["carnot_work_wh"], whole["carnot_energy_wh"]),
        heat_weighted_flow_c=heat_weighted_flow_c(whole["flow_weighted_wh_c"], whole["flow_weight_wh"]),
        running_cop=running_cop(
            whole["full_thermal_energy_wh"],
            whole["full_electrical_energy_wh"],
            whole["electrical_energy_standby_wh"],
        ).value,
        device=DeviceCops(
            total=device_register(store, site_id, "device_cop_total", at),
            heating=device_register(store, site_id, "device_cop_heating", at),
            dhw=device_register(store, site_id, "device_cop_dhw", at),
        ),
        rod_runtime_h=None if rod_s is None else rod_s / 3600.0,
        rod_heat_not_counted=bool(rod_s) and house.heating_rod_kw is None,
    )


def day_points(
    store: TimeSeriesStore, site_id: int, house: HomeOptions, first: date, last: date, at: datetime
) -> list[DayPoint]:
    """One point a local day."""
    means = daily_means(store, site_id, first, last, house.zone)
    parts = totals(store, site_id, day_edges(first, last, house.zone), at)
    return [_day_point(day, mean, part) for (day, mean), part in zip(means.items(), parts, strict=True)]


def _day_point(day: date, mean_c: float | None, part: Totals) -> DayPoint:
    energy_wh = part.energy_wh
    coverage = part.energy_coverage()
    is_valid = part.is_complete and mean_c is not None
    return DayPoint(
        day=day,
        mean_outside_temperature_c=mean_c,
        cop=period_cop(part["full_thermal_energy_wh"], part["full_electrical_energy_wh"]).value,
        cop_delta_t=period_cop(
            part["full_delta_t_thermal_energy_wh"], part["full_delta_t_electrical_energy_wh"]
        ).value,
        energy_kwh_per_24h=(
            None if energy_wh is None else energy_wh / 1000.0 * DAY_S / (part.end - part.start)
        ),
        energy_coverage=coverage,
        heat_weighted_flow_c=heat_weighted_flow_c(part["flow_weighted_wh_c"], part["flow_weight_wh"]),
        percent_of_carnot=percent_of_carnot(part["carnot_work_wh"], part["carnot_energy_wh"]),
        is_valid=is_valid,
        cop_is_valid=is_valid and (coverage or 0.0) >= VALID_ENERGY_COVERAGE,
    )


def flow_points(store: TimeSeriesStore, site_id: int, start: int, end: int) -> list[FlowPoint]:
    """Hours in which the compressor heated the house most of the time and no hot water."""
    step_s = 3600
    names = (
        "outside_temperature_c",
        "supply_temperature_c",
        "dhw_charging",
        "compressor_run_s",
    )
    outside, flow, dhw, run = (store.series(site_id, name, start, end, step_s) for name in names)
    return [
        FlowPoint(at=at, outside_temperature_c=cold, flow_temperature_c=warm)
        for at, cold, warm, charging, run_s in zip(
            outside.time, outside.mean, flow.mean, dhw.max, run.sum, strict=True
        )
        if cold is not None and warm is not None and not charging and (run_s or 0.0) >= step_s / 2
    ]


def heating_curve(
    circuit: str, settings: Mapping[str, Any], outside_c: tuple[float, ...] = tuple(range(-20, 21, 5))
) -> HeatingCurve | None:
    """The set curve of a circuit from the heat pump's settings (public keys); None if they are unknown.

    Viessmann's curve bends upwards in the cold: flow = room + shift − slope·d·(1.4347 + 0.021·d +
    0.0002479·d²) with d = outside − room. Source: the formula in common use for Vitotronic controllers.
    """
    slope = settings.get(f"circuits.{circuit}.curve.slope")
    shift = settings.get(f"circuits.{circuit}.curve.shift")
    room = settings.get(f"circuits.{circuit}.target_temperature.normal_c", 20)
    if not isinstance(slope, int | float) or not isinstance(shift, int | float):
        return None
    if not isinstance(room, int | float):
        return None
    points = []
    for outside in outside_c:
        d = outside - room
        flow = room + shift - slope * d * (1.4347 + 0.021 * d + 247.9e-6 * d * d)
        points.append((float(outside), round(max(float(room), flow), 1)))
    return HeatingCurve(
        circuit=circuit,
        slope=float(slope),
        shift=float(shift),
        room_temperature_c=float(room),
        points=tuple(points),
    )


def cycle_spans(store: TimeSeriesStore, site_id: int, house: HomeOptions, at: datetime) -> list[CycleSpan]:
    """Starts and run times of the last 7, 30 and 365 local days before today."""
    day = local_date(at, house.zone)
    end = local_day_bounds(day, house.zone)[0]
    spans = []
    for span_days in CYCLE_SPANS_DAYS:
        start = local_day_bounds(day - timedelta(days=span_days), house.zone)[0]
        total = totals(
            store,
            site_id,
            [start, end],
            at,
            ("compressor_starts", "compressor_run_s", "compressor_known_s"),
        )[0]
        cycles = Cycles(
            starts=round(total.seconds("compressor_starts")),
            run_s=total.seconds("compressor_run_s"),
            known_s=total.seconds("compressor_known_s"),
        )
        counted = counter_rise(store, site_id, "compressor_starts_count", start, end)
        spans.append(
            CycleSpan(
                days=span_days, cycles=cycles, device_starts=None if counted is None else round(counted)
            )
        )
    return spans


def counter_rise(store: TimeSeriesStore, site_id: int, name: str, start: int, end: int) -> float | None:
    """By how much one of the heat pump's counters rose in [start, end); None if it was never told."""
    counted = store.sums(site_id, [name], [start, end])[name][0]
    return None if counted.max is None or counted.min is None else counted.max - counted.min


def rod_runtime_s(store: TimeSeriesStore, site_id: int, start: int, end: int) -> float | None:
    """Runtime of the heating rod in [start, end), both levels [s]; None if the device does not tell."""
    levels = [
        rise
        for level in ("one", "two")
        if (rise := counter_rise(store, site_id, f"heating_rod_level_{level}_s", start, end)) is not None
    ]
    return sum(levels) if levels else None


def cycling_days(
    store: TimeSeriesStore, site_id: int, house: HomeOptions, at: datetime, count: int = 3
) -> list[CyclingDay]:
    """Cycling of the last ``count`` whole local days, starts placed in the middle of their interval."""
    day = local_date(at, house.zone)
    found = []
    for back in range(count, 0, -1):
        start, end = local_day_bounds(day - timedelta(days=back), house.zone)
        starts = [
            row.at + INTERVAL_S / 2
            for row in store.rows(site_id, "interval", start, end, fields=["compressor_starts"])
            for _ in range(round(row.values["compressor_starts"] or 0))
        ]
        found.append(cycling_day(starts))
    return found
