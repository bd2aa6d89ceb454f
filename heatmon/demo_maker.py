"""Makes chunks of the demo's past in a process of its own; imports no Django, so it starts at once."""

from __future__ import annotations

from collections.abc import Iterator
from multiprocessing import get_context
from multiprocessing.queues import Queue
from typing import Any

from apps.simulator.history import History, some_blemishes
from apps.simulator.house import House
from apps.simulator.spec import HouseSpec

CHUNKS_AHEAD = 2
CHUNK_DAYS = 25


def live_house_and_chunk(spec: HouseSpec, start: int, end: int) -> tuple[House, Any]:
    """The house that goes on at ``end``, and the newest days of its past (epoch s)."""
    history = History(spec, start, end)
    newest = next(history.chunks())
    return history.live_house, newest


def energy_of(spec: HouseSpec, start: int, end: int) -> tuple[float, float, float]:
    """Electrical energy by phase [Wh] between two times, to chain counters forwards."""
    a = b = c = 0.0
    for chunk in History(spec, start, end).chunks():
        of_a, of_b, of_c = (float(energies.sum()) for energies in chunk.minute_energy_wh)
        a, b, c = a + of_a, b + of_b, c + of_c
    return a, b, c


def older_chunks(spec: HouseSpec, start: int, end: int) -> Iterator[Any]:
    """Older days, newest first, lived by a child process while this one writes."""
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
