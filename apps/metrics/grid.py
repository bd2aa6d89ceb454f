"""◇ The grid of everything derived: intervals of five minutes, at multiples of 300 s of Unix time."""

from __future__ import annotations

INTERVAL_S = 300
MINUTE_S = 60


def interval_of(at: int) -> int:
    """Return the start of the interval that holds ``at``."""
    return at - at % INTERVAL_S


def edge_from(at: int) -> int:
    """Return the first interval edge at or after ``at``."""
    return at + -at % INTERVAL_S


def intervals(start: int, end: int) -> range:
    """Return the starts of the intervals in [start, end)."""
    return range(start, end, INTERVAL_S)


def minutes(start: int, end: int) -> range:
    """Return the starts of the minutes that begin in [start, end)."""
    return range(start + -start % MINUTE_S, end, MINUTE_S)
