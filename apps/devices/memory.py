"""How far the minutes of the meter's memory have come into the store: what pages tell of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from .models import Device, HistoryGap, MemorySearch, Site, SourceState
from .sql import first_row

USUAL_HOUR_S = 2.0
COMPARED_AFTER = timedelta(minutes=8)  # three until a minute is settled, five until its interval is over
_OPEN = "SELECT COUNT(id) FROM devices_historygap WHERE site_id = %s AND state = %s"


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryProgress:
    """Days (local) that the meter remembers, and how many of them need nothing more; the hours still to be
    fetched, and about how long that takes. ``begins_at``: how far back it will reach."""

    days: int
    days_done: int
    hours_open: int
    seconds_left: float
    begins_at: datetime

    @property
    def minutes_left(self) -> int:
        return max(1, round(self.seconds_left / 60))

    @property
    def is_complete(self) -> bool:
        return self.hours_open == 0


def memory_progress(site: Site, at: datetime, zone: tzinfo) -> MemoryProgress | None:
    """Return how far fetching is for the site's meter; None before its memory was compared with the store."""
    search = _search(site)
    if search is None or search.whole_at is None or search.begins_at is None:
        return None
    gaps = HistoryGap.objects.filter(site=site, device=search.device, state=HistoryGap.State.OPEN.value)
    open_hours = list(gaps.values_list("start", flat=True))
    first, last = search.begins_at.astimezone(zone).date(), at.astimezone(zone).date()
    days = (last - first) // timedelta(days=1) + 1
    open_days = {start.astimezone(zone).date() for start in open_hours}
    return MemoryProgress(
        days=days,
        days_done=max(0, days - len(open_days)),
        hours_open=len(open_hours),
        seconds_left=len(open_hours) * (search.hour_s or USUAL_HOUR_S),
        begins_at=search.begins_at,
    )


def hours_open(site: Site) -> int:
    """Return how many hours are still to be fetched from any meter's memory."""
    row = first_row(_OPEN, site.pk, HistoryGap.State.OPEN.value)
    return int(row[0]) if row else 0


def is_coming(site: Site, start: datetime, end: datetime) -> bool:
    """Return whether hours that begin in [start, end) are still to be fetched: from a meter that responds; of
    one that was replaced nothing comes any more."""
    gaps = HistoryGap.objects.filter(
        site=site, start__gte=start, start__lt=end, state=HistoryGap.State.OPEN.value
    )
    replaced = Device.objects.filter(site=site, kind=Device.Kind.METER, active=False)
    gaps = gaps.exclude(device__in=replaced.values("identifier"))
    return gaps.exists() and meter_fault(site) is None


def searched_until(site: Site) -> datetime | None:
    """Return until when whole hours were compared with the store; None before all that the meter remembers
    was."""
    search = _search(site)
    if search is None or search.whole_at is None:
        return None
    compared_until = (search.searched_until or search.whole_at) - COMPARED_AFTER
    return compared_until.replace(minute=0, second=0, microsecond=0)


def meter_fault(site: Site) -> SourceState | None:
    """Return how polling the meter failed last; None while it responds."""
    states = SourceState.objects.filter(site=site, source=SourceState.Source.METER)
    return states.exclude(error_code="").first()


def _search(site: Site) -> MemorySearch | None:
    meter = Device.objects.filter(site=site, kind=Device.Kind.METER, active=True).first()
    if meter is None:
        return None
    return MemorySearch.objects.filter(site=site, device=meter.identifier).first()
