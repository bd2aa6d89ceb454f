"""Run the real jobs against the simulated house in virtual time, and compare what was stored with the truth.

``manage.py simulate`` calls it in a child process whose data directory is scratch. The clients speak to
the simulated devices through an in-process transport, every thousandth call over a socket. heatmon is
restarted in the middle; ``simulation_truth`` compares.
"""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import requests
from django.db import connection
from requests.adapters import BaseAdapter, HTTPAdapter

from apps.changelog import observe
from apps.devices import storage
from apps.devices.options import default_site, save_home_options
from apps.metrics.apps import use_store
from apps.metrics.store.front import Store
from apps.metrics.store.opening import scratch_store
from apps.metrics.windows import local_day_bounds
from apps.simulator.faults import FAULTS, HOST, Fault
from apps.simulator.world import METER_HOST, RunningWorld, SimulatedWorld

from . import jobs
from .collection import Collection
from .schedule import JOBS
from .simulated import collection_on, connect
from .simulation_truth import POLLS, FinishedRun, SimulationReport, compared
from .turns import Turn, VirtualTurns

SOCKET_EVERY = 1000
DAY = timedelta(days=1)
# What deriving, judging and filling gaps give does not depend on when they run; here they may run rarely.
PERIODS_S = {
    "derive": 3600,
    "backfill": 600,
    "judge_changes": 3600,
    "watch": 86_400,
    "back_up_asked": 86_400,
}
LOCKED_FOR_S = 0.01


class MostlyInProcess(BaseAdapter):
    """Requests go to the simulated devices in this process, every thousandth over a real socket."""

    def __init__(self, inner: BaseAdapter, running: RunningWorld) -> None:
        super().__init__()
        self._inner = inner
        self._sockets = HTTPAdapter()
        self._running = running
        self._calls = 0

    def send(self, request: requests.PreparedRequest, *args: object, **kwargs: object) -> requests.Response:
        self._calls += 1
        if self._calls % SOCKET_EVERY:
            return self._inner.send(request, *args, **kwargs)  # type: ignore[arg-type]
        sent = request.copy()
        parts = urlsplit(str(request.url))
        base = self._running.meter_url if parts.hostname == METER_HOST else self._running.cloud_api_url
        sent.url = parts._replace(netloc=urlsplit(base).netloc).geturl()
        response = self._sockets.send(sent, *args, **kwargs)  # type: ignore[arg-type]
        response.request, response.url = request, str(request.url)
        return response

    def close(self) -> None:
        self._sockets.close()
        self._inner.close()


def simulate(
    days: int,
    seed: int,
    *,
    faults: Sequence[str] = (),
    http: bool = False,
    start: datetime,
    scenario: str = "nameplate",
    elapsed: Callable[[], float],
    progress: Callable[[int], None] = lambda days: None,
) -> SimulationReport:
    """Run ``days`` local days from ``start`` (a local midnight) against the house of ``seed``.

    ``elapsed`` returns the seconds of work so far; ``progress`` is called with each day done.
    """
    last_day = start.date() + timedelta(days=days - 1)
    end = datetime.fromtimestamp(local_day_bounds(last_day, ZoneInfo(str(start.tzinfo)))[1], UTC)
    world = SimulatedWorld(seed, start, end=end, faults=faults, scenario=scenario, logs_answers=True)
    with tempfile.TemporaryDirectory() as folder, world.serve() as served:
        simulation = Simulation(world, Path(folder), served, http=http, progress=progress)
        report = simulation.compare(start.astimezone(UTC), end.astimezone(UTC))
    return replace(report, days=days, seed=seed, faults=list(faults), duration_s=round(elapsed(), 1))


def fault_names() -> Mapping[str, str]:
    """Return the names of the fault scripts and what each does."""
    return {name: (script.__doc__ or "").strip() for name, script in sorted(FAULTS.items())}


