"""What the engine asks InfluxDB, in whole numbers as ``Engine`` speaks them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from itertools import pairwise
from typing import NamedTuple

from ..cutting import Stretch
from ..engine import LAST_TIME, Fields, Point, SourceKey, Total, joined
from ..schema import measurement_named, scales_of
from . import flux
from .answers import epoch_of
from .connection import Connection
from .lines import HOUR, device_of, tag_of

HOUR_S = 3600
_ROWS_AT_ONCE = 5000
_TRIES = 3

_Figures = tuple[int | None, int | None, int | None, int | None]
"""As ``Total``; None for what is not known."""


class Windows(NamedTuple):
    """[start, end) in windows of one length, from raw values or from the sums of hours."""

    start: int
    end: int
    length_s: int
    by_hour: bool


class Place(NamedTuple):
    """One value's place in the points of a measurement and device: circuit, time, field."""

    circuit: str
    at: int
    field: str


def windows_of(stretches: Iterable[Stretch], summed_until: int) -> list[Windows]:
    """Return the fewest windows that make up the stretches: neighbours of one length share a question. What
    has whole hours that are summed comes from those."""
    found: list[Windows] = []
    for start, end in stretches:
        whole = start % HOUR_S == end % HOUR_S == 0
        middle = max(start, min(end, summed_until)) if whole else start
        for first, last, by_hour in ((start, middle, True), (middle, end, False)):
            if first == last:
                continue
            before = found[-1] if found else None
            length_s = last - first
            if before and (before.end, before.length_s, before.by_hour) == (first, length_s, by_hour):
                found[-1] = before._replace(end=last)
            else:
                found.append(Windows(first, last, length_s, by_hour))
    return found


def read_windows(
    connection: Connection, fields: Fields, windows: Windows
) -> Iterator[tuple[int, str, Total]]:
    """Yield (start of a window, field, total) where there is one, of all devices together.

    InfluxDB works sum, count, least and greatest value out one after the other. Where a value came in
    between they do not fit, and all are asked for again; a window that still lacks one is left out.
    """
    for _ in range(_TRIES):
        found = _windows(connection, fields, windows)
        if all(_fit(total) for total in found.values()):
            break
    for (start, field), (count, *figures) in found.items():
        whole = [figure for figure in figures if figure is not None]
        if count is not None and len(whole) == len(figures):
            yield start, field, (count, whole[0], whole[1], whole[2])


def _windows(connection: Connection, fields: Fields, windows: Windows) -> dict[tuple[int, str], _Figures]:
    suffixes = {"sum": "", "count": "_count", "min": "_min", "max": "_max"} if windows.by_hour else {}
    named = {
        name: text
        for aggregate in flux.AGGREGATES
        for name, text in flux.parameters(
            f"_{aggregate}", tuple(field + suffixes.get(aggregate, "") for field in fields.names)
        ).items()
    }
    rows = connection.ask(
        flux.totals(len(fields.names), circuit=bool(fields.circuit), by_hour=windows.by_hour),
        windows.start,
        windows.end,
        ("_time", "_field", "_value"),
        _measurement=fields.measurement + (HOUR if windows.by_hour else ""),
        _site=str(fields.site),
        _circuit=fields.circuit or None,
        _every=timedelta(seconds=windows.length_s),
        _offset=timedelta(seconds=windows.start % windows.length_s),
        **named,
    )
    scales = scales_of(fields.measurement)
    found: dict[tuple[int, str], dict[str, list[int]]] = {}
    for aggregate, (at, name, value) in rows:
        field = name.removesuffix(suffixes.get(aggregate, ""))
        scale = 1 if aggregate == "count" else scales[field]
        place = epoch_of(at), field
        found.setdefault(place, {}).setdefault(aggregate, []).append(round(float(value) * scale))
    return {place: _over_devices(of_devices) for place, of_devices in found.items()}


def _over_devices(values: dict[str, list[int]]) -> _Figures:
    return (
        sum(values["count"]) if "count" in values else None,
        sum(values["sum"]) if "sum" in values else None,
        min(values["min"]) if "min" in values else None,
        max(values["max"]) if "max" in values else None,
    )


def _fit(figures: _Figures) -> bool:
    count, total, least, greatest = figures
    if count is None or total is None or least is None or greatest is None:
        return False
    inexact = abs(total) // 10**9  # floats were summed up
    return count * least - inexact <= total <= count * greatest + inexact


def read_latest(connection: Connection, fields: Fields, since: int, until: int) -> dict[str, tuple[int, int]]:
    """Return (time, value) of each field's newest value."""
    rows = connection.ask(
        flux.latest(len(fields.names), circuit=bool(fields.circuit)),
        since,
        until,
        ("_time", "_field", "_value"),
        _measurement=fields.measurement,
        _site=str(fields.site),
        _circuit=fields.circuit or None,
        **flux.parameters("_field", fields.names),
    )
    scales = scales_of(fields.measurement)
    newest: dict[str, tuple[int, int]] = {}
    for _, (time, field, value) in rows:
        at = epoch_of(time)
        if field not in newest or at > newest[field][0]:
            newest[field] = at, round(float(value) * scales[field])
    return newest


