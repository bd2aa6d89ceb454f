"""What extent every source has, kept in the database: see ``KnownExtent``."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from django.db import transaction
from django.db.models import Max, Min
from django.db.models.functions import Greatest, Least

from .models import KnownExtent
from .store.cutting import DAY_S
from .store.engine import LAST_TIME, Engine, SourceKey
from .store.schema import MEASUREMENTS

_Place = tuple[int, str, str]
"""(site, measurement, device)."""


class DatabaseExtents:
    """``Extents`` for all processes that share a database. A row that falls into days already known costs
    nothing; one that does not costs one commit."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._seen: dict[_Place, tuple[int, int]] = {}
        self._complete: set[int] = set()

    def of(self, site: int, measurement: str, device: str | None) -> tuple[int, int] | None:
        self._make_complete(site)
        known = KnownExtent.objects.filter(site_id=site, measurement=measurement)
        if device is not None:
            known = known.filter(device=device)
        days = known.aggregate(first=Min("first_day"), last=Max("last_day"))
        return None if days["first"] is None else (_start_of(days["first"]), _end_of(days["last"]))

    def widen(self, source: SourceKey, first: int, last: int) -> None:
        place = source[:3]
        seen = self._seen.get(place)
        if seen is not None and seen[0] <= first and last < seen[1]:
            return
        self._make_complete(source.site)
        self._widen(place, _day_of(first), _day_of(last))

    def _widen(self, place: _Place, first: date, last: date) -> None:
        site, measurement, device = place
        where = {"site_id": site, "measurement": measurement, "device": device}
        with transaction.atomic():
            known, made = KnownExtent.objects.get_or_create(
                **where, defaults={"first_day": first, "last_day": last}
            )
            if not made and (first < known.first_day or last > known.last_day):
                KnownExtent.objects.filter(pk=known.pk).update(
                    first_day=Least("first_day", first), last_day=Greatest("last_day", last)
                )
        days = _start_of(min(first, known.first_day)), _end_of(max(last, known.last_day))
        transaction.on_commit(lambda: self._seen.update({place: days}))

    def _make_complete(self, site: int) -> None:
        """Ask the engine about all times where nothing is known of a site: at its beginning, and where what
        was known is lost."""
        if site in self._complete:
            return
        if not KnownExtent.objects.filter(site_id=site).exists():
            self.rebuild(site)
        transaction.on_commit(lambda: self._complete.add(site))

    def rebuild(self, site: int) -> None:
        """Widen what is known of a site by everything that the engine holds."""
        for measurement in MEASUREMENTS:
            for device in {source.device for source in self._engine.sources(site, measurement.name)}:
                edges = self._engine.edges(site, measurement.name, device, 0, LAST_TIME)
                if edges is not None:
                    self._widen((site, measurement.name, device), _day_of(edges[0]), _day_of(edges[1]))


def _day_of(at: int) -> date:
    return datetime.fromtimestamp(at, UTC).date()


def _start_of(day: date) -> int:
    return (day - date(1970, 1, 1)).days * DAY_S


def _end_of(day: date) -> int:
    return _start_of(day + timedelta(days=1))
