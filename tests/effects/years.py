"""A house whose use changes on a day, with a year before it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

from apps.devices.models import Site
from apps.devices.options import home_options
from apps.effects.samples import EffectDay
from apps.metrics.home import Home
from apps.metrics.store.sqlite import SqliteStore

from .known import house_days
from .lived import write_days

FIRST = date(2025, 10, 1)


def more(day: EffectDay, times: float) -> EffectDay:
    return replace(day, energy_kwh=(day.energy_kwh or 0.0) * times)


def lived(
    store: SqliteStore, site: Site, since: date, times: float, *, first: date = FIRST, count: int = 418
) -> None:
    """A house since October of last year, which uses ``times`` as much from ``since`` on."""
    days = house_days(first, count, noise=0.03).values()
    write_days(store, site, [more(day, times) if day.day >= since else day for day in days])


def here(site: Site, store: SqliteStore) -> Home:
    at = datetime(2026, 11, 23, 13, tzinfo=UTC)
    return Home(site=site, options=home_options(site), store=store, at=at)
