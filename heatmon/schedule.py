"""◇ When each job runs: one table for Celery beat and for the embedded runner.

Jobs run at multiples of ``period_s`` of Unix time plus ``offset_s``. A job that could not start within
``expires_s`` of its time is dropped: the next one does the work. ``thread`` groups jobs that share a
thread (embedded) or queue (Celery). ``lock`` names what no two processes may do at once; a job waits
``lock_wait_s`` for it, holds it for its turn, or (``keeps_lock``) as long as the process lives. A task
that hangs is killed after ``limit_s``.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    name: str
    period_s: int
    offset_s: int
    expires_s: float
    thread: str
    lock: str = ""
    lock_wait_s: float = 0.0
    keeps_lock: bool = False
    limit_s: int = 280


# The meter's memory is read by two jobs. One turn of filling gaps is over within a minute, or two where the
# meter does not answer.
MEMORY = "meter-memory"
MEMORY_WAIT_S = 100.0

JOBS: tuple[Job, ...] = (
    Job(
        name="poll_power",
        period_s=10,
        offset_s=0,
        expires_s=9.9,
        thread="meter",
        lock="meter",
        keeps_lock=True,
    ),
    Job(
        name="poll_heat_pump",
        period_s=300,
        offset_s=150,
        expires_s=120,
        thread="heat_pump",
        lock="heat-pump",
    ),
    Job(
        name="refine_minutes",
        period_s=300,
        offset_s=15,
        expires_s=240,
        thread="history",
        lock=MEMORY,
        lock_wait_s=MEMORY_WAIT_S,
    ),
    # Often, so that the first numbers come at once; a turn without anything to do costs two queries.
    Job(name="backfill", period_s=10, offset_s=5, expires_s=9, thread="history", lock=MEMORY),
    Job(name="derive", period_s=30, offset_s=0, expires_s=25, thread="derive", lock="derive-turn"),
    # Costs five queries and a sum of each day unless a day is over, something was changed, or days came late.
    Job(
        name="judge_changes",
        period_s=120,
        offset_s=45,
        expires_s=100,
        thread="derive",
        lock="judge-turn",
    ),
    # At night, or later in the day where heatmon was not running then.
    Job(name="keep_house", period_s=86_400, offset_s=3 * 3600 + 1200, expires_s=20 * 3600, thread="derive"),
    Job(name="watch", period_s=60, offset_s=40, expires_s=50, thread="alerts", lock="watch-turn"),
    # Once a night; looked at each hour, so that a failed one is tried again and a missed one made up for.
    Job(
        name="back_up",
        period_s=3600,
        offset_s=1800,
        expires_s=3500,
        thread="backup",
        lock="backup-turn",
        limit_s=3 * 3600,
    ),
    # Somebody waits for it; a turn without anything to do looks for two files.
    Job(
        name="back_up_asked",
        period_s=15,
        offset_s=7,
        expires_s=14,
        thread="backup",
        lock="backup-turn",
        limit_s=3 * 3600,
    ),
)

# A live poll that hangs is killed after this long.
POLL_TURN_S = 10


def next_run(job: Job, after: float) -> int:
    """Return the first time [epoch s] strictly after ``after`` at which ``job`` is due."""
    turns = (after - job.offset_s) // job.period_s + 1
    return int(turns * job.period_s + job.offset_s)


def last_run(job: Job, now: float) -> int:
    """Return the newest time [epoch s] at or before ``now`` at which ``job`` was due."""
    return next_run(job, now) - job.period_s


def due_turn(job: Job, now: float) -> int | None:
    """Return the time [epoch s] of the turn to take at ``now``; None if it is too late for it, and the next
    one does the work."""
    due = last_run(job, now)
    return due if now - due <= job.expires_s else None


def turn_limit_s(job: Job) -> int:
    """Return how long a turn may take before it is killed. A job with a lock may take longer than its period:
    the lock keeps the next turns out."""
    return POLL_TURN_S if job.keeps_lock else job.limit_s


def late_after_s(job: Job) -> int:
    """Return how long after its last good turn a job is late: three periods, and as long as a turn may take
    where that is longer than a period."""
    limit_s = turn_limit_s(job)
    return 3 * job.period_s + (limit_s if limit_s > job.period_s else 0)
