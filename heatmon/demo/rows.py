"""The past of the simulated house as rows of the store, and where its counters stand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from apps.metrics.store.base import Row
from apps.metrics.store.bulk import BulkWriter
from apps.metrics.store.front import Store
from apps.metrics.store.schema import COMPRESSOR_PHASES
from apps.simulator.viessmann_catalogue import GATEWAY

from .house import DAY_S, METER
from .maker import Counts

CIRCUIT = "1"


def counts_at(store: Store, site: int, at: int) -> Counts | None:
    """Return the devices' running totals at ``at``, from the nearest stored ones; None if none are near."""
    counters = _counters_at(store, site, at)
    names = ("compressor_starts_count", "compressor_hours_h", "heating_rod_level_one_s")
    rows = store.rows(site, "heat_pump", at - DAY_S, at + DAY_S, names)
    complete = [row for row in rows if all(row.values.get(name) is not None for name in names)]
    if counters is None or not complete:
        return None
    nearest = min(complete, key=lambda row: abs(row.at - at))
    return Counts(*counters, *(nearest.values[name] or 0.0 for name in names))


def _counters_at(store: Store, site: int, at: int) -> list[float] | None:
    for row in store.rows(site, "meter_counter", at, at + DAY_S):
        if _complete(row):
            return _moved(row, _energy(store, site, at, row.at), -1)
    before = [row for row in store.rows(site, "meter_counter", at - DAY_S, at) if _complete(row)]
    return _moved(before[-1], _energy(store, site, before[-1].at, at), 1) if before else None


def _complete(row: Row) -> bool:
    return all(row.values.get(f"energy_counter_{name}_wh") is not None for name in "abc")


def _moved(row: Row, energy: Sequence[float], sign: int) -> list[float]:
    shown = (row.values[f"energy_counter_{name}_wh"] or 0.0 for name in "abc")
    return [counter + sign * moved for counter, moved in zip(shown, energy, strict=True)]


def _energy(store: Store, site: int, start: int, end: int) -> list[float]:
    rows = list(store.rows(site, "meter_minute", start, end))
    return [sum(row.values.get(f"energy_{name}_wh") or 0.0 for row in rows) for name in "abc"]


def write_chunk(store: Store, site: int, chunk: Any) -> None:
    """Write one chunk of the past as raw rows, with their rollups."""
    writer = BulkWriter(store)
    power, voltage, current = chunk.power_w, chunk.voltage_v, chunk.current_a
    meter = {
        "power_w": power.sum(axis=0),
        **{f"power_{name}_w": power[number] for number, name in enumerate("abc")},
        **{f"voltage_{name}_v": voltage[number] for number, name in enumerate("abc")},
        **{f"current_{name}_a": current[number] for number, name in enumerate("abc")},
        "energy_counter_wh": chunk.counter_wh,
        "energy_returned_counter_wh": chunk.returned_counter_wh,
    }
    writer.write_columns(site, "meter", METER, chunk.t, meter)
    energy = chunk.minute_energy_wh
    minutes = {
        "energy_wh": energy.sum(axis=0),
        **{f"energy_{name}_wh": energy[number] for number, name in enumerate("abc")},
        "energy_returned_wh": chunk.minute_returned_wh.sum(axis=0),
        "provisional": energy[0] * 0.0,
    }
    writer.write_columns(site, "meter_minute", METER, chunk.minute_t, minutes)
    counters = {
        f"energy_counter_{name}_wh": chunk.counter_by_phase_wh[number] for number, name in enumerate("abc")
    }
    counters["monophase"] = energy[0] * 0.0
    writer.write_columns(site, "meter_counter", METER, chunk.minute_t + 60, counters)
    _write_heat_pump(writer, site, chunk)


def _write_heat_pump(writer: BulkWriter, site: int, chunk: Any) -> None:
    at = chunk.cloud_t // 300 * 300
    columns = {name: column for name, column in chunk.cloud.items() if name not in {"program", "pump_active"}}
    columns["compressor_phase"] = [
        float(COMPRESSOR_PHASES.get(str(t), -1)) for t in columns["compressor_phase"]
    ]
    for name in ("compressor_active", "dhw_charging", "circulation_pump_active"):
        columns[name] = columns[name] * 1.0
    writer.write_columns(site, "heat_pump", GATEWAY, at, columns)
    circuit = {
        "supply_temperature_c": chunk.cloud["supply_temperature_c"],
        "pump_active": chunk.cloud["pump_active"] * 1.0,
    }
    writer.write_columns(site, "heat_pump", GATEWAY, at, circuit, circuit=CIRCUIT)
