"""Years of history of a simulated home, newest days first, as numpy columns for a bulk writer.

Each chunk is lived on its own after some days of spin-up: weather and draws depend on seed and time only,
so neighbouring chunks fit together. Counters are chained backwards from the state at the end, at which a
live ``House`` goes on. What the columns hold is what a poller would have got, lateness and rounding too;
``cloud_columns`` says the same as ``CloudView``, for all polls at once.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from .clamps import BASE_SHARES, COMPRESSOR_SHARES, ROD_SHARES
from .cloud_view import EVENT_LAGS, MODULATION_LAG_S, SENSOR_LAGS_S, setting_lag_s
from .house import STEP_S, House
from .minutes import METER_WIDTH, VALUES, WIDTH
from .noise import generator
from .settings import SettingChange, Value
from .shelly_meter import UNITS
from .spec import HouseSpec

DAY_S = 86_400
POLL_S, POLL_OFFSET_S = 300, 150
SPIN_UP_DAYS = 3

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Column = npt.NDArray[np.float64] | npt.NDArray[np.int64] | npt.NDArray[np.bool_] | npt.NDArray[np.str_]

TRUE_MINUTES = ("energy_wh", "heat_space_wh", "heat_dhw_wh", "heat_rod_wh")

SENSOR_SERIES = {
    "outside_c": "outside_temperature_c",
    "supply_c": "supply_temperature_c",
    "return_c": "return_temperature_c",
    "secondary_c": "secondary_supply_temperature_c",
    "brine_in_c": "primary_supply_temperature_c",
    "brine_out_c": "primary_return_temperature_c",
    "buffer_c": "buffer_temperature_c",
    "tank_c": "dhw_storage_temperature_c",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Blemishes:
    """What went wrong in the recorded past; epoch s, all (start, end).

    In ``meter_gaps`` nobody polled, in ``lost_minutes`` the meter's own rows are missing too (its counter
    goes on); in ``cloud_gaps`` no answer came, in ``stale`` the cloud repeated old values. At
    ``counter_reset`` the counters began again from zero: it must lie in the newest chunk.
    """

    meter_gaps: tuple[tuple[int, int], ...] = ()
    lost_minutes: tuple[tuple[int, int], ...] = ()
    cloud_gaps: tuple[tuple[int, int], ...] = ()
    stale: tuple[tuple[int, int], ...] = ()
    counter_reset: int | None = None


def some_blemishes(seed: int, start: int, end: int) -> Blemishes:
    """Return a few gaps and a stale day between two times, from a seed; no counter reset."""
    source = generator(seed, "blemishes", 0)

    def stretch(shortest_h: float, longest_h: float) -> tuple[int, int]:
        length = int(source.uniform(shortest_h, longest_h) * 60) * 60
        at = int(source.uniform(start + 2 * DAY_S, max(start + 2 * DAY_S, end - 6 * DAY_S))) // 60 * 60
        return at, at + length

    lost = stretch(3.0, 9.0)
    return Blemishes(
        meter_gaps=(stretch(1.0, 6.0), stretch(4.0, 14.0), stretch(0.5, 2.0), lost),
        lost_minutes=(lost,),
        cloud_gaps=(stretch(1.0, 5.0), stretch(6.0, 20.0), stretch(0.5, 2.0)),
        stale=(stretch(22.0, 30.0),),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceCounts:
    """Running totals of the devices: ``energy`` import and export by phase [0.0001 Wh]."""

    energy: tuple[int, ...]
    starts: int
    run_s: float
    rod_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class DayChunk:
    """What the pollers would have stored of [start, end). Arrays by phase have shape (3, n).

    ``t``: times of the 10-second polls, with powers, voltages, currents and the counters as shown then
    [Wh, 0.01]. ``minute_t``: starts of the minutes whose row the meter gave, energies [Wh, 0.0001];
    ``counter_by_phase_wh`` at the end of those minutes. ``cloud``: columns by series name, one value for
    each poll of ``cloud_t``. ``settings``: (time seen from, all settings), first those at the start.
    ``truth``: what happened in each minute of [start, end) [Wh], by the names of ``TRUE_MINUTES``.
    """

    start: int
    end: int
    t: Ints
    power_w: Floats
    voltage_v: Floats
    current_a: Floats
    counter_wh: Floats
    returned_counter_wh: Floats
    minute_t: Ints
    minute_energy_wh: Floats
    minute_returned_wh: Floats
    counter_by_phase_wh: Floats
    cloud_t: Ints
    cloud: dict[str, Column]
    settings: tuple[tuple[int, dict[str, Value]], ...]
    true_heat_wh: float
    true_energy_wh: float
    truth: dict[str, Floats]


@dataclass
class History:
    """Chunks of the past of ``spec`` from ``start`` to ``end`` (epoch s), newest first.

    The counters in ``spec`` are those at ``end``. ``live_house`` is the house at ``end``, once the first
    chunk was made.
    """

    spec: HouseSpec
    start: int
    end: int
    newest_days: int = 3
    chunk_days: int = 25
    blemishes: Blemishes = field(default_factory=Blemishes)
    _live: House | None = None

    def __post_init__(self) -> None:
        self.end -= self.end % 60
        reset = self.blemishes.counter_reset
        if reset is not None and not self.bounds()[0][0] <= reset < self.end:
            raise ValueError("a counter reset must lie in the newest chunk")

    def bounds(self) -> list[tuple[int, int]]:
        """Return (start, end) of each chunk, newest first; inner edges are midnights of UTC."""
        result = []
        end, days = self.end, self.newest_days
        while end > self.start:
            begin = max(self.start, (end - days * DAY_S) // DAY_S * DAY_S)
            result.append((begin, end))
            end, days = begin, self.chunk_days
        return result

    def chunks(self) -> Iterator[DayChunk]:
        """Yield the chunks, newest first."""
        counts: DeviceCounts | None = None
        for start, end in self.bounds():
            recorded = _Recorded(self.spec, start, end)
            if counts is None:
                at_end = self._counts_at_end(recorded)
                chunk, counts = recorded.chunk(at_end, self.blemishes)
                self._live = recorded.live_house(at_end)
            else:
                chunk, counts = recorded.chunk(counts, self.blemishes)
            yield chunk

    @property
    def live_house(self) -> House:
        """The house that goes on at ``end``, with the rows of the newest chunk in its meter."""
        if self._live is None:
            next(self.chunks())
        assert self._live is not None
        return self._live

    def _counts_at_end(self, recorded: _Recorded) -> DeviceCounts:
        energy = tuple(round(value * UNITS) for value in self.spec.counters_wh) + (0, 0, 0)
        reset = self.blemishes.counter_reset
        if reset is not None:
            energy = tuple(int(value) for value in recorded.energy_since(reset))
        return DeviceCounts(
            energy=energy,
            starts=self.spec.starts,
            run_s=self.spec.hours * 3600.0,
            rod_s=float(self.spec.rod_s),
        )


def generate(spec: HouseSpec, start: int, end: int, blemishes: Blemishes | None = None) -> Iterator[DayChunk]:
    """Return the chunks of a home's past, newest first; see ``History``, which also has the house that lives
    on."""
    return History(spec, start, end, blemishes=blemishes or Blemishes()).chunks()


class _Recorded:
    """One chunk, lived."""

    def __init__(self, spec: HouseSpec, start: int, end: int) -> None:
        self.spec, self.start, self.end = spec, start, end
        house = House(spec, start - SPIN_UP_DAYS * DAY_S)
        house.advance_to(start - 60)
        house.step_log = (array("d"), array("d"), array("d"))
        if spec.meter_feeds_house:
            house.house_log = (array("d"), array("d"), array("d"))
        house.advance_to(end)
        self.house = house
        first = house.log.index(start)
        self.energy: Ints = (
            np.frombuffer(house.log.meter, dtype=np.int64).reshape(-1, METER_WIDTH)[first:].copy()
        )
        self.values = np.frombuffer(house.log.values, dtype=np.float32).reshape(-1, WIDTH).copy()
        self.first = first
        self.powers = self._powers()
        house.step_log = house.house_log = None

    def live_house(self, counts: DeviceCounts) -> House:
        """Return the house at the end of the chunk, with the counts of that time and without the spin-up's
        rows."""
        house = self.house
        house.counters = list(counts.energy)
        house.starts, house.run_s, house.rod_s = counts.starts, counts.run_s, counts.rod_s
        house.log.forget_before(self.start)
        for kind, events in house.events.items():
            last_before = [event for event in events if event[0] <= self.start][-1:]
            house.events[kind] = last_before + [event for event in events if event[0] > self.start]
        return house

    def energy_since(self, at: int) -> Ints:
        """Return the energy of the minutes that began at or after ``at``."""
        total: Ints = self.energy[max(0, -(-(at - self.start) // 60)) :].sum(axis=0)
        return total

    def chunk(self, at_end: DeviceCounts, blemishes: Blemishes) -> tuple[DayChunk, DeviceCounts]:
        """Return the chunk, given the counts at its end; and the counts at its start."""
        minute_t: Ints = np.arange(self.start, self.end, 60, dtype=np.int64)
        after, before = self._counters(at_end, blemishes.counter_reset)
        t: Ints = np.arange(self.start, self.end, STEP_S, dtype=np.int64)
        polled = ~_within(t, blemishes.meter_gaps)
        t = t[polled]
        power = self.powers[:, polled]
        voltage, current = self._voltage_and_current(t, power)
        # a poll at second 0 comes before the minute that just ended is saved (but at the chunk's own edge)
        shown = np.concatenate([before[None, :], after])[-(-(t - self.start) // 60) - 1 + (t == self.start)]
        held = ~_within(minute_t, blemishes.lost_minutes)
        cloud_t, cloud, counts = self._cloud(at_end, blemishes)
        truth = self.values[self.first :]
        heat = truth[:, VALUES.index("heat_space_wh")] + truth[:, VALUES.index("heat_dhw_wh")]
        chunk = DayChunk(
            start=self.start,
            end=self.end,
            t=t,
            power_w=np.round(power, 1),
            voltage_v=np.round(voltage, 1),
            current_a=np.round(current, 3),
            counter_wh=np.round(shown[:, :3].sum(axis=1) / UNITS, 2),
            returned_counter_wh=np.round(shown[:, 3:].sum(axis=1) / UNITS, 2),
            minute_t=minute_t[held],
            minute_energy_wh=self.energy[held, :3].T / UNITS,
            minute_returned_wh=self.energy[held, 3:].T / UNITS,
            counter_by_phase_wh=np.round(after[held, :3].T / UNITS, 2),
            cloud_t=cloud_t,
            cloud=cloud,
            settings=self._settings(),
            true_heat_wh=float(heat.sum(dtype=np.float64)),
            true_energy_wh=float(self.energy[:, :3].sum() / UNITS),
            truth={
                "energy_wh": self.energy[:, :3].sum(axis=1) / UNITS,
                **{name: truth[:, VALUES.index(name)].astype(np.float64) for name in TRUE_MINUTES[1:]},
            },
        )
        return chunk, replace(counts, energy=tuple(int(value) for value in before))

    def _counters(self, at_end: DeviceCounts, reset: int | None) -> tuple[Ints, Ints]:
        """Return the counters after each minute, and before the first one."""
        sums = np.cumsum(self.energy, axis=0)
        begin = np.array(at_end.energy, dtype=np.int64) - sums[-1]
        after: Ints = sums + begin
        if reset is not None and self.start <= reset < self.end:
            cut = -(-(reset - self.start) // 60)
            old = np.array([round(value * UNITS) for value in self.spec.counters_wh] + [0, 0, 0])
            lift = old - (begin + (sums[cut - 1] if cut else 0))
            after[:cut] += lift
            begin = begin + lift
        return after, begin

    def _powers(self) -> Floats:
        """Return the powers by phase at the polls: each shows the step that ended at its time."""
        house = self.house
        steps = (self.end - self.start) // STEP_S
        if house.house_log is not None:
            phases = np.array([np.frombuffer(log, dtype=np.float64) for log in house.house_log])
        else:
            assert house.step_log is not None
            compressor, base, rod = (np.frombuffer(log, dtype=np.float64) for log in house.step_log)
            shares = zip(COMPRESSOR_SHARES, BASE_SHARES, ROD_SHARES, strict=True)
            phases = np.array([compressor * one + base * other + rod * third for one, other, third in shares])
        powers: Floats = phases[:, 5 : 5 + steps].copy()
        return powers

    def _voltage_and_current(self, t: Ints, power: Floats) -> tuple[Floats, Floats]:
        noise = np.array(self.house.noise)
        step = t // STEP_S
        voltage = np.empty_like(power)
        for phase in range(3):
            slow = noise[_slots(step // 90 + 1000 * phase)]
            quick = noise[_slots(step + 500 * phase)]
            voltage[phase] = 231.2 + 1.4 * slow + 0.35 * quick - power[phase] / 900.0 + 0.4 * phase
        size = np.abs(power)
        return voltage, np.hypot(size, 11.0 + 0.27 * size) / voltage

    def _cloud(
        self, at_end: DeviceCounts, blemishes: Blemishes
    ) -> tuple[Ints, dict[str, Column], DeviceCounts]:
        """Poll times, columns, and the counts at the start of the chunk."""
        first_poll = -(-(self.start - POLL_OFFSET_S) // POLL_S) * POLL_S + POLL_OFFSET_S
        polls: Ints = np.arange(first_poll, self.end, POLL_S, dtype=np.int64)
        polls = polls[~_within(polls, blemishes.cloud_gaps)]
        seen = polls.copy()
        for start, end in blemishes.stale:
            seen = np.where((polls >= start) & (polls < end), max(start, self.start), seen)
        columns = cloud_columns(self.house, self.values, seen)
        values = self.values[self.first :].astype(np.float64)
        row = np.clip((seen - self.start) // 60, 0, len(values))
        counts = at_end
        for name, series, factor in (
            ("starts", "compressor_starts_count", 1.0),
            ("run_s", "compressor_hours_h", 1.0 / 3600.0),
            ("rod_wh", "heating_rod_level_one_s", 3.6 / self.spec.rod_kw),
        ):
            totals = np.concatenate([[0.0], np.cumsum(values[:, VALUES.index(name)] * factor)])
            final = {"starts": float(counts.starts), "run_s": counts.run_s / 3600.0, "rod_wh": counts.rod_s}[
                name
            ]
            begin = final - totals[-1]
            columns[series] = np.round(totals[row] + begin, 1 if name == "run_s" else 0)
            if name == "starts":
                counts = replace(counts, starts=round(begin))
            elif name == "run_s":
                counts = replace(counts, run_s=begin * 3600.0)
            else:
                counts = replace(counts, rod_s=begin)
        columns["requested_at"] = polls
        return polls, columns, counts

    def _settings(self) -> tuple[tuple[int, dict[str, Value]], ...]:
        """Return (time from which the cloud shows them, settings): at the start and after each change."""
        shown = [(change.at + setting_lag_s(change), change) for change in self.house.script]
        current = dict(self.spec.settings)
        for at, change in shown:
            if at <= self.start:
                current[change.key] = change.value
        result: list[tuple[int, dict[str, Value]]] = [(self.start, current)]
        for at, change in shown:
            if self.start < at < self.end:
                current = current | {change.key: change.value}
                result.append((int(at) + 1, current))
        return tuple(result)

    @property
    def changes(self) -> list[SettingChange]:
        return [change for change in self.house.script if self.start <= change.at < self.end]


def cloud_columns(house: House, values: npt.NDArray[np.float32], polls: Ints) -> dict[str, Column]:
    """Return what ``CloudView`` would have told at each of ``polls``; ``values``: all rows of the house's
    log."""
    columns: dict[str, Column] = {}
    newest = np.zeros(len(polls), dtype=np.int64)
    start = house.log.start
    minutes = np.arange(len(values), dtype=np.int64)
    for name, lag in SENSOR_LAGS_S.items():
        rounded: Floats = values[:, VALUES.index(name)].astype(np.float64).round(1)
        row = np.clip(((polls - lag - start) // 60).astype(np.int64) - 1, 0, len(values) - 1)
        changed = np.concatenate([[True], rounded[1:] != rounded[:-1]])
        last_change = np.maximum.accumulate(np.where(changed, minutes, 0))
        newest = np.maximum(newest, start + 60 * (last_change[row] + 1))
        if name in SENSOR_SERIES:
            columns[SENSOR_SERIES[name]] = rounded[row]
    phase, phase_at = _events(house, "phase", polls)
    charging, charging_at = _events(house, "charging", polls)
    columns["compressor_phase"] = np.array(phase, dtype=np.str_)
    columns["compressor_active"] = columns["compressor_phase"] == "heating"
    columns["modulation_percent"] = _modulation(house, values, polls)
    columns["dhw_charging"] = np.array(charging, dtype=np.bool_)
    columns["dhw_charging_at"] = charging_at.astype(np.int64)
    columns["circulation_pump_active"] = np.array(_events(house, "circulation", polls)[0], dtype=np.bool_)
    columns["pump_active"] = np.array(_events(house, "circuit_pump", polls)[0], dtype=np.bool_)
    columns["program"] = np.array(_events(house, "program", polls)[0], dtype=np.str_)
    columns["newest_source_at"] = np.maximum(newest, np.maximum(phase_at, charging_at).astype(np.int64))
    columns["rated_power_kw"] = np.full(len(polls), house.spec.pump.rated_kw, dtype=np.float64)
    columns["heating_rod_level_two_s"] = np.zeros(len(polls))
    for name, register in zip(("total", "heating", "dhw"), house.spec.cop_registers, strict=True):
        columns[f"device_cop_{name}"] = np.full(len(polls), register, dtype=np.float64)
    return columns


def _events(house: House, kind: str, polls: Ints) -> tuple[list[str | int | bool], Floats]:
    """Return the value known of an event series at each poll, and the time it was reported with."""
    events, lag = house.events[kind], EVENT_LAGS[kind]
    reported = np.array([at + lag(at, value) for at, value in events])
    in_order = np.maximum.accumulate(reported)
    found = np.clip(np.searchsorted(in_order, polls, side="right") - 1, 0, len(events) - 1)
    return [events[index][1] for index in found], reported[found]


def _modulation(house: House, values: npt.NDArray[np.float32], polls: Ints) -> Floats:
    """Return the modulation at each poll: starts and stops come as events; while running each minute's value
    follows."""
    event_values, event_times = _events(house, "modulation", polls)
    known: Floats = np.array(event_values, dtype=np.float64)
    start = house.log.start
    sampled: Floats = values[:, VALUES.index("modulation")].astype(np.float64).round()
    last_running = np.maximum.accumulate(np.where(sampled > 0, np.arange(len(sampled)), 0))
    row = np.clip(((polls - MODULATION_LAG_S - start) // 60).astype(np.int64) - 1, 0, len(values) - 1)
    row = last_running[row]
    newer = start + 60.0 * (row + 1) + MODULATION_LAG_S >= event_times
    return np.where((known > 0) & newer, sampled[row], known)


def _within(t: Ints, stretches: tuple[tuple[int, int], ...]) -> npt.NDArray[np.bool_]:
    inside = np.zeros(len(t), dtype=np.bool_)
    for start, end in stretches:
        inside |= (t >= start) & (t < end)
    return inside


def _slots(index: Ints) -> Ints:
    """Return ``noise.slot`` for many at once."""
    return ((index * 2_654_435_761) >> 9) & 4095
