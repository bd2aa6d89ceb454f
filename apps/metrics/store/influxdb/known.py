"""What InfluxDB cannot tell quickly and the database keeps: who ever wrote, and how far hours are summed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime

from apps.metrics.models import StoredSource, SummedHours

from ..engine import SourceKey

Discover = Callable[[int], Iterable[SourceKey]]
"""Site → all its sources, found in InfluxDB itself."""


class KnownSources:
    """The sources of all sites, for all processes that share the database. Found in InfluxDB itself where
    nothing is known of a site: at its beginning, and where what was known is lost."""

    def __init__(self, discover: Discover) -> None:
        self._discover = discover
        self._complete: set[int] = set()
        self._noted: set[SourceKey] = set()

    def of(self, site: int, measurement: str, device: str | None = None) -> list[SourceKey]:
        """Return the sources of a measurement, of one device or all."""
        self._make_complete(site)
        known = StoredSource.objects.filter(site_id=site, measurement=measurement)
        if device is not None:
            known = known.filter(device=device)
        rows = known.order_by("circuit", "device").values_list("device", "circuit")
        return [SourceKey(site, measurement, of, circuit) for of, circuit in rows]

    def devices(self) -> list[tuple[int, str, str]]:
        """Return (site, measurement, device) of everything that ever wrote."""
        rows = StoredSource.objects.order_by("site_id", "measurement", "device").distinct()
        return list(rows.values_list("site_id", "measurement", "device"))

    def note(self, source: SourceKey) -> None:
        """Remember a source that is about to write."""
        if source in self._noted:
            return
        self._make_complete(source.site)
        self._add(source)
        self._noted.add(source)

    def _make_complete(self, site: int) -> None:
        if site in self._complete:
            return
        if not StoredSource.objects.filter(site_id=site).exists():
            for source in self._discover(site):
                self._add(source)
        self._complete.add(site)

    def _add(self, source: SourceKey) -> None:
        site, measurement, device, circuit = source
        StoredSource.objects.get_or_create(
            site_id=site, measurement=measurement, device=device, circuit=circuit
        )


def summed_until(site: int, measurement: str) -> int:
    """Return until when hours are summed; 0 where nothing is known."""
    until = (
        SummedHours.objects.filter(site_id=site, measurement=measurement)
        .values_list("until", flat=True)
        .first()
    )
    return 0 if until is None else int(until.timestamp())


def note_summed(site: int, measurement: str, until: int) -> None:
    """Note that all hours before ``until`` are summed."""
    SummedHours.objects.update_or_create(
        site_id=site, measurement=measurement, defaults={"until": datetime.fromtimestamp(until, UTC)}
    )
