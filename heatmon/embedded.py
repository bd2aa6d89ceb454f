"""One process at home: the web server and one thread a source, aligned to the clock.

A file lock in the data directory keeps a second process out. Every loop promises when it will speak
again, so ``/healthz`` can tell a hung loop from a quiet one.
"""

from __future__ import annotations

import fcntl
import logging
import os
import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from django.db import OperationalError, close_old_connections, connections

from apps.devices import heartbeat, storage
from apps.devices.errors import BudgetExhausted, DeviceError
from apps.devices.locks import LockHeld
from apps.metrics.store.base import StoreUnavailable

from .schedule import Job, next_run

log = logging.getLogger(__name__)

GRACE_S = 120
LONG_TURN_S = 300


class AlreadyRunning(Exception):
    """Another heatmon holds the data directory."""


class ProcessLock:
    """The right to poll from one data directory; held until the process ends."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[str] | None = None

    def __enter__(self) -> ProcessLock:
        file = open(os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600), "r+", encoding="utf-8")  # noqa: SIM115
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = file.read().strip() or "unknown"
            file.close()
            raise AlreadyRunning(
                f"heatmon is already running on this data directory (process {holder})"
            ) from error
        file.seek(0)
        file.truncate()
        file.write(str(os.getpid()))
        file.flush()
        self._file = file
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()


class Runner:
    """Runs jobs at their times, jobs of one thread one after the other.

    ``work``: job name → function of the due time. ``wall`` and ``monotonic`` are the clocks; ``wait``
    sleeps for some seconds and says whether to stop. Jobs named in ``at_once`` have their first turn now.
    ``for_turn`` holds what a job needs, or raises LockHeld.
    """

    def __init__(
        self,
        jobs: Sequence[Job],
        work: Mapping[str, Callable[[datetime], Any]],
        *,
        wall: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
        wait: Callable[[float], bool] | None = None,
        at_once: Collection[str] = (),
        for_turn: Callable[[Job], AbstractContextManager[None]] = lambda job: nullcontext(),
    ) -> None:
        self._jobs = jobs
        self._work = work
        self._wall = wall
        self._monotonic = monotonic
        self.stop = threading.Event()
        self._wait = wait or self.stop.wait
        self._at_once = frozenset(at_once)
        self._for_turn = for_turn
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Start one thread for each group of jobs."""
        for group in sorted({job.thread for job in self._jobs}):
            jobs = [job for job in self._jobs if job.thread == group]
            thread = threading.Thread(target=self.loop, args=(group, jobs), name=group, daemon=True)
            self._threads.append(thread)
            thread.start()

    def join(self, within_s: float = 4.0) -> None:
        """Ask all loops to end and wait for them, so long together."""
        self.stop.set()
        deadline = self._monotonic() + within_s
        for thread in self._threads:
            thread.join(max(0.0, deadline - self._monotonic()))
            if thread.is_alive():
                log.warning("%s did not end in time", thread.name)

    def loop(self, group: str, jobs: Sequence[Job]) -> None:
        """Run the jobs of one thread until told to stop."""
        period = min(job.period_s for job in jobs)
        longest_s = 3 * max(period, *(min(job.period_s, LONG_TURN_S) for job in jobs))
        for job in jobs:
            if job.name in self._at_once:
                self._run(job, datetime.fromtimestamp(self._wall(), UTC))
        due = {job.name: next_run(job, self._wall()) for job in jobs}
        while not self.stop.is_set():
            heartbeat.promise(group, self._monotonic() + longest_s + GRACE_S)
            job = min(jobs, key=lambda one: due[one.name])
            wait = due[job.name] - self._wall()
            if wait > period or wait < -job.expires_s:
                # The wall clock was set: begin again from what it says now.
                due[job.name] = next_run(job, self._wall())
                wait = due[job.name] - self._wall()
            if self._wait(max(0.0, min(wait, period))):
                break
            if not 0 <= self._wall() - due[job.name] <= job.expires_s:
                continue  # not yet, or the machine slept through it
            self._run(job, datetime.fromtimestamp(due[job.name], UTC))
            due[job.name] = next_run(job, max(self._wall(), due[job.name]))
        heartbeat.leave(group)
        connections.close_all()

    def _run(self, job: Job, at: datetime) -> None:
        if storage.is_replaced():
            _note(job, "replaced")
            return
        close_old_connections()
        try:
            with self._for_turn(job):
                self._work[job.name](at)
            _note(job, "")
        except LockHeld as error:
            log.debug("%s: %s", job.name, error)
        except (DeviceError, BudgetExhausted) as error:
            _note(job, "")
            log.debug("%s: %s", job.name, error)  # recorded with the source's state by the job
        except (StoreUnavailable, OperationalError) as error:
            code = storage.code_of(error)
            if code:
                _note(job, code)
            else:
                log.error("%s: the store is not available: %s", job.name, error)
        except Exception:  # noqa: BLE001  (the one boundary: a loop outlives every fault of one turn)
            log.exception("%s failed", job.name)


def _note(job: Job, code: str) -> None:
    """Let pages and probes know whether the job could store what it had; a line in the log when that is
    new."""
    if storage.note(job.name, code):
        if code:
            storage.log_turn(log, job.name, code)
        else:
            log.info("%s: what it brings can be stored again", job.name)
