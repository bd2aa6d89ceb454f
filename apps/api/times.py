"""Times and dates as the API takes them."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime

from django.utils.translation import gettext as _

from .answers import ApiError

FIRST = datetime(1970, 1, 1, tzinfo=UTC)
LAST = datetime(2100, 1, 1, tzinfo=UTC)
# In an address a + is a blank; who forgot to escape it is understood.
_BLANK_OFFSET = re.compile(r"(?<=\d) (?=\d{2}:?\d{2}$)")
_BASIC_SHAPE = re.compile(r"^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}")


def instant(text: str, field: str) -> datetime:
    """Parse an ISO 8601 time with offset, aware, in the offset it was given. Raises ApiError naming
    ``field``."""
    cleaned = _BLANK_OFFSET.sub("+", text.strip())
    try:
        parsed = datetime.fromisoformat(cleaned) if _BASIC_SHAPE.match(cleaned) else None
    except ValueError:
        parsed = None
    if parsed is None:
        raise ApiError(
            400, _("%(field)s must be a time like 2026-03-29T12:00:00+02:00.") % {"field": field}, field=field
        )
    if parsed.tzinfo is None:
        raise ApiError(
            400,
            _("%(field)s needs a UTC offset, like Z or +02:00; without one the time is ambiguous.")
            % {"field": field},
            field=field,
        )
    if not FIRST <= parsed <= LAST:
        raise ApiError(400, _("%(field)s must be between 1970 and 2100.") % {"field": field}, field=field)
    return parsed


def optional_instant(text: str | None, field: str) -> datetime | None:
    return None if text is None else instant(text, field)


def local_date(text: str, field: str) -> date:
    """Parse a local date like 2026-03-29. Raises ApiError naming ``field``."""
    cleaned = text.strip()
    try:
        parsed = date.fromisoformat(cleaned) if re.fullmatch(r"\d{4}-\d{2}-\d{2}", cleaned) else None
    except ValueError:
        parsed = None
    if parsed is None:
        raise ApiError(400, _("%(field)s must be a date like 2026-03-29.") % {"field": field}, field=field)
    if not 1970 <= parsed.year < 2100:
        raise ApiError(400, _("%(field)s must be between 1970 and 2100.") % {"field": field}, field=field)
    return parsed


def optional_date(text: str | None, field: str) -> date | None:
    return None if text is None else local_date(text, field)


def in_order(start: datetime | date | None, end: datetime | date | None) -> None:
    """Raise ApiError if the end is not after the start (dates: not before)."""
    if start is None or end is None:
        return
    reversed_ = end <= start if isinstance(start, datetime) else end < start
    if reversed_:
        raise ApiError(400, _("to must be later than from."), field="to")
