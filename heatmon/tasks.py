"""Celery tasks: call the job of that name, once for each of its times.

Every worker is woken for every turn. Of those the one that may be on the device, and writes the turn's row
first, does it.
"""

from __future__ import annotations

import logging
import time
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from celery import Task, shared_task
from django.db import IntegrityError, OperationalError, close_old_connections, transaction

from apps.devices import job_beats, storage
from apps.devices.errors import BudgetExhausted, DeviceError
from apps.devices.locks import LockHeld
from apps.devices.models import JobRun
from apps.devices.options import default_site
from apps.metrics.apps import default_store
from apps.metrics.store.base import StoreUnavailable

from . import jobs
from .collection import Collection
from .device_locks import DeviceLocks
from .schedule import JOBS, Job, due_turn, turn_limit_s
from .service_state import note, woken
from .worker import group_of

log = logging.getLogger(__name__)

# A turn on record this far ahead was taken before the clock was set back.
CLOCK_SET_BACK_S = 60


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
    due = due_turn(job, now)
    if due is None:
        return False
    if storage.is_replaced():
        log.error("%s: %s", job.name, storage.log_line("replaced"))
        return False
    close_old_connections()
    try:
        with locks().for_turn(job):
            return _take(job, datetime.fromtimestamp(due, UTC), datetime.fromtimestamp(now, UTC))
    except LockHeld:
        return False


def _take(job: Job, at: datetime, now: datetime) -> bool:
    if not _write_row(job, at) and not (_forget_future(job, at, now) and _write_row(job, at)):
        return False
    worker = collection()
    if job.period_s >= 60 or at.second < job.period_s:
        worker.reload()
    try:
        getattr(jobs, job.name)(worker, at)
    except (DeviceError, BudgetExhausted) as error:
        log.debug("%s: %s", job.name, error)  # recorded with the source's state by the job
    except (StoreUnavailable, OperationalError) as error:
        code = storage.code_of(error)
        if code:
            storage.log_turn(log, job.name, code)
        else:
            log.error("%s: %s", job.name, error)
        return True  # but not done: the job is late if it stays so
    job_beats.note_done(job.name)
    return True


def _write_row(job: Job, at: datetime) -> bool:
    """Return whether the turn is ours."""
    try:
        with transaction.atomic():
            JobRun.objects.create(site=default_site(), job=job.name, due_at=at)
    except IntegrityError:
        return False
    return True


def _forget_future(job: Job, at: datetime, now: datetime) -> bool:
    """Forget the turns that were taken before the clock was set back; return whether it was."""
    turns = JobRun.objects.filter(site=default_site(), job=job.name)
    if not turns.filter(due_at__gt=now + timedelta(seconds=CLOCK_SET_BACK_S + job.period_s)).exists():
        return False
    log.warning("%s: the clock was set back", job.name)
    turns.filter(due_at__gte=at).delete()
    return True


def _task(job: Job) -> Task:
    def task() -> None:
        try:
            run(job, time.time())
        finally:
            note(woken(group_of(job.thread)))

    task.__name__ = job.name
    return shared_task(name=f"heatmon.{job.name}", time_limit=turn_limit_s(job), ignore_result=True)(task)


TASKS = {job.name: _task(job) for job in JOBS}
