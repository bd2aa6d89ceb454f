"""A copy of another engine's content in an SQLite file beside the backups, brought up to date for each one.

A day is read again where count, sum, minimum or maximum of any of its fields differ, and where it is recent:
a night costs a few questions for sums, and only the first one reads all there is. Interrupting is harmless.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from apps.metrics.store.cutting import DAY_S, stretches_between
from apps.metrics.store.engine import Engine, Fields
from apps.metrics.store.migrating import Migration
from apps.metrics.store.schema import scales_of

RECENT_S = 2 * DAY_S


def follow(source: Engine, mirror: Engine, sites: Sequence[int], now: int) -> int:
    """Let ``mirror`` hold what ``source`` holds; return how many days of devices were copied. Raises
    StoreUnavailable."""
    for uid in sorted(source.homes() - mirror.homes()):
        mirror.add_home(uid)
    migration = Migration(source, mirror, sites)
    days = migration.days()
    horizon = {day[:3]: day.end for day in days}
    copied = 0
    for (site, measurement), group in groupby(days, key=lambda day: (day.site, day.measurement)):
        own = list(group)
        differing = _differing(source, mirror, site, measurement, sorted({day.start for day in own}))
        for day in own:
            if day.end > now - RECENT_S or day.start in differing:
                copied += migration.copy(day, horizon[day[:3]])
    return copied


def _differing(
    source: Engine, mirror: Engine, site: int, measurement: str, starts: Sequence[int]
) -> set[int]:
    """Return the starts of the UTC days whose totals are not the same, over all devices."""
    edges = sorted({edge for start in starts for edge in (start, start + DAY_S)})
    places = [
        (edge, stretch) for edge, stretch in zip(edges, stretches_between(edges), strict=False) if stretch
    ]
    stretches = [stretch for _, stretch in places]
    circuits = {key.circuit for engine in (source, mirror) for key in engine.sources(site, measurement)}
    found = set()
    for circuit in sorted(circuits):
        fields = Fields(site, measurement, circuit, tuple(scales_of(measurement)))
        there, here = source.totals(fields, stretches), mirror.totals(fields, stretches)
        found |= {
            places[n][0]
            for n, field in there.keys() | here.keys()
            if there.get((n, field)) != here.get((n, field))
        }
    return found
