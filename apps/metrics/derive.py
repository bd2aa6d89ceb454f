"""From raw rows to the results of each 5 minutes, for any stretch of time, as often as wanted.

The result depends on the raw rows, the parameters and the method only: not on the order in which rows
arrived, nor on how the time was cut into stretches.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from django.db import transaction

from . import raw
from .electricity import Electricity, counter_events, electricity, without_cut_gaps
from .guards import exists
from .heat import Snapshot
from .intervals import Inputs, PumpState, Result, interval_result
from .marks import made_with, mark_stale
from .models import DerivedState, Lump, MeterEvent
from .near import near
from .parameters import SiteParameters
from .run_states import Runs, interval_runs, settled_end
from .running import INTERVAL_S, same_run
from .store.base import Row, TimeSeriesStore

DEVICE = "heatmon"
"""Device of everything derived: results belong to the site, whichever meter they came from."""

CHUNK_S = 16 * 86_400
NEIGHBOURS = 2
CONTEXT_S = NEIGHBOURS * INTERVAL_S
RESULTS = ("thermal_power_modulation", "thermal_power_delta_t", "cop", "cop_delta_t")

Progress = Callable[[int], None]
"""Called with the number of intervals done since the last call."""


@dataclass(frozen=True, slots=True)
class _Chunk:
    """What the intervals of one chunk and its neighbours are made from."""

    known: Electricity
    lumped: set[int]
    runs: Runs
    pumps: Mapping[int, PumpState]
    only_on_or_off: bool


def derive_intervals(
    store: TimeSeriesStore,
    site_id: int,
    parameters: SiteParameters,
    start: int,
    end: int,
    progress: Progress | None = None,
) -> int:
    """Derive every interval that touches [start, end) (epoch s) and return how many that were.

    Widens the stretch by itself where a gap, a lump or the state of the compressor reaches over its edges.
    Writes ``interval`` and the four results of the plan into the store; lumps and events into the ORM.
    """
    start -= start % INTERVAL_S
    end += -end % INTERVAL_S
    if end <= start:
        return 0
    store = near(store, site_id, start, end)
    known = _known_electricity(store, site_id, parameters, start, end)
    end = max(known.end, settled_end(store, site_id, parameters, known.end))
    if end > known.end:
        known = _known_electricity(store, site_id, parameters, known.start, end)
    _learn_modulation(store, site_id, parameters, known.start, known.end)
    for first in range(known.start, known.end, CHUNK_S):
        last = min(first + CHUNK_S, known.end)
        chunk = _chunk(store, site_id, parameters, known, first, last)
        _write(store, site_id, parameters, chunk, first, last)
        if progress is not None:
            progress((last - first) // INTERVAL_S)
    _save_records(store, site_id, parameters, known)
    return (known.end - known.start) // INTERVAL_S


def _chunk(
    store: TimeSeriesStore,
    site_id: int,
    parameters: SiteParameters,
    known: Electricity,
    first: int,
    last: int,
) -> _Chunk:
    """All about [first, last). The neighbours' running is looked up only where a run is cut by the edges;
    in a long stretch there always is one."""
    pumps = raw.pump_states(store, site_id, parameters.heat_pump_device, first - CONTEXT_S, last + CONTEXT_S)
    wide = last - first > raw.SHORT_S
    runs = Runs()
    if not wide:
        runs = interval_runs(store, site_id, parameters, first, last)
        wide = any(_needs_neighbour(pumps.get(interval), run.on_s) for interval, run in runs.runs.items())
    if wide:
        runs = interval_runs(store, site_id, parameters, first - CONTEXT_S, last + CONTEXT_S)
    return _Chunk(
        known=known,
        lumped=known.lump_intervals(),
        runs=runs,
        pumps=pumps,
        only_on_or_off=wide and _modulation_kind(site_id) == DerivedState.ModulationKind.ON_OFF,
    )


def _known_electricity(
    store: TimeSeriesStore, site_id: int, parameters: SiteParameters, start: int, end: int
) -> Electricity:
    """Electricity of the stretch, widened until it cuts neither a lump of before nor a gap."""
    while True:
        start, end, lumps = _around_lumps(site_id, start, end)
        known = electricity(store, site_id, parameters.metered_channels, start, end)
        wider = without_cut_gaps(store, site_id, parameters.metered_channels, known)
        if wider == (start, end):
            if lumps:
                known.replaced = [lump.pk for lump in _lumps_touching(site_id, known.start, known.end)]
            return known
        start, end = wider


def _around_lumps(site_id: int, start: int, end: int) -> tuple[int, int, list[Lump]]:
    """The stretch widened to the lumps it touches, and those."""
    lumps = _lumps_touching(site_id, start, end)
    for lump in lumps:
        first, last = int(lump.start.timestamp()), int(lump.end.timestamp())
        start, end = min(start, first - first % INTERVAL_S), max(end, last + -last % INTERVAL_S)
    return start, end, lumps


def _lumps_touching(site_id: int, start: int, end: int) -> list[Lump]:
    if not exists(Lump, 'site_id = %s AND start < %s AND "end" > %s', site_id, utc(end), utc(start)):
        return []
    return list(Lump.objects.filter(site_id=site_id, start__lt=utc(end), end__gt=utc(start)))


def _modulation_kind(site_id: int) -> str:
    kind = DerivedState.objects.filter(site_id=site_id).values_list("modulation_kind", flat=True).first()
    return kind or DerivedState.ModulationKind.UNKNOWN


def _learn_modulation(
    store: TimeSeriesStore, site_id: int, parameters: SiteParameters, start: int, end: int
) -> None:
    """Find out whether the unit ever shows only 0 and 100 %. What is learned makes older results stale."""
    kinds = DerivedState.ModulationKind
    if end - start > raw.SHORT_S and _modulation_kind(site_id) == kinds.MODULATING:
        return
    values = {value for value in raw.modulations(store, site_id, start, end) if value}
    if not values:
        return
    kind = kinds.ON_OFF if values == {100.0} else kinds.MODULATING
    state, _ = DerivedState.objects.get_or_create(
        site_id=site_id, defaults={"made_with": made_with(parameters)}
    )
    if state.modulation_kind in {kind, kinds.MODULATING}:
        return
    DerivedState.objects.filter(pk=state.pk).update(modulation_kind=kind)
    derived = store.extent(site_id, "interval")
    if derived is not None:
        mark_stale(site_id, derived[0], start)
        mark_stale(site_id, end, derived[1] + INTERVAL_S)


def _write(
    store: TimeSeriesStore, site_id: int, parameters: SiteParameters, chunk: _Chunk, first: int, last: int
) -> None:
    existing = {row.at for row in store.rows(site_id, "interval", first, last, fields=["state"])}
    rows: list[Row] = []
    for interval in range(first, last, INTERVAL_S):
        inputs = _inputs(parameters, chunk, interval)
        if inputs is None and interval not in existing:
            continue
        result = interval_result(
            inputs if inputs is not None else Inputs(start=interval),
            flow_rate_m3_h=parameters.flow_rate_m3_h,
            off_w=parameters.off_w,
            calibration=parameters.calibration,
        )
        rows += _rows(site_id, interval, result, known=inputs is not None, replaces=interval in existing)
    store.write(rows)


def _rows(site_id: int, interval: int, result: Result, *, known: bool, replaces: bool) -> list[Row]:
    """Rows of one interval; those without a value only where one may have to be erased."""
    values: Mapping[str, float | None] = result.values
    if not known:
        values = dict.fromkeys(values)
    elif not replaces:
        values = {name: value for name, value in values.items() if value is not None}
    rows = [Row(site=site_id, measurement="interval", device=DEVICE, at=interval, values=values)]
    numbers = (
        result.thermal_power_modulation_kw,
        result.thermal_power_delta_t_kw,
        result.cop,
        result.cop_delta_t,
    )
    rows += [
        Row(site=site_id, measurement=name, device=DEVICE, at=interval, values={"value": number})
        for name, number in zip(RESULTS, numbers, strict=True)
        if replaces or number is not None
    ]
    return rows


def _inputs(parameters: SiteParameters, chunk: _Chunk, interval: int) -> Inputs | None:
    """What is known of one interval; None if nothing is."""
    energy_wh = chunk.known.energy(interval)
    run = chunk.runs.run(interval)
    pump = chunk.pumps.get(interval)
    in_lump = interval in chunk.lumped
    if energy_wh is None and pump is None and not in_lump and not run.known_s:
        return None
    special = chunk.known.special.get(interval)
    following = chunk.pumps.get(interval + INTERVAL_S)
    rod_s = _rod_seconds(chunk, interval)
    return Inputs(
        start=interval,
        energy_wh=energy_wh,
        in_lump=in_lump,
        reset=special.reset if special is not None else False,
        counter=special.counter if special is not None else False,
        standby_wh=chunk.runs.standby_wh.get(interval, 0.0),
        run=run,
        pump=pump,
        next_pump=following,
        heating_neighbour=_heating_neighbour(chunk, interval) if _needs_neighbour(pump, run.on_s) else None,
        only_on_or_off=chunk.only_on_or_off,
        rod_active=bool(rod_s) or bool(_rod_seconds(chunk, interval + INTERVAL_S)),
        rod_wh=(None if rod_s is None or parameters.rod_kw is None else rod_s / 3.6 * parameters.rod_kw),
    )


def _needs_neighbour(pump: PumpState | None, on_s: float) -> bool:
    return pump is not None and on_s > 0 and pump.snapshot.active is not None and not pump.snapshot.heating


def _heating_neighbour(chunk: _Chunk, interval: int) -> Snapshot | None:
    """The nearest heating snapshot with a modulation in the same run, at most two intervals away; of two
    equally near the earlier."""
    for distance in range(INTERVAL_S, CONTEXT_S + 1, INTERVAL_S):
        for other in (interval - distance, interval + distance):
            pump = chunk.pumps.get(other)
            if (
                pump is not None
                and pump.snapshot.heating
                and pump.snapshot.modulation_percent is not None
                and same_run(chunk.runs.runs, interval, other)
            ):
                return pump.snapshot
    return None


def _rod_seconds(chunk: _Chunk, interval: int) -> float | None:
    """Runtime that the rod gained since the answer before, at most two intervals ago."""
    pump = chunk.pumps.get(interval)
    if pump is None or pump.rod_s is None:
        return None
    for distance in range(INTERVAL_S, CONTEXT_S + 1, INTERVAL_S):
        before = chunk.pumps.get(interval - distance)
        if before is not None and before.rod_s is not None:
            return max(0.0, pump.rod_s - before.rod_s)
    return None


def _save_records(
    store: TimeSeriesStore, site_id: int, parameters: SiteParameters, known: Electricity
) -> None:
    """Lumps and events of the stretch, in place of those that were there."""
    events = counter_events(store, site_id, parameters.metered_channels, known.start, known.end)
    old_events = _events_within(site_id, utc(known.start), utc(known.end))
    found = {(event.device, utc(event.at), event.kind) for event in events}
    if not (known.replaced or known.lumps or found ^ set(old_events)):
        return
    with transaction.atomic():
        Lump.objects.filter(pk__in=known.replaced).delete()
        Lump.objects.bulk_create(
            Lump(
                site_id=site_id,
                start=utc(lump.start),
                end=utc(lump.end),
                energy_wh=lump.energy_wh,
                reason="reset" if lump.reset else "gap",
            )
            for lump in known.lumps
        )
        gone = [pk for key, pk in old_events.items() if key not in found]
        MeterEvent.objects.filter(pk__in=gone).delete()
        MeterEvent.objects.bulk_create(
            MeterEvent(site_id=site_id, device=device, at=at, kind=kind)
            for device, at, kind in sorted(found - set(old_events))
        )


def _events_within(site_id: int, start: datetime, end: datetime) -> dict[tuple[str, datetime, str], int]:
    """(device, time, kind) → id of the events recorded in [start, end)."""
    if not exists(MeterEvent, "site_id = %s AND at >= %s AND at < %s", site_id, start, end):
        return {}
    events = MeterEvent.objects.filter(site_id=site_id, at__gte=start, at__lt=end)
    return {(event.device, event.at, event.kind): event.pk for event in events}


def utc(at: int) -> datetime:
    return datetime.fromtimestamp(at, UTC)
