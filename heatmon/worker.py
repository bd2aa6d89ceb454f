"""The service ``worker``: the processes of Celery, and the watch over them.

    python -m heatmon.worker

The meter has a process of its own: one session, one login, never two polls at once. A process that has died
or does not wake any more is replaced. The health check reads two files: ``worker-healthy`` changes every few
seconds while all is well, ``worker-late`` names the jobs that are not done.
"""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import FrameType

from .log import OneLineFormatter, PatientHandler
from .schedule import JOBS, late_after_s
from .service_state import FOLDER, WORKER_HEALTHY, WORKER_LATE, note, noted_at, woken

log = logging.getLogger(__name__)

LOOK_EVERY_S = 1.0
STOP_WITHIN_S = 7.0
# Of the jobs several may be at work for minutes; the live poll wakes every ten seconds.
SILENT_AFTER_S = {"meter": 45.0, "jobs": 900.0}
CONCURRENCY = {"meter": 1, "jobs": 2}


def group_of(queue: str) -> str:
    """Return the process that serves a queue."""
    return "meter" if queue == "meter" else "jobs"


def command(group: str) -> list[str]:
    """Return how the worker process of a group is started."""
    queues = sorted({job.thread for job in JOBS if group_of(job.thread) == group})
    return [
        *(sys.executable, "-m", "celery", "--quiet", "--app", "heatmon", "worker", "--loglevel", "WARNING"),
        *("--queues", ",".join(queues), "--concurrency", str(CONCURRENCY[group])),
        *("--hostname", f"{group}@%h", "--without-gossip", "--without-mingle"),
    ]


@dataclass(slots=True)
class Watched:
    """One process under watch. ``patience``: doubles with each replacement that did not help."""

    group: str
    process: subprocess.Popen[bytes]
    started_at: float
    patience: float = 1.0

    def was_woken(self) -> bool:
        return (noted_at(woken(self.group)) or 0.0) > self.started_at

    def silent_for_s(self, now: float) -> float:
        at = noted_at(woken(self.group))
        return now - max(self.started_at, at if at is not None and at <= now else 0.0)


@dataclass(slots=True)
class Watch:
    """Keeps one process a group running until ``stop``."""

    groups: Sequence[str]
    stop: threading.Event = field(default_factory=threading.Event)
    watched: list[Watched] = field(default_factory=list)

    def run(self) -> None:
        """Return when told to stop and all have ended."""
        from apps.devices import job_beats

        began = time.time()
        allowed_s = {job.name: late_after_s(job) for job in JOBS}
        self.watched = [self._start(group) for group in self.groups]
        late: list[str] | None = None
        while not self.stop.wait(LOOK_EVERY_S):
            now = time.time()
            for number, one in enumerate(self.watched):
                if (reason := self._failing(one, now)) is not None:
                    self.watched[number] = self._replace(one, reason)
            before, late = late, job_beats.late(job_beats.done_at(), allowed_s, began, now)
            self._tell(before, late)
        self._end()

    def _start(self, group: str, patience: float = 1.0) -> Watched:
        process = subprocess.Popen(command(group), start_new_session=True)
        return Watched(group, process, time.time(), patience)

    def _failing(self, one: Watched, now: float) -> str | None:
        if (code := one.process.poll()) is not None:
            return f"ended with {code}"
        silent_s = one.silent_for_s(now)
        if silent_s > SILENT_AFTER_S[one.group] * one.patience:
            return f"was not woken for {silent_s:.0f} s"
        if silent_s < SILENT_AFTER_S[one.group] / 2 < now - one.started_at:
            one.patience = 1.0
        return None

    def _replace(self, one: Watched, reason: str) -> Watched:
        log.error("the process for %s %s; a new one is started", one.group, reason)
        _kill(one.process)
        self.stop.wait(one.patience)
        return self._start(one.group, min(2 * one.patience, 8.0))

    def _tell(self, before: list[str] | None, late: list[str]) -> None:
        if late != before:
            if late:
                log.error("not done in time: %s", ", ".join(late))
            elif before:
                log.warning("all jobs are done in time again")
            WORKER_LATE.write_text(" ".join(late), encoding="utf-8")
        if not late and all(one.was_woken() for one in self.watched):
            note(WORKER_HEALTHY)

    def _end(self) -> None:
        """Ask all to end, and kill what hangs."""
        for one in self.watched:
            one.process.terminate()
        deadline = time.monotonic() + STOP_WITHIN_S
        for one in self.watched:
            try:
                one.process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                log.warning("the process for %s did not end in time", one.group)
            _kill(one.process)


def _kill(process: subprocess.Popen[bytes]) -> None:
    """Kill a process with the children of its session."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        log.debug("%s has ended", process.pid)
    process.wait()


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "heatmon.settings")
    handler = PatientHandler()
    handler.setFormatter(OneLineFormatter())
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    FOLDER.mkdir(mode=0o700, exist_ok=True)
    watch = Watch(list(CONCURRENCY))

    def told(_number: int, _frame: FrameType | None) -> None:
        watch.stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, told)
    watch.run()


if __name__ == "__main__":
    main()
