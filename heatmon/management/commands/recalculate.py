"""Derives everything again from raw data."""

from __future__ import annotations

from datetime import UTC, date, datetime
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.devices.locks import LockHeld
from apps.devices.models import Site
from apps.devices.options import default_site, home_options
from apps.metrics.apps import default_store
from apps.metrics.parameters import site_parameters
from apps.metrics.stale import derive_stale, mark_stale, raw_extent, stale_intervals
from apps.metrics.store.base import StoreUnavailable, TimeSeriesStore
from apps.metrics.windows import local_day_bounds
from heatmon.days import day
from heatmon.progress import Progress

AT_ONCE = 7 * 288


class Command(BaseCommand):
    help = (
        "Derive intervals, COP, lumps and events again from the raw data. Interrupting is safe: the rest"
        " is done in the background or with --resume."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--from", dest="first", type=day, metavar="D", help="first local day (default: all)"
        )
        parser.add_argument("--to", dest="last", type=day, metavar="D", help="last local day (inclusive)")
        parser.add_argument("--resume", action="store_true", help="only continue with what is already marked")

    def handle(self, *args: Any, **options: Any) -> None:
        first, last = options["first"], options["last"]
        if first is not None and last is not None and last < first:
            raise CommandError("--to is before --from.", returncode=2)
        if options["resume"] and (first or last):
            raise CommandError("--resume does not take dates.", returncode=2)
        site = default_site()
        house = home_options(site, with_secrets=False)
        store = default_store()
        try:
            if not options["resume"]:
                stretch = _stretch(store, site.pk, house.zone, first, last)
                if stretch is None:
                    self.stdout.write("There is no raw data in that period.")
                    return
                mark_stale(site.pk, *stretch)
            done = self._work(store, site)
        except (StoreUnavailable, LockHeld) as error:
            raise CommandError(f"{error}. The rest stays marked; continue with --resume.") from error
        except KeyboardInterrupt:
            raise CommandError("Interrupted; continue with: recalculate --resume", returncode=130) from None
        self.stdout.write(f"{done} five-minute intervals derived.")

    def _work(self, store: TimeSeriesStore, site: Site) -> int:
        at = datetime.now(UTC)
        done = 0
        with Progress(stale_intervals(site.pk, at), "recalculate") as progress:
            while count := derive_stale(store, site.pk, partial(site_parameters, site), at, AT_ONCE):
                done += count
                progress.advance(count)
        return done


def _stretch(
    store: TimeSeriesStore, site_id: int, zone: ZoneInfo, first: date | None, last: date | None
) -> tuple[int, int] | None:
    """Return what to derive, epoch seconds: the days asked for, as far as there is raw or derived data."""
    extents = [raw_extent(store, site_id), store.extent(site_id, "interval")]
    known = [extent for extent in extents if extent is not None]
    if not known:
        return None
    start = min(extent[0] for extent in known)
    end = max(extent[1] for extent in known) + 1
    if first is not None:
        start = max(start, local_day_bounds(first, zone)[0])
    if last is not None:
        end = min(end, local_day_bounds(last, zone)[1])
    return (start, end) if start < end else None
