"""Time for the simulator: virtual, or that of this computer."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """What handlers are told the time by."""

    def epoch(self) -> float: ...

    def now(self) -> datetime: ...


class VirtualClock:
    """Stands still until it is moved."""

    def __init__(self, start: datetime) -> None:
        if start.tzinfo is None:
            raise ValueError("the clock needs a time with a zone")
        self._epoch = start.timestamp()

    def epoch(self) -> float:
        """Return epoch seconds."""
        return self._epoch

    def now(self) -> datetime:
        return datetime.fromtimestamp(self._epoch, UTC)

    def advance(self, by: timedelta | float) -> None:
        """Move on by seconds or a duration. Raises ValueError for a step back."""
        self.advance_to_epoch(self._epoch + (by.total_seconds() if isinstance(by, timedelta) else by))

    def advance_to(self, at: datetime) -> None:
        """Move on to ``at``. Raises ValueError if that lies behind."""
        self.advance_to_epoch(at.timestamp())

    def advance_to_epoch(self, at: float) -> None:
        if at < self._epoch:
            raise ValueError("virtual time does not run backwards")
        self._epoch = at


class RealClock:
    """The computer's clock, for the live demo."""

    def epoch(self) -> float:
        return time.time()

    def now(self) -> datetime:
        return datetime.fromtimestamp(time.time(), UTC)
