"""Run the real jobs against the simulated house in virtual time, and compare what was stored with the truth.

``manage.py simulate`` calls it in a child process whose data directory is scratch. The clients speak to
the simulated devices through an in-process transport, every thousandth call over a socket.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import requests
from requests.adapters import BaseAdapter, HTTPAdapter

from apps.changelog.models import Entry
from apps.devices.options import default_site, save_home_options
from apps.metrics.apps import use_store
from apps.metrics.models import Lump
from apps.metrics.store.front import Store
from apps.metrics.store.opening import scratch_store
from apps.metrics.windows import day_edges, local_date, local_day_bounds
from apps.simulator.cloud_view import setting_lag_s
from apps.simulator.faults import FAULTS
from apps.simulator.settings import SettingChange
from apps.simulator.world import METER_HOST, RunningWorld, SimulatedWorld

from . import jobs
from .collection import Collection
from .schedule import JOBS
from .simulated import collection_on, connect
from .turns import Turn, VirtualTurns

SOCKET_EVERY = 1000
DAY = timedelta(days=1)
RETENTION = timedelta(days=60)
POLLS = {"poll_power", "poll_heat_pump"}
# What deriving and filling gaps give does not depend on when they run; here they may run rarely.
PERIODS_S = {"derive": 3600, "backfill": 600, "watch": 86_400}
DAY_TOLERANCE_WH = 1.0
CHANGE_SEEN_WITHIN_S = 1200


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulationReport:
    """What ``simulate --json`` prints; names as in the design. Energies in kWh over the whole run; both
    heats and the true heat over the intervals in state ``full``."""

    days: int
    seed: int
    faults: list[str]
    duration_s: float
    minutes_remembered: int
    minutes_missing: int
    minutes_doubled: int
    max_day_error_wh: float
    electrical_energy_kwh: float
    true_electrical_energy_kwh: float
    thermal_energy_modulation_kwh: float
    thermal_energy_delta_t_kwh: float
    true_thermal_energy_kwh: float
    calls_total: int
    max_calls_24h: int
    max_calls_utc_day: int
    settings_changes_true: int
    settings_changes_logged: int
    settings_changes_false: int
    missed_polls: int

    def complaints(self) -> list[str]:
        """Return what does not hold; empty when all went well."""
        checks = (
            (self.minutes_missing == 0, f"{self.minutes_missing} minutes are missing"),
            (self.minutes_doubled == 0, f"{self.minutes_doubled} minutes are stored twice"),
            (self.max_day_error_wh <= DAY_TOLERANCE_WH, f"a day is {self.max_day_error_wh:.2f} Wh off"),
            (self.settings_changes_false == 0, f"{self.settings_changes_false} changes were invented"),
            (
                self.settings_changes_logged == self.settings_changes_true,
                f"{self.settings_changes_logged} of {self.settings_changes_true} changes were logged",
            ),
        )
        return [complaint for holds, complaint in checks if not holds]

    def as_dict(self) -> dict[str, object]:
        return asdict(self)


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


@dataclass(frozen=True, slots=True)
class _Run:
    """A finished run: what the comparison needs."""

    world: SimulatedWorld
    collection: Collection
    start: datetime
    end: datetime
    good_polls: Sequence[float]
    missed_polls: int


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
    world = SimulatedWorld(seed, start, end=end, faults=faults, scenario=scenario)
    with tempfile.TemporaryDirectory() as folder, world.serve() as running:
        store = scratch_store(Path(folder))
        with use_store(store):
            collection = _collection(world, running, store, Path(folder), http=http)
            run = _run(world, collection, start.astimezone(UTC), end.astimezone(UTC), progress)
            report = _report(run, days, seed, list(faults), elapsed())
        store.close()
    return report


def fault_names() -> Mapping[str, str]:
    """Return the names of the fault scripts and what each does."""
    return {name: (script.__doc__ or "").strip() for name, script in sorted(FAULTS.items())}


def _collection(
    world: SimulatedWorld, running: RunningWorld, store: Store, folder: Path, *, http: bool
) -> Collection:
    site = default_site()
    connect(site, world, running if http else None)
    save_home_options(site, {"estimated_flow_rate": world.house.spec.pump.flow_m3_h})
    if http:
        return collection_on(site, store, world, folder, running=running)
    return collection_on(site, store, world, folder, adapter=MostlyInProcess(world.adapter(), running))


def _run(
    world: SimulatedWorld,
    collection: Collection,
    start: datetime,
    end: datetime,
    progress: Callable[[int], None],
) -> _Run:
    chosen = [replace(job, period_s=PERIODS_S.get(job.name, job.period_s)) for job in JOBS]
    good_polls: list[float] = []
    missed = 0
    next_day = start + DAY

    def note(turn: Turn) -> None:
        nonlocal missed, next_day
        if turn.failed:
            missed += turn.job.name in POLLS
        elif turn.job.name == "poll_heat_pump":
            good_polls.append(turn.at.timestamp())
        if turn.at >= next_day:
            progress(1)
            next_day += DAY

    VirtualTurns(collection, chosen, start, world.advance_to, note).run_until(end)
    _settle(world, collection, end)
    progress(1)
    return _Run(world, collection, start, end, good_polls, missed)


def _settle(world: SimulatedWorld, collection: Collection, end: datetime) -> None:
    """Run a quarter of an hour without faults, then finish everything that is open."""
    for minute in range(16):
        at = end + timedelta(minutes=minute, seconds=20)
        world.advance_to(at)
        jobs.poll_power(collection, at)
        if minute % 5 == 0:
            jobs.refine_minutes(collection, at)
    jobs.backfill(collection, at, whole=True)
    while jobs.derive(collection, at):
        pass


def _report(run: _Run, days: int, seed: int, faults: list[str], duration_s: float) -> SimulationReport:
    truth = run.world.truth
    minutes = _minutes(run)
    electrical_wh, worst_wh = _days(run)
    heat = _heat(run)
    true_entries = _true_entries(run)
    logged, invented = _logged(run)
    return SimulationReport(
        days=days,
        seed=seed,
        faults=faults,
        duration_s=round(duration_s, 1),
        minutes_remembered=minutes[0],
        minutes_missing=minutes[1],
        minutes_doubled=minutes[2],
        max_day_error_wh=round(worst_wh, 4),
        electrical_energy_kwh=round(electrical_wh / 1000, 6),
        true_electrical_energy_kwh=round(truth.energy_wh(run.start, run.end) / 1000, 6),
        thermal_energy_modulation_kwh=round(heat[0] / 1000, 3),
        thermal_energy_delta_t_kwh=round(heat[1] / 1000, 3),
        true_thermal_energy_kwh=round(heat[2] / 1000, 3),
        calls_total=truth.calls_total,
        max_calls_24h=truth.max_calls_24h(),
        max_calls_utc_day=truth.max_calls_utc_day(),
        settings_changes_true=true_entries,
        settings_changes_logged=logged,
        settings_changes_false=invented,
        missed_polls=run.missed_polls,
    )


def _minutes(run: _Run) -> tuple[int, int, int]:
    """Return (minutes the meter holds, of those not stored, stored twice)."""
    first = max(run.start, run.end - RETENTION)
    expected = set(range(int(first.timestamp()), int(run.end.timestamp()), 60))
    stored = [
        row.at
        for row in run.collection.store.rows(
            run.collection.site.pk,
            "meter_minute",
            int(first.timestamp()),
            int(run.end.timestamp()),
            ["energy_wh", "provisional"],
        )
        if row.values.get("energy_wh") is not None and not row.values.get("provisional")
    ]
    return len(expected), len(expected - set(stored)), len(stored) - len(set(stored))


def _days(run: _Run) -> tuple[float, float]:
    """Return (energy of the run [Wh], largest difference of a local day from the truth [Wh]); days that a
    lump touches count as one sum."""
    zone = run.collection.options.zone
    last_day = local_date(run.end - timedelta(seconds=1), zone)
    bounds = day_edges(local_date(run.start, zone), last_day, zone)
    edges = [datetime.fromtimestamp(edge, UTC) for edge in bounds]
    site = run.collection.site.pk
    sums = run.collection.store.sums(site, ["electrical_energy_wh"], bounds)["electrical_energy_wh"]
    lumps = list(Lump.objects.filter(site_id=site, start__lt=run.end, end__gt=run.start))
    total = math.fsum(each.sum or 0.0 for each in sums) + math.fsum(lump.energy_wh for lump in lumps)
    groups: list[list[int]] = []
    for number in range(len(sums)):
        joined = groups and any(lump.start < edges[number] < lump.end for lump in lumps)
        groups[-1].append(number) if joined else groups.append([number])
    worst = 0.0
    for group in groups:
        begin, stop = edges[group[0]], edges[group[-1] + 1]
        stored = math.fsum(sums[number].sum or 0.0 for number in group)
        stored += math.fsum(lump.energy_wh for lump in lumps if begin <= lump.start and lump.end <= stop)
        worst = max(worst, abs(stored - run.world.truth.energy_wh(begin, stop)))
    return total, worst


def _heat(run: _Run) -> tuple[float, float, float]:
    """Return (method A, method B, truth) over the intervals in state full [Wh]; B over those it knows."""
    by_modulation = by_delta_t = true = 0.0
    minutes = run.world.truth.minute_heats_wh(run.start, run.end)
    begin = int(run.start.timestamp())
    fields = ["full_thermal_energy_wh", "full_delta_t_thermal_energy_wh"]
    end = int(run.end.timestamp())
    for row in run.collection.store.rows(run.collection.site.pk, "interval", begin, end, fields):
        heat = row.values.get("full_thermal_energy_wh")
        if heat is not None:
            by_modulation += heat
            first = (row.at - begin) // 60
            true += math.fsum(minutes[first : first + 5])
        by_delta_t += row.values.get("full_delta_t_thermal_energy_wh") or 0.0
    return by_modulation, by_delta_t, true


def _seen_at(change: SettingChange) -> float:
    return change.at + setting_lag_s(change)


def _true_entries(run: _Run) -> int:
    """Return the changes visible in two good polls, those first seen in the same poll counted once."""
    first_polls = set()
    for change in run.world.truth.settings_changes(run.start, run.end):
        after = [poll for poll in run.good_polls if poll >= _seen_at(change)][:2]
        if len(after) == 2:
            first_polls.add(after[0])
    return len(first_polls)


def _logged(run: _Run) -> tuple[int, int]:
    """Return (entries, of those without a true change of the same key shortly before)."""
    true = run.world.truth.settings_changes(run.start, run.end)
    entries = Entry.objects.filter(site=run.collection.site, kind=Entry.Kind.SETTING)
    invented = 0
    for entry in entries.prefetch_related("setting_changes"):
        at = entry.at.timestamp()
        for key in {change.key for change in entry.setting_changes.all()}:
            made = (change.at for change in true if change.key == key)
            invented += not any(-60 <= at - moment <= CHANGE_SEEN_WITHIN_S for moment in made)
    return entries.count(), invented


@contextmanager
def scratch_environment(environ: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """Provide an environment for a child process: a temporary data directory, none of the user's devices."""
    with tempfile.TemporaryDirectory(prefix="heatmon-simulate-") as folder:
        clean = {key: value for key, value in environ.items() if not key.startswith("HEATMON_")}
        yield {**clean, "HEATMON_DATA_DIR": folder, "HEATMON_DEMO": "0", "HEATMON_SCRATCH": "1"}
