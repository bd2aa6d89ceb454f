"""The compressor's running by interval, from the store: rollups where power is clearly on one side of the
thresholds, raw polls and minute rows elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from . import raw
from .parameters import SiteParameters
from .running import (
    INTERVAL_S,
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
from .store.base import TimeSeriesStore

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


def interval_runs(
    store: TimeSeriesStore, site: int, parameters: SiteParameters, start: int, end: int
) -> Runs:
    """Running of the intervals in [start, end)."""
    power = raw.combined(store, site, raw.power_of(parameters.run_channels), start, end, raw.POLLS)
    clear: dict[int, bool] = {}
    unclear: list[int] = []
    for index, interval in enumerate(range(start, end, INTERVAL_S)):
        if power.complete[index] and power.low[index] >= parameters.on_w:
            clear[interval] = True
        elif power.complete[index] and power.high[index] <= parameters.off_w:
            clear[interval] = False
        else:
            unclear.append(interval)
    samples, minutes = _samples(store, site, parameters, unclear)
    result = Runs()
    state = state_before(store, site, parameters, start)
    for interval in range(start, end, INTERVAL_S):
        steady = clear.get(interval)
        if steady is not None:
            run, state = steady_run(interval, steady, state)
        else:
            run, state = run_of_interval(
                interval, samples.get(interval, ()), state, parameters.on_w, parameters.off_w
            )
            if not run.known_s:
                continue
            off = [minutes[minute] for minute in off_minutes(run, interval) if minute in minutes]
            if off:
                result.standby_wh[interval] = round(sum(off), 4)
        result.runs[interval] = run
    return result


def _samples(
    store: TimeSeriesStore, site: int, parameters: SiteParameters, intervals: Sequence[int]
) -> tuple[dict[int, list[Sample]], dict[int, float]]:
    """Samples of the intervals, read in joined stretches; and the metered energy of their minutes."""
    samples: dict[int, list[Sample]] = {}
    metered: dict[int, float] = {}
    for first, last in _joined(intervals):
        polls = raw.by_time(store, site, raw.power_of(parameters.run_channels), first, last)
        minutes = raw.minute_energies(store, site, parameters.run_channels, first, last)
        if parameters.run_channels == parameters.metered_channels:
            metered.update(minutes)
        else:
            metered.update(raw.minute_energies(store, site, parameters.metered_channels, first, last))
        for interval in range(first, last, INTERVAL_S):
            samples[interval] = samples_of(polls.get(interval, ()), minutes, interval)
    return samples, metered


def _joined(intervals: Sequence[int]) -> list[tuple[int, int]]:
    stretches: list[tuple[int, int]] = []
    for interval in intervals:
        if stretches and interval - stretches[-1][1] <= JOIN_S and interval - stretches[-1][0] < 86_400:
            stretches[-1] = (stretches[-1][0], interval + INTERVAL_S)
        else:
            stretches.append((interval, interval + INTERVAL_S))
    return stretches


def state_before(store: TimeSeriesStore, site: int, parameters: SiteParameters, at: int) -> RunState:
    """The state in which the interval at ``at`` begins: looked up as far back as it takes, until a sample
    outside of the hysteresis or a break decides it."""
    state = RunState()
    for reach_s in LOOK_BACK_S:
        samples, _ = _samples(store, site, parameters, range(at - reach_s, at, INTERVAL_S))
        state = RunState()
        unbroken_until = at - reach_s + POLL_HOLD_S
        for interval in range(at - reach_s, at, INTERVAL_S):
            inside = samples.get(interval, [])
            for time, _, hold_s in inside:
                unbroken_until = time + hold_s if time <= unbroken_until else -1
            _, state = run_of_interval(interval, inside, state, parameters.on_w, parameters.off_w)
        if state.on is not None or unbroken_until < at:
            break
    return state


def settled_end(store: TimeSeriesStore, site: int, parameters: SiteParameters, end: int) -> int:
    """The first interval edge from ``end`` on whose state does not depend on what lies before it."""
    at = end
    while at < end + LOOK_AHEAD_S:
        if not _all_between(store, site, parameters, at):
            return at
        at += INTERVAL_S
    return at


def _all_between(store: TimeSeriesStore, site: int, parameters: SiteParameters, interval: int) -> bool:
    """Whether all of an interval's samples lie inside of the hysteresis, without a break."""
    polls = raw.by_time(
        store, site, raw.power_of(parameters.run_channels), interval, interval + INTERVAL_S
    ).get(interval, [])
    if polls and polls[0][0] == interval and not parameters.off_w < polls[0][1] < parameters.on_w:
        return False  # the usual case: the first poll decides
    minutes = raw.minute_energies(store, site, parameters.run_channels, interval, interval + INTERVAL_S)
    until = interval + POLL_HOLD_S
    samples = samples_of(polls, minutes, interval)
    for at, power_w, hold_s in samples:
        if at > until or not parameters.off_w < power_w < parameters.on_w:
            return False
        until = at + hold_s
    return bool(samples) and until >= interval + INTERVAL_S
