"""◇ How long the circulation pump ran, out of what the heat pump answers in 5-minute steps."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, tzinfo

from .grid import INTERVAL_S

STEP_H = INTERVAL_S / 3600
NIGHT_H = frozenset({23, 0, 1, 2, 3, 4})
KNOWN_H = 20.0
"""Hours of a day from which on it counts, as for outdoor temperature."""
LEAST_H = 12.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CirculationDay:
    """Hours that the circulation pump ran on a local day, of those that are known; at night: 23 to 5 o'clock,
    counted with the day on which it lies."""

    day: date
    on_h: float
    known_h: float
    night_on_h: float

    @property
    def is_known(self) -> bool:
        return self.known_h >= KNOWN_H


def circulation_day(day: date, answers: Iterable[tuple[int, float | None]], zone: tzinfo) -> CirculationDay:
    """Return one local day from (begin of the step, share of its answers with the pump on). Each step with an
    answer stands for its five minutes."""
    known = [(at, on >= 0.5) for at, on in answers if on is not None]
    hours = [datetime.fromtimestamp(at, zone).hour for at, is_on in known if is_on]
    return CirculationDay(
        day=day,
        on_h=STEP_H * len(hours),
        known_h=STEP_H * len(known),
        night_on_h=STEP_H * sum(hour in NIGHT_H for hour in hours),
    )


def hours_a_day(days: Sequence[CirculationDay]) -> float | None:
    """Return for how long it runs in 24 hours, from the days that count: a morning alone says little about a
    day. Without any such day from all of them; None below 12 known hours."""
    days = [day for day in days if day.is_known] or days
    known_h = sum(day.known_h for day in days)
    return 24 * sum(day.on_h for day in days) / known_h if known_h >= LEAST_H else None
