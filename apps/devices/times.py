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


def stored_time(stored: datetime | str | None) -> datetime | None:
    """Return as aware UTC what a raw query gives: from SQLite a text in UTC, from PostgreSQL a time."""
    if isinstance(stored, datetime):
        return in_utc(stored)
    return None if stored is None else parse_time(stored)
