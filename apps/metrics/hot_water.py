"""Hot water over some days: its runs, draws, the circulation pump, and reheats at night."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from itertools import pairwise

from .circulation import CirculationDay, circulation_day, hours_a_day
from .efficiency import ROD_COUNTERS
from .grid import INTERVAL_S, interval_of
from .home import Home
from .kept import kept
from .raw import answer_of, one_an_interval
from .silence import Answer, repeats
from .store.base import Series
from .use_runs import (
    PAUSE_S,
    Draw,
    RodAnswer,
    Run,
    Running,
    Step,
    draws_of,
    rod_s_of,
    running_for,
    runs_of,
)
from .windows import day_edges, days

NIGHT_FROM_HOUR, NIGHT_TO_HOUR = 22, 5
LEAD_S, TAIL_S = 3600, 2 * 3600
"""What is looked at before the first day and after the last, so that a run over midnight is whole and counts
with the day on which it began."""

LONGEST_DAYS = 366
DHW_FIELDS = (
    "electrical_energy_dhw_wh",
    "full_electrical_energy_dhw_wh",
    "full_thermal_energy_dhw_wh",
    "electrical_energy_unclassified_wh",
)
HEATING_FIELDS = (
    "electrical_energy_heating_wh",
    "electrical_energy_dhw_wh",
    "compressor_run_s",
    "compressor_starts",
)
ANSWER_FIELDS = ("dhw_storage_temperature_c", "circulation_pump_active", "newest_source_at")
ROD_FIELDS = ("dhw_charging", *ROD_COUNTERS, "newest_source_at", "requested_at")
POLL_AT_S = 150
HOUR_S = 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class WaterDay:
    """One local day. ``known_s``: how long it is known whether hot water was made, less the share of the
    running time that nobody explained."""

    day: date
    runs: Sequence[Run]
    draws: Sequence[Draw]
    known_s: float
    circulation: CirculationDay


@dataclass(frozen=True, slots=True, kw_only=True)
class HotWater:
    """Local days in order, and which of their runs (by start) began at night."""

    days: Sequence[WaterDay]
    night: frozenset[int]

    @property
    def runs(self) -> list[Run]:
        return [run for day in self.days for run in day.runs]

    @property
    def night_runs(self) -> list[Run]:
        return [run for run in self.runs if run.start in self.night]

    @property
    def known_days(self) -> float:
        """Known time in days, which rates are over."""
        return sum(day.known_s for day in self.days) / 86_400

    @property
    def energy_wh(self) -> float:
        return sum(run.energy_wh for run in self.runs)

    @property
    def circulation_h_per_day(self) -> float | None:
        """Hours a day with the circulation pump on; None without half a day of answers."""
        return hours_a_day([day.circulation for day in self.days])


@kept
def hot_water(home: Home, first: date, last: date) -> HotWater:
    """Return what is known of the local days ``first`` to ``last``, of which the newest may still run."""
    start, end = home.midnight(first) - LEAD_S, min(home.day_bounds(last)[1] + TAIL_S, home.interval_s)
    if end <= start + LEAD_S:
        return HotWater(days=[], night=frozenset())
    energy, full, heat, unclassified = (
        home.store.series(home.id, name, start, end, INTERVAL_S) for name in DHW_FIELDS
    )
    tank_c, circulation = _answers(home, start, end)
    steps = [
        Step(
            start=at,
            energy_wh=None if unknown_wh else energy_wh,
            full_energy_wh=full_wh,
            full_heat_wh=heat_wh,
            tank_c=temperature,
        )
        for at, energy_wh, full_wh, heat_wh, unknown_wh, temperature in zip(
            energy.time, energy.sum, full.sum, heat.sum, unclassified.sum, tank_c, strict=True
        )
    ]
    runs = runs_of(steps)
    unexplained = {at for at, wh in zip(unclassified.time, unclassified.sum, strict=True) if wh}
    return HotWater(
        days=_days(home, first, last, steps, runs, circulation, unexplained),
        night=frozenset(run.start for run in runs if _is_night(run.start, home.options.zone)),
    )


def _is_night(at: int, zone: tzinfo) -> bool:
    return not NIGHT_TO_HOUR <= datetime.fromtimestamp(at, zone).hour < NIGHT_FROM_HOUR


@kept
def last_run(home: Home) -> Run | None:
    """Return the newest run for hot water of the last fortnight, which may still go on."""
    for back in (1, 14):
        runs = hot_water(home, home.today - timedelta(days=back), home.today).runs
        if runs:
            return runs[-1]
    return None


def rod_seconds(home: Home, runs: Sequence[Run]) -> dict[int, float]:
    """Return begin of a run → how long the heating rod ran for it [s], of the ``runs`` (in order) of which
    that is known. Answers are read one by one only around those in whose hours its counter rose."""
    if not runs:
        return {}
    start, end = runs[0].start - HOUR_S, runs[-1].end + HOUR_S
    hours = [home.store.series(home.id, name, start, end, HOUR_S) for name in ROD_COUNTERS]
    found: dict[int, float | None] = {}
    for run in runs:
        first, last = ((at - hours[0].time[0]) // HOUR_S for at in (run.start - PAUSE_S, run.end + PAUSE_S))
        rises = [_rise(level, first, last + 1) for level in hours]
        if any(rises):
            found[run.start] = rod_s_of(run, _rod_answers(home, run))
        elif any(rise is not None for rise in rises) and not run.is_cut:
            found[run.start] = 0.0
    return {at: rod_s for at, rod_s in found.items() if rod_s is not None}


def _rise(level: Series, first: int, last: int) -> float | None:
    lows, highs = (
        [value for value in values[first:last] if value is not None] for values in (level.min, level.max)
    )
    return max(highs) - min(lows) if lows and highs else None


def _rod_answers(home: Home, run: Run) -> dict[int, RodAnswer]:
    rows = home.store.rows(home.id, "heat_pump", run.start - LEAD_S, run.end + TAIL_S, fields=ROD_FIELDS)
    polls = one_an_interval(rows, home.options.heat_pump_device)
    silent = repeats([answer_of(row) for row in polls])
    answers = {}
    for row in polls:
        charging, at = row.values.get("dhw_charging"), interval_of(row.at)
        levels = [level for name in ROD_COUNTERS if (level := row.values.get(name)) is not None]
        if charging is not None and levels and at not in silent:
            answers[at] = RodAnswer(charging=bool(charging), rod_s=sum(levels))
    return answers


@kept
def heating(home: Home, first: date, last: date) -> Running | None:
    """Return how long and how often the compressor ran for heating on the local days ``first`` to ``last``;
    None where nothing is known."""
    start, end = home.midnight(first), min(home.day_bounds(last)[1], home.interval_s)
    if end <= start:
        return None
    parts = [home.store.series(home.id, name, start, end, INTERVAL_S).sum for name in HEATING_FIELDS]
    return running_for(*parts)


def _answers(home: Home, start: int, end: int) -> tuple[list[float | None], list[float | None]]:
    """Return the tank's temperature and whether the circulation pump is on, without mere repeats."""
    tank, circulation, newest = (
        home.store.series(home.id, name, start, end, INTERVAL_S) for name in ANSWER_FIELDS
    )
    silent = repeats(
        [
            Answer(interval=at, at=at + POLL_AT_S, newest_source_at=value)
            for at, count, value in zip(newest.time, newest.count, newest.mean, strict=True)
            if count
        ]
    )

    def measured(values: Sequence[float | None]) -> list[float | None]:
        return [None if at in silent else value for at, value in zip(newest.time, values, strict=True)]

    return measured(tank.mean), measured(circulation.mean)


