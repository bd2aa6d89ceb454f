"""◇ What the meter measures and remembers: live values, counters and minute rows of a house."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from .house import House
from .noise import slot

PHASES = ("a", "b", "c")
ROW_NAMES = (
    "total_act_energy",
    "fund_act_energy",
    "total_act_ret_energy",
    "fund_act_ret_energy",
    "lag_react_energy",
    "lead_react_energy",
    "max_act_power",
    "min_act_power",
    "max_aprt_power",
    "min_aprt_power",
    "max_voltage",
    "min_voltage",
    "avg_voltage",
    "max_current",
    "min_current",
    "avg_current",
)
NEUTRAL_NAMES = ("n_max_current", "n_min_current", "n_avg_current")
TRIPHASE_KEYS = tuple(f"{phase}_{name}" for phase in PHASES for name in ROW_NAMES) + NEUTRAL_NAMES
MONOPHASE_KEYS = tuple(name for name in ROW_NAMES if not name.startswith("fund_"))
_DECIMALS = tuple(4 if name.endswith("energy") else 1 if name.endswith("power") else 3 for name in ROW_NAMES)
FLASH_DELAY_S = 0.25
UNITS = 10_000


class Meter:
    """Three clamps on a house, seen at a moment. ``retention_s``: how long minute rows are kept.

    ``off``: stretches (start, end) in which the meter had no power: nothing counted, no rows.
    """

    def __init__(self, house: House, retention_s: int = 48 * 86_400) -> None:
        self.house = house
        self.retention_s = retention_s
        self.off: list[tuple[int, int]] = []
        self.base = [0, 0, 0, 0, 0, 0]
        self.rows_from = house.log.start

    def electric(self, at: float) -> list[dict[str, float]]:
        """Return voltage [V], current [A], power [W], apparent power [VA], factor and frequency by phase."""
        step = self.house.t // 10
        noise = self.house.noise
        result = []
        for index, power in enumerate(self.house.phase_powers_w()):
            voltage = self.voltage(step, index, power)
            apparent = apparent_va(power)
            result.append(
                {
                    "voltage": voltage,
                    "current": apparent / voltage,
                    "act_power": power,
                    "aprt_power": apparent,
                    "pf": abs(power) / apparent,
                    "freq": 50.0 + 0.02 * noise[slot(step + 31)],
                }
            )
        return result

    def voltage(self, step: int, phase: int, power: float) -> float:
        """Return the voltage [V] of a phase in a 10-second step; the grid sags a little under load."""
        noise = self.house.noise
        slow = noise[slot(step // 90 + 1000 * phase)]
        return 231.2 + 1.4 * slow + 0.35 * noise[slot(step + 500 * phase)] - power / 900.0 + 0.4 * phase

    def counters(self, at: float) -> list[int]:
        """Return the import by phase, then export by phase [0.0001 Wh], as saved on the last full minute."""
        log = self.house.log
        values = list(self.house.counters)
        last = log.index(at - FLASH_DELAY_S)
        for index in range(last, len(log)):
            values = [value - energy for value, energy in zip(values, log.meter_row(index), strict=True)]
        for start, end in self.off:
            for index in range(log.index(start), min(log.index(end + 59), last)):
                values = [value - energy for value, energy in zip(values, log.meter_row(index), strict=True)]
        return [max(0, value - base) for value, base in zip(values, self.base, strict=True)]

    def reset_counters(self, at: float) -> None:
        """Restart the totals from zero; rows stay."""
        now = self.counters(at)
        self.base = [base + value for base, value in zip(self.base, now, strict=True)]

    def delete_rows(self, at: float) -> None:
        """Forget all rows and totals."""
        self.reset_counters(at)
        self.rows_from = self.house.log.start + 60 * self.house.log.index(at)

    def forget_old_rows(self, at: float) -> None:
        """Drop from the house's log what is a day beyond retention."""
        log = self.house.log
        oldest = int(at) - self.retention_s - 86_400
        if log.start < oldest - 86_400:
            # counters take back what was not counted; that must outlive the rows
            for start, end in [stretch for stretch in self.off if stretch[1] < oldest]:
                for index in range(log.index(start), log.index(end + 59)):
                    lost = log.meter_row(index)
                    self.base = [base + energy for base, energy in zip(self.base, lost, strict=True)]
                self.off.remove((start, end))
            log.forget_before(oldest // 60 * 60)

    def blocks(self, at: float) -> list[tuple[int, int]]:
        """Return the stretches (start, end) of minutes without interruption that the meter still holds at
        ``at``."""
        log = self.house.log
        start = max(self.rows_from, log.start, (int(at) - self.retention_s) // 60 * 60)
        end = log.start + 60 * log.index(at - FLASH_DELAY_S)
        result = []
        for off_start, off_end in sorted(self.off):
            first_missing = off_start // 60 * 60
            if first_missing > start:
                result.append((start, min(first_missing, end)))
            start = max(start, -(-off_end // 60) * 60)
        result.append((start, end))
        return [(first, last) for first, last in result if first < last]

    def minutes(self, at: float, start: int, end: int) -> Iterator[int]:
        """Yield the times of the rows held whose minute begins in [start, end], in order."""
        for first, last in self.blocks(at):
            begin = max(first, -(-start // 60) * 60)
            yield from range(begin, min(last, end + 1), 60)

    def row(self, minute: int) -> list[list[float]]:
        """Return the 16 values of each phase for the minute that begins at ``minute``."""
        log = self.house.log
        index = (minute - log.start) // 60
        energies, values = log.meter_row(index), log.value_row(index)
        return [
            self._phase_row(
                minute,
                phase,
                (energies[phase] / UNITS, energies[phase + 3] / UNITS),
                (values[f"max_{PHASES[phase]}"], values[f"min_{PHASES[phase]}"]),
            )
            for phase in range(3)
        ]

    def _phase_row(
        self, minute: int, phase: int, energy: tuple[float, float], power: tuple[float, float]
    ) -> list[float]:
        bought, sold = energy
        high, low = power
        mean = (bought - sold) * 60.0
        apparents = sorted((apparent_va(high), apparent_va(low)))
        voltages = sorted(self.voltage(minute // 10 + step, phase, mean) for step in (0, 3, 5))
        reactive = math.sqrt(max(0.0, apparent_va(mean) ** 2 - mean**2)) / 60.0
        lagging = mean > 200.0
        values = (
            bought,
            bought * 0.985,
            sold,
            sold * 0.985,
            reactive if lagging else 0.0,
            0.0 if lagging else reactive,
            high,
            low,
            apparents[1],
            apparents[0],
            voltages[2],
            voltages[0],
            voltages[1],
            apparents[1] / voltages[0],
            apparents[0] / voltages[2],
            apparent_va(mean) / voltages[1],
        )
        return [round(value, places) for value, places in zip(values, _DECIMALS, strict=True)]


def apparent_va(power_w: float) -> float:
    """Return the apparent power [VA]: a running inverter has a factor near 0.95, standby electronics near
    0.4."""
    size = abs(power_w)
    return math.hypot(size, 11.0 + 0.27 * size)


def triphase_values(row: Sequence[Sequence[float]]) -> list[float]:
    """Return the 51 values of a row in the order of ``TRIPHASE_KEYS``."""
    return [value for phase in row for value in phase] + [0.0, 0.0, 0.0]


def monophase_values(row: Sequence[float]) -> list[float]:
    """Return the 14 values of one channel in the order of ``MONOPHASE_KEYS``."""
    return [row[0], row[2], *row[4:]]
