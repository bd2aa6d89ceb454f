"""Timing of candidates that take turns, so that a busy machine disturbs all alike."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Times:
    """Durations of one candidate [ms], sorted."""

    durations_ms: tuple[float, ...]

    def part(self, share: float) -> float:
        """Return the duration that ``share`` of the runs did not exceed."""
        return self.durations_ms[min(len(self.durations_ms) - 1, int(share * len(self.durations_ms)))]

    @property
    def min(self) -> float:
        return self.durations_ms[0]

    @property
    def median(self) -> float:
        return self.part(0.5)

    @property
    def p95(self) -> float:
        return self.part(0.95)

    @property
    def p99(self) -> float:
        return self.part(0.99)


def times_of(durations_ms: list[float]) -> Times:
    return Times(tuple(sorted(durations_ms)))


def interleaved(
    candidates: Mapping[str, Callable[[], object]], rounds: int, warm_up: int = 3
) -> dict[str, Times]:
    """Run all candidates in turn, ``rounds`` times after some that do not count."""
    durations: dict[str, list[float]] = {name: [] for name in candidates}
    for turn in range(warm_up + rounds):
        for name, run in candidates.items():
            start = time.perf_counter()
            run()
            if turn >= warm_up:
                durations[name].append((time.perf_counter() - start) * 1000)
    return {name: times_of(found) for name, found in durations.items()}
