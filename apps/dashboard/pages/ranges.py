"""◇ The range of a chart in the address: day, week, month, year, or exact ends."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from urllib.parse import urlencode

from apps.metrics.windows import local_midnight, next_first, period_first

RANGES = ("day", "week", "month", "year")
CUSTOM = "custom"
UNKNOWN, NO_DATE, FAR = "unknown", "no_date", "far"
REVERSED, SHORT, LONG, FUTURE = "reversed", "short", "long", "future"
FIRST_YEAR, LAST_YEAR = 1990, 2200
LONGEST = timedelta(days=366 * 30)
SHORTEST = timedelta(minutes=5)


class RangeInvalid(ValueError):
    """The address asks for a range that is none. ``field`` is the parameter at fault, ``fault`` one of
    UNKNOWN, NO_DATE, FAR, REVERSED, SHORT, LONG, FUTURE."""

    def __init__(self, field: str, value: str, fault: str = "unknown") -> None:
        super().__init__(f"{field}={value}")
        self.field = field
        self.value = value
        self.fault = fault


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """[start, end) as UTC instants. ``first`` is the local first day of a calendar range, ``day`` the one
    that a shorter range shows. ``earlier`` and ``later`` are query strings, empty where there is nothing to
    go to."""

    kind: str
    start: datetime
    end: datetime
    first: date
    day: date
    earlier: str
    later: str

    @property
    def start_s(self) -> int:
        return int(self.start.timestamp())

    @property
    def end_s(self) -> int:
        return int(self.end.timestamp())


def parse_range(
    query: Mapping[str, str], *, now: datetime, stored_from: datetime | None, zone: tzinfo
) -> Range:
    """Return the range that the query asks for; without one, today.

    ``stored_from``: first stored instant, where the arrow back stops. Raises RangeInvalid.
    """
    oldest = (stored_from or now).astimezone(zone).date()
    if query.get("from") or query.get("to"):
        return _custom(query, now, oldest, zone)
    kind = query.get("range") or "day"
    if kind not in RANGES:
        raise RangeInvalid("range", kind)
    today = now.astimezone(zone).date()
    day = parse_date(query["date"]) if query.get("date") else today
    if period_first(day, kind) > today:
        raise RangeInvalid("date", query["date"], FUTURE)
    return calendar_range(kind, min(day, today), oldest=oldest, today=today, zone=zone)


def calendar_range(kind: str, day: date, *, oldest: date, today: date, zone: tzinfo) -> Range:
    """Return the local day, week, month or year that ``day`` lies in."""
    first = period_first(day, kind)
    following = next_first(first, kind)
    before = period_first(first - timedelta(days=1), kind)
    return Range(
        kind=kind,
        start=local_midnight(first, zone),
        end=local_midnight(following, zone),
        first=first,
        # The first day is where the arrows lead: nobody chose it.
        day=today if day == first and first <= today < following else day,
        earlier=urlencode({"range": kind, "date": before.isoformat()}) if first > oldest else "",
        later=urlencode({"range": kind, "date": following.isoformat()}) if following <= today else "",
    )


def parse_instant(field: str, text: str, zone: tzinfo) -> datetime:
    """Parse an ISO time; one without offset is the house's local time. A blank where + was is understood.

    Raises RangeInvalid.
    """
    text = re.sub(r" (\d\d:?\d\d)$", r"+\1", text.strip()) if "T" in text else text.strip()
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise RangeInvalid(field, text, NO_DATE) from error
    if at.tzinfo is None:
        at = at.replace(tzinfo=zone)
    if not FIRST_YEAR <= at.year <= LAST_YEAR:
        raise RangeInvalid(field, text, FAR)
    return at.astimezone(UTC)


def _custom(query: Mapping[str, str], now: datetime, oldest: date, zone: tzinfo) -> Range:
    end = parse_instant("to", query["to"], zone) if query.get("to") else now
    start = parse_instant("from", query["from"], zone) if query.get("from") else end - timedelta(days=1)
    if not query.get("to") and start >= now:
        raise RangeInvalid("from", query["from"], FUTURE)
    if end - start < SHORTEST or end - start > LONGEST:
        fault = REVERSED if end < start else SHORT if end - start < SHORTEST else LONG
        raise RangeInvalid("to", query.get("to", ""), fault)
    length = end - start
    has_earlier = start > local_midnight(oldest, zone)
    return Range(
        kind=CUSTOM,
        start=start,
        end=end,
        first=start.astimezone(zone).date(),
        day=start.astimezone(zone).date(),
        earlier=between(start - length, start) if has_earlier else "",
        later=between(end, end + length) if end < now else "",
    )


def between(start: datetime, end: datetime) -> str:
    """Return the query of a custom range."""
    return urlencode({"from": _iso(start), "to": _iso(end)})


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).replace(microsecond=0, tzinfo=None).isoformat() + "Z"


def parse_days(query: Mapping[str, str], *, today: date, longest: timedelta) -> tuple[date, date]:
    """Parse the local days ``from`` and ``to``, which are ``longest`` apart at most. Raises RangeInvalid."""
    first_text, last_text = query.get("from") or "", query.get("to") or ""
    first, last = parse_date(first_text, "from"), parse_date(last_text, "to")
    if last < first:
        raise RangeInvalid("to", last_text, REVERSED)
    if first > today:
        raise RangeInvalid("from", first_text, FUTURE)
    if last - first > longest:
        raise RangeInvalid("to", last_text, LONG)
    return first, last


def parse_date(text: str, field: str = "date") -> date:
    """Parse the day in an address. Raises RangeInvalid."""
    try:
        day = date.fromisoformat(text.strip())
    except ValueError as error:
        raise RangeInvalid(field, text, NO_DATE) from error
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise RangeInvalid(field, text, FAR)
    return day
