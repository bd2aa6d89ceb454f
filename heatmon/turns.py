"""Jobs taken at their times, one after the other, in virtual time."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from typing import NamedTuple

from apps.devices.errors import BudgetExhausted, DeviceError

from . import jobs
from .collection import Collection
from .schedule import Job, next_run


class Turn(NamedTuple):
    """A job done at its time; ``failed``: the outside did not let it."""

    job: Job
    at: datetime
    failed: bool


def take_turns(
    collection: Collection,
    chosen: Iterable[Job],
    start: datetime,
    end: datetime,
    advance_to: Callable[[datetime], None],
) -> Iterator[Turn]:
    """Run jobs at their times in [start, end), each after ``advance_to`` has brought the world there. As in
    the runner, what the outside did is left to the records."""
    for due, job in in_order(chosen, start.timestamp(), end.timestamp()):
        at = datetime.fromtimestamp(due, UTC)
        advance_to(at)
        try:
            getattr(jobs, job.name)(collection, at)
        except (DeviceError, BudgetExhausted):
            yield Turn(job, at, failed=True)
        else:
            yield Turn(job, at, failed=False)


def in_order(chosen: Iterable[Job], start: float, end: float) -> Iterator[tuple[int, Job]]:
    """Return (due time, job) of all turns in [start, end) [epoch s], in the order of their times."""
    listed = list(chosen)
    heap = [(next_run(job, start - 1e-6), number) for number, job in enumerate(listed)]
    heapq.heapify(heap)
    while heap and heap[0][0] < end:
        due, number = heap[0]
        yield due, listed[number]
        heapq.heapreplace(heap, (due + listed[number].period_s, number))
