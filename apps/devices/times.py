"""◇ Times as texts, as clouds and databases have them. ◇"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache


@lru_cache(maxsize=1024)
def parse_time(text: str) -> datetime | None:
    """Return an ISO 8601 time as aware UTC, one without offset taken as UTC; None for anything else."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return in_utc(at)


def in_utc(at: datetime) -> datetime:
    """Return the same moment as aware UTC; a time without offset is taken as UTC."""
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def utc_midnight(at: datetime) -> datetime:
    """Return the start of the UTC day."""
    return at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
