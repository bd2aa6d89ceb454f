"""Who may be on a device: the lock that a job names, held across all processes of a data directory."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from apps.devices.locks import LockHeld, held

from .schedule import Job

log = logging.getLogger(__name__)


class DeviceLocks:
    """The device locks of this process for one site.

    Most jobs hold theirs for a turn. The meter's live poll keeps its lock until the process ends: one
    session, one login and one series of counter steps belong together.
    """

    def __init__(self, site_id: int) -> None:
        self._site_id = site_id
        self._kept = ExitStack()
        self._kept_names: set[str] = set()
        self._refused: set[str] = set()
        self._mutex = threading.Lock()

    @contextmanager
    def for_turn(self, job: Job) -> Iterator[None]:
        """Hold what ``job`` needs. Raises LockHeld, and says so in the log when that begins and ends."""
        if not job.lock:
            yield
            return
        name = f"{job.lock}-{self._site_id}"
        with ExitStack() as turn:
            try:
                self._take(job, name, turn)
            except LockHeld as error:
                self._note(job, str(error))
                raise
            self._note(job, "")
            yield

    def release(self) -> None:
        """Let go of what was kept."""
        with self._mutex:
            self._kept.close()
            self._kept_names.clear()

    def _take(self, job: Job, name: str, turn: ExitStack) -> None:
        if not job.keeps_lock:
            turn.enter_context(held(name, job.lock_wait_s))
            return
        with self._mutex:
            if name not in self._kept_names:
                self._kept.enter_context(held(name, job.lock_wait_s))
                self._kept_names.add(name)

    def _note(self, job: Job, refusal: str) -> None:
        if not job.keeps_lock or bool(refusal) == (job.name in self._refused):
            return
        if refusal:
            self._refused.add(job.name)
            log.warning("%s: left to another process (%s)", job.name, refusal)
        else:
            self._refused.discard(job.name)
            log.info("%s: taken over from another process", job.name)
