"""Today so far against another day that was as cold by the same time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from .grid import interval_of
from .home import Home
from .kept import kept
from .totals import MEASURED, Totals, outside_means, totals

LOOK_BACK_DAYS = 90
LEAST_S = 3600
LIKE_K = 1.5
ALIKE_K = 0.5
"""Days that differ by less than this are equally cold: the newest of them is taken."""

KNOWN_OUTSIDE = 0.8
POLL_S = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class AlikeDay:
    """Another local day up to the same time of day: its electricity [kWh] and outdoor mean [°C], and
    today's mean."""

    day: date
    energy_kwh: float
    outside_c: float
    outside_today_c: float


@kept
def alike_day(home: Home) -> AlikeDay | None:
    """Return the newest day of the last 90, yesterday aside, that was equally cold by this time of day, by
    1.5 K at most; None where none is known well enough, or today has only begun."""
    edges = list(_edges(home))
    if edges[-1] - edges[-2] < LEAST_S:
        return None
    parts = totals(home, edges, ("electrical_energy_wh", "electric_s"))[::2]
    means = [
        part.mean if part.count * POLL_S >= KNOWN_OUTSIDE * (end - start) else None
        for part, start, end in zip(outside_means(home, edges)[::2], edges[::2], edges[1::2], strict=True)
    ]
    outside_today_c = means[-1]
    if outside_today_c is None:
        return None
    found = [
        (int(abs(outside_c - outside_today_c) / ALIKE_K), back, energy_wh, outside_c)
        for back, part, outside_c in zip(_days_back(), parts[:-1], means[:-1], strict=True)
        if outside_c is not None
        and abs(outside_c - outside_today_c) <= LIKE_K
        and (energy_wh := _measured_wh(part)) is not None
    ]
    if not found:
        return None
    _difference, back, energy_wh, outside_c = min(found)
    return AlikeDay(
        day=home.today - timedelta(days=back),
        energy_kwh=energy_wh / 1000,
        outside_c=outside_c,
        outside_today_c=outside_today_c,
    )


def _days_back() -> range:
    """Return how many days ago each looked at day was, the oldest first."""
    return range(LOOK_BACK_DAYS, 1, -1)


def _edges(home: Home) -> Iterator[int]:
    """Yield midnight and the present time of day of each day, today last."""
    zone = home.options.zone
    now: time = datetime.fromtimestamp(home.interval_s, zone).time()
    for back in _days_back():
        day = home.today - timedelta(days=back)
        start, end = home.day_bounds(day)
        yield start
        yield min(max(start, interval_of(int(datetime.combine(day, now, tzinfo=zone).timestamp()))), end)
    yield home.midnight(home.today)
    yield home.interval_s


def _measured_wh(part: Totals) -> float | None:
    return part.energy_wh if not part.at_least and (part.electrical_coverage or 0.0) >= MEASURED else None
