"""◇ Whether the compressor runs, from the electrical power alone.

Off turns on at ``on_w`` or more, on turns off at ``off_w`` or less; in between the state stays. A sample
holds until the next one, at most its own hold time; beyond that the state is unknown. Where the 10 s
polls are missing, minute means stand in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .grid import INTERVAL_S, MINUTE_S, minutes

POLL_HOLD_S = 30
MIN_KNOWN_S = 270
MIN_POLLS_A_MINUTE = 4

Sample = tuple[int, float, int]
"""(epoch s, power [W], hold [s])."""

Segment = tuple[int, int, bool]
"""(from, to, on): a stretch of known state."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunState:
    """The state after some sample: ``on`` None is unknown; known until ``until`` at most (epoch s)."""

    on: bool | None = None
    until: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class IntervalRun:
    """One interval's running. ``begins_on``, ``ends_on``: state at its edges; None is unknown."""

    on_s: float
    known_s: float
    starts: int
    begins_on: bool | None
    ends_on: bool | None
    segments: tuple[Segment, ...]
    minute_means: bool = False

    @property
    def run_fraction(self) -> float | None:
        """On-seconds over known seconds; None with less than 270 s known."""
        return self.on_s / self.known_s if self.known_s >= MIN_KNOWN_S else None

    @property
    def always_on(self) -> bool:
        return self.on_s == INTERVAL_S


UNKNOWN_RUN = IntervalRun(on_s=0.0, known_s=0.0, starts=0, begins_on=None, ends_on=None, segments=())


def samples_of(
    polls: Sequence[tuple[int, float]], minutes_wh: Mapping[int, float], start: int
) -> list[Sample]:
    """Return the samples of one interval from its 10 s polls (epoch s, W) and minute energies [Wh].

    A minute with fewer than four polls uses its mean power, 60·E, if its energy is known.
    """
    by_minute: dict[int, list[tuple[int, float]]] = {}
    for at, power_w in polls:
        by_minute.setdefault(at - at % MINUTE_S, []).append((at, power_w))
    samples: list[Sample] = []
    for minute in minutes(start, start + INTERVAL_S):
        seen = by_minute.get(minute, [])
        energy_wh = minutes_wh.get(minute)
        if len(seen) < MIN_POLLS_A_MINUTE and energy_wh is not None:
            samples.append((minute, energy_wh * 60.0, MINUTE_S))
        else:
            samples.extend((at, power_w, POLL_HOLD_S) for at, power_w in seen)
    return samples


def run_of_interval(
    start: int, samples: Sequence[Sample], before: RunState, on_w: float, off_w: float
) -> tuple[IntervalRun, RunState]:
    """Return the running in [start, start + 300 s) from its samples in order of time, and the state after it.

    A change from unknown to on is not a start.
    """
    end = start + INTERVAL_S
    state, until = before.on, before.until
    if until <= start and (not samples or until < samples[0][0]):
        state = None
    begins_on = state if until > start or (samples and samples[0][0] == start) else None
    segments: list[Segment] = []
    cursor, starts = start, 0
    for at, power_w, hold_s in samples:
        _close(segments, cursor, min(at, until), state)
        if until < at:
            state = None
        if power_w >= on_w:
            starts += state is False
            state = True
        elif power_w <= off_w:
            state = False
        if at == start and begins_on is None:
            begins_on = state
        cursor, until = at, at + hold_s
    _close(segments, cursor, min(end, until), state)
    on_s = float(sum(to - begin for begin, to, on in segments if on))
    known_s = float(sum(to - begin for begin, to, _ in segments))
    run = IntervalRun(
        on_s=on_s,
        known_s=known_s,
        starts=starts,
        begins_on=begins_on,
        ends_on=state if until >= end else None,
        segments=tuple(segments),
        minute_means=any(hold_s == MINUTE_S for _, _, hold_s in samples),
    )
    return run, RunState(on=state if until >= end else None, until=until)


def _close(segments: list[Segment], begin: int, to: int, state: bool | None) -> None:
    """Add a known stretch, joined to the one before where the state is the same."""
    if state is None or to <= begin:
        return
    if segments and segments[-1][1] == begin and segments[-1][2] == state:
        segments[-1] = (segments[-1][0], to, state)
    else:
        segments.append((begin, to, state))


def steady_run(start: int, on: bool, before: RunState) -> tuple[IntervalRun, RunState]:
    """Return an interval with all 30 polls on one side of the thresholds: the same result without the
    polls."""
    state = before.on if before.until >= start else None
    run = IntervalRun(
        on_s=float(INTERVAL_S) if on else 0.0,
        known_s=float(INTERVAL_S),
        starts=int(on and state is False),
        begins_on=state if state is not None and before.until > start else (on if state is None else state),
        ends_on=on,
        segments=((start, start + INTERVAL_S, on),),
    )
    return run, RunState(on=on, until=start + INTERVAL_S - 10 + POLL_HOLD_S)


def off_minutes(run: IntervalRun, start: int) -> list[int]:
    """Return the starts of the interval's minutes that were off throughout: their energy is standby."""
    return [
        minute
        for minute in minutes(start, start + INTERVAL_S)
        if any(begin <= minute and to >= minute + MINUTE_S and not on for begin, to, on in run.segments)
    ]


def on_seconds(run: IntervalRun, begin: float, end: float) -> float:
    """Return the seconds on within [begin, end)."""
    return sum(max(0.0, min(to, end) - max(first, begin)) for first, to, on in run.segments if on)


def same_run(runs: Mapping[int, IntervalRun], one: int, other: int) -> bool:
    """Return whether the compressor ran without a break from interval ``one`` into interval ``other``."""
    first, last = min(one, other), max(one, other)
    if first not in runs or last not in runs:
        return False
    between = range(first + INTERVAL_S, last, INTERVAL_S)
    return (
        runs[first].ends_on is True
        and all(start in runs and runs[start].always_on for start in between)
        and runs[last].begins_on is True
    )
