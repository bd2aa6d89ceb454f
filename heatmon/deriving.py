"""After an import: derive what it touched, so that pages and report show it at once."""

from __future__ import annotations

from datetime import UTC, datetime

from apps.devices.models import Site
from apps.devices.options import home_options
from apps.metrics.parameters import SiteParameters
from apps.metrics.stale import derive_stale, stale_intervals
from apps.metrics.store.base import TimeSeriesStore

from .progress import Progress

AT_ONCE = 2016


def derive_marked(store: TimeSeriesStore, site: Site) -> int:
    """Work off all marks, with progress; gives how many intervals were derived."""
    parameters = SiteParameters.from_house(home_options(site, with_secrets=False))
    total = 0
    with Progress(stale_intervals(site.pk, datetime.now(UTC)), "calculate") as progress:
        while done := derive_stale(store, site.pk, parameters, datetime.now(UTC), AT_ONCE):
            total += done
            progress.advance(done)
    return total
