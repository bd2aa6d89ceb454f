"""Charts' data from a store: which step, which numbers; and the latest values.

Above the engines, so that every store gives the same answers.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

from django.utils.translation import gettext as _

from .store.base import Sample, Series, TimeSeriesStore, UnknownSeries
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

INTERVAL_S = 300
LEAST_ENERGY_WH = 100.0

_RATIOS: Mapping[str, tuple[str, str]] = {
    "cop": ("full_thermal_energy_wh", "full_electrical_energy_wh"),
    "cop_delta_t": ("full_delta_t_thermal_energy_wh", "full_delta_t_electrical_energy_wh"),
}
"""Series whose mean is a sum over a sum: name → (heat, electricity)."""


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
    store: TimeSeriesStore,
    site: int,
    names: Sequence[str],
    start: datetime,
    end: datetime,
    points: int = POINTS_DEFAULT,
) -> History:
    """Every named series over [start, end) in at most ``points`` steps of one length.

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
            name: _line(store, site, name, field, first, last, step_s)
            for name, (_measurement, field) in fields.items()
        },
    )


def step_for(start: int, end: int, points: int, native_s: int) -> int:
    """The shortest step, not below ``native_s``, of which at most ``points`` touch [start, end)."""
    for step_s in STEPS_S:
        if step_s >= native_s and -(-end // step_s) - start // step_s <= points:
            return step_s
    return STEPS_S[-1]


def latest(
    store: TimeSeriesStore, site: int, names: Sequence[str], at: datetime, max_age_s: int
) -> dict[str, Sample | None]:
    """The newest value of each series that is at most ``max_age_s`` old at ``at``; nothing older."""
    return store.latest(site, names, int(at.timestamp()) - max_age_s)


def csv_rows(history: History, zone: tzinfo) -> Iterator[list[str]]:
    """A header and one row a step: local time with offset, then mean, min and max of each series."""
    lines = history.series.values()
    yield ["time", *[f"{name}{suffix}" for name in history.series for suffix in ("", "_min", "_max")]]
    times = next(iter(lines)).time if lines else []
    for index, at in enumerate(times):
        yield [
            datetime.fromtimestamp(at, zone).isoformat(),
            *[_text(values[index]) for line in lines for values in (line.mean, line.min, line.max)],
        ]


def _text(value: float | None) -> str:
    return "" if value is None else repr(round(value, 4))


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
                _("Unknown series %(name)s; known are %(names)s.")
                % {"name": name, "names": ", ".join(error.names)},
            ) from error
        fields[name] = measurement, field
    return fields


def _check_range(start: datetime, end: datetime) -> None:
    for field, at in (("from", start), ("to", end)):
        if at.tzinfo is None:
            raise QueryInvalid(field, _("A time needs its offset from UTC."))
        if not datetime(YEAR_MIN, 1, 1, tzinfo=UTC) <= at <= datetime(YEAR_MAX, 1, 1, tzinfo=UTC):
            raise QueryInvalid(
                field,
                _("The time must lie between %(first)d and %(last)d.")
                % {"first": YEAR_MIN, "last": YEAR_MAX},
            )
    if end <= start:
        raise QueryInvalid("to", _("The end must be later than the start."))


def _line(
    store: TimeSeriesStore, site: int, name: str, field: Field, start: int, end: int, step_s: int
) -> SeriesData:
    found = store.series(site, name, start, end, step_s)
    mean = found.mean
    if name in _RATIOS and step_s > INTERVAL_S:
        heat, electricity = (store.series(site, part, start, end, step_s) for part in _RATIOS[name])
        mean = _ratios(heat, electricity)
    return SeriesData(unit=field.unit, time=found.time, mean=mean, min=found.min, max=found.max)


def _ratios(heat: Series, electricity: Series) -> list[float | None]:
    """ΣQ/ΣE of each step; None below 0.1 kWh of electricity or without heat."""
    return [
        q / e if q and e is not None and e >= LEAST_ENERGY_WH else None
        for q, e in zip(heat.sum, electricity.sum, strict=True)
    ]
