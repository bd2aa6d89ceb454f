"""The Celery application of the production run: the same jobs, woken by beat.

A message says no more than "look whether something is due", and every worker gets each of them: the turn's
row and the device's lock decide who does it. Nothing is kept in Redis, so it may be emptied, full or new.
Queues are named after the threads of the embedded run; ``worker.py`` gives the queue ``meter`` a process of
its own, so that the meter keeps its one session.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from datetime import datetime
from typing import Any

from celery import Celery
from celery.beat import Scheduler, SchedulingError
from celery.schedules import schedstate, schedule
from celery.signals import worker_ready
from kombu.common import Broadcast

from .broker import WakingAMQP
from .schedule import JOBS, Job, last_run, next_run
from .service_state import BEAT_SENT, note

log = logging.getLogger(__name__)

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "heatmon.settings")

WAKES_EVERY_S = 60
LOOK_EVERY_S = 5.0
LISTENS_AFTER_S = 0.5


class Ticks(schedule):  # type: ignore[misc]
    """Every ``period_s`` at ``offset_s``, by the clock: at the same times whenever beat was started."""

    def __init__(
        self, period_s: int, offset_s: int, nowfun: Callable[[], datetime] | None = None, app: Any = None
    ) -> None:
        self.ticks = Job(name="", period_s=period_s, offset_s=offset_s, expires_s=period_s, thread="")
        super().__init__(period_s, nowfun=nowfun, app=app)

    def is_due(self, last_run_at: datetime) -> schedstate:
        now, last = self.now().timestamp(), self.maybe_make_aware(last_run_at).timestamp()
        # A last run in the future was before the clock was set back.
        due = last < last_run(self.ticks, now) or last > now
        return schedstate(is_due=due, next=next_run(self.ticks, now) - now)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Ticks) and self.ticks == other.ticks

    def __hash__(self) -> int:
        return hash(self.ticks)

    def __reduce__(self) -> tuple[type, tuple[int, int]]:
        return Ticks, (self.ticks.period_s, self.ticks.offset_s)


def ticks_of(job: Job) -> Ticks:
    """Return when beat wakes a job: at its times, and each minute between for what was missed."""
    period_s = min(job.period_s, WAKES_EVERY_S)
    return Ticks(period_s, job.offset_s % period_s)


class Beat(Scheduler):  # type: ignore[misc]
    """Wakes what is due by the clock, and keeps nothing between two looks.

    Celery's own queue of next times waits for an hour once the clock is set back by one.
    """

    failing = False

    def tick(self, *_args: Any, **_options: Any) -> float:
        """Send what is due; return the seconds until the next look."""
        wait_s = LOOK_EVERY_S
        for entry in list(self.schedule.values()):
            is_due, next_s = entry.is_due()
            if is_due:
                self.reserve(entry)
                self.apply_entry(entry, producer=self.producer)
            wait_s = min(wait_s, next_s)
        return wait_s

    def apply_entry(self, entry: Any, producer: Any = None) -> None:
        """Send one message; the log gets a line when sending begins to fail, and when it works again."""
        try:
            self.apply_async(entry, producer=producer, advance=False)
        except SchedulingError as error:
            if not self.failing:
                log.error("no worker can be woken: %s", error)
            self.failing = True
            return
        if self.failing:
            log.warning("workers are woken again")
        self.failing = False
        note(BEAT_SENT)


def _application() -> Celery:
    from django.conf import settings

    queues = {job.thread: Broadcast(job.thread) for job in JOBS}  # type: ignore[no-untyped-call]
    application = Celery(
        "heatmon", broker=settings.HEATMON.redis_url, include=["heatmon.tasks"], amqp=WakingAMQP
    )
    application.conf.update(
        task_ignore_result=True,
        task_acks_late=False,
        task_reject_on_worker_lost=False,
        worker_prefetch_multiplier=1,
        worker_enable_remote_control=False,
        worker_hijack_root_logger=False,
        broker_connection_retry_on_startup=True,
        broker_transport_options={"socket_timeout": 10, "socket_connect_timeout": 5},
        timezone="UTC",
        task_publish_retry_policy={"max_retries": 1, "interval_start": 0.2},
        task_queues=list(queues.values()),
        task_routes={f"heatmon.{job.name}": {"queue": job.thread} for job in JOBS},
        beat_scheduler=Beat,
        # Beat keeps no file. Whoever starts it with another scheduler has it among heatmon's own.
        beat_schedule_filename=str(settings.DATA_DIR / "celerybeat-schedule"),
        beat_schedule={
            job.name: {
                "task": f"heatmon.{job.name}",
                "schedule": ticks_of(job),
                "options": {"expires": min(job.expires_s, 50), "declare": [queues[job.thread].exchange]},
            }
            for job in JOBS
        },
    )
    return application


app = _application()


@worker_ready.connect  # type: ignore[untyped-decorator]
def wake_at_start(sender: Any, **_signal: Any) -> None:
    """Look for what is due as soon as a worker listens: the turn of these ten seconds need not be lost."""

    def wake() -> None:
        for entry in app.conf.beat_schedule.values():
            app.send_task(entry["task"], **entry["options"])

    sender.timer.call_after(LISTENS_AFTER_S, wake)
