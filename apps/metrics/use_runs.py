"""◇ Runs of the heat pump for hot water or heating, and draws from the tank, found in 5-minute steps.

Their ends are known to five minutes. What nobody measured ends a run, and such a run is marked.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .cop import period_cop
from .grid import INTERVAL_S

PAUSE_S = 600
"""A pause of the compressor up to this long does not end a run."""

LEAST_RUN_WH = 50.0
LEAST_FALL_K = 0.4
"""Fall of the tank within five minutes from which on water is drawn; circulation and standing losses are
below a third of it."""

LEAST_DRAW_K = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Five minutes from ``start`` (epoch s): electricity for one use, that and the heat of the share whose
    heat is known [Wh], the tank's temperature in their middle [°C]. None: not known."""

    start: int
    energy_wh: float | None
    full_energy_wh: float | None = None
    full_heat_wh: float | None = None
    tank_c: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run in [start, end) (epoch s). ``is_cut``: what came before it or after it is not known, so that it
    may have been longer."""

    start: int
    end: int
    energy_wh: float
    full_energy_wh: float
    heat_wh: float
    before_c: float | None
    after_c: float | None
    is_cut: bool

    @property
    def length_s(self) -> int:
        return self.end - self.start

    @property
    def cop(self) -> float | None:
        return period_cop(self.heat_wh, self.full_energy_wh).value


@dataclass(frozen=True, slots=True, kw_only=True)
class Draw:
    """Water drawn from the tank: it fell by ``fall_k`` from ``start`` on (epoch s)."""

    start: int
    fall_k: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """How long the compressor ran for one use [s], and how often it started for it."""

    run_s: float
    starts: int

    @property
    def mean_run_s(self) -> float | None:
        return self.run_s / self.starts if self.starts else None


def runs_of(steps: Sequence[Step]) -> list[Run]:
    """Return the runs in neighbouring ``steps`` (in order, without holes) that used 50 Wh or more."""
    found = [_run(steps, first, last) for first, last in _stretches(steps)]
    return [run for run in found if run.energy_wh >= LEAST_RUN_WH]


def draws_of(steps: Sequence[Step], runs: Sequence[Run]) -> list[Draw]:
    """Return the draws of 1 K or more; those during a run cannot be seen."""
    heated = {at for run in runs for at in range(run.start, run.end, INTERVAL_S)}
    draws: list[Draw] = []
    begun, fall_k, quiet = 0, 0.0, 2
    for before, after in zip(steps, steps[1:], strict=False):
        fell = _fall(before, after) if after.start not in heated else None
        if fell is not None and fell >= LEAST_FALL_K:
            begun, fall_k = (before.start, fell) if quiet > 1 else (begun, fall_k + fell)
            quiet = 0
            continue
        quiet += 1
        if quiet == 2 and fall_k >= LEAST_DRAW_K:
            draws.append(Draw(start=begun, fall_k=round(fall_k, 1)))
        if quiet == 2:
            fall_k = 0.0
    return [*draws, Draw(start=begun, fall_k=round(fall_k, 1))] if fall_k >= LEAST_DRAW_K else draws


def running_for(
    energy_wh: Sequence[float | None],
    other_wh: Sequence[float | None],
    run_s: Sequence[float | None],
    starts: Sequence[float | None],
) -> Running | None:
    """Return the running for the use that took ``energy_wh``, out of steps; a step belongs to the use that
    took more in it than ``other_wh``. None where nothing is known."""
    if all(value is None for value in energy_wh):
        return None
    mine = [
        (seconds or 0.0, number or 0.0)
        for wanted, other, seconds, number in zip(energy_wh, other_wh, run_s, starts, strict=True)
        if wanted and wanted >= (other or 0.0)
    ]
    return Running(
        run_s=sum(seconds for seconds, _number in mine), starts=round(sum(number for _s, number in mine))
    )


def _stretches(steps: Sequence[Step]) -> Iterator[tuple[int, int]]:
    """Yield first and last index of steps that used electricity, short pauses between them included."""
    first = last = None
    for index, step in enumerate(steps):
        if step.energy_wh:
            first = index if first is None else first
            last = index
        elif (
            first is not None
            and last is not None
            and (step.energy_wh is None or (index - last) * INTERVAL_S > PAUSE_S)
        ):
            yield first, last
            first = None
    if first is not None and last is not None:
        yield first, last


def _run(steps: Sequence[Step], first: int, last: int) -> Run:
    within = steps[first : last + 1]
    before = steps[first - 1] if first else None
    after = steps[last + 1] if last + 1 < len(steps) else None
    return Run(
        start=within[0].start,
        end=within[-1].start + INTERVAL_S,
        energy_wh=sum(step.energy_wh or 0.0 for step in within),
        full_energy_wh=sum(step.full_energy_wh or 0.0 for step in within),
        heat_wh=sum(step.full_heat_wh or 0.0 for step in within),
        before_c=_first_known(before, within[0]),
        after_c=_highest(within[-1], after),
        is_cut=any(beside is not None and beside.energy_wh is None for beside in (before, after)),
    )


def _first_known(*steps: Step | None) -> float | None:
    return next((step.tank_c for step in steps if step is not None and step.tank_c is not None), None)


def _highest(*steps: Step | None) -> float | None:
    known = [step.tank_c for step in steps if step is not None and step.tank_c is not None]
    return max(known, default=None)


def _fall(before: Step, after: Step) -> float | None:
    return None if before.tank_c is None or after.tank_c is None else before.tank_c - after.tank_c
