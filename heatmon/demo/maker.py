"""Makes chunks of the demo's past in a process of its own; imports no Django, so it starts at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from multiprocessing import get_context
from multiprocessing.queues import Queue
from typing import Any, NamedTuple

from apps.simulator.history import History, some_blemishes
from apps.simulator.house import House
from apps.simulator.spec import HouseSpec

CHUNKS_AHEAD = 2
CHUNK_DAYS = 25


def live_house_and_chunk(spec: HouseSpec, start: int, end: int) -> tuple[House, Any]:
    """Return the house that lives on at ``end``, and the newest days of its past (epoch s)."""
    history = History(spec, start, end)
    newest = next(history.chunks())
    return history.live_house, newest


class Counts(NamedTuple):
    """Running totals of the devices: energy by phase [Wh], compressor starts and hours, rod seconds."""

    a_wh: float = 0.0
    b_wh: float = 0.0
    c_wh: float = 0.0
    starts: float = 0.0
    hours: float = 0.0
    rod_s: float = 0.0

    def plus(self, more: Counts) -> Counts:
        return Counts(*(one + other for one, other in zip(self, more, strict=True)))


def counting_from(spec: HouseSpec, counts: Counts) -> HouseSpec:
    """Return the same house whose devices show ``counts`` at the end of the history to be made."""
    return replace(
        spec,
        counters_wh=(counts.a_wh, counts.b_wh, counts.c_wh),
        starts=round(counts.starts),
        hours=counts.hours,
        rod_s=round(counts.rod_s),
    )


def lived(spec: HouseSpec, start: int, end: int) -> Counts:
    """Return what the devices count between two times, to chain their totals forwards."""
    total = Counts()
    for chunk in History(spec, start, end).chunks():
        energies = (float(phase.sum()) for phase in chunk.minute_energy_wh)
        names = ("compressor_starts_count", "compressor_hours_h", "heating_rod_level_one_s")
        columns = (chunk.cloud[name] for name in names)
        ran = (float(column[-1] - column[0]) if len(column) else 0.0 for column in columns)
        total = total.plus(Counts(*energies, *ran))
    return total


def older_chunks(spec: HouseSpec, start: int, end: int) -> Iterator[Any]:
    """Yield the older days, newest first, lived by a child process while this one writes."""
    if end <= start:
        return
    context = get_context("spawn")
    queue: Queue[Any] = context.Queue(CHUNKS_AHEAD)
    maker = context.Process(target=_make, args=(queue, spec, start, end), daemon=True)
    maker.start()
    while (chunk := queue.get()) is not None:
        yield chunk
    maker.join()


def _make(queue: Queue[Any], spec: HouseSpec, start: int, end: int) -> None:
    blemishes = some_blemishes(spec.seed, start, end)
    for chunk in History(spec, start, end, newest_days=CHUNK_DAYS, blemishes=blemishes).chunks():
        queue.put(chunk)
    queue.put(None)
