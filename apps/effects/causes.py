"""What is known of the cause of a lasting deviation: signs that moved with it, out of the store."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from apps.metrics.cop import percent_of_carnot
from apps.metrics.efficiency import rod_runtime_s
from apps.metrics.home import Home
from apps.metrics.kept import kept
from apps.metrics.store.base import Series
from apps.metrics.totals import totals

from .expected import Deviation
from .signs import Sign, Signs, compared, mean_difference

DAY = timedelta(days=1)
DATED_TO = timedelta(days=7)
"""Its begin is known to about a week: the week before it counts for neither side."""
LOOK_BACK = timedelta(days=42)
LEAST_DAYS = 7
HOUR_S = 3600
HOURLY = (
    "primary_supply_temperature_c",
    "primary_return_temperature_c",
    "secondary_supply_temperature_c",
    "return_temperature_c",
    "compressor_run_s",
    "dhw_charging",
)


@kept
def signs_of(home: Home, deviation: Deviation) -> tuple[Sign, ...]:
    """Return the signs of the six weeks before against those since it began; nothing where either side has
    too few days."""
    last = min(deviation.until or home.today, home.today - DAY)
    begin = deviation.since - DATED_TO
    oldest = home.first_day()
    if oldest is None:
        return ()
    first = max(oldest, begin - LOOK_BACK)
    if (begin - first).days < LEAST_DAYS or (last - deviation.since).days + 1 < LEAST_DAYS:
        return ()
    before, since = _signs(home, first, begin - DAY), _signs(home, deviation.since, last)
    return tuple(compared(before, since, is_more=deviation.percent > 0))


def _signs(home: Home, first: date, last: date) -> Signs:
    start, end = home.midnight(first), home.day_bounds(last)[1]
    whole = totals(home, [start, end])[0]
    known_days = whole.seconds("electric_s") / 86_400
    standby, dhw = whole["electrical_energy_standby_wh"], whole.dhw_energy_wh
    rod_s = rod_runtime_s(home, start, end)
    source_k, water_k = _differences(home, start, end)
    return Signs(
        standby_kwh=_a_day(standby, known_days),
        dhw_kwh=_a_day(dhw, known_days),
        rod_h=None if rod_s is None else rod_s / HOUR_S / ((last - first).days + 1),
        carnot_percent=percent_of_carnot(whole["carnot_work_wh"], whole["carnot_energy_wh"]),
        source_k=source_k,
        water_k=water_k,
    )


def _a_day(energy_wh: float | None, days: float) -> float | None:
    return None if energy_wh is None or days <= 0 else energy_wh / 1000 / days


def _differences(home: Home, start: int, end: int) -> tuple[float | None, float | None]:
    """Return how far brine cools and heating water warms over the hours in which the compressor ran most of
    the time, the water without those of hot water."""
    brine_in, brine_out, flow, back, run, dhw = (
        home.store.series(home.id, name, start, end, HOUR_S) for name in HOURLY
    )
    runs = [(run_s or 0.0) >= 0.9 * HOUR_S for run_s in run.sum]
    heats = [running and not charging for running, charging in zip(runs, dhw.max, strict=True)]
    return _difference(brine_in, brine_out, runs), _difference(flow, back, heats)


def _difference(warm: Series, cold: Series, counts: Sequence[bool]) -> float | None:
    return mean_difference(
        [
            (one, other)
            for one, other, does_count in zip(warm.mean, cold.mean, counts, strict=True)
            if does_count and one is not None and other is not None
        ]
    )
