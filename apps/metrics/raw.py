"""Raw rows as the derivation needs them: by interval and minute, one meter and one heat pump at a time.

Power and energy are sums over channels as the phases give them, so that a change of roles takes effect
on history; a row that only has the total counts with that.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from .energy import CounterReading
from .heat import Snapshot
from .intervals import PumpState
from .running import INTERVAL_S
from .store.base import Row, TimeSeriesStore

SHORT_S = 6 * 3600
POLLS = 30
MINUTES = 5

PUMP_FIELDS = (
    "outside_temperature_c",
    "supply_temperature_c",
    "return_temperature_c",
    "secondary_supply_temperature_c",
    "primary_supply_temperature_c",
    "modulation_percent",
    "rated_power_kw",
    "compressor_active",
    "compressor_phase",
    "dhw_charging",
    "dhw_charging_at",
    "requested_at",
    "heating_rod_level_one_s",
    "heating_rod_level_two_s",
)


@dataclass(slots=True)
class Buckets:
    """Count, sum, least and greatest value of one series, by interval."""

    count: list[int] = field(default_factory=list)
    sum: list[float | None] = field(default_factory=list)
    min: list[float | None] = field(default_factory=list)
    max: list[float | None] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Channels:
    """One quantity of a measurement: its field by channel, and the field of the total."""

    measurement: str
    fields: tuple[str, ...]
    total: str
    decimals: int

    @property
    def all_fields(self) -> tuple[str, ...]:
        return (*self.fields, self.total)


def power_of(channels: Iterable[str]) -> Channels:
    return Channels("meter", tuple(f"power_{name}_w" for name in channels), "power_w", 1)


def energy_of(channels: Iterable[str]) -> Channels:
    return Channels("meter_minute", tuple(f"energy_{name}_wh" for name in channels), "energy_wh", 4)


@dataclass(slots=True)
class Combined:
    """Channels joined, by interval. ``complete``: every expected row of every channel that shows up is
    there; sums and bounds are only meaningful then."""

    complete: list[bool] = field(default_factory=list)
    sum: list[float] = field(default_factory=list)
    low: list[float] = field(default_factory=list)
    high: list[float] = field(default_factory=list)

    def add(self, present: Sequence[Buckets], index: int, expected: int, decimals: int) -> None:
        """One more interval, from the channels that show up in it."""
        sum_, low, high = 0.0, 0.0, 0.0
        is_complete = bool(present)
        for each in present:
            if each.count[index] != expected:
                is_complete = False
                break
            sum_ += each.sum[index] or 0.0
            low += each.min[index] or 0.0
            high += each.max[index] or 0.0
        self.complete.append(is_complete)
        self.sum.append(round(sum_, decimals) if is_complete else 0.0)
        self.low.append(round(low, decimals) if is_complete else 0.0)
        self.high.append(round(high, decimals) if is_complete else 0.0)


def combined(
    store: TimeSeriesStore, site: int, quantity: Channels, start: int, end: int, expected: int
) -> Combined:
    """The channels' values by interval of [start, end). ``expected`` rows make an interval complete."""
    buckets = _buckets(store, site, quantity.measurement, quantity.fields, start, end)
    size = (end - start) // INTERVAL_S
    counts = [buckets[name].count for name in quantity.fields]
    total: Buckets | None = None
    if not counts or not all(map(any, zip(*counts, strict=True))):
        total = _buckets(store, site, quantity.measurement, (quantity.total,), start, end)[quantity.total]
    result = Combined()
    for index in range(size):
        present = [buckets[name] for name in quantity.fields if buckets[name].count[index]]
        if not present and total is not None and total.count[index]:
            present = [total]
        result.add(present, index, expected, quantity.decimals)
    return result


def _buckets(
    store: TimeSeriesStore, site: int, measurement: str, names: Sequence[str], start: int, end: int
) -> dict[str, Buckets]:
    if end - start > SHORT_S:
        found = {}
        for name in names:
            series = store.series(site, name, start, end, INTERVAL_S)
            found[name] = Buckets(series.count, series.sum, series.min, series.max)
        return found
    return _buckets_of_rows(store.rows(site, measurement, start, end, fields=names), names, start, end)


def _buckets_of_rows(rows: Iterable[Row], names: Sequence[str], start: int, end: int) -> dict[str, Buckets]:
    """The same from raw rows: cheaper than rollups for a few hours."""
    size = (end - start) // INTERVAL_S
    values: dict[str, list[list[float]]] = {name: [[] for _ in range(size)] for name in names}
    for row in rows:
        index = (row.at - start) // INTERVAL_S
        for name in names:
            value = row.values.get(name)
            if value is not None:
                values[name][index].append(value)
    return {
        name: Buckets(
            [len(each) for each in lists],
            [math.fsum(each) if each else None for each in lists],
            [min(each, default=None) for each in lists],
            [max(each, default=None) for each in lists],
        )
        for name, lists in values.items()
    }


def by_time(
    store: TimeSeriesStore, site: int, quantity: Channels, start: int, end: int
) -> dict[int, list[tuple[int, float]]]:
    """Interval → (time, value) of its rows, channels added up; at most one meter at an instant.

    A row in which a channel is missing that the interval otherwise shows is left out.
    """
    groups: dict[int, list[Row]] = {}
    for row in store.rows(site, quantity.measurement, start, end, fields=quantity.all_fields):
        groups.setdefault(row.at - row.at % INTERVAL_S, []).append(row)
    return {interval: _added(rows, quantity) for interval, rows in groups.items()}


