"""The compressor's running by interval, from the store: rollups where power is clearly on one side of the
thresholds, raw polls and minute rows elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from .grid import INTERVAL_S, intervals
from .raw import RawRows
from .running import (
    POLL_HOLD_S,
    UNKNOWN_RUN,
    IntervalRun,
    RunState,
    Sample,
    off_minutes,
    run_of_interval,
    samples_of,
    steady_run,
)

LOOK_BACK_S = (INTERVAL_S, 3600, 6 * 3600, 86_400)
LOOK_AHEAD_S = 86_400
JOIN_S = 2 * INTERVAL_S


@dataclass(slots=True)
class Runs:
    """By interval start; an interval without any data is absent. ``standby_wh``: energy of the minutes
    that were off throughout, for intervals that were not off all the time."""

    runs: dict[int, IntervalRun] = field(default_factory=dict)
    standby_wh: dict[int, float] = field(default_factory=dict)

    def run(self, interval: int) -> IntervalRun:
        return self.runs.get(interval, UNKNOWN_RUN)


def interval_runs(raw: RawRows, start: int, end: int) -> Runs:
    """Return the running of the intervals in [start, end)."""
    on_w, off_w = raw.parameters.on_w, raw.parameters.off_w
    power = raw.power(start, end)
    clear: dict[int, bool] = {}
    unclear: list[int] = []
    for index, interval in enumerate(intervals(start, end)):
        if power.complete[index] and power.low[index] >= on_w:
            clear[interval] = True
        elif power.complete[index] and power.high[index] <= off_w:
            clear[interval] = False
        else:
            unclear.append(interval)
    samples, minutes = _samples(raw, unclear)
    result = Runs()
    state = state_before(raw, start)
    for interval in intervals(start, end):
        steady = clear.get(interval)
        if steady is not None:
            run, state = steady_run(interval, steady, state)
        else:
            run, state = run_of_interval(interval, samples.get(interval, ()), state, on_w, off_w)
            if not run.known_s:
                continue
            off = [minutes[minute] for minute in off_minutes(run, interval) if minute in minutes]
            if off:
                result.standby_wh[interval] = round(sum(off), 4)
        result.runs[interval] = run
    return result


def _samples(raw: RawRows, wanted: Sequence[int]) -> tuple[dict[int, list[Sample]], dict[int, float]]:
    """Return the samples of the wanted intervals, read in joined stretches; and the metered energy of their
    minutes."""
    samples: dict[int, list[Sample]] = {}
    metered: dict[int, float] = {}
    for first, last in _joined(wanted):
        polls, minutes = raw.polls(first, last), raw.run_minutes(first, last)
        same = raw.parameters.run_channels == raw.parameters.metered_channels
        metered.update(minutes if same else raw.minutes(first, last))
        for interval in intervals(first, last):
            samples[interval] = samples_of(polls.get(interval, ()), minutes, interval)
    return samples, metered


def _joined(wanted: Sequence[int]) -> list[tuple[int, int]]:
    stretches: list[tuple[int, int]] = []
    for interval in wanted:
        if stretches and interval - stretches[-1][1] <= JOIN_S and interval - stretches[-1][0] < 86_400:
            stretches[-1] = (stretches[-1][0], interval + INTERVAL_S)
        else:
            stretches.append((interval, interval + INTERVAL_S))
    return stretches


def state_before(raw: RawRows, at: int) -> RunState:
    """Return the state in which the interval at ``at`` begins: looked up as far back as it takes, until a
    sample outside of the hysteresis or a break decides it."""
    state = RunState()
    for reach_s in LOOK_BACK_S:
        samples, _ = _samples(raw, intervals(at - reach_s, at))
        state = RunState()
        unbroken_until = at - reach_s + POLL_HOLD_S
        for interval in intervals(at - reach_s, at):
            inside = samples.get(interval, [])
            for time, _, hold_s in inside:
                unbroken_until = time + hold_s if time <= unbroken_until else -1
            _, state = run_of_interval(interval, inside, state, raw.parameters.on_w, raw.parameters.off_w)
        if state.on is not None or unbroken_until < at:
            break
    return state


def settled_end(raw: RawRows, end: int) -> int:
    """Return the first interval edge from ``end`` on behind which nothing depends on what lies more than two
    intervals before it: the state is decided in the first of these two, and results look no farther back."""
    at = end
    while at < end + LOOK_AHEAD_S and _all_between(raw, at - 2 * INTERVAL_S):
        at += INTERVAL_S
    return at


def _all_between(raw: RawRows, interval: int) -> bool:
    """Return whether all of an interval's samples lie inside of the hysteresis, without a break."""
    on_w, off_w = raw.parameters.on_w, raw.parameters.off_w
    polls = raw.polls(interval, interval + INTERVAL_S).get(interval, [])
    if polls and polls[0][0] == interval and not off_w < polls[0][1] < on_w:
        return False  # the usual case: the first poll decides
    until = interval + POLL_HOLD_S
    samples = samples_of(polls, raw.run_minutes(interval, interval + INTERVAL_S), interval)
    for at, power_w, hold_s in samples:
        if at > until or not off_w < power_w < on_w:
            return False
        until = at + hold_s
    return bool(samples) and until >= interval + INTERVAL_S
