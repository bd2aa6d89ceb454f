"""Jobs taken at their times in virtual time, as the runner takes them in real time."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import NamedTuple

from django.db import OperationalError

from apps.devices.errors import BudgetExhausted, DeviceError
from apps.metrics.store.base import StoreUnavailable

from . import jobs
from .collection import Collection
from .schedule import Job, next_run


class Turn(NamedTuple):
    """A job done at its time; ``failed``: the outside did not let it."""

    job: Job
    at: datetime
    failed: bool


class VirtualTurns:
    """Takes turns in the order of their times, each after ``advance_to`` has brought the world there.

    Jobs of one thread wait for each other. What takes time on a device (``pass_time``) lets the other
    threads go on meanwhile; where nothing calls it, everything is done in no time. As in the runner, what
    the outside did, or a store that is away, is left to the records. ``on_turn`` is told of each turn when
    it is over.
    """

    def __init__(
        self,
        collection: Collection,
        chosen: Iterable[Job],
        start: datetime,
        advance_to: Callable[[datetime], None],
        on_turn: Callable[[Turn], None] = lambda turn: None,
    ) -> None:
        self.now = start.timestamp()
        self._collection = collection
        self._advance_to = advance_to
        self._on_turn = on_turn
        self._jobs = list(chosen)
        self._due = {job.name: next_run(job, self.now - 1e-6) for job in self._jobs}
        self._busy: set[str] = set()

    def run_until(self, end: datetime) -> None:
        """Take all turns before ``end``, then bring the world there."""
        until = end.timestamp()
        while (job := self._next_before(until)) is not None:
            self._take(job)
        self._move_to(until)

    def pass_time(self, seconds: float) -> None:
        """Let a device take its time; called from inside a turn."""
        self.run_until(datetime.fromtimestamp(self.now + seconds, UTC))

    def _next_before(self, until: float) -> Job | None:
        free = [job for job in self._jobs if job.thread not in self._busy]
        job = min(free, key=lambda one: self._due[one.name], default=None)
        return job if job is not None and self._due[job.name] < until else None

    def _take(self, job: Job) -> None:
        due = self._due[job.name]
        self._move_to(due)
        if self.now - due > job.expires_s:
            self._due[job.name] = next_run(job, self.now)
            return
        at = datetime.fromtimestamp(due, UTC)
        self._busy.add(job.thread)
        failed = False
        try:
            getattr(jobs, job.name)(self._collection, at)
        except (DeviceError, BudgetExhausted, StoreUnavailable, OperationalError):
            failed = True
        self._busy.discard(job.thread)
        self._due[job.name] = next_run(job, max(due, self.now))
        self._on_turn(Turn(job, at, failed))

    def _move_to(self, when: float) -> None:
        if when >= self.now:
            self.now = when
            self._advance_to(datetime.fromtimestamp(when, UTC))
