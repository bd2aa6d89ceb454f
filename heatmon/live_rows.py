"""What was polled while the store took nothing waits in memory, and is written with the next poll."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from django.db import DatabaseError

from apps.metrics.marks import mark_late, write_marked
from apps.metrics.store.base import Row, StoreUnavailable
from apps.metrics.store.front import Store

log = logging.getLogger(__name__)

MOST = 1000
"""More than two hours of one meter."""


class LiveRows:
    """Writes the rows of live polls to ``store``, those that wait first. ``MOST`` wait; of more the oldest
    are dropped: their minutes come back from the meter's memory."""

    def __init__(self, store: Store, site_id: int) -> None:
        self._store = store
        self._site_id = site_id
        self._waiting: list[Row] = []

    def __len__(self) -> int:
        return len(self._waiting)

    def write(self, rows: Sequence[Row]) -> None:
        """Store what waits and ``rows``. Raises StoreUnavailable or DatabaseError, and keeps them, where that
        cannot be done now."""
        waiting = [*self._waiting, *rows]
        try:
            if self._waiting:  # they are late: their interval may have been derived without them
                write_marked(self._store, self._site_id, waiting, mark_late)
            else:
                self._store.write(rows)
        except (StoreUnavailable, DatabaseError):
            self._waiting = waiting[-MOST:]
            raise
        if self._waiting:
            log.info("%s rows that waited in memory are stored", len(self._waiting))
            self._waiting = []
