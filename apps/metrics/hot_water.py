"""Hot water over some days: its runs, draws, the circulation pump, and reheats at night."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from itertools import pairwise

from .grid import INTERVAL_S
from .home import Home
from .kept import kept
from .silence import Answer, repeats
from .use_runs import Draw, Run, Running, Step, draws_of, running_for, runs_of
from .windows import day_edges, days

NIGHT_FROM_HOUR, NIGHT_TO_HOUR = 22, 5
LEAD_S = 3 * 3600
"""What is looked at before the first day, so that a run over midnight is whole."""

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
POLL_AT_S = 150


@dataclass(frozen=True, slots=True, kw_only=True)
class WaterDay:
    """One local day. ``known_s``: how long it is known whether hot water was made, less the share of the
    running time that nobody explained; ``circulation_s``: how long the pump ran, of
    ``circulation_known_s``."""

    day: date
    runs: Sequence[Run]
    draws: Sequence[Draw]
    known_s: float
    circulation_s: int
    circulation_known_s: int


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
        known_s = sum(day.circulation_known_s for day in self.days)
        return 24 * sum(day.circulation_s for day in self.days) / known_s if known_s >= 43_200 else None


@kept
def hot_water(home: Home, first: date, last: date) -> HotWater:
    """Return what is known of the local days ``first`` to ``last``, of which the newest may still run."""
    start, end = home.midnight(first) - LEAD_S, min(home.day_bounds(last)[1], home.interval_s)
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
        pump = [on for index in inside if (on := circulation[index]) is not None]
        found.append(
            WaterDay(
                day=day,
                runs=[run for run in runs if start <= run.start < end],
                draws=[draw for draw in draws if start <= draw.start < end],
                known_s=_known_s([steps[index] for index in inside], unexplained, compressor.sum or 0.0),
                circulation_s=INTERVAL_S * sum(on >= 0.5 for on in pump),
                circulation_known_s=INTERVAL_S * len(pump),
            )
        )
    return found


def _known_s(steps: Sequence[Step], unexplained: Set[int], run_s: float) -> float:
    """Return the known time of a day's steps. While it stands still it is known that no hot water is made,
    but of a day whose running nobody explains that says nothing."""
    known_s = INTERVAL_S * sum(step.energy_wh is not None or step.start in unexplained for step in steps)
    unexplained_s = INTERVAL_S * sum(step.start in unexplained for step in steps)
    return known_s * (1 - min(1.0, unexplained_s / run_s)) if run_s else known_s
