"""From floats to whole multiples of the schema's resolution and back, the same for every engine."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .base import Aggregate, Row, Series, UnknownSeries
from .engine import LARGEST_INTEGER, LAST_TIME, Batch, SourceKey, Total
from .schema import scales_of


def batches_of(rows: Iterable[Row]) -> list[Batch]:
    """Return the rows by source and given fields; of several rows of one instant the later one's values win.

    Raises UnknownSeries, KeyError (measurement) or ValueError (time or value out of range).
    """
    merged: dict[SourceKey, dict[int, Mapping[str, float | None]]] = {}
    for row in rows:
        if not 0 <= row.at < LAST_TIME:
            raise ValueError(f"time {row.at} is outside of 1970 to 2100")
        if not row.values:
            continue
        by_time = merged.setdefault(SourceKey(row.site, row.measurement, row.device, row.circuit), {})
        earlier = by_time.get(row.at)
        by_time[row.at] = row.values if earlier is None else {**earlier, **row.values}
    return [_batch(source, by_time) for source, by_time in merged.items()]


def _batch(source: SourceKey, by_time: Mapping[int, Mapping[str, float | None]]) -> Batch:
    scales = scales_of(source.measurement)
    points: dict[tuple[str, ...], list[tuple[int, list[int | None]]]] = {}
    for at, values in by_time.items():
        fields = tuple(values)
        same = points.get(fields)
        if same is None:
            check_fields(source.measurement, fields)
            same = points[fields] = []
        same.append((at, [whole(field, value, scales[field]) for field, value in values.items()]))
    return Batch(source, points)


def check_fields(measurement: str, fields: Iterable[str]) -> None:
    """Raise UnknownSeries for a field that the measurement lacks, KeyError for an unknown measurement."""
    scales = scales_of(measurement)
    for field in fields:
        if field not in scales:
            raise UnknownSeries(field, list(scales))


def whole(field: str, value: float | None, scale: int) -> int | None:
    """Return ``value`` as a multiple of the resolution. Raises ValueError for what is not a number or too
    large."""
    if value is None:
        return None
    scaled = value * scale
    if not -LARGEST_INTEGER <= scaled <= LARGEST_INTEGER:  # NaN fails too
        raise ValueError(f"{field} cannot be {value}")
    return round(scaled)


def whole_column(field: str, column: Any, scale: int) -> Sequence[float | None]:
    """Do as ``whole`` for a list or numpy array, in which NaN is missing too and stays NaN in an array."""
    if hasattr(column, "tolist"):
        scaled = (column * float(scale)).round()
        if bool((abs(scaled) > LARGEST_INTEGER).any()):
            raise ValueError(f"{field} has a value that cannot be stored")
        listed: list[float] = scaled.tolist()
        return listed
    return [whole(field, None if value != value else value, scale) for value in column]


def as_series(name: str, scale: int, start: int, step_s: int, totals: Sequence[Total | None]) -> Series:
    """Return a series of the steps from ``start`` on."""
    return Series(
        name=name,
        step_s=step_s,
        time=list(range(start, start + len(totals) * step_s, step_s)),
        count=[0 if total is None else total[0] for total in totals],
        sum=[None if total is None else total[1] / scale for total in totals],
        mean=[None if total is None else total[1] / total[0] / scale for total in totals],
        min=[None if total is None else total[2] / scale for total in totals],
        max=[None if total is None else total[3] / scale for total in totals],
    )


def as_aggregate(total: Total | None, scale: int) -> Aggregate:
    """Return an aggregate in the field's unit."""
    if total is None:
        return Aggregate()
    return Aggregate(count=total[0], sum=total[1] / scale, min=total[2] / scale, max=total[3] / scale)
