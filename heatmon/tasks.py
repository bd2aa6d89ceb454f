"""Celery tasks: call the job of that name, once for each of its times."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from functools import lru_cache

from celery import Task, shared_task
from django.db import IntegrityError, close_old_connections, transaction

from apps.devices.errors import BudgetExhausted, DeviceError
from apps.devices.locks import LockHeld
from apps.devices.models import JobRun
from apps.devices.options import default_site
from apps.metrics.apps import default_store

from . import jobs
from .collection import Collection
from .device_locks import DeviceLocks
from .schedule import JOBS, Job, last_run

SHORT_TURN_S, LONG_TURN_S = 30, 280


@lru_cache(maxsize=1)
def collection() -> Collection:
    """Return the devices of this worker process, opened on first use (after Celery's fork)."""
    return Collection(default_site(), default_store(), clock=lambda: datetime.now(UTC))


@lru_cache(maxsize=1)
def locks() -> DeviceLocks:
    """Return the device locks of this worker process."""
    return DeviceLocks(default_site().pk)


def run(job: Job, now: float) -> bool:
    """Take the turn of ``job`` that is due at ``now`` and do it; False if it was taken, is too old, or
    another process is on the device."""
    due = last_run(job, now)
    if now - due > job.expires_s:
        return False
    close_old_connections()
    try:
        with locks().for_turn(job):
            return _take(job, datetime.fromtimestamp(due, UTC))
    except LockHeld:
        return False


def _take(job: Job, at: datetime) -> bool:
    try:
        with transaction.atomic():
            JobRun.objects.create(site=default_site(), job=job.name, due_at=at)
    except IntegrityError:
        return False
    worker = collection()
    if job.period_s >= 60 or at.second < job.period_s:
        worker.reload()
    try:
        getattr(jobs, job.name)(worker, at)
    except (DeviceError, BudgetExhausted):
        return True  # recorded with the source's state by the job
    return True


def _task(job: Job) -> Task:
    def task() -> None:
        run(job, time.time())

    task.__name__ = job.name
    # A job that holds a lock for its turn may take longer than its period: the next ones stay out.
    waits_for_itself = job.lock and not job.keeps_lock
    limit = LONG_TURN_S if waits_for_itself or job.period_s > LONG_TURN_S else SHORT_TURN_S
    return shared_task(name=f"heatmon.{job.name}", time_limit=limit, ignore_result=True)(task)


TASKS = {job.name: _task(job) for job in JOBS}
