"""Charts' data from a store: which step, which numbers; and the latest values.

Above the engines, so that every store returns the same answers.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any

from django.utils.translation import gettext as _

from .grid import INTERVAL_S
from .heat import known_heat
from .home import Home
from .metered import minute_energy_series, power_series
from .store.base import Series, UnknownSeries
from .store.schema import Field, Measurement, field_of, series_names

POINTS_DEFAULT = 1000
POINTS_MIN, POINTS_MAX = 10, 5000
SERIES_MAX = 50
YEAR_MIN, YEAR_MAX = 1970, 2100

DAY_S = 86_400
STEPS_S = (
    *(10, 20, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, DAY_S, 2 * DAY_S),
    *(7 * DAY_S << doubled for doubled in range(12)),
)
"""Lengths of a chart's steps [s]; the last one shows 130 years in ten steps."""

LEAST_ENERGY_WH = 100.0
MINUTE_S = 60
POLL_S = 10
POLLS_SUFFICE = 0.9
"""Share of the polls of a step from which on minutes are not asked for."""

RATIOS: Mapping[str, tuple[str, str]] = {
    "cop": ("full_thermal_energy_wh", "full_electrical_energy_wh"),
    "cop_delta_t": ("full_delta_t_thermal_energy_wh", "full_delta_t_electrical_energy_wh"),
}
"""Series whose mean is a sum over a sum: name → (heat, electricity)."""

HEATS: Mapping[str, str] = {
    "thermal_power_modulation_kw": "full_electrical_energy_wh",
    "thermal_power_delta_t_kw": "full_delta_t_electrical_energy_wh",
}
"""Heats → the electricity of the intervals that know them."""

ENERGIES: Mapping[str, str] = {
    "power_w": "energy_wh",
    "power_a_w": "energy_a_wh",
    "power_b_w": "energy_b_wh",
    "power_c_w": "energy_c_wh",
}
"""Powers → the energy of a minute that gives them where polls are missing."""


