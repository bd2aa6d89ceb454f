"""The Celery application of the production run: the same jobs, woken by beat.

Queues are named after the threads of the embedded run. The queue ``meter`` has a worker process of its
own (concurrency 1), so the meter keeps its one session.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import datetime
from typing import Any

from celery import Celery
from celery.schedules import schedstate, schedule

from .schedule import JOBS, Job, last_run, next_run

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "heatmon.settings")


class Ticks(schedule):  # type: ignore[misc]
    """Every ``period_s`` at ``offset_s``, by the clock: at the same times whenever beat was started."""

    def __init__(
        self, period_s: int, offset_s: int, nowfun: Callable[[], datetime] | None = None, app: Any = None
    ) -> None:
        self.ticks = Job(name="", period_s=period_s, offset_s=offset_s, expires_s=period_s, thread="")
        super().__init__(period_s, nowfun=nowfun, app=app)

    def is_due(self, last_run_at: datetime) -> schedstate:
        now, last = self.now().timestamp(), self.maybe_make_aware(last_run_at).timestamp()
        # A last run in the future was written before the clock was set back.
        due = last < last_run(self.ticks, now) or last > now
        return schedstate(is_due=due, next=next_run(self.ticks, now) - now)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Ticks) and self.ticks == other.ticks

    def __hash__(self) -> int:
        return hash(self.ticks)

    def __reduce__(self) -> tuple[type, tuple[int, int]]:
        return Ticks, (self.ticks.period_s, self.ticks.offset_s)


def ticks_of(job: Job) -> Ticks:
    """Return when beat wakes a job: at its times, and each minute between for what was missed. The job
    computes which turn is due, and a row in the database keeps it from being done twice."""
    period_s = min(job.period_s, 60)
    return Ticks(period_s, job.offset_s % period_s)


def _application() -> Celery:
    from django.conf import settings

    application = Celery("heatmon", broker=settings.HEATMON.redis_url, include=["heatmon.tasks"])
    application.conf.update(
        task_ignore_result=True,
        task_acks_late=False,
        task_reject_on_worker_lost=False,
        worker_prefetch_multiplier=1,
        worker_hijack_root_logger=False,
        broker_connection_retry_on_startup=True,
        broker_transport_options={"socket_timeout": 10, "socket_connect_timeout": 5},
        timezone="UTC",
        task_routes={f"heatmon.{job.name}": {"queue": job.thread} for job in JOBS},
        beat_schedule={
            job.name: {
                "task": f"heatmon.{job.name}",
                "schedule": ticks_of(job),
                "options": {"expires": min(job.expires_s, 50)},
            }
            for job in JOBS
        },
        beat_schedule_filename="/tmp/heatmon-beat",  # noqa: S108  (a cache; the schedule is code)
    )
    return application


app = _application()
