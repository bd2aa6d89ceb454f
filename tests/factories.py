"""A simulated home with heatmon's real jobs on it, in virtual time and without sockets."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from apps.devices.models import Device, SourceState
from apps.devices.options import default_site, save_home_options
from apps.metrics.store.base import Row
from apps.metrics.store.front import Store
from apps.simulator.wire import Answer, Handler
from apps.simulator.world import SimulatedWorld
from heatmon import jobs
from heatmon.collection import Collection
from heatmon.schedule import JOBS
from heatmon.simulated import collection_on, connect
from heatmon.turns import VirtualTurns
from tests.environment import ON_POSTGRES

JANUARY = datetime(2026, 1, 12, 6, 0, tzinfo=UTC)
METER_MAC = "A0B1C2D3E4F5"
# On a server the nightly copy opens a database of its own, which Django's test cases do not allow.
ALL_JOBS = tuple(job.name for job in JOBS if not job.name.startswith("back_up") or not ON_POSTGRES)


class Home:
    """A world, a collection that polls it and the store behind; ``at`` is the virtual time."""

    def __init__(self, world: SimulatedWorld, store: Store, folder: Path) -> None:
        self.world = world
        self.store = store
        self.folder = folder
        self.site = default_site()
        connect(self.site, world)
        self.save(estimated_flow_rate=1.4)
        self.collection = self.fresh_collection()

    @property
    def at(self) -> datetime:
        return self.world.clock.now()

    def save(self, **values: Any) -> None:
        """As the settings page does."""
        save_home_options(self.site, values)

    def fresh_collection(self) -> Collection:
        """What a restarted process has: nothing but what is stored."""
        return collection_on(self.site, self.store, self.world, self.folder)

    def restart(self) -> None:
        self.collection = self.fresh_collection()

    def move(self, **duration: float) -> None:
        """Let time pass while heatmon is away."""
        self.world.advance_to(self.at + timedelta(**duration))

    def call(self, name: str, **options: Any) -> Any:
        """One job now; errors come through."""
        return getattr(jobs, name)(self.collection, self.at, **options)

    def run(self, *names: str, **duration: float) -> None:
        """Run the named jobs (all without names) at their times for this long; as in the runner, what the
        outside did is left to the records."""
        chosen = [job for job in JOBS if job.name in (names or ALL_JOBS)]
        turns = VirtualTurns(self.collection, chosen, self.at, self.world.advance_to)
        turns.run_until(self.at + timedelta(**duration))

    def rows(self, measurement: str, start: datetime, end: datetime) -> list[Row]:
        first, last = int(start.timestamp()), int(end.timestamp())
        return list(self.store.rows(self.site.pk, measurement, first, last))

    def minute_energies_wh(self, start: datetime, end: datetime) -> list[float | None]:
        """Stored energy of each minute row, in order."""
        return [row.values["energy_wh"] for row in self.rows("meter_minute", start, end)]

    def state(self, source: str) -> SourceState:
        return SourceState.objects.get(site=self.site, source=source)

    def device(self, kind: str) -> Device:
        return Device.objects.get(site=self.site, kind=kind, active=True)


def answering_before(handler: Handler, answer: Callable[[str], Answer | None]) -> Handler:
    """A handler that gives ``answer(path)`` where that is not None, and else what ``handler`` gives."""

    def handle(method: str, path: str, headers: Any, body: bytes, at: float) -> Answer:
        given = answer(path)
        return handler(method, path, headers, body, at) if given is None else given

    return handle