class QueryInvalid(ValueError):
    """The question cannot be answered as asked. ``field``: series, from, to or points."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field
        self.message = message


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesData:
    """One line of a chart: per step its start [epoch s], mean, smallest and largest value; None where
    nothing was measured."""

    unit: str
    time: list[int]
    mean: list[float | None]
    min: list[float | None]
    max: list[float | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """Lines on one grid of steps. ``start`` and ``end`` are as asked; the first step may begin earlier."""

    start: datetime
    end: datetime
    step_s: int
    series: dict[str, SeriesData]


def history(
    home: Home,
    names: Sequence[str],
    start: datetime,
    end: datetime,
    points: int = POINTS_DEFAULT,
) -> History:
    """Return every named series over [start, end) in at most ``points`` steps of one length.

    Raises QueryInvalid, and StoreUnavailable.
    """
    fields = _fields(names)
    _check_range(start, end)
    if not POINTS_MIN <= points <= POINTS_MAX:
        raise QueryInvalid(
            "points",
            _("points must be between %(low)d and %(high)d.") % {"low": POINTS_MIN, "high": POINTS_MAX},
        )
    first, last = int(start.timestamp()), math.ceil(end.timestamp())
    native_s = max(measurement.step_s for measurement, _field in fields.values())
    step_s = step_for(first, last, points, native_s)
    return History(
        start=start,
        end=end,
        step_s=step_s,
        series={
            name: _line(home, name, field, first, last, step_s)
            for name, (_measurement, field) in fields.items()
        },
    )


def step_for(start: int, end: int, points: int, native_s: int) -> int:
    """Return the shortest step, not below ``native_s``, of which at most ``points`` touch [start, end)."""
    for step_s in STEPS_S:
        if step_s >= native_s and -(-end // step_s) - start // step_s <= points:
            return step_s
    return STEPS_S[-1]


def as_table(history: History, zone: tzinfo) -> tuple[list[str], Iterator[list[Any]]]:
    """Return column names and one row per step: local time, then mean, min and max of each series."""
    lines = list(history.series.values())
    columns = ["time", *[f"{name}{suffix}" for name in history.series for suffix in ("", "_min", "_max")]]
    times = lines[0].time if lines else []
    rows = (
        [
            datetime.fromtimestamp(at, zone),
            *[values[index] for line in lines for values in (line.mean, line.min, line.max)],
        ]
        for index, at in enumerate(times)
    )
    return columns, rows


def _fields(names: Sequence[str]) -> dict[str, tuple[Measurement, Field]]:
    if not names:
        raise QueryInvalid("series", _("Name at least one series."))
    if len(names) > SERIES_MAX:
        raise QueryInvalid("series", _("At most %(count)d series at once.") % {"count": SERIES_MAX})
    fields: dict[str, tuple[Measurement, Field]] = {}
    for name in names:
        try:
            measurement, field, circuit = field_of(name)
            if "." in name and not (circuit.isascii() and circuit.isdigit()):
                raise UnknownSeries(name, series_names())
        except UnknownSeries as error:
            raise QueryInvalid(
                "series",
                _("Unknown series %(name)s; available: %(names)s.")
                % {"name": name, "names": ", ".join(error.names)},
            ) from error
        fields[name] = measurement, field
    return fields


def _check_range(start: datetime, end: datetime) -> None:
    for field, at in (("from", start), ("to", end)):
        if at.tzinfo is None:
            raise QueryInvalid(field, _("A time needs a UTC offset."))
        if not datetime(YEAR_MIN, 1, 1, tzinfo=UTC) <= at <= datetime(YEAR_MAX, 1, 1, tzinfo=UTC):
            raise QueryInvalid(
                field,
                _("The time must be between %(first)d and %(last)d.") % {"first": YEAR_MIN, "last": YEAR_MAX},
            )
    if end <= start:
        raise QueryInvalid("to", _("The end must be later than the start."))


def _line(home: Home, name: str, field: Field, start: int, end: int, step_s: int) -> SeriesData:
    if name in ENERGIES:
        return _power(home, name, field, start, end, step_s)
    found = home.store.series(home.id, name, start, end, step_s)
    mean = found.mean
    if step_s > INTERVAL_S and name in RATIOS:
        heat, electricity = (
            home.store.series(home.id, part, start, end, step_s).sum for part in RATIOS[name]
        )
        mean = [ratio(q, e) for q, e in zip(heat, electricity, strict=True)]
    elif step_s > INTERVAL_S and name in HEATS and 0.0 in mean:
        sums = [home.store.series(home.id, part, start, end, step_s).sum for part in zero_parts(name)]
        mean = [
            known_heat(value, run_s=run_s, full_energy_wh=full, energy_wh=energy, cooling_wh=cooling)
            for value, run_s, full, energy, cooling in zip(mean, *sums, strict=True)
        ]
    return SeriesData(unit=field.unit, time=found.time, mean=mean, min=found.min, max=found.max)


def _power(home: Home, name: str, field: Field, start: int, end: int, step_s: int) -> SeriesData:
    """Return power from the polls, and from minute energy where that covers more of a step.

    Minutes that were fetched later, or imported, have no polls: their power is known all the same.
    """
    found = _polled(home, name, start, end, step_s)
    line = SeriesData(unit=field.unit, time=found.time, mean=found.mean, min=found.min, max=found.max)
    expected = step_s // POLL_S
    if min(found.count, default=expected) >= expected * POLLS_SUFFICE:
        return line
    minutes = _by_minute(home, name, start, end, max(step_s, MINUTE_S))
    places = {at: index for index, at in enumerate(minutes.time)}
    for index, at in enumerate(found.time):
        place = places[at - at % minutes.step_s]
        known_s = min(minutes.count[place] * MINUTE_S, step_s)
        if known_s > found.count[index] * POLL_S:
            line.mean[index] = _watts(minutes.mean[place])
            line.min[index], line.max[index] = _watts(minutes.min[place]), _watts(minutes.max[place])
    return line


def _polled(home: Home, name: str, start: int, end: int, step_s: int) -> Series:
    if name == "power_w":
        return power_series(home, start, end, step_s)
    return home.store.series(home.id, name, start, end, step_s)


def _by_minute(home: Home, name: str, start: int, end: int, step_s: int) -> Series:
    if name == "power_w":
        return minute_energy_series(home, start, end, step_s)
    return home.store.series(home.id, ENERGIES[name], start, end, step_s)


def _watts(minute_wh: float | None) -> float | None:
    return None if minute_wh is None else round(minute_wh * 3600 / MINUTE_S, 1)


def means_between(home: Home, names: Sequence[str], edges: Sequence[int]) -> dict[str, list[float | None]]:
    """Return the mean of every named series between neighbouring edges (rising epoch s, multiples of 300).

    The same rules as in ``history``: a COP is a sum over a sum, a heat of 0 that is none is None.
    """
    wanted = {*names}
    for name in names:
        wanted.update(RATIOS.get(name, ()), zero_parts(name) if name in HEATS else ())
    sums = home.store.sums(home.id, sorted(wanted), edges)

    def mean(name: str, index: int) -> float | None:
        if name in RATIOS:
            return ratio(*(sums[part][index].sum for part in RATIOS[name]))
        if name in HEATS:
            run_s, full, energy, cooling = (sums[part][index].sum for part in zero_parts(name))
            return known_heat(
                sums[name][index].mean,
                run_s=run_s,
                full_energy_wh=full,
                energy_wh=energy,
                cooling_wh=cooling,
            )
        return sums[name][index].mean

    return {name: [mean(name, index) for index in range(len(edges) - 1)] for name in names}


def zero_parts(name: str) -> tuple[str, str, str, str]:
    """Series that tell whether a heat of 0 is one, in the order of ``known_heat``."""
    return "compressor_run_s", HEATS[name], "electrical_energy_wh", "electrical_energy_cooling_wh"


def ratio(heat_wh: float | None, energy_wh: float | None) -> float | None:
    """Return ΣQ/ΣE of a step; None below 0.1 kWh of electricity or without heat."""
    if not heat_wh or energy_wh is None or energy_wh < LEAST_ENERGY_WH:
        return None
    return heat_wh / energy_wh
