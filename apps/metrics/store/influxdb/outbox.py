"""Work that InfluxDB has not done yet, kept in the database in the order in which it came."""

from __future__ import annotations

import random
from datetime import timedelta

from django.db.models import Count, Min, Sum

from apps.devices import clock
from apps.metrics.models import OutboxEntry

from ..base import StoreUnavailable, Waiting
from .connection import InfluxUnavailable
from .work import Work

LARGEST_BYTES = 256 * 2**20
"""About three months of one home's polls."""

LONGEST_PAUSE_S = 60.0
_LARGEST_PARKED = 1000


def waiting() -> bool:
    """Return whether anything waits."""
    return OutboxEntry.objects.filter(parked_at=None).exists()


def add(work: Work) -> OutboxEntry:
    """Keep work; it is durable with the caller's transaction. Raises StoreUnavailable when the outbox is
    full: nothing that waits is thrown away for it."""
    text = work.as_text()
    held = OutboxEntry.objects.aggregate(size=Sum("size_bytes"))["size"] or 0
    if held + len(text) > LARGEST_BYTES:
        raise StoreUnavailable(f"the outbox for InfluxDB is full ({held} bytes); {state().reason}")
    return OutboxEntry.objects.create(work=text, size_bytes=len(text), made_at=clock.now())


def oldest(number: int) -> list[OutboxEntry]:
    """Return what is to be done next, oldest first."""
    return list(OutboxEntry.objects.filter(parked_at=None).order_by("pk")[:number])


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
    now = clock.now()
    OutboxEntry.objects.create(work=text, size_bytes=len(text), made_at=now, parked_at=now, reason=reason)
    parked = OutboxEntry.objects.exclude(parked_at=None).order_by("-pk")
    too_old = list(parked.values_list("pk", flat=True)[_LARGEST_PARKED:])
    OutboxEntry.objects.filter(pk__in=too_old).delete()


def wait_s() -> float:
    """Return how long the oldest entry is to be left alone [s]; 0 if it may be tried now."""
    first = OutboxEntry.objects.filter(parked_at=None).order_by("pk").values_list("retry_at", flat=True)[:1]
    retry_at = next(iter(first), None)
    return 0.0 if retry_at is None else max(0.0, (retry_at - clock.now()).total_seconds())


def state() -> Waiting:
    """Return what waits, for people."""
    held = OutboxEntry.objects.filter(parked_at=None).aggregate(
        writes=Count("pk"), size=Sum("size_bytes"), oldest=Min("made_at")
    )
    first = OutboxEntry.objects.filter(parked_at=None).order_by("pk").first()
    parked = OutboxEntry.objects.exclude(parked_at=None).order_by("-pk")
    return Waiting(
        writes=held["writes"],
        size_bytes=held["size"] or 0,
        oldest_at=held["oldest"],
        code=first.code if first else "",
        reason=first.reason if first else "",
        refused=parked.count(),
        refused_reason=next(iter(parked.values_list("reason", flat=True)[:1]), ""),
    )
