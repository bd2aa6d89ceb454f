"""Work that InfluxDB has not done yet, kept in the database in the order in which it came."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from itertools import accumulate

from django.db.models import Count, QuerySet, Sum

from apps.devices import clock
from apps.metrics.models import OutboxEntry

from ..base import StoreUnavailable, Waiting
from .connection import LONGEST_ASKED_S, InfluxUnavailable
from .work import Work

LARGEST_BYTES = 256 * 2**20
"""About two months of one home's polls."""

LONGEST_PAUSE_S = 60.0
_LARGEST_PARKED = 1000
_AT_ONCE_BYTES = 4 * 2**20


class OutboxFull(StoreUnavailable):
    """Nothing more can be kept."""


def _held() -> QuerySet[OutboxEntry]:
    return OutboxEntry.objects.filter(parked_at=None).order_by("pk")


def _parked() -> QuerySet[OutboxEntry]:
    """Newest first. Compared with a time, as only then an index finds the few among very many."""
    return OutboxEntry.objects.filter(parked_at__gt=datetime(1970, 1, 1, tzinfo=UTC)).order_by(
        "-parked_at", "-pk"
    )


def waiting() -> bool:
    """Return whether anything waits."""
    return _held().exists()


def add(work: Work) -> OutboxEntry:
    """Keep work; it is durable with the caller's transaction. Raises OutboxFull: nothing that waits is thrown
    away for it."""
    text = work.as_text()
    held = _held().aggregate(size=Sum("size_bytes"))["size"] or 0
    if held + len(text) > LARGEST_BYTES:
        raise OutboxFull(f"the outbox for InfluxDB is full ({held} bytes); {state().reason}")
    return OutboxEntry.objects.create(work=text, size_bytes=len(text), made_at=clock.now())


def oldest(number: int) -> list[OutboxEntry]:
    """Return what is to be done next, oldest first: at least one, as few as fit into memory."""
    sizes = list(_held().values_list("size_bytes", flat=True)[:number])
    fitting = [size for size in accumulate(sizes) if size <= _AT_ONCE_BYTES]
    return list(_held()[: max(1, len(fitting))])


def instead(entry: OutboxEntry, work: Work) -> None:
    """Let an entry hold other work."""
    entry.work = work.as_text()
    entry.size_bytes = len(entry.work)
    entry.save(update_fields=["work", "size_bytes"])


def done(*entries: OutboxEntry) -> None:
    OutboxEntry.objects.filter(pk__in=[entry.pk for entry in entries]).delete()


def failed(entry: OutboxEntry, error: InfluxUnavailable) -> None:
    """Note a failure that will pass, and wait longer each time, with chance, at most a minute unless the
    server asked for more."""
    entry.attempts += 1
    pause_s = min(LONGEST_PAUSE_S, 2.0 ** min(entry.attempts - 1, 6)) * random.uniform(0.5, 1.0)
    pause_s = max(pause_s, error.retry_after_s or 0.0)
    entry.retry_at = clock.now() + timedelta(seconds=pause_s)
    entry.code, entry.reason = error.code, str(error)
    entry.save(update_fields=["attempts", "retry_at", "code", "reason"])


def park(work: Work, reason: str) -> None:
    """Keep aside what will never be taken; of very many the oldest go."""
    text = work.as_text()
    if _parked().filter(work=text).exists():  # tried again after a failure in between
        return
    now = clock.now()
    OutboxEntry.objects.create(work=text, size_bytes=len(text), made_at=now, parked_at=now, reason=reason)
    too_old = list(_parked().values_list("pk", flat=True)[_LARGEST_PARKED:])
    OutboxEntry.objects.filter(pk__in=too_old).delete()


def wait_s() -> float:
    """Return how long the oldest entry is to be left alone [s]; 0 if it may be tried now."""
    retry_at = next(iter(_held().values_list("retry_at", flat=True)[:1]), None)
    if retry_at is None:
        return 0.0
    wait_s = (retry_at - clock.now()).total_seconds()
    return 0.0 if wait_s > LONGEST_ASKED_S else max(0.0, wait_s)  # no pause is longer: the clock was set back


def state() -> Waiting:
    """Return what waits, for people."""
    held = _held().aggregate(writes=Count("pk"), size=Sum("size_bytes"))
    first = _held().first()
    return Waiting(
        writes=held["writes"],
        size_bytes=held["size"] or 0,
        oldest_at=first.made_at if first else None,
        code=first.code if first else "",
        reason=first.reason if first else "",
        refused=_parked().count(),
        refused_reason=next(iter(_parked().values_list("reason", flat=True)[:1]), ""),
    )
