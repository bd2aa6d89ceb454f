"""◇ What happened in each minute.

Energies of the meter are whole 0.0001 Wh, as the device keeps them, so that counters add up exactly.
Minutes lie one after the other in two flat arrays, because appending a minute must cost next to nothing.
"""

from __future__ import annotations

from array import array

METER = ("import_a", "import_b", "import_c", "export_a", "export_b", "export_c")
EXTREMES = ("max_a", "max_b", "max_c", "min_a", "min_b", "min_c")
TRUTH = ("heat_space_wh", "heat_dhw_wh", "heat_rod_wh", "run_s", "pump_wh", "rod_wh", "starts")
SENSORS = (
    "outside_c",
    "supply_c",
    "return_c",
    "secondary_c",
    "buffer_c",
    "tank_c",
    "brine_in_c",
    "brine_out_c",
    "modulation",
    "hot_gas_c",
    "room_c",
)
VALUES = EXTREMES + TRUTH + SENSORS
_METER_AT = {name: index for index, name in enumerate(METER)}
_VALUE_AT = {name: index for index, name in enumerate(VALUES)}
METER_WIDTH = len(METER)
WIDTH = len(VALUES)


class MinuteLog:
    """Contiguous minutes from ``start`` (epoch s) on; row i is the minute that begins at start + 60 i.

    ``meter``: rows of ``METER`` [0.0001 Wh]; ``values``: rows of ``VALUES``.
    """

    def __init__(self, start: int) -> None:
        self.start = start
        self.meter: array[int] = array("q")
        self.values: array[float] = array("f")

    def __len__(self) -> int:
        return len(self.meter) // METER_WIDTH

    @property
    def end(self) -> int:
        """End of the last finished minute (epoch s)."""
        return self.start + 60 * len(self)

    def index(self, at: float) -> int:
        """Return the number of minutes that ended by ``at``, kept within what there is."""
        return min(len(self), max(0, int(at - self.start) // 60))

    def energies(self, name: str, first: int = 0, last: int | None = None) -> array[int]:
        """Return the energies [0.0001 Wh] of the minutes ``first`` to ``last`` (excluded)."""
        end = len(self) if last is None else last
        at = _METER_AT[name]
        return self.meter[first * METER_WIDTH + at : end * METER_WIDTH : METER_WIDTH]

    def column(self, name: str, first: int = 0, last: int | None = None) -> array[float]:
        """Return the values of the minutes ``first`` to ``last`` (excluded)."""
        end = len(self) if last is None else last
        return self.values[first * WIDTH + _VALUE_AT[name] : end * WIDTH : WIDTH]

    def meter_row(self, index: int) -> array[int]:
        """Return one minute's six energies [0.0001 Wh]."""
        return self.meter[index * METER_WIDTH : (index + 1) * METER_WIDTH]

    def value_row(self, index: int) -> dict[str, float]:
        """Return one minute's values by name."""
        return dict(zip(VALUES, self.values[index * WIDTH : (index + 1) * WIDTH], strict=True))

    def total(self, name: str, start: float, end: float) -> float:
        """Return the sum of a column over the whole minutes in [start, end); energies in 0.0001 Wh."""
        first, last = self.index(start + 59), self.index(end)
        if name in _METER_AT:
            return sum(self.energies(name, first, last))
        return sum(self.column(name, first, last))

    def forget_before(self, at: int) -> None:
        """Drop the minutes before ``at``."""
        count = self.index(at)
        del self.meter[: count * METER_WIDTH]
        del self.values[: count * WIDTH]
        self.start += 60 * count
