"""◇ Starts, run times and short cycling of the compressor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

SHORT_CYCLE_STARTS_A_HOUR = 6
SHORT_CYCLE_S = 15 * 60
SHORT_CYCLE_DAYS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Cycles:
    """Cycling of a stretch of time. Rates are over hours of *known* state; None where nothing is known."""

    starts: int
    run_s: float
    known_s: float

    @property
    def starts_per_hour(self) -> float | None:
        return self.starts / (self.known_s / 3600.0) if self.known_s else None

    @property
    def mean_run_s(self) -> float | None:
        """On-time over starts [s]; None without a start."""
        return self.run_s / self.starts if self.starts else None


@dataclass(frozen=True, slots=True, kw_only=True)
class CyclingDay:
    """One local day: most starts in an hour, and the day's cycle lengths, start to start [s]."""

    peak_starts_per_hour: int
    cycles_s: tuple[float, ...]

    @property
    def short(self) -> bool:
        """Six or more starts in an hour and a median cycle of a quarter of an hour or less."""
        return (
            self.peak_starts_per_hour >= SHORT_CYCLE_STARTS_A_HOUR
            and bool(self.cycles_s)
            and median(self.cycles_s) <= SHORT_CYCLE_S
        )


def is_short_cycling(days: Sequence[CyclingDay]) -> bool:
    """Return whether the last three days in a row were short cycling."""
    return len(days) >= SHORT_CYCLE_DAYS and all(day.short for day in days[-SHORT_CYCLE_DAYS:])


def cycling_day(starts_at: Sequence[float]) -> CyclingDay:
    """Return the day's cycling from the times of its starts, in order (epoch s)."""
    peak = 0
    first = 0
    for number, at in enumerate(starts_at):
        while starts_at[first] <= at - 3600:
            first += 1
        peak = max(peak, number - first + 1)
    cycles = tuple(later - earlier for earlier, later in zip(starts_at, starts_at[1:], strict=False))
    return CyclingDay(peak_starts_per_hour=peak, cycles_s=cycles)
