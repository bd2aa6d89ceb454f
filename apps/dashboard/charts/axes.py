"""◇ Axes of charts: even steps for values, round local times, both worked out before anything is drawn."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

HOUR = 3600
DAY = 24 * HOUR

MOST_TICKS = 6
TickLabel = Callable[[datetime, str], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueAxis:
    """Ticks at ``minimum``, + ``step``, … ``maximum``, all written with ``decimals``."""

    minimum: float
    maximum: float
    step: float
    decimals: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    at: int
    label: str


def even_axis(
    values: Iterable[float | None], *, from_zero: bool = False, least_span: float = 0.0
) -> ValueAxis:
    """Return the shortest axis around all values whose step is 1, 2 or 5 × 10ⁿ, with at most six ticks.

    ``from_zero`` for amounts; ``least_span``: what a flat line is not magnified beyond.
    """
    known = [value for value in values if value is not None and math.isfinite(value)]
    low, high = (min(known), max(known)) if known else (0.0, 1.0)
    if from_zero:
        low, high = min(low, 0.0), max(high, 0.0)
        high = max(high, low + least_span)
    else:
        missing = max(0.0, least_span - (high - low))
        low, high = low - missing / 2, high + missing / 2
    if high <= low:
        high = low + 1.0
    step, decimals = next(
        pair
        for pair in _even_steps((high - low) / (MOST_TICKS - 1))
        if _ticks(low, high, pair[0]) <= MOST_TICKS
    )
    return ValueAxis(
        minimum=round(_first(low, step) * step, decimals),
        maximum=round(_last(high, step) * step, decimals),
        step=step,
        decimals=decimals,
    )


def _first(low: float, step: float) -> int:
    return math.floor(low / step + 1e-9)


def _last(high: float, step: float) -> int:
    return math.ceil(high / step - 1e-9)


def _ticks(low: float, high: float, step: float) -> int:
    return _last(high, step) - _first(low, step) + 1


def even_step(largest: float, classes: int) -> tuple[float, int]:
    """Return the smallest even step of which ``classes`` reach ``largest``, and its decimals."""
    step, decimals = next(_even_steps(max(largest, 1e-6) / classes))
    return step, decimals


def _even_steps(least: float) -> Iterator[tuple[float, int]]:
    """Yield the steps from ``least`` on, rising, with the decimals that they need."""
    power = math.floor(math.log10(least) + 1e-9)
    while True:
        for digit in (1, 2, 5):
            decimals = max(0, -power)
            step = round(digit * 10.0**power, decimals)
            if step >= least * (1 - 1e-9):
                yield step, decimals
        power += 1


_TICKS: tuple[tuple[int, int, str], ...] = (
    # longest span [s], minutes between ticks, wording
    (2 * HOUR, 10, "time"),
    (4 * HOUR, 30, "time"),
    (14 * HOUR, 60, "time"),
    (30 * HOUR, 180, "time"),
    (4 * DAY, 720, "time"),
    (10 * DAY, 1440, "day"),
    (22 * DAY, 2 * 1440, "day"),
    (50 * DAY, 5 * 1440, "day"),
)


def time_ticks(start: int, end: int, zone: tzinfo, label: TickLabel) -> tuple[Tick, ...]:
    """Return marks at round local times in [start, end], correct on days of 23 and 25 hours too. Midnight is
    written as a date."""
    span = end - start
    for longest, minutes, wording in _TICKS:
        if span <= longest:
            return _clock_ticks(start, end, zone, label, minutes, wording)
    return _month_ticks(start, end, zone, label)


def _clock_ticks(
    start: int, end: int, zone: tzinfo, label: TickLabel, minutes: int, wording: str
) -> tuple[Tick, ...]:
    ticks = []
    local_start = datetime.fromtimestamp(start, UTC).astimezone(zone)
    day = local_start.replace(hour=0, minute=0, second=0, microsecond=0)
    days = max(1, minutes // 1440)
    while day.timestamp() <= end:
        if (day.toordinal() % days) == 0:
            step = min(minutes, 1440)
            for minute in range(0, 1440, step):
                local = day.replace(hour=minute // 60, minute=minute % 60)
                at = int(local.timestamp())
                # a local time that the clock skipped in spring does not come back as itself
                exists = datetime.fromtimestamp(at, UTC).astimezone(zone).replace(
                    tzinfo=None
                ) == local.replace(tzinfo=None)
                if start <= at <= end and exists:
                    ticks.append(Tick(at=at, label=label(local, "day" if minute == 0 else wording)))
        day = (day.replace(tzinfo=None) + timedelta(days=1)).replace(tzinfo=zone)
    return tuple(ticks)


def _month_ticks(start: int, end: int, zone: tzinfo, label: TickLabel) -> tuple[Tick, ...]:
    months = (end - start) / (30.4 * DAY)
    every = next((step for step in (1, 3, 6, 12) if months / step <= 14), 24)
    first = datetime.fromtimestamp(start, UTC).astimezone(zone)
    ticks = []
    for index in range(first.year * 12 + first.month - 1, first.year * 12 + first.month + int(months) + 2):
        year, month = divmod(index, 12)
        local = datetime(year, month + 1, 1, tzinfo=zone)
        at = int(local.timestamp())
        if start <= at <= end and index % every == 0:
            ticks.append(Tick(at=at, label=label(local, "year" if month == 0 else "month_short")))
    return tuple(ticks)
