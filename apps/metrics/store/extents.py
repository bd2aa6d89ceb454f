"""Where a source may have rows at all, so that no engine is asked an open question."""

from __future__ import annotations

from typing import Protocol

from .engine import LAST_TIME, SourceKey


class Extents(Protocol):
    """What is known of the stretches outside of which sources have no rows. They only ever widen, so that
    they hold whatever several processes write and delete."""

    def of(self, site: int, measurement: str, device: str | None) -> tuple[int, int] | None:
        """Return [start, end) of one device or all; None if there never was a row."""

    def widen(self, source: SourceKey, first: int, last: int) -> None:
        """Widen the extent for rows from ``first`` to ``last`` about to be written."""


class WholeCalendar:
    """Extents of a scratch store, of which nothing is remembered: its engine is asked about all times."""

    def of(self, site: int, measurement: str, device: str | None) -> tuple[int, int] | None:
        return 0, LAST_TIME

    def widen(self, source: SourceKey, first: int, last: int) -> None:
        pass