def _added(rows: list[Row], quantity: Channels) -> list[tuple[int, float]]:
    rows = _one_device(rows)
    present = [name for name in quantity.fields if any(row.values.get(name) is not None for row in rows)]
    added = []
    for row in rows:
        values = [row.values.get(name) for name in present or (quantity.total,)]
        known = [value for value in values if value is not None]
        if len(known) == len(values):
            added.append((row.at, round(sum(known), quantity.decimals)))
    return added


def _one_device(rows: list[Row]) -> list[Row]:
    """Of two meters at one instant the one with more rows here; then the greater name."""
    devices = {row.device for row in rows}
    if len(devices) == 1:
        return rows
    weight = {device: (sum(row.device == device for row in rows), device) for device in devices}
    chosen: dict[int, Row] = {}
    for row in rows:
        other = chosen.get(row.at)
        if other is None or weight[row.device] > weight[other.device]:
            chosen[row.at] = row
    return [chosen[at] for at in sorted(chosen)]


def minute_energies(
    store: TimeSeriesStore, site: int, channels: Iterable[str], start: int, end: int
) -> dict[int, float]:
    """Minute start → energy [Wh]."""
    found = by_time(store, site, energy_of(channels), start, end)
    return {at: value for rows in found.values() for at, value in rows}


def counter_readings(
    store: TimeSeriesStore, site: int, channels: Sequence[str], start: int, end: int
) -> list[CounterReading]:
    """Counters at the minute edges in [start, end), in order of time."""
    names = [f"energy_counter_{name}_wh" for name in channels]
    return [
        CounterReading(
            at=row.at,
            wh=tuple(row.values.get(name) for name in names),
            series=f"{row.device}/{'mono' if row.values.get('monophase') else 'tri'}",
        )
        for row in store.rows(site, "meter_counter", start, end, fields=[*names, "monophase"])
        if any(row.values.get(name) is not None for name in names)
    ]


def next_counter(store: TimeSeriesStore, site: int, at: int, last: int) -> int | None:
    """Time of the first counter reading in [at, last]; None without one."""
    return _search(
        lambda near, far: next(
            (row.at for row in store.rows(site, "meter_counter", at + near, min(at + far, last + 1))), None
        ),
        last + 1 - at,
    )


def previous_counter(store: TimeSeriesStore, site: int, at: int, first: int) -> int | None:
    """Time of the last counter reading in [first, at]; None without one."""

    def last_in(near: int, far: int) -> int | None:
        found = None
        for row in store.rows(site, "meter_counter", max(first, at + 1 - far), at + 1 - near):
            found = row.at
        return found

    return _search(last_in, at + 1 - first)


def _search(look: Callable[[int, int], int | None], reach_s: int) -> int | None:
    near, far = 0, 600
    while near < reach_s:
        found = look(near, min(far, reach_s))
        if found is not None:
            return found
        near, far = far, far * 6
    return None


def modulations(store: TimeSeriesStore, site: int, start: int, end: int) -> Iterable[float | None]:
    """Modulations shown in [start, end) [%]; of a long stretch the least and greatest of each interval."""
    name = "modulation_percent"
    if end - start > SHORT_S:
        series = store.series(site, name, start, end, INTERVAL_S)
        return {*series.min, *series.max}
    return [row.values.get(name) for row in store.rows(site, "heat_pump", start, end, fields=[name])]


def pump_states(
    store: TimeSeriesStore, site: int, device: str | None, start: int, end: int
) -> dict[int, PumpState]:
    """Interval → what the heat pump said in it; of several devices ``device``, else the latest answer."""
    found: dict[int, Row] = {}
    for row in store.rows(site, "heat_pump", start, end, fields=PUMP_FIELDS):
        interval = row.at - row.at % INTERVAL_S
        other = found.get(interval)
        if other is None or _rank(row, device) > _rank(other, device):
            found[interval] = row
    return {interval: _pump_state(row) for interval, row in found.items()}


def _rank(row: Row, device: str | None) -> tuple[bool, float, str]:
    return row.device == device, row.values.get("requested_at") or float(row.at), row.device


def _pump_state(row: Row) -> PumpState:
    value = row.values.get
    secondary = value("secondary_supply_temperature_c")
    flow = secondary if secondary is not None else value("supply_temperature_c")
    primary = value("primary_supply_temperature_c")
    rods = [each for level in ("one", "two") if (each := value(f"heating_rod_level_{level}_s")) is not None]
    return PumpState(
        snapshot=Snapshot(
            active=_truth(value("compressor_active")),
            phase=value("compressor_phase"),
            modulation_percent=value("modulation_percent"),
            rated_power_kw=value("rated_power_kw"),
            secondary_supply_temperature_c=secondary,
            return_temperature_c=value("return_temperature_c"),
        ),
        requested_at=value("requested_at"),
        dhw_charging=_truth(value("dhw_charging")),
        dhw_charging_at=value("dhw_charging_at"),
        flow_temperature_c=flow,
        source_temperature_c=primary if primary is not None else value("outside_temperature_c"),
        rod_s=sum(rods) if rods else None,
    )


def _truth(value: float | None) -> bool | None:
    return None if value is None else value != 0
