"""Years of a home's raw history from a seed: plausible shapes and noise, made with numpy.

The numbers follow no physics; what counts is that they vary, repeat and compress as real ones do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

DAY_S = 86_400
YEAR_DAYS = 365
END = 1_782_864_000  # 2026-07-01T00:00:00Z; history ends here, however long it is
CHUNK_DAYS = 73
METER, HEAT_PUMP, DERIVED = "A8032ABE54DC", "7571381573112225", ""

Array = Any


@dataclass(frozen=True, slots=True)
class Chunk:
    """Columns of one measurement over some days; ``samples`` counts the values that are there."""

    measurement: str
    device: str
    circuit: str
    at: Array
    columns: dict[str, Array]

    @property
    def rows(self) -> int:
        return len(self.at)

    @property
    def samples(self) -> int:
        return sum(int(np.count_nonzero(~np.isnan(column))) for column in self.columns.values())


@dataclass(frozen=True, slots=True)
class _Weather:
    outside_c: Array
    demand: Array


def history(years: int, seed: int) -> Iterator[Chunk]:
    """Yield all measurements of ``years`` years that end at END, oldest first, 73 days at a time."""
    random = np.random.default_rng(seed)
    counter_wh = 0.0
    for first in range(END - years * YEAR_DAYS * DAY_S, END, CHUNK_DAYS * DAY_S):
        meter = meter_chunk(random, first, min(END, first + CHUNK_DAYS * DAY_S), counter_wh)
        counter_wh = float(meter.columns["energy_counter_wh"][-1])
        yield meter
        yield _minutes(meter)
        yield from _five_minutes(random, meter)


def meter_chunk(random: np.random.Generator, start: int, end: int, counter_wh: float = 0.0) -> Chunk:
    """Return the ten-second rows of the meter; the heat pump runs in blocks, longer when it is cold."""
    at = np.arange(start, end, 10)
    weather = _weather(random, at)
    running = _blocks(random, len(at), 90, 360) < weather.demand
    ramp = 900 + 900 * weather.demand + random.normal(0, 25, len(at))
    power_w = np.where(running, ramp, 18 + random.normal(0, 1.5, len(at)))
    parts = np.array([[0.34], [0.33], [0.33]]) * power_w + random.normal(0, 0.6, (3, len(at)))
    volts = 231 + 2 * np.sin(at / 5000.0) + random.normal(0, 0.5, (3, len(at)))
    columns: dict[str, Array] = {"power_w": parts.sum(axis=0)}
    for index, phase in enumerate("abc"):
        columns[f"power_{phase}_w"] = parts[index]
        columns[f"voltage_{phase}_v"] = volts[index]
        columns[f"current_{phase}_a"] = np.abs(parts[index]) / volts[index] + 0.02
    energy_wh = np.cumsum(np.maximum(columns["power_w"], 0)) / 360
    columns["energy_counter_wh"] = counter_wh + energy_wh - energy_wh % 0.01
    columns["energy_returned_counter_wh"] = np.zeros(len(at))
    missing = random.random(len(at)) < 0.001
    for column in columns.values():
        column[missing] = np.nan
    columns["energy_counter_wh"][-1] = counter_wh + energy_wh[-1]
    return Chunk("meter", METER, "", at, columns)


def _weather(random: np.random.Generator, at: Array) -> _Weather:
    year, day = at / (365.25 * DAY_S), at / DAY_S
    spells = np.interp(at, at[:: 6 * 360], np.cumsum(random.normal(0, 0.4, len(at[:: 6 * 360]))))
    outside_c = 9 - 10 * np.cos(2 * np.pi * (year - 0.04)) - 4 * np.cos(2 * np.pi * day) + spells
    return _Weather(outside_c, np.clip((17 - outside_c) / 30, 0.05, 0.95))


def _blocks(random: np.random.Generator, length: int, shortest: int, longest: int) -> Array:
    """Return one uniform random number for each block of neighbouring samples."""
    count = length // shortest + 1
    return np.repeat(random.random(count), random.integers(shortest, longest, count))[:length]


def _minutes(meter: Chunk) -> Chunk:
    def energy(name: str) -> Array:
        return np.nansum(meter.columns[name].reshape(-1, 6), axis=1) / 360

    columns = {f"energy_{phase}_wh": energy(f"power_{phase}_w") for phase in "abc"}
    columns["energy_wh"] = sum(columns.values())
    columns["energy_returned_wh"] = np.zeros(len(columns["energy_wh"]))
    columns["provisional"] = np.zeros(len(columns["energy_wh"]))
    return Chunk("meter_minute", METER, "", meter.at[::6], columns)


def _five_minutes(random: np.random.Generator, meter: Chunk) -> Iterator[Chunk]:
    at = meter.at[::30]
    power_w = np.nanmean(meter.columns["power_w"].reshape(-1, 30), axis=1)
    running = power_w > 400
    outside_c = _weather(random, meter.at).outside_c[::30]

    def noisy(value: Any, spread: float) -> Array:
        return value + random.normal(0, spread, len(at))

    flow_c = noisy(np.where(running, 38 - 0.4 * outside_c, 30), 0.4)
    pump = {
        "outside_temperature_c": noisy(outside_c, 0.1),
        "supply_temperature_c": flow_c,
        "return_temperature_c": noisy(flow_c - np.where(running, 5, 0.5), 0.2),
        "secondary_supply_temperature_c": noisy(flow_c + 0.5, 0.2),
        "primary_supply_temperature_c": noisy(8, 0.3),
        "primary_return_temperature_c": noisy(5, 0.3),
        "dhw_storage_temperature_c": noisy(48 + 3 * np.sin(at / 9000.0), 0.3),
        "modulation_percent": np.where(running, np.clip(noisy(55, 15), 20, 100), 0.0),
        "rated_power_kw": np.full(len(at), 10.4),
        "compressor_active": running.astype(float),
        "compressor_phase": np.where(running, 2.0, 0.0),
        "circulation_pump_active": (at // 3600 % 6 == 0).astype(float),
        "dhw_charging": (at // 3600 % 12 == 5).astype(float),
        "requested_at": at + 2.0,
        "newest_source_at": at - 40.0,
        "compressor_starts_count": np.cumsum(np.diff(running, prepend=False) & running).astype(float),
        "compressor_hours_h": np.cumsum(running) / 12,
    }
    yield Chunk("heat_pump", HEAT_PUMP, "", at, pump)
    circuit = {"supply_temperature_c": flow_c, "pump_active": running.astype(float)}
    yield Chunk("heat_pump", HEAT_PUMP, "1", at, circuit)
    yield from _results(at, power_w, running, pump, noisy)


def _results(
    at: Array, power_w: Array, running: Array, pump: dict[str, Array], noisy: Callable[[Any, float], Array]
) -> Iterator[Chunk]:
    energy_wh = np.maximum(power_w, 0) / 12
    heat_wh = np.where(running, energy_wh * noisy(4.2, 0.3), 0.0)
    delta_wh = np.where(running, energy_wh * noisy(4.0, 0.5), 0.0)
    cop = np.where(running, heat_wh / np.maximum(energy_wh, 1), np.nan)
    yield Chunk("thermal_power_modulation", DERIVED, "", at, {"value": heat_wh * 12 / 1000})
    yield Chunk("thermal_power_delta_t", DERIVED, "", at, {"value": delta_wh * 12 / 1000})
    yield Chunk("cop", DERIVED, "", at, {"value": cop})
    yield Chunk("cop_delta_t", DERIVED, "", at, {"value": cop * 0.95})
    full = np.full(len(at), 300.0)
    hot_water = pump["dhw_charging"] > 0
    yield Chunk(
        "interval",
        DERIVED,
        "",
        at,
        {
            "electrical_energy_wh": energy_wh,
            "thermal_energy_modulation_wh": heat_wh,
            "thermal_energy_delta_t_wh": delta_wh,
            "full_electrical_energy_wh": energy_wh,
            "full_thermal_energy_wh": heat_wh,
            "full_delta_t_electrical_energy_wh": energy_wh,
            "full_delta_t_thermal_energy_wh": delta_wh,
            "full_s": full,
            "electric_s": full,
            "electrical_energy_heating_wh": np.where(running & ~hot_water, energy_wh, 0.0),
            "electrical_energy_dhw_wh": np.where(running & hot_water, energy_wh, 0.0),
            "electrical_energy_standby_wh": np.where(running, 0.0, energy_wh),
            "electrical_energy_unclassified_wh": full * 0,
            "full_electrical_energy_heating_wh": np.where(running & ~hot_water, energy_wh, 0.0),
            "full_thermal_energy_heating_wh": np.where(running & ~hot_water, heat_wh, 0.0),
            "full_electrical_energy_dhw_wh": np.where(running & hot_water, energy_wh, 0.0),
            "full_thermal_energy_dhw_wh": np.where(running & hot_water, heat_wh, 0.0),
            "compressor_starts": (np.diff(running, prepend=False) & running).astype(float),
            "compressor_run_s": np.where(running, 300.0, 0.0),
            "compressor_known_s": full,
            "state": full * 0 + 2,
            "reason": full * 0,
            "flags": full * 0,
            "method_version": full * 0 + 1,
        },
    )
