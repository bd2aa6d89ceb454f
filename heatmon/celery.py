"""The Celery application of the production run: the same jobs, woken by beat.

Queues are named after the threads of the embedded run. The queue ``meter`` has a worker process of its
own (concurrency 1), so the meter keeps its one session.
"""

from __future__ import annotations

import os

from celery import Celery

from .schedule import JOBS

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "heatmon.settings")


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
        # Beat ticks at the period; the job itself computes its due time and the lease drops doubles.
        beat_schedule={
            job.name: {
                "task": f"heatmon.{job.name}",
                "schedule": min(job.period_s, 60) if job.period_s > 10 else 10,
                "options": {"expires": min(job.expires_s, 50)},
            }
            for job in JOBS
        },
        beat_schedule_filename="/tmp/heatmon-beat",  # noqa: S108  (a cache; the schedule is code)
    )
    return application


app = _application()
