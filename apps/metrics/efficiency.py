"""What the efficiency page draws."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from .begin import HEAT, measured_from
from .cop import heat_weighted_flow_c, percent_of_carnot, running_cop
from .cycles import Cycles, CyclingDay, cycling_day, is_short_cycling
from .days import LocalDay, local_days
from .grid import INTERVAL_S
from .home import Home
from .jaz import device_register
from .kept import kept
from .totals import totals
from .windows import days

CYCLE_SPANS_DAYS = (7, 30, 365)
ROD_COUNTERS = ("heating_rod_level_one_s", "heating_rod_level_two_s")


@dataclass(frozen=True, slots=True, kw_only=True)
class DayPoint:
    """One local day: mean outside temperature T_d, COP, energy of 24 h and energy coverage (0 to 1).

    ``is_valid`` and ``cop_is_valid`` as in ``LocalDay``.
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
    does not report it): a check on ours."""

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


@kept
def efficiency(home: Home, first: date, last: date) -> Efficiency:
    """Return all that the page draws. Raises ValueError if the range ends before it starts."""
    if last < first:
        raise ValueError("the range ends before it starts")
    start, end = home.day_bounds(first)[0], home.day_bounds(last)[1]
    whole = totals(home, [start, end])[0]
    rod_s = rod_runtime_s(home, start, end)
    return Efficiency(
        first=first,
        last=last,
        days=tuple(day_points(home, first, last)),
        flow=tuple(flow_points(home, start, end)),
        cycle_spans=tuple(cycle_spans(home)),
        short_cycling=is_short_cycling(cycling_days(home)),
        percent_of_carnot=percent_of_carnot(whole["carnot_work_wh"], whole["carnot_energy_wh"]),
        heat_weighted_flow_c=heat_weighted_flow_c(whole["flow_weighted_wh_c"], whole["flow_weight_wh"]),
        running_cop=running_cop(
            whole["full_thermal_energy_wh"],
            whole["full_electrical_energy_wh"],
            _standby_wh(home, start, end),
        ).value,
        device=DeviceCops(
            total=device_register(home, "device_cop_total"),
            heating=device_register(home, "device_cop_heating"),
            dhw=device_register(home, "device_cop_dhw"),
        ),
        rod_runtime_h=None if rod_s is None else rod_s / 3600.0,
        rod_heat_not_counted=bool(rod_s) and home.options.heating_rod_kw is None,
    )


def _standby_wh(home: Home, start: int, end: int) -> float | None:
    """Return the standby of the time in which heat is known: a meter may remember much more."""
    since = max(start, measured_from(home, HEAT) or end)
    return totals(home, [since, end])[0]["electrical_energy_standby_wh"] if since < end else None


def day_points(home: Home, first: date, last: date) -> list[DayPoint]:
    """Return one point per local day."""
    return [_day_point(each) for each in local_days(home, first, last)]


def _day_point(lived: LocalDay) -> DayPoint:
    part = lived.total
    return DayPoint(
        day=lived.day,
        mean_outside_temperature_c=lived.outside_c,
        cop=part.cop,
        cop_delta_t=part.cop_delta_t,
        energy_kwh_per_24h=lived.energy_kwh_per_24h,
        energy_coverage=part.heat_coverage,
        heat_weighted_flow_c=heat_weighted_flow_c(part["flow_weighted_wh_c"], part["flow_weight_wh"]),
        percent_of_carnot=percent_of_carnot(part["carnot_work_wh"], part["carnot_energy_wh"]),
        is_valid=lived.is_valid,
        cop_is_valid=lived.cop_is_valid,
    )


def flow_points(home: Home, start: int, end: int) -> list[FlowPoint]:
    """Return the hours in which the compressor heated the house most of the time and no hot water."""
    step_s = 3600
    names = (
        "outside_temperature_c",
        "supply_temperature_c",
        "dhw_charging",
        "compressor_run_s",
    )
    outside, flow, dhw, run = (home.store.series(home.id, name, start, end, step_s) for name in names)
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
    """Return the set curve of a circuit from the heat pump's settings (public keys); None if they are
    unknown.

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


def cycle_spans(home: Home) -> list[CycleSpan]:
    """Return starts and run times of the last 7, 30 and 365 local days before today."""
    end = home.midnight(home.today)
    spans = []
    for span_days in CYCLE_SPANS_DAYS:
        start = home.midnight(home.today - timedelta(days=span_days))
        total = totals(
            home,
            [start, end],
            ("compressor_starts", "compressor_run_s", "compressor_known_s"),
        )[0]
        cycles = Cycles(
            starts=round(total.seconds("compressor_starts")),
            run_s=total.seconds("compressor_run_s"),
            known_s=total.seconds("compressor_known_s"),
        )
        counted = counter_rise(home, "compressor_starts_count", start, end)
        spans.append(
            CycleSpan(
                days=span_days, cycles=cycles, device_starts=None if counted is None else round(counted)
            )
        )
    return spans


def counter_rise(home: Home, name: str, start: int, end: int) -> float | None:
    """Return by how much one of the heat pump's counters rose in [start, end); None if never reported."""
    counted = home.store.sums(home.id, [name], [start, end])[name][0]
    return None if counted.max is None or counted.min is None else counted.max - counted.min


def rod_runtime_s(home: Home, start: int, end: int) -> float | None:
    """Return the runtime of the heating rod in [start, end), both levels [s]; None if never reported."""
    levels = [rise for name in ROD_COUNTERS if (rise := counter_rise(home, name, start, end)) is not None]
    return sum(levels) if levels else None


def cycling_days(home: Home, count: int = 3) -> list[CyclingDay]:
    """Return the last ``count`` whole local days; starts are placed in the middle of their interval."""
    first = home.today - timedelta(days=count)
    starts: dict[date, list[float]] = {day: [] for day in days(first, home.today - timedelta(days=1))}
    fields = ["compressor_starts"]
    for row in home.store.rows(
        home.id, "interval", home.midnight(first), home.midnight(home.today), fields=fields
    ):
        middle = row.at + INTERVAL_S / 2
        day = datetime.fromtimestamp(middle, home.options.zone).date()
        starts[day] += [middle] * round(row.values["compressor_starts"] or 0)
    return [cycling_day(each) for each in starts.values()]
