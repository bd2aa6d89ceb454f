"""A home whose meter has remembered for days, met by a heatmon that has just started, at real speeds."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from apps.metrics.store.sqlite import SqliteStore
from apps.metrics.windows import local_date, local_day_bounds
from apps.simulator.world import SimulatedWorld
from heatmon.schedule import JOBS
from heatmon.simulated import collection_on, connect
from heatmon.turns import Turn, VirtualTurns
from tests.factories import Home

LATENCY_S = 0.1  # of one request in a home network
ZONE = ZoneInfo("Europe/Berlin")


class FirstDay(Home):
    """``seconds_until``: when, after the start, each milestone was reached."""

    def __init__(self, world: SimulatedWorld, store: SqliteStore, folder: Path) -> None:
        super().__init__(world, store, folder)
        connect(self.site, world)
        self.started_at = self.at
        self.seconds_until: dict[str, float] = {}
        self.collection = collection_on(self.site, store, world, folder, take_time=self._take_time)
        self.turns = VirtualTurns(self.collection, JOBS, self.at, world.advance_to, self._note)
        self.after_deriving: list[Callable[[], None]] = []

    def pass_by(self, **duration: float) -> None:
        """Let heatmon run for so long."""
        self.turns.run_until(self.at + timedelta(**duration))

    def pass_by_until(self, milestone: str, **most: float) -> float:
        """Let it run until ``milestone``; gives the seconds from the start."""
        end = self.at + timedelta(**most)
        while milestone not in self.seconds_until and self.at < end:
            self.pass_by(seconds=10)
        return self.seconds_until[milestone]

    def derived_hours(self, start: datetime, end: datetime) -> int:
        """Hours of [start, end) whose intervals all know their electricity in full."""
        first, last = int(start.timestamp()), int(end.timestamp())
        series = self.store.series(self.site.pk, "electric_s", first, last, 3600)
        return sum((seconds or 0) >= 3600 for seconds in series.sum)

    def _take_time(self, seconds: float) -> None:
        self.turns.pass_time(seconds + LATENCY_S)

    def _note(self, turn: Turn) -> None:
        passed = (self.at - self.started_at).total_seconds()
        if turn.job.name == "poll_power" and not turn.failed:
            self.seconds_until.setdefault("first good poll", passed)
        if self.world.shelly.calls["data.csv"]:
            self.seconds_until.setdefault("first stretch", passed)
        if turn.job.name != "derive":
            return
        for look in self.after_deriving:
            look()
        today = local_date(self.started_at, ZONE)
        begin, midnight = self.world.start, local_day_bounds(today, ZONE)[0]
        hour = self.started_at.replace(minute=0, second=0, microsecond=0)
        stretches = {
            "newest hour derived": hour - timedelta(hours=1),
            "today derived": datetime.fromtimestamp(midnight, ZONE),
            "yesterday derived": max(begin, datetime.fromtimestamp(midnight, ZONE) - timedelta(days=1)),
            "all derived": begin,
        }
        for name, start in stretches.items():
            if name not in self.seconds_until:
                hours = (hour - start) // timedelta(hours=1)
                if self.derived_hours(start, hour) < hours:
                    return
                self.seconds_until[name] = passed
