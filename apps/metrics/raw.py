"""The raw rows of one derivation, as it needs them: by interval and minute, one meter and one heat pump
at a time."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from .channels import Buckets, Channels, Combined, buckets_of, by_interval, energy_of, power_of
from .energy import CounterReading
from .grid import INTERVAL_S, interval_of
from .heat import Snapshot
from .intervals import PumpState
from .parameters import SiteParameters
from .silence import LOOK_S, Answer, open_from, open_until, repeats
from .store.base import Row, TimeSeriesStore

SHORT_S = 6 * 3600
_CHANNELS = ("a", "b", "c")
PUMP_FIELDS = (
    "outside_temperature_c",
    "supply_temperature_c",
    "return_temperature_c",
    "secondary_supply_temperature_c",
    "primary_supply_temperature_c",
    "modulation_percent",
    "rated_power_kw",
    "compressors_output_kw",
    "compressor_active",
    "compressor_phase",
    "dhw_charging",
    "dhw_charging_at",
    "newest_source_at",
    "requested_at",
    "heating_rod_level_one_s",
    "heating_rod_level_two_s",
)
_FIELDS: dict[str, Sequence[str]] = {
    "meter": power_of(_CHANNELS).all_fields,
    "meter_minute": energy_of(_CHANNELS).all_fields,
    "meter_counter": (*(f"energy_counter_{name}_wh" for name in _CHANNELS), "monophase"),
    "heat_pump": PUMP_FIELDS,
}
# How far around a short stretch rows are kept: polls are many and needed for the state at the edges only.
_REACH_S = {"meter": INTERVAL_S, "meter_minute": 900, "meter_counter": 900, "heat_pump": 900 + LOOK_S}


@dataclass(frozen=True, slots=True)
class _Kept:
    """Rows of one measurement in [start, end), and their times."""

    start: int
    end: int
    rows: list[Row]
    times: list[int]


class RawRows:
    """Answers what a derivation of [start, end) asks of one site's raw rows.

    Of a short stretch rows are read once and kept; of a long one power and energy come from the store's
    sums by interval, and rows are read only where those do not decide. Valid for one derivation: rows
    written meanwhile may not be seen.
    """

    def __init__(
        self, store: TimeSeriesStore, site: int, parameters: SiteParameters, start: int, end: int
    ) -> None:
        self.parameters = parameters
        self._store = store
        self._site = site
        self._kept: dict[str, _Kept] = {}
        if end - start <= SHORT_S:
            self._kept = {
                name: self._read(name, start - _REACH_S[name], end + _REACH_S[name]) for name in _FIELDS
            }

    def _read(self, measurement: str, start: int, end: int) -> _Kept:
        rows = list(self._store.rows(self._site, measurement, start, end, fields=_FIELDS[measurement]))
        return _Kept(start, end, rows, [row.at for row in rows])

    def _rows(self, measurement: str, start: int, end: int) -> Iterable[Row]:
        kept = self._kept.get(measurement)
        if kept is None or start < kept.start or end > kept.end:
            return self._store.rows(self._site, measurement, start, end, fields=_FIELDS[measurement])
        return kept.rows[bisect_left(kept.times, start) : bisect_left(kept.times, end)]

    def power(self, start: int, end: int) -> Combined:
        """Return the power of the compressor's channels, by interval of [start, end)."""
        return self._combined(power_of(self.parameters.run_channels), start, end)

    def energy(self, start: int, end: int) -> Combined:
        """Return the metered energy, by interval of [start, end)."""
        return self._combined(energy_of(self.parameters.metered_channels), start, end)

    def _combined(self, quantity: Channels, start: int, end: int) -> Combined:
        buckets = self._buckets(quantity.measurement, quantity.fields, start, end)
        size = (end - start) // INTERVAL_S
        counts = [buckets[name].count for name in quantity.fields]
        total: Buckets | None = None
        if not counts or not all(map(any, zip(*counts, strict=True))):
            total = self._buckets(quantity.measurement, (quantity.total,), start, end)[quantity.total]
        result = Combined()
        for index in range(size):
            present = [buckets[name] for name in quantity.fields if buckets[name].count[index]]
            if not present and total is not None and total.count[index]:
                present = [total]
            result.add(present, index, quantity)
        return result

    def _buckets(self, measurement: str, names: Sequence[str], start: int, end: int) -> dict[str, Buckets]:
        if end - start <= SHORT_S:
            return buckets_of(self._rows(measurement, start, end), names, start, end)
        found = {}
        for name in names:
            series = self._store.series(self._site, name, start, end, INTERVAL_S)
            found[name] = Buckets(series.count, series.sum, series.min, series.max)
        return found

    def polls(self, start: int, end: int) -> dict[int, list[tuple[int, float]]]:
        """Return interval → (time, power [W]) of the compressor's channels."""
        return by_interval(self._rows("meter", start, end), power_of(self.parameters.run_channels))

    def run_minutes(self, start: int, end: int) -> dict[int, float]:
        """Return minute → energy [Wh] of the compressor's channels."""
        return self._minutes(self.parameters.run_channels, start, end)

    def minutes(self, start: int, end: int) -> dict[int, float]:
        """Return minute → metered energy [Wh]."""
        return self._minutes(self.parameters.metered_channels, start, end)

    def _minutes(self, channels: Sequence[str], start: int, end: int) -> dict[int, float]:
        found = by_interval(self._rows("meter_minute", start, end), energy_of(channels))
        return {at: value for rows in found.values() for at, value in rows}

    def counters(self, start: int, end: int) -> list[CounterReading]:
        """Return the counters of the metered channels at the minute edges in [start, end), in order of
        time."""
        names = [f"energy_counter_{name}_wh" for name in self.parameters.metered_channels]
        return [
            CounterReading(
                at=row.at,
                wh=tuple(row.values.get(name) for name in names),
                series=f"{row.device}/{'mono' if row.values.get('monophase') else 'tri'}",
            )
            for row in self._rows("meter_counter", start, end)
            if any(row.values.get(name) is not None for name in names)
        ]

    @cached_property
    def counters_within(self) -> tuple[int, int] | None:
        """[first, last] time of all counter readings of the site; None without any."""
        return self._store.extent(self._site, "meter_counter")

    def next_counter(self, at: int) -> int | None:
        """Return the time of the first counter reading at or after ``at``; None without one."""
        within = self.counters_within
        if within is None:
            return None
        return _search(
            lambda near, far: _first(self._rows("meter_counter", at + near, min(at + far, within[1] + 1))),
            within[1] + 1 - at,
        )

    def previous_counter(self, at: int) -> int | None:
        """Return the time of the last counter reading at or before ``at``; None without one."""
        within = self.counters_within
        if within is None:
            return None
        return _search(
            lambda near, far: _last(self._rows("meter_counter", max(within[0], at + 1 - far), at + 1 - near)),
            at + 1 - within[0],
        )

    def by_hour(self, name: str, start: int, end: int) -> Iterator[tuple[int, float, float]]:
        """Yield (hour, lowest, highest value) of a series, of the hours that have any."""
        series = self._store.series(self._site, name, start, end, 3600)
        for hour, low, high in zip(series.time, series.min, series.max, strict=True):
            if low is not None and high is not None:
                yield hour, low, high

    def modulations(self, start: int, end: int) -> set[float]:
        """Return the modulations other than 0 shown in [start, end) [%]; of a long stretch the least and
        greatest of each interval."""
        if end - start > SHORT_S:
            series = self._store.series(self._site, "modulation_percent", start, end, INTERVAL_S)
            return {value for value in (*series.min, *series.max) if value}
        rows = self._rows("heat_pump", start, end)
        return {value for row in rows if (value := row.values.get("modulation_percent"))}

    def first_answer(self, start: int, end: int) -> int | None:
        """Return the time of the first answer of a heat pump in [start, end); None without one."""
        return _first(self._rows("heat_pump", start, end)) if end > start else None

    def pumps(self, start: int, end: int) -> dict[int, PumpState]:
        """Interval → what the heat pump said in it; what only repeats an earlier answer is marked."""
        around = self._answers(start - LOOK_S, end + LOOK_S)
        repeated = repeats([answer_of(row) for row in around])
        states = {}
        for row in around:
            interval = interval_of(row.at)
            if start <= interval < end:
                state = _pump_state(row)
                states[interval] = state.as_repeat() if interval in repeated else state
        return states

    def open_answers(self, start: int, end: int) -> tuple[int | None, int | None]:
        """First and last interval around [start, end) whose answers those inside may turn into repeats, or
        back; None where none on that side."""
        return (
            open_from([answer_of(row) for row in self._answers(start - LOOK_S, start)]),
            open_until([answer_of(row) for row in self._answers(end, end + LOOK_S)]),
        )

    def _answers(self, start: int, end: int) -> list[Row]:
        """Return one row an interval."""
        return one_an_interval(self._rows("heat_pump", start, end), self.parameters.heat_pump_device)


