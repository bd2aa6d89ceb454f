"""Since when the heat pump answers: what lies before nobody told, and no heat of it is 0."""

from __future__ import annotations

from datetime import UTC, datetime

from .grid import INTERVAL_S, interval_of
from .marks import mark_stale
from .models import DerivedState
from .raw import RawRows
from .store.base import TimeSeriesStore


def first_answer(site_id: int) -> int | None:
    """Return the start of the interval of the first known answer [epoch s]; None before any."""
    found = DerivedState.objects.filter(site_id=site_id).values_list("first_answer_at", flat=True).first()
    return None if found is None else int(found.timestamp())


def learn_first_answer(
    store: TimeSeriesStore, site_id: int, raw: RawRows, start: int, end: int
) -> int | None:
    """Return ``first_answer`` after a look into [start, end), which is being derived. An earlier one than
    known makes the results between them stale, since those took that time for unknown."""
    known = first_answer(site_id)
    found = raw.first_answer(start, end if known is None else min(end, known))
    if found is None:
        return known
    found = interval_of(found)
    DerivedState.objects.update_or_create(
        site_id=site_id, defaults={"first_answer_at": datetime.fromtimestamp(found, UTC)}
    )
    derived = store.extent(site_id, "interval")
    if derived is not None:
        mark_stale(site_id, end, known if known is not None else derived[1] + INTERVAL_S)
    return found
