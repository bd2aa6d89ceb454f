"""The clock of views and API: one place, so that a test can set it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime


def _system_clock() -> datetime:
    return datetime.now(UTC)


_clock: Callable[[], datetime] = _system_clock


def now() -> datetime:
    """Return the present as aware UTC."""
    return _clock()


@contextmanager
def fixed(at: datetime) -> Iterator[None]:
    """Make ``now()`` return ``at`` within the block, in every thread (for tests)."""
    global _clock
    before = _clock
    _clock = lambda: at  # noqa: E731
    try:
        yield
    finally:
        _clock = before
