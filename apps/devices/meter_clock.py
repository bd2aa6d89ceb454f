"""◇ Whether a meter's clock is right, and what to do with its minutes while it is not. ◇

A meter files its rows under its own time, so they are only as good as its clock. Its counters still step
once a minute, which we date by our clock.
"""

from __future__ import annotations

import math
from datetime import datetime, timedelta

WRONG_FROM_S = 60.0
SAME_START = timedelta(seconds=5)  # both times that give it are whole seconds


def is_wrong(offset_s: float | None) -> bool:
    """Return whether a clock (its time minus ours [s]) is too far off to believe its rows; False while
    unknown."""
    return offset_s is not None and abs(offset_s) > WRONG_FROM_S


def trusted_offset_s(offset_s: float | None) -> float:
    """Return what to add to our time for the time in which the meter's minutes step [s].

    Of a wrong clock only the seconds count, so that no minute is dated more than half a minute wrong.
    """
    if offset_s is None:
        return 0.0
    return math.remainder(offset_s, 60.0) if is_wrong(offset_s) else offset_s


def started_at(at: datetime, offset_s: float | None, uptime_s: int | None) -> datetime | None:
    """Return when the meter started, by its own clock: it moves only if that clock is set, or it restarts."""
    if offset_s is None or uptime_s is None:
        return None
    return at + timedelta(seconds=offset_s - uptime_s)


def was_ours(started_before: datetime | None, started_now: datetime | None) -> bool:
    """Return whether a difference that has gone was our clock's: the meter's was not set meanwhile."""
    if started_before is None or started_now is None:
        return False
    return abs(started_now - started_before) <= SAME_START
