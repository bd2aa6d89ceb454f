"""What InfluxDB cannot tell quickly and the database keeps: who ever wrote, and how far hours are summed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Generic, TypeVar

from apps.metrics.models import StoredSource, SummedHours

from ..engine import SourceKey

Discover = Callable[[int], Iterable[SourceKey]]
"""Site → all its sources, found in InfluxDB itself."""


Key = TypeVar("Key")
Value = TypeVar("Value")

SOURCES_HELD_S = 10.0
"""What another process wrote for the first time is derived from no sooner than half a minute later."""

SUMMED_HELD_S = 60.0
"""That more is summed meanwhile does no harm: raw values say the same."""


class Held(Generic[Key, Value]):
    """Answers of ``look_up``, held for ``held_s`` seconds."""

    def __init__(self, look_up: Callable[[Key], Value], held_s: float) -> None:
        self._look_up = look_up
        self._held_s = held_s
        self._held: dict[Key, tuple[float, Value]] = {}

    def get(self, key: Key) -> Value:
        now = time.monotonic()
        found = self._held.get(key)
        if found is None or now - found[0] >= self._held_s:
            found = self._held[key] = (now, self._look_up(key))
        return found[1]

    def clear(self) -> None:
        self._held.clear()


class KnownSources:
    """The sources of all sites, for all processes that share the database. Found in InfluxDB itself where
    nothing is known of a site: at its beginning, and where what was known is lost."""

    def __init__(self, discover: Discover) -> None:
        self._discover = discover
        self._complete: set[int] = set()
        self._noted: set[SourceKey] = set()
        self._held = Held(self._look_up, SOURCES_HELD_S)

    def of(self, site: int, measurement: str, device: str | None = None) -> list[SourceKey]:
        """Return the sources of a measurement, of one device or all."""
        self._make_complete(site)
        known = self._held.get((site, measurement))
        return [source for source in known if device is None or source.device == device]

    def _look_up(self, place: tuple[int, str]) -> list[SourceKey]:
        site, measurement = place
        known = StoredSource.objects.filter(site_id=site, measurement=measurement)
        rows = known.order_by("circuit", "device").values_list("device", "circuit")
        return [SourceKey(site, measurement, device, circuit) for device, circuit in rows]

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
        self._held.clear()


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
