"""After an import: derive what it touched, so that pages and report show it at once."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial

from django.core.management.base import CommandError

from apps.devices.locks import LockHeld
from apps.devices.models import Site
from apps.metrics.parameters import site_parameters
from apps.metrics.stale import derive_stale, stale_intervals
from apps.metrics.store.base import TimeSeriesStore

from .progress import Progress

AT_ONCE = 2016


def derive_marked(store: TimeSeriesStore, site: Site) -> int:
    """Work off all marks, with progress; return how many intervals were derived."""
    parameters = partial(site_parameters, site)
    total = 0
    with Progress(stale_intervals(site.pk, datetime.now(UTC)), "calculate") as progress:
        try:
            while done := derive_stale(store, site.pk, parameters, datetime.now(UTC), AT_ONCE):
                total += done
                progress.advance(done)
        except LockHeld as error:
            raise CommandError(
                f"{error}. Everything is stored; continue with: recalculate --resume"
            ) from error
    return total
