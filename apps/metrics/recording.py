"""Readings become rows of the store: the only place that knows which value goes into which field.

Nothing here reads or writes a store; the functions are total on well-formed readings. Polls and snapshots
name every field, so that a repeated or corrected reading replaces all of the earlier one.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from apps.devices.readings import (
    PHASES,
    CircuitReading,
    HeatPumpReading,
    MinuteRecord,
    PhaseReading,
    PowerReading,
)

from .grid import MINUTE_S, interval_of
from .store.base import Row
from .store.schema import COMPRESSOR_PHASES, OPERATING_MODES, UNKNOWN_CODE

METER_STEP_S = 10

# A reading at second 0 or 1 may still show the counter of the minute before.
EDGE_SETTLED_S = 2
# The first poll after an edge keeps the counters; one half a minute later stands in when that was missed.
COUNTER_SLOTS_S = ((EDGE_SETTLED_S, EDGE_SETTLED_S + METER_STEP_S), (32, 42))


def epoch(at: datetime) -> int:
    """Return the whole epoch second of an aware time."""
    return math.floor(at.timestamp())


def meter_rows(site: int, reading: PowerReading, channels: Collection[str]) -> list[Row]:
    """Return the rows of one poll: ``meter`` on the 10 s grid and, once a minute edge, ``meter_counter``.

    ``power_w`` and the counters of ``meter`` are sums over ``channels``, those of the heat pump.
    """
    phases = dict(zip(PHASES, reading.phases, strict=True))
    values: dict[str, float | None] = {
        "power_w": _sum_of(phases, channels, "power_w"),
        "energy_counter_wh": _total(reading.energy_counter_wh, phases, channels, "energy_counter_wh"),
        "energy_returned_counter_wh": _total(
            reading.energy_returned_counter_wh, phases, channels, "energy_returned_counter_wh"
        ),
    }
    for name, phase in phases.items():
        # The zeros that a meter gives for a phase to which nothing is connected are not measured ones.
        values[f"power_{name}_w"] = phase.power_w if phase.is_connected else None
        values[f"voltage_{name}_v"] = phase.voltage_v
        values[f"current_{name}_a"] = phase.current_a if phase.is_connected else None
    at = epoch(reading.measured_at) // METER_STEP_S * METER_STEP_S
    rows = [Row(site=site, measurement="meter", device=reading.device, at=at, values=values)]
    edge = _counter_edge(reading)
    if edge is not None:
        rows.append(_counter_row(site, reading, phases, edge))
    return rows


def minute_rows(
    site: int, records: Iterable[MinuteRecord], channels: Collection[str], provisional: bool = False
) -> list[Row]:
    """Return the rows of ``meter_minute``; ``provisional`` for energies taken from a counter step.

    A record of several minutes (some models keep five) is spread evenly over them, to the last digit. A
    channel that the record does not know is not named: the export of another channel may have it.
    Raises ValueError for a period that is not a whole number of minutes.
    """
    rows = []
    for record in records:
        if record.period_s <= 0 or record.period_s % MINUTE_S:
            raise ValueError(f"a history row of {record.period_s} s is not a whole number of minutes")
        values = _minute_values(record, channels)
        minutes = record.period_s // MINUTE_S
        start = epoch(record.at)
        for number in range(minutes):
            part = (
                values
                if minutes == 1
                else {name: _share(value, number, minutes) for name, value in values.items()}
            )
            rows.append(
                Row(
                    site=site,
                    measurement="meter_minute",
                    device=record.device,
                    at=start + number * MINUTE_S,
                    values={**part, "provisional": 1.0 if provisional else 0.0},
                )
            )
    return rows


def with_stored_channels(rows: Iterable[Row], stored: Iterable[Row], channels: Collection[str]) -> list[Row]:
    """Rows of one channel's export with ``energy_wh`` as the sum over it and what is ``stored`` of the
    others, so that it does not depend on which export came last.

    What was sent back is stored as a sum only, of which one channel says nothing.
    """
    known = {(row.device, row.at): row.values for row in stored}
    summed = []
    for row in rows:
        both = {**known.get((row.device, row.at), {}), **row.values}
        energies = [each for name in channels if (each := both.get(f"energy_{name}_wh")) is not None]
        total = math.fsum(energies) if energies else None
        values = {name: value for name, value in row.values.items() if name != "energy_returned_wh"}
        summed.append(replace(row, values={**values, "energy_wh": total}))
    return summed


def heat_pump_rows(site: int, reading: HeatPumpReading) -> list[Row]:
    """Return the rows of one snapshot at the start of the 300 s that its request fell in: one for the unit,
    one a circuit. The unit's ``supply_temperature_c`` is that of the first active circuit with a sensor."""
    at = interval_of(epoch(reading.measured_at))

    def row(values: Mapping[str, float | None], circuit: str = "") -> Row:
        return Row(
            site=site, measurement="heat_pump", device=reading.device, at=at, values=values, circuit=circuit
        )

    return [row(_unit_values(reading)), *(row(_circuit_values(each), each.id) for each in reading.circuits)]


def newest_of(rows: Iterable[Row], requested_at: Mapping[int, float]) -> list[Row]:
    """Return those heat-pump rows that are not older than what is stored for their interval.

    ``requested_at``: interval start → stored request time. Of two snapshots in one interval the later
    wins, whatever order they arrive in.
    """
    kept = []
    older: set[int] = set()
    for row in rows:
        stored = requested_at.get(row.at)
        new = row.values.get("requested_at")
        if stored is not None and new is not None and new < stored:
            older.add(row.at)
        if row.at not in older:
            kept.append(row)
    return kept


