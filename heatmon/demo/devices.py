"""The child process of the demo: it serves the simulated devices and writes the house's past.

It speaks to the main process in lines of JSON: the addresses of the cloud when all is ready, then how far
the past is. It exits when its stdin is closed.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

from django.conf import settings

from apps.devices.models import Site
from apps.devices.options import default_site, save_home_options
from apps.metrics.apps import default_store
from apps.metrics.parameters import site_parameters
from apps.metrics.stale import derive_stale, mark_stale
from apps.metrics.store.front import Store
from apps.simulator.clock import RealClock
from apps.simulator.house import House
from apps.simulator.world import SimulatedWorld

from ..simulated import connect
from .house import (
    DAY_S,
    HISTORY_DAYS,
    SEED,
    DemoState,
    demo_spec,
    first_values,
    remember_devices,
    write_settings_history,
)
from .maker import Counts, counting_from, live_house_and_chunk, lived, older_chunks
from .rows import counts_at, write_chunk

DERIVE_AT_ONCE = 25 * 288
SHORTEST_S = 900


class CountersMissing(Exception):
    """The demo's own data are incomplete: its past cannot be continued."""


def serve() -> None:
    """Serve the devices and make their past, until standard input ends."""
    began = time.monotonic()
    site, store = default_site(), default_store()
    end = int(time.time()) // 60 * 60
    house, state = _live_house(site, store, end)
    world = SimulatedWorld(
        state.seed, datetime.fromtimestamp(state.start, UTC), house=house, clock=RealClock()
    )
    with world.serve() as running:
        connect(site, world, running)
        _say({"api_url": running.cloud_api_url, "iam_url": running.cloud_iam_url})
        worker = threading.Thread(
            target=_make_history, args=(store, site, state, began), name="history", daemon=True
        )
        worker.start()
        sys.stdin.read()  # the main process holds the other end


def _live_house(site: Site, store: Store, end: int) -> tuple[House, DemoState]:
    """Return the house as it is at ``end``; its newest days, or those since the last start, are in the
    store."""
    path = settings.DATA_DIR / "demo.json"
    state = DemoState.load(path)
    if state is None:
        state = DemoState(seed=SEED, start=end - HISTORY_DAYS * DAY_S, end=end, oldest=end)
        spec = demo_spec(state)
        remember_devices(site, state)
        write_settings_history(site, spec, state, end)
        save_home_options(site, first_values(spec))
        house, newest = live_house_and_chunk(spec, state.start, end)
        state = replace(state, oldest=newest.start)
    else:
        extent = store.extent(site.pk, "meter_minute")
        begin = extent[1] + 60 if extent else state.oldest
        spec = demo_spec(state)
        counts = _counts(store, site, begin)
        if end > begin:
            counts = counts.plus(lived(spec, begin, end))
        if end - begin < SHORTEST_S:  # started again at once: the meter's own memory fills what is missing
            house, _newest = live_house_and_chunk(counting_from(spec, counts), end - SHORTEST_S, end)
            return house, state
        house, newest = live_house_and_chunk(counting_from(spec, counts), begin, end)
    write_chunk(store, site.pk, newest)
    mark_stale(site.pk, newest.start, newest.end)
    state.save(path)
    return house, state


def _make_history(store: Store, site: Site, state: DemoState, began: float) -> None:
    """Write raw history back to the start, newest days first, then derive everything."""
    parameters = partial(site_parameters, site)
    derive_stale(store, site.pk, parameters, datetime.now(UTC))
    missing = (state.oldest - state.start) // DAY_S
    if missing > 0:
        _say({"days": missing})
        spec = counting_from(demo_spec(state), _counts(store, site, state.oldest))
        for chunk in older_chunks(spec, state.start, state.oldest):
            write_chunk(store, site.pk, chunk)
            mark_stale(site.pk, chunk.start, chunk.end)
            state = replace(state, oldest=chunk.start)
            state.save(settings.DATA_DIR / "demo.json")
            _say({"done": (chunk.end - chunk.start) // DAY_S})
        _say({"seconds": time.monotonic() - began})
    while derive_stale(store, site.pk, parameters, datetime.now(UTC), DERIVE_AT_ONCE):
        pass


def _counts(store: Store, site: Site, at: int) -> Counts:
    counts = counts_at(store, site.pk, at)
    if counts is None:
        raise CountersMissing(
            f"The demo's counters are not stored; remove {settings.DATA_DIR} to start afresh"
        )
    return counts


def _say(message: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()