def one_an_interval(rows: Iterable[Row], device: str | None) -> list[Row]:
    """Return one answer an interval: of several heat pumps that of ``device``, else the latest."""
    found: dict[int, Row] = {}
    for row in rows:
        interval = interval_of(row.at)
        other = found.get(interval)
        if other is None or _rank(row, device) > _rank(other, device):
            found[interval] = row
    return [found[interval] for interval in sorted(found)]


def _search(look: Callable[[int, int], int | None], reach_s: int) -> int | None:
    near, far = 0, 600
    while near < reach_s:
        found = look(near, min(far, reach_s))
        if found is not None:
            return found
        near, far = far, far * 6
    return None


def _first(rows: Iterable[Row]) -> int | None:
    return next((row.at for row in rows), None)


def _last(rows: Iterable[Row]) -> int | None:
    return max((row.at for row in rows), default=None)


def _rank(row: Row, device: str | None) -> tuple[int, float, str]:
    return _likeness(row.device, device), row.values.get("requested_at") or float(row.at), row.device


def _likeness(device: str, chosen: str | None) -> int:
    """Return 2 for the chosen heat pump, 1 for it where one of both names is its gateway's alone, else 0."""
    if chosen is None or device == chosen:
        return 2
    return int(chosen.startswith(f"{device}/") or device.startswith(f"{chosen}/"))


def answer_of(row: Row) -> Answer:
    return Answer(
        interval=interval_of(row.at),
        at=row.values.get("requested_at") or float(row.at),
        newest_source_at=row.values.get("newest_source_at"),
    )


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
            output_kw=value("compressors_output_kw"),
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
