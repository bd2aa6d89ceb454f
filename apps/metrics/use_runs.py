"""◇ Runs of the heat pump for hot water or heating, and draws from the tank, found in 5-minute steps.

Their ends are known to five minutes. A run that touches or holds what nobody measured is marked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from .cop import period_cop
from .grid import INTERVAL_S

PAUSE_S = 600
"""A pause of the compressor up to this long does not end a run. Nor does time that nobody measured: whatever
happened in it, the run went on."""
PAUSE_STEPS = PAUSE_S // INTERVAL_S

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
    may have been longer. ``has_hole``: neither is some of the time within."""

    start: int
    end: int
    energy_wh: float
    full_energy_wh: float
    heat_wh: float
    before_c: float | None
    after_c: float | None
    is_cut: bool
    has_hole: bool

    @property
    def is_at_least(self) -> bool:
        """More electricity may have been used than is known."""
        return self.is_cut or self.has_hole

    @property
    def length_s(self) -> int:
        return self.end - self.start

    @property
    def cop(self) -> float | None:
        return period_cop(self.heat_wh, self.full_energy_wh).value


@dataclass(frozen=True, slots=True, kw_only=True)
class RodAnswer:
    """One answer of the heat pump: whether it heats hot water, and the counter of its heating rod [s]."""

    charging: bool
    rod_s: float


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


def rod_s_of(run: Run, answers: Mapping[int, RodAnswer]) -> float | None:
    """Return how long the heating rod ran for a run [s], by its counter from before the run until after it.

    ``answers``: by begin of their step. A rod that is not on the meter may go on after the run: as long as
    hot water is heated and its counter rises, it belongs to the run. None if the run is cut, or the counter
    is not known or began anew.
    """
    before = _nearest(answers, run.start - INTERVAL_S, -INTERVAL_S)
    if run.is_cut or before is None:
        return None
    counted_s, at = answers[before].rod_s, run.start
    while (found := _nearest(answers, at, INTERVAL_S)) is not None:
        answer, at = answers[found], found + INTERVAL_S
        if found >= run.end and not (answer.charging and answer.rod_s > counted_s):
            rose_s = answer.rod_s - answers[before].rod_s
            return rose_s if rose_s >= 0 else None
        counted_s = answer.rod_s
    return None


def _nearest(answers: Mapping[int, RodAnswer], at: int, step_s: int) -> int | None:
    """Return the first step from ``at`` on, of as many as a pause has, that has an answer."""
    return next((each for each in range(at, at + PAUSE_STEPS * step_s, step_s) if each in answers), None)


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
    """Yield first and last index of steps that used electricity, with what lies between them for up to
    ``PAUSE_S``."""
    first = last = None
    for index, step in enumerate(steps):
        if step.energy_wh:
            first = index if first is None else first
            last = index
        elif first is not None and last is not None and index - last > PAUSE_STEPS:
            yield first, last
            first = None
    if first is not None and last is not None:
        yield first, last


def _run(steps: Sequence[Step], first: int, last: int) -> Run:
    within = steps[first : last + 1]
    before = steps[first - 1] if first else None
    after = steps[last + 1] if last + 1 < len(steps) else None
    beside = (*steps[max(0, first - PAUSE_STEPS) : first], *steps[last + 1 : last + 1 + PAUSE_STEPS])
    return Run(
        start=within[0].start,
        end=within[-1].start + INTERVAL_S,
        energy_wh=sum(step.energy_wh or 0.0 for step in within),
        full_energy_wh=sum(step.full_energy_wh or 0.0 for step in within),
        heat_wh=sum(step.full_heat_wh or 0.0 for step in within),
        before_c=_first_known(before, within[0]),
        after_c=_highest(within[-1], after),
        is_cut=any(step.energy_wh is None for step in beside),
        has_hole=any(step.energy_wh is None for step in within),
    )


def _first_known(*steps: Step | None) -> float | None:
    return next((step.tank_c for step in steps if step is not None and step.tank_c is not None), None)


def _highest(*steps: Step | None) -> float | None:
    known = [step.tank_c for step in steps if step is not None and step.tank_c is not None]
    return max(known, default=None)


def _fall(before: Step, after: Step) -> float | None:
    return None if before.tank_c is None or after.tank_c is None else before.tank_c - after.tank_c