def read_edges(
    connection: Connection, site: int, measurement: str, device: str | None, start: int, end: int
) -> tuple[int, int] | None:
    """Return the first and the last time of any point."""
    rows = connection.ask(
        flux.edges(device=device is not None),
        start,
        end,
        ("_time",),
        _measurement=measurement,
        _site=str(site),
        _device=None if device is None else tag_of(device),
    )
    times = [epoch_of(time) for _, (time,) in rows]
    return (min(times), max(times)) if times else None


def read_points(
    connection: Connection, source: SourceKey, fields: Sequence[str], start: int, end: int
) -> Iterator[Point]:
    """Yield points, rising, read in portions. Long stretches without any are skipped."""
    portion_s = _ROWS_AT_ONCE * measurement_named(source.measurement).step_s
    around = source.site, source.measurement, source.device
    at = start
    while at < end:
        found = _portion(connection, source, fields, at, min(at + portion_s, end))
        yield from found
        at += portion_s
        if not found and at < end:
            edges = read_edges(connection, *around, at, end)
            if edges is None:
                return
            at, end = edges[0], edges[1] + 1


def _portion(
    connection: Connection, source: SourceKey, fields: Sequence[str], start: int, end: int
) -> list[Point]:
    rows = connection.ask(
        flux.points(len(fields), circuit=bool(source.circuit)),
        start,
        end,
        ("_time", "_field", "_value"),
        _measurement=source.measurement,
        _site=str(source.site),
        _device=tag_of(source.device),
        _circuit=source.circuit or None,
        **flux.parameters("_field", tuple(fields)),
    )
    scales = scales_of(source.measurement)
    places = {field: (place, scales[field]) for place, field in enumerate(fields)}
    points: dict[str, list[int | None]] = {}
    for _, (time, field, value) in rows:
        place, scale = places[field]
        if time not in points:
            points[time] = [None] * len(fields)
        points[time][place] = round(float(value) * scale)
    return sorted((epoch_of(time), values) for time, values in points.items())


def read_values(
    connection: Connection, measurement: str, site: int, device: str, start: int, end: int
) -> dict[Place, float]:
    """Return everything of heatmon's that a device has in [start, end), as stored. ``measurement`` may be one
    of sums."""
    is_sums = measurement.endswith(HOUR)
    ends = ("", "_count", "_min", "_max") if is_sums else ("",)
    known = {field + end for field in scales_of(measurement.removesuffix(HOUR)) for end in ends}
    rows = connection.ask(
        flux.device_points(),
        start,
        end,
        ("_time", "_field", "_value", "circuit"),
        _measurement=measurement,
        _site=str(site),
        _device=tag_of(device),
    )
    return {
        Place(circuit, epoch_of(time), field): float(value)
        for _, (time, field, value, circuit) in rows
        if field in known
    }


def read_hours(
    connection: Connection, site: int, measurement: str, start: int, end: int
) -> dict[tuple[SourceKey, int], dict[str, float]]:
    """Return (source, hour) → the fields of its sums, from raw values."""
    scales = scales_of(measurement)
    rows = connection.ask(
        flux.hours(len(scales)),
        start,
        end,
        ("_time", "_field", "_value", "device", "circuit"),
        _measurement=measurement,
        _site=str(site),
        _every=timedelta(seconds=HOUR_S),
        _offset=timedelta(0),
        **flux.parameters("_field", tuple(scales)),
    )
    found: dict[tuple[SourceKey, int], dict[str, float]] = {}
    for aggregate, (time, field, value, device, circuit) in rows:
        source = SourceKey(site, measurement, device_of(device), circuit)
        name = field if aggregate == "sum" else f"{field}_{aggregate}"
        scale = 1 if aggregate == "count" else scales[field]
        found.setdefault((source, epoch_of(time)), {})[name] = round(float(value) * scale) / scale
    return found


def read_sources(connection: Connection, site: int, measurements: Iterable[str]) -> set[SourceKey]:
    """Return all sources of a site; over all times, so asked only where nothing is known."""
    rows = connection.ask(
        flux.sources(), 0, LAST_TIME, ("_measurement", "device", "circuit"), _site=str(site)
    )
    wanted = set(measurements)
    return {
        SourceKey(site, measurement, device_of(device), circuit)
        for _, (measurement, device, circuit) in rows
        if measurement in wanted
    }


def runs(times: Iterable[int], gap_s: int) -> Iterator[tuple[int, int]]:
    """Yield [first, last + 1) of times that lie at most ``gap_s`` apart."""
    ordered = sorted(set(times))
    first = ordered[:1]
    for one, other in pairwise(ordered):
        if other - one > gap_s:
            yield first[0], one + 1
            first = [other]
    if ordered:
        yield first[0], ordered[-1] + 1


def add_totals(totals: dict[tuple[int, str], Total], key: tuple[int, str], total: Total) -> None:
    """Join a total to what is there."""
    totals[key] = joined(totals.get(key), total)
