"""One home at one moment: what every question about numbers takes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime

from apps.devices.models import Site
from apps.devices.options import HomeOptions, home_options
from apps.devices.sql import first_row

from .apps import default_store
from .grid import interval_of
from .store.base import TimeSeriesStore
from .windows import local_date, local_day_bounds, local_midnight

_VERSION = "SELECT version FROM metrics_derivedstate WHERE site_id = %s"


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """Whose numbers, by which options in force, out of which store, as of when (aware UTC).

    ``version`` of what is derived (see ``kept``); None keeps no answers.
    """

    site: Site
    options: HomeOptions
    store: TimeSeriesStore
    at: datetime
    version: int | None = None

    @classmethod
    def of(cls, site: Site, at: datetime) -> Home:
        """Return the home of ``site`` as readers see it: default store, no passwords.

        Raises StoreUnavailable.
        """
        derived = first_row(_VERSION, site.pk)
        return cls(
            site=site,
            options=home_options(site, with_secrets=False),
            store=default_store(),
            at=at,
            version=derived[0] if derived else None,
        )

    @property
    def id(self) -> int:
        return self.site.pk

    @property
    def at_s(self) -> int:
        return int(self.at.timestamp())

    @property
    def interval_s(self) -> int:
        """Start of the interval that is running [epoch s]: the end of what can be derived."""
        return interval_of(self.at_s)

    @property
    def today(self) -> date:
        """The local day."""
        return local_date(self.at, self.options.zone)

    def midnight(self, day: date) -> int:
        """Return the first second of a local day [epoch s]."""
        return int(local_midnight(day, self.options.zone).timestamp())

    def day_bounds(self, day: date) -> tuple[int, int]:
        """Return [start, end) of a local day [epoch s]."""
        return local_day_bounds(day, self.options.zone)

    def first_day(self) -> date | None:
        """Return the local day of the oldest derived interval; None while there is none."""
        extent = self.store.extent(self.id, "interval")
        return (
            None if extent is None else local_date(datetime.fromtimestamp(extent[0], UTC), self.options.zone)
        )