def code_of(text: str | None, codes: Mapping[str, int]) -> float | None:
    """Return the stored code of a text; −1 for one that the table does not know, None for none."""
    return None if text is None else float(codes.get(text, UNKNOWN_CODE))


def _is_absent(phase: PhaseReading) -> bool:
    """Return whether the meter does not have the channel, as distinct from one that failed for a moment."""
    values = (phase.power_w, phase.voltage_v, phase.current_a, phase.energy_counter_wh)
    return not phase.errors and all(value is None for value in values)


def _sum_of(phases: Mapping[str, PhaseReading], channels: Collection[str], name: str) -> float | None:
    """Return the sum over the channels that exist; None if one of them has no value now, or none exists."""
    values = [getattr(phases[channel], name) for channel in channels if not _is_absent(phases[channel])]
    return None if not values or None in values else math.fsum(values)


def _total(
    total: float | None, phases: Mapping[str, PhaseReading], channels: Collection[str], name: str
) -> float | None:
    """Return the meter's own total where all channels count; it may differ from their sum by 0.01 Wh."""
    if total is not None and set(channels) == set(PHASES):
        return total
    return _sum_of(phases, channels, name)


def _counter_edge(reading: PowerReading) -> int | None:
    """Return the minute edge whose counters this reading shows and should keep; None if it is not its turn.

    The meter's minutes follow the meter's clock; the edge is given in ours, to the nearest minute.
    """
    offset_s = reading.clock_offset_s or 0.0
    meter_time = reading.measured_at.timestamp() + offset_s
    second = meter_time % MINUTE_S
    if not any(low <= second < high for low, high in COUNTER_SLOTS_S):
        return None
    return round((meter_time - second - offset_s) / MINUTE_S) * MINUTE_S


def _counter_row(site: int, reading: PowerReading, phases: Mapping[str, PhaseReading], edge: int) -> Row:
    values: dict[str, float | None] = {
        f"energy_counter_{name}_wh": phase.energy_counter_wh for name, phase in phases.items()
    }
    values["monophase"] = 1.0 if reading.profile == "monophase" else 0.0
    return Row(site=site, measurement="meter_counter", device=reading.device, at=edge, values=values)


def _minute_values(record: MinuteRecord, channels: Collection[str]) -> dict[str, float | None]:
    """Return the energies that the record knows; ``energy_wh`` is the sum over ``channels``."""
    by_channel = dict(zip(PHASES, record.energy_wh, strict=True))
    returned = dict(zip(PHASES, record.energy_returned_wh, strict=True))
    known = [by_channel[channel] for channel in channels if by_channel[channel] is not None]
    sent_back = [value for channel in channels if (value := returned[channel]) is not None]
    energy_wh = math.fsum(value for value in known if value is not None) if known else None
    if set(channels) == set(PHASES) and record.total_energy_wh is not None:
        energy_wh = record.total_energy_wh
    values = {
        "energy_wh": energy_wh,
        **{f"energy_{name}_wh": by_channel[name] for name in PHASES},
        "energy_returned_wh": math.fsum(sent_back) if sent_back else None,
    }
    return {name: value for name, value in values.items() if value is not None}


def _share(value: float | None, number: int, parts: int) -> float | None:
    """Return the part ``number`` of a value in 0.0001 Wh; the parts add up to the whole exactly."""
    if value is None:
        return None
    whole = round(value * 10_000)
    return (whole * (number + 1) // parts - whole * number // parts) / 10_000


def _flag(value: bool | None) -> float | None:
    return None if value is None else float(value)


def _time(value: datetime | None) -> float | None:
    return None if value is None else float(epoch(value))


def _unit_values(reading: HeatPumpReading) -> dict[str, float | None]:
    return {
        "outside_temperature_c": reading.outside_temperature_c,
        "supply_temperature_c": reading.supply_temperature_c,
        "return_temperature_c": reading.return_temperature_c,
        "secondary_supply_temperature_c": reading.secondary_supply_temperature_c,
        "primary_supply_temperature_c": reading.primary_supply_temperature_c,
        "primary_return_temperature_c": reading.primary_return_temperature_c,
        "buffer_temperature_c": reading.buffer_temperature_c,
        "dhw_storage_temperature_c": reading.dhw_storage_temperature_c,
        "dhw_current_target_temperature_c": reading.dhw_current_target_temperature_c,
        "modulation_percent": reading.modulation_percent,
        "rated_power_kw": reading.rated_power_kw,
        "compressors_output_kw": reading.compressors_output_kw,
        "compressor_active": _flag(reading.compressor_active),
        "compressor_phase": code_of(reading.compressor_phase, COMPRESSOR_PHASES),
        "circulation_pump_active": _flag(reading.circulation_pump_active),
        "dhw_charging": _flag(reading.dhw_charging),
        "dhw_charging_at": _time(reading.dhw_charging_at),
        "newest_source_at": _time(reading.newest_source_at),
        "requested_at": _time(reading.measured_at),
        "compressor_starts_count": reading.compressor_starts,
        "compressor_hours_h": reading.compressor_hours,
        "heating_rod_level_one_s": reading.heating_rod_level_one_s,
        "heating_rod_level_two_s": reading.heating_rod_level_two_s,
        "device_cop_total": reading.cop_total,
        "device_cop_heating": reading.cop_heating,
        "device_cop_dhw": reading.cop_dhw,
    }


def _circuit_values(circuit: CircuitReading) -> dict[str, float | None]:
    return {
        "supply_temperature_c": circuit.supply_temperature_c,
        "room_temperature_c": circuit.room_temperature_c,
        "target_temperature_c": circuit.target_temperature_c,
        "operating_mode": code_of(circuit.operating_mode, OPERATING_MODES),
        "pump_active": _flag(circuit.pump_active),
    }
