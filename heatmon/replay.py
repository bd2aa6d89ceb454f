"""Answers of the heat pump that were kept as they came, but are not in the store.

It took nothing then, or the process ended in between. They are read again with the next answer.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta

from apps.devices.answers import keep_answers
from apps.devices.errors import PayloadInvalid
from apps.devices.models import RawAnswer, Site
from apps.devices.sources import HeatPumpAnswer, HeatPumpSource
from apps.metrics.grid import INTERVAL_S, interval_of
from apps.metrics.store.base import StoreRefused, StoreUnavailable, TimeSeriesStore

log = logging.getLogger(__name__)

LOOK_BACK = timedelta(days=7)
MOST = 288


class LiveAnswers:
    """Keeps answers as they came. Those that the database does not take wait in memory, a day's at most."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._waiting: list[HeatPumpAnswer] = []

    def keep(self, answer: HeatPumpAnswer) -> None:
        """Keep an answer, and what waits. Raises DatabaseError where that cannot be done now."""
        self._waiting = [*self._waiting, answer][-MOST:]
        keep_answers(self._site, self._waiting)
        self._waiting = []


def unstored_answers(
    site: Site, store: TimeSeriesStore, source: HeatPumpSource, device: str, before: datetime
) -> list[HeatPumpAnswer]:
    """Return the kept answers before ``before`` that the store lacks, oldest first. Only looked for where the
    newest of them is lacking; none while the store cannot be asked."""
    kept = RawAnswer.objects.filter(site=site, device=device, at__lt=before, at__gte=before - LOOK_BACK)
    newest = kept.order_by("-at").values_list("at", flat=True).first()
    try:
        if newest is None or not _lacking(site, store, device, [newest]):
            return []
        lacking = _lacking(site, store, device, list(kept.values_list("at", flat=True)))
    except StoreRefused:
        raise
    except StoreUnavailable:
        return []
    answers = []
    for at, packed in kept.filter(at__in=lacking).order_by("at").values_list("at", "payload"):
        try:
            answers.append(source.read_again(bytes(packed), at, device))
        except PayloadInvalid as error:
            log.warning("The answer kept of %s cannot be read: %s", at, error)
    if answers:
        log.info("%s answers that were kept are stored now", len(answers))
    return answers


def _lacking(site: Site, store: TimeSeriesStore, device: str, times: list[datetime]) -> list[datetime]:
    """Return those of the times whose interval has no row as new as that."""
    first, last = interval_of(int(min(times).timestamp())), int(max(times).timestamp()) + INTERVAL_S
    stored = {
        row.at: row.values.get("requested_at") or 0.0
        for row in store.rows(site.pk, "heat_pump", first, last, fields=["requested_at"])
        if row.device == device
    }

    def is_lacking(at: datetime) -> bool:
        asked = int(at.astimezone(UTC).timestamp())
        return stored.get(interval_of(asked), 0.0) < asked

    return [at for at in times if is_lacking(at)]
