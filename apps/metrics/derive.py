"""From raw rows to the results of each 5 minutes, for any stretch of time, as often as wanted.

The result depends on the raw rows, the parameters and the method only: not on the order in which rows
arrived, nor on how the time was cut into stretches.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from django.db import transaction
from django.db.models import QuerySet

from apps.devices.models import Device

from .electricity import SHORT_RANGE_S, Electricity, counter_events, electricity, without_cut_gaps
from .first_answer import learn_first_answer
from .grid import INTERVAL_S, edge_from, interval_of, intervals
from .heat import Snapshot
from .intervals import Inputs, PumpState, Result, interval_result
from .marks import mark_stale
from .models import DerivedState, Lump, MeterEvent
from .parameters import SiteParameters
from .raw import SHORT_S, RawRows
from .run_states import Runs, interval_runs, settled_end
from .running import same_run
from .store.base import Row, TimeSeriesStore

DEVICE = "heatmon"
"""Device of everything derived: results belong to the site, whichever meter they came from."""

GAP, RESET = "gap", "reset"
CHUNK_S = 16 * 86_400
NEIGHBOURS = 2
CONTEXT_S = NEIGHBOURS * INTERVAL_S
RESULTS = ("thermal_power_modulation", "thermal_power_delta_t", "cop", "cop_delta_t")


@dataclass(frozen=True, slots=True)
class _Chunk:
    """What the intervals of one chunk and its neighbours are made from."""

    known: Electricity
    runs: Runs
    pumps: Mapping[int, PumpState]
    only_on_or_off: bool
    first_answer: int | None


def derive_intervals(
    store: TimeSeriesStore,
    site_id: int,
    parameters: SiteParameters,
    start: int,
    end: int,
    now: int | None = None,
) -> int:
    """Derive every interval that touches [start, end) (epoch s) and return how many that were.

    Widens the stretch by itself where a gap, a lump, a silent source or the state of the compressor reaches
    over its edges; for the last two not beyond ``now``, from where on all is still to come. What the state of
    the compressor depends on must lie two intervals before ``end``, as that of marks does.
    Writes ``interval`` and the four results of the plan into the store; lumps and events into the ORM: a lump
    that ends goes before the results that hold its energy come, a new one comes after them.
    Two derivations of one site must not meet: see ``stale``.
    """
    start, end = interval_of(start), edge_from(end)
    if end <= start:
        return 0
    raw = RawRows(store, site_id, parameters, start, end)
    known = _known_electricity(raw, site_id, *_with_open_answers(raw, start, end, now))
    end = settled_end(raw, known.end)
    end = end if now is None else min(end, now)
    if end > known.end:
        known = _known_electricity(raw, site_id, known.start, end)
    kind = _learn_modulation(store, site_id, raw, known.start, known.end)
    answered = learn_first_answer(store, site_id, raw, known.start, known.end)
    _forget_lumps(site_id, known)
    only_on_or_off = kind == DerivedState.ModulationKind.ON_OFF
    for first in range(known.start, known.end, CHUNK_S):
        last = min(first + CHUNK_S, known.end)
        chunk = _chunk(raw, known, first, last, only_on_or_off, answered)
        _write(store, site_id, parameters, chunk, first, last)
    _save_records(site_id, raw, known)
    return (known.end - known.start) // INTERVAL_S


def _with_open_answers(raw: RawRows, start: int, end: int, now: int | None) -> tuple[int, int]:
    """[start, end) and the intervals around it on which answers tell that may turn into repeats, or back."""
    first, last = raw.open_answers(start, end)
    wider = end if last is None else last + INTERVAL_S + CONTEXT_S
    return (
        start if first is None else min(start, first - CONTEXT_S),
        max(end, wider if now is None else min(wider, now)),
    )


def _chunk(
    raw: RawRows, known: Electricity, first: int, last: int, only_on_or_off: bool, first_answer: int | None
) -> _Chunk:
    """Read everything about [first, last). The neighbours' running is looked up only where a run is cut by
    the edges; in a long stretch there always is one."""
    pumps = raw.pumps(first - CONTEXT_S, last + CONTEXT_S)
    wide = last - first > SHORT_S
    runs = Runs()
    if not wide:
        runs = interval_runs(raw, first, last)
        wide = any(_needs_neighbour(pumps.get(interval), run.on_s) for interval, run in runs.runs.items())
    if wide:
        runs = interval_runs(raw, first - CONTEXT_S, last + CONTEXT_S)
    return _Chunk(known, runs, pumps, only_on_or_off, first_answer)


def _known_electricity(raw: RawRows, site_id: int, start: int, end: int) -> Electricity:
    """Return the electricity of the stretch, widened until it cuts neither a lump of before nor a gap."""
    while True:
        for lump in Lump.objects.filter(site_id=site_id, start__lt=utc(end), end__gt=utc(start)):
            start = min(start, interval_of(int(lump.start.timestamp())))
            end = max(end, edge_from(int(lump.end.timestamp())))
        known = electricity(raw, start, end)
        wider = without_cut_gaps(raw, known)
        if wider == (start, end):
            return known
        start, end = wider


def _learn_modulation(store: TimeSeriesStore, site_id: int, raw: RawRows, start: int, end: int) -> str:
    """Find out whether the unit ever shows only 0 and 100 %. What is learned makes older results stale."""
    kinds = DerivedState.ModulationKind
    states = DerivedState.objects.filter(site_id=site_id)
    known = states.values_list("modulation_kind", flat=True).first() or kinds.UNKNOWN
    if known == kinds.MODULATING or not (values := raw.modulations(start, end)):
        return known
    kind = kinds.ON_OFF if values == {100.0} else kinds.MODULATING
    if kind == known:
        return known
    DerivedState.objects.update_or_create(site_id=site_id, defaults={"modulation_kind": kind})
    derived = store.extent(site_id, "interval")
    if derived is not None:
        mark_stale(site_id, derived[0], start)
        mark_stale(site_id, end, derived[1] + INTERVAL_S)
    return kind


def _write(
    store: TimeSeriesStore, site_id: int, parameters: SiteParameters, chunk: _Chunk, first: int, last: int
) -> None:
    rows: dict[str, list[Row]] = {name: [] for name in ("interval", *RESULTS)}
    for interval in intervals(first, last):
        inputs = _inputs(parameters, chunk, interval)
        if inputs is None:
            continue
        result = interval_result(
            inputs,
            flow_rate_m3_h=parameters.flow_rate_m3_h,
            off_w=parameters.off_w,
            calibration=parameters.calibration,
        )
        for name, values in _values(result).items():
            rows[name].append(Row(site=site_id, measurement=name, device=DEVICE, at=interval, values=values))
    for name, each in rows.items():
        store.replace(site_id, name, DEVICE, first, last, each)


def _values(result: Result) -> dict[str, dict[str, float]]:
    """Return measurement → what is known of it."""
    found = {"interval": {name: value for name, value in result.values.items() if value is not None}}
    numbers = (
        result.thermal_power_modulation_kw,
        result.thermal_power_delta_t_kw,
        result.cop,
        result.cop_delta_t,
    )
    for name, number in zip(RESULTS, numbers, strict=True):
        if number is not None:
            found[name] = {"value": number}
    return found


def _inputs(parameters: SiteParameters, chunk: _Chunk, interval: int) -> Inputs | None:
    """Return what is known of one interval; None if nothing is."""
    known = chunk.known.known(interval)
    run = chunk.runs.run(interval)
    pump = chunk.pumps.get(interval)
    if not known.known_s and not known.lump_s and pump is None and not run.known_s:
        return None
    rod_s = _rod_seconds(chunk, interval)
    return Inputs(
        start=interval,
        energy_wh=known.energy_wh,
        known_s=known.known_s,
        lump_s=known.lump_s,
        reset=known.reset,
        counter=known.counter,
        standby_wh=chunk.runs.standby_wh.get(interval, 0.0),
        run=run,
        pump=pump,
        previous_pump=next(_answers_before(chunk, interval), None),
        next_pump=chunk.pumps.get(interval + INTERVAL_S),
        heating_neighbour=_heating_neighbour(chunk, interval) if _needs_neighbour(pump, run.on_s) else None,
        only_on_or_off=chunk.only_on_or_off,
        before_answers=chunk.first_answer is None or interval < chunk.first_answer,
        rod_active=bool(rod_s) or bool(_rod_seconds(chunk, interval + INTERVAL_S)),
        rod_wh=(None if rod_s is None or parameters.rod_kw is None else rod_s / 3.6 * parameters.rod_kw),
    )


def _needs_neighbour(pump: PumpState | None, on_s: float) -> bool:
    return pump is not None and on_s > 0 and pump.snapshot.active is not None and not pump.snapshot.heating


def _heating_neighbour(chunk: _Chunk, interval: int) -> Snapshot | None:
    """Return the nearest heating snapshot with a modulation in the same run, at most two intervals away; of
    two equally near the earlier."""
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
    """Return the runtime that the rod gained since the answer before, at most two intervals ago."""
    pump = chunk.pumps.get(interval)
    if pump is None or pump.rod_s is None:
        return None
    before = next((each.rod_s for each in _answers_before(chunk, interval) if each.rod_s is not None), None)
    return None if before is None else max(0.0, pump.rod_s - before)


def _answers_before(chunk: _Chunk, interval: int) -> Iterator[PumpState]:
    """Yield the answers at most two intervals before, the nearest first."""
    for distance in range(INTERVAL_S, CONTEXT_S + 1, INTERVAL_S):
        if (pump := chunk.pumps.get(interval - distance)) is not None:
            yield pump


def _lumps_of(site_id: int, known: Electricity) -> QuerySet[Lump]:
    return Lump.objects.filter(site_id=site_id, start__lt=utc(known.end), end__gt=utc(known.start))


def _found_lumps(known: Electricity) -> set[tuple[datetime, datetime, float, str]]:
    return {
        (utc(lump.start), utc(lump.end), lump.energy_wh, RESET if lump.reset else GAP) for lump in known.lumps
    }


def _forget_lumps(site_id: int, known: Electricity) -> None:
    """Take away the lumps that are not found again, ahead of the results that hold their energy: whoever
    reads meanwhile, or after a kill, may miss it but never counts it twice."""
    found = _found_lumps(known)
    gone = [lump.pk for lump in _lumps_of(site_id, known) if _key(lump) not in found]
    if gone:
        Lump.objects.filter(pk__in=gone).delete()


def _key(lump: Lump) -> tuple[datetime, datetime, float, str]:
    return lump.start, lump.end, lump.energy_wh, lump.reason


def _save_records(site_id: int, raw: RawRows, known: Electricity) -> None:
    """Add the lumps that are new, and let the stretch hold the events found, and no others."""
    is_long = known.end - known.start > SHORT_RANGE_S
    several = is_long and Device.objects.filter(site_id=site_id, kind=Device.Kind.METER).count() > 1
    found_events = {
        (event.device, utc(event.at), event.kind)
        for event in counter_events(raw, known.start, known.end, several_meters=several)
    }
    events = MeterEvent.objects.filter(site_id=site_id, at__gte=utc(known.start), at__lt=utc(known.end))
    old_events = {(event.device, event.at, event.kind): event.pk for event in events}
    new_lumps = _found_lumps(known) - {_key(lump) for lump in _lumps_of(site_id, known)}
    if not new_lumps and found_events == set(old_events):
        return
    with transaction.atomic():
        Lump.objects.bulk_create(
            Lump(site_id=site_id, start=first, end=last, energy_wh=energy_wh, reason=reason)
            for first, last, energy_wh, reason in sorted(new_lumps)
        )
        MeterEvent.objects.filter(
            pk__in=[pk for key, pk in old_events.items() if key not in found_events]
        ).delete()
        MeterEvent.objects.bulk_create(
            MeterEvent(site_id=site_id, device=device, at=at, kind=kind)
            for device, at, kind in sorted(found_events - set(old_events))
        )


def utc(at: int) -> datetime:
    return datetime.fromtimestamp(at, UTC)