class Simulation:
    """heatmon in a simulated world: what a kill takes away, and what stays in ``folder``.

    ``served``: the world on sockets, for every thousandth call, or for all with ``http``; without it no
    socket is used. ``progress`` is called with each day done.
    """

    def __init__(
        self,
        world: SimulatedWorld,
        folder: Path,
        served: RunningWorld | None = None,
        *,
        http: bool = False,
        progress: Callable[[int], None] = lambda days: None,
    ) -> None:
        self.world = world
        self.folder = folder
        self._served = served
        self._http = http
        self._progress = progress
        self._faults = tuple(world.faults)
        self._turns: list[Turn] = []
        self._stretches: list[tuple[float, float]] = []
        self._next_day = world.clock.now() + DAY
        self.store: Store
        self._collection: Collection

    def compare(self, start: datetime, end: datetime) -> SimulationReport:
        """Run from ``start`` to ``end`` and return how what was stored compares with the truth."""
        site = default_site()
        connect(site, self.world, self._served if self._http else None)
        save_home_options(site, {"estimated_flow_rate": self.world.house.spec.pump.flow_m3_h})
        self._run_all(start, end)
        self._settle(end)
        self._progress(1)
        report = compared(
            FinishedRun(
                world=self.world,
                collection=self._collection,
                start=start,
                end=end,
                turns=self._turns,
                stretches=self._stretches,
                faults=self._faults,
            )
        )
        self.store.close()
        return report

    def _run_all(self, start: datetime, end: datetime) -> None:
        """Run from start to end, with pauses where the faults say so, and begin anew in the middle."""
        for begin, stop in _on(start, end, start + (end - start) / 2, self._faults):
            self._start()
            self.world.advance_to(begin)
            self._run(begin, stop)
            self.store.close()
        self._start()
        self.world.advance_to(end)

    def _start(self) -> None:
        """Do as a new process: nothing is known but what is stored."""
        observe.forget_recent()
        self.store = scratch_store(self.folder)
        adapter = None
        if self._served is not None and not self._http:
            adapter = MostlyInProcess(self.world.adapter(), self._served)
        self._collection = collection_on(
            default_site(),
            self.store,
            self.world,
            self.folder,
            running=self._served if self._http else None,
            adapter=adapter,
        )

    def _run(self, start: datetime, end: datetime) -> None:
        self._stretches.append((start.timestamp(), end.timestamp()))
        chosen = [replace(job, period_s=PERIODS_S.get(job.name, job.period_s)) for job in JOBS]
        turns = VirtualTurns(self._collection, chosen, start, self.world.advance_to, self._note)
        disturbances = [
            fault for fault in self._faults if fault.target == HOST and fault.name in DISTURBANCES
        ]
        with use_store(self.store):
            for fault in sorted(disturbances, key=lambda one: one.start):
                begin, stop = (
                    min(max(at, start.timestamp()), end.timestamp()) for at in (fault.start, fault.end)
                )
                if begin < stop and begin >= turns.now:
                    turns.run_until(datetime.fromtimestamp(begin, UTC))
                    with storage.impatient(LOCKED_FOR_S), DISTURBANCES[fault.name](self):
                        turns.run_until(datetime.fromtimestamp(stop, UTC))
            turns.run_until(end)

    def _note(self, turn: Turn) -> None:
        if turn.job.name in POLLS:
            self._turns.append(turn)
        if turn.at >= self._next_day:
            self._progress(1)
            self._next_day += DAY

    def _settle(self, end: datetime) -> None:
        """Run a quarter of an hour without faults, then finish everything that is open."""
        self.world.faults.clear()
        with use_store(self.store):
            for minute in range(16):
                at = end + timedelta(minutes=minute, seconds=20)
                self.world.advance_to(at)
                jobs.poll_power(self._collection, at)
                if minute % 5 == 0:
                    jobs.refine_minutes(self._collection, at)
            while jobs.backfill(self._collection, at, whole=True):
                pass
            while jobs.derive(self._collection, at):
                pass


def _on(
    start: datetime, end: datetime, middle: datetime, faults: Sequence[Fault]
) -> list[tuple[datetime, datetime]]:
    """Return when heatmon is running: it is restarted in the middle and after each kill, and away once."""
    off = [(middle, middle)]
    for fault in faults:
        if fault.name in {"heatmon_killed", "heatmon_away"}:
            first, last = (datetime.fromtimestamp(int(at), UTC) for at in (fault.start, fault.end))
            off.append((max(first, start), min(last, end)))
    found = []
    begin = start
    for first, last in sorted(off):
        if first > begin:
            found.append((begin, first))
        begin = max(begin, last)
    return [*found, (begin, end)]


# -- what happens on the computer ------------------------------------------------------------------------


@contextmanager
def _locked(path: Path | None, sql: str = "BEGIN IMMEDIATE") -> Iterator[None]:
    """Another program on a database file; nothing where that is a server's or in memory."""
    if path is None or not path.is_file():
        yield
        return
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute(sql)
        other.execute("SELECT count(*) FROM sqlite_master").fetchone()
        yield
        other.execute("ROLLBACK")


def _store_locked(running: Simulation) -> AbstractContextManager[None]:
    return _locked(running.folder / "timeseries.sqlite3")


def _notes_locked(running: Simulation) -> AbstractContextManager[None]:
    return _locked(storage.notes_path())


@contextmanager
def _reader_left_open(running: Simulation) -> Iterator[None]:
    with _locked(storage.notes_path(), "BEGIN"), _locked(running.folder / "timeseries.sqlite3", "BEGIN"):
        yield


@contextmanager
def _disk_full(running: Simulation) -> Iterator[None]:
    """No page can be added to either database."""
    with ExitStack() as stack:
        writer = stack.enter_context(running.store.engine.transaction())  # type: ignore[attr-defined]
        pages = writer.execute("PRAGMA page_count").fetchone()[0]
        writer.execute(f"PRAGMA max_page_count = {pages}")
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA page_count")
        cursor.execute(f"PRAGMA max_page_count = {cursor.fetchone()[0]}")
    try:
        yield
    finally:
        for execute in (writer.execute, connection.cursor().execute):
            execute("PRAGMA max_page_count = 1073741823")


DISTURBANCES: Mapping[str, Callable[[Simulation], AbstractContextManager[None]]] = {
    "store_locked": _store_locked,
    "notes_locked": _notes_locked,
    "disk_full": _disk_full,
    "reader_left_open": _reader_left_open,
}


@contextmanager
def scratch_environment(environ: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """Provide an environment for a child process: a temporary data directory, none of the user's devices."""
    with tempfile.TemporaryDirectory(prefix="heatmon-simulate-") as folder:
        clean = {key: value for key, value in environ.items() if not key.startswith("HEATMON_")}
        yield {**clean, "HEATMON_DATA_DIR": folder, "HEATMON_DEMO": "0", "HEATMON_SCRATCH": "1"}