def _days(
    home: Home,
    first: date,
    last: date,
    steps: Sequence[Step],
    runs: Sequence[Run],
    circulation: Sequence[float | None],
    unexplained: Set[int],
) -> list[WaterDay]:
    draws = draws_of(steps, runs)
    edges = day_edges(first, last, home.options.zone)
    running = home.store.sums(home.id, ["compressor_run_s"], edges)["compressor_run_s"]
    offset = steps[0].start
    found = []
    for day, (start, end), compressor in zip(days(first, last), pairwise(edges), running, strict=True):
        inside = range((start - offset) // INTERVAL_S, min((end - offset) // INTERVAL_S, len(steps)))
        pump = ((steps[index].start, circulation[index]) for index in inside)
        found.append(
            WaterDay(
                day=day,
                runs=[run for run in runs if start <= run.start < end],
                draws=[draw for draw in draws if start <= draw.start < end],
                known_s=_known_s([steps[index] for index in inside], unexplained, compressor.sum or 0.0),
                circulation=circulation_day(day, pump, home.options.zone),
            )
        )
    return found


def _known_s(steps: Sequence[Step], unexplained: Set[int], run_s: float) -> float:
    """Return the known time of a day's steps. While it stands still it is known that no hot water is made,
    but of a day whose running nobody explains that says nothing."""
    known_s = INTERVAL_S * sum(step.energy_wh is not None or step.start in unexplained for step in steps)
    unexplained_s = INTERVAL_S * sum(step.start in unexplained for step in steps)
    return known_s * (1 - min(1.0, unexplained_s / run_s)) if run_s else known_s
