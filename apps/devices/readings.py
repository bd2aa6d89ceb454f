"""◇ What the devices said, as frozen values.

Units stand in the names. ``None`` means not measured or not known; ``0.0`` means measured zero.
``measured_at`` is aware UTC. ``device`` is the meter's MAC (upper case, no colons) or the serial of
the heat pump's gateway.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

PHASES = ("a", "b", "c")


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseReading:
    """One measured channel: triphase phase a, b, c or monophase component 0, 1, 2 (mapped to a, b, c)."""

    power_w: float | None = None
    voltage_v: float | None = None
    current_a: float | None = None
    energy_counter_wh: float | None = None
    energy_returned_counter_wh: float | None = None
    errors: tuple[str, ...] = ()

    @property
    def is_connected(self) -> bool:
        """False for a phase without voltage and power: its zero is not a measured one."""
        return not is_dead(self.power_w, self.voltage_v)


def is_dead(power_w: float | None, voltage_v: float | None) -> bool:
    """Return whether nothing is clamped to a phase: the meter then reports 0 V and 0 W for it."""
    return voltage_v == 0.0 and not power_w


@dataclass(frozen=True, slots=True, kw_only=True)
class PowerReading:
    """One poll of the electricity meter. ``phases`` always has three entries, for a, b and c.

    ``power_w`` is the sum over the phases [W], positive for import; ``energy_counter_wh`` the imported
    energy that the meter counted since its last reset [Wh], stepping once a minute.
    ``measured_at`` is the middle of the request by our clock. ``clock_offset_s`` is the meter's clock
    minus ours [s], None before the meter has set its clock.
    """

    measured_at: datetime
    device: str
    profile: str
    phases: tuple[PhaseReading, PhaseReading, PhaseReading]
    power_w: float | None = None
    energy_counter_wh: float | None = None
    energy_returned_counter_wh: float | None = None
    clock_offset_s: float | None = None
    uptime_s: int | None = None
    errors: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MinuteRecord:
    """One row of the meter's own history: the energy of a closed period that starts at ``at``.

    ``energy_wh`` and ``energy_returned_wh`` are triples for phases a, b, c [Wh]; an unconnected or
    absent channel is None. ``total_energy_wh`` is the sum as the device gives it, or over the known
    channels. ``period_s`` is 60 on a Pro 3EM; other models say otherwise.
    """

    at: datetime
    device: str
    period_s: int
    energy_wh: tuple[float | None, float | None, float | None]
    energy_returned_wh: tuple[float | None, float | None, float | None] = (None, None, None)
    total_energy_wh: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryBlock:
    """An uninterrupted stretch [start, end) of the meter's memory, in rows of ``period_s``."""

    start: datetime
    end: datetime
    period_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryExtent:
    """What the meter holds, from the first row to the end of the last, with holes between the blocks."""

    start: datetime
    end: datetime
    period_s: int
    blocks: tuple[HistoryBlock, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CircuitReading:
    """One enabled heating circuit; ``id`` as the device gives it ("0", "1", …).

    ``target_temperature_c`` follows the schedule (and the clock): it is charted, never logged.
    """

    id: str
    supply_temperature_c: float | None = None
    room_temperature_c: float | None = None
    target_temperature_c: float | None = None
    pump_active: bool | None = None
    operating_mode: str | None = None
    program: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HeatPumpReading:
    """One snapshot of the heat pump as its cloud knows it.

    ``measured_at`` is when we asked; ``newest_source_at`` is the newest timestamp over all data points
    (heartbeat): values may be older than the poll. ``dhw_charging_at`` is that flag's own timestamp.
    ``compressor_phase`` is the device's text. Of several compressors values are sums, the modulation that of
    their whole power; ``compressors_output_kw`` is rated power × modulation, summed over those that run, None
    with one compressor only. Counters (starts, hours, rod seconds) only ever rise.
    ``cop_*`` are the device's own long-run registers, ratios without unit. ``messages``: codes of the faults
    and services that it asks attention for.
    """

    measured_at: datetime
    device: str
    newest_source_at: datetime | None = None
    model: str | None = None
    outside_temperature_c: float | None = None
    return_temperature_c: float | None = None
    secondary_supply_temperature_c: float | None = None
    primary_supply_temperature_c: float | None = None
    primary_return_temperature_c: float | None = None
    buffer_temperature_c: float | None = None
    dhw_storage_temperature_c: float | None = None
    dhw_current_target_temperature_c: float | None = None
    compressor_active: bool | None = None
    compressor_phase: str | None = None
    modulation_percent: float | None = None
    rated_power_kw: float | None = None
    compressors_output_kw: float | None = None
    circulation_pump_active: bool | None = None
    dhw_charging: bool | None = None
    dhw_charging_at: datetime | None = None
    compressor_starts: float | None = None
    compressor_hours: float | None = None
    heating_rod_level_one_s: float | None = None
    heating_rod_level_two_s: float | None = None
    cop_total: float | None = None
    cop_heating: float | None = None
    cop_dhw: float | None = None
    messages: tuple[str, ...] = ()
    circuits: tuple[CircuitReading, ...] = field(default=())

    @property
    def supply_temperature_c(self) -> float | None:
        """Supply temperature [°C] of the first active circuit that has a sensor."""
        for circuit in self.circuits:
            if circuit.supply_temperature_c is not None:
                return circuit.supply_temperature_c
        return None
