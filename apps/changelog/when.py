"""◇ Times as forms and addresses carry them, read in the house's zone (◇ pure)."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta, tzinfo

FIRST_YEAR, LAST_YEAR = 1990, 2200


def parse_time(text: str, zone: tzinfo) -> datetime:
    """Parse an ISO time into aware UTC; without an offset it is local, and the earlier one where the clock
    shows it twice. A blank where + was is understood. Raises ValueError."""
    text = re.sub(r" (\d\d:?\d\d)$", r"+\1", text.strip()) if "T" in text else text.strip()
    at = datetime.fromisoformat(text)
    if not FIRST_YEAR <= at.year <= LAST_YEAR:
        raise ValueError(f"{at.year} is not a year of this history")
    return (at if at.tzinfo is not None else at.replace(tzinfo=zone)).astimezone(UTC)


def parse_day(text: str) -> date:
    """Parse a local date. Raises ValueError."""
    day = date.fromisoformat(text.strip())
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise ValueError(f"{day.year} is not a year of this history")
    return day


def day_start(day: date, zone: tzinfo) -> datetime:
    """Return the instant at which the local day begins."""
    return datetime.combine(day, time(), tzinfo=zone).astimezone(UTC)


def day_end(day: date, zone: tzinfo) -> datetime:
    """Return the instant at which the local day ends (and the next begins)."""
    return day_start(day + timedelta(days=1), zone)


def form_time(at: datetime, zone: tzinfo) -> str:
    """Format the house's minute for an ``<input type="datetime-local">``."""
    return at.astimezone(zone).strftime("%Y-%m-%dT%H:%M")


def address_time(at: datetime) -> str:
    """Format UTC for a query string, in full precision, without characters that need quoting."""
    return at.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"
