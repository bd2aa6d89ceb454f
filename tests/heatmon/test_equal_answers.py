"""The same simulated past on both engines gives the same answers, to the last digit shown: one written in
bulk, and one polled turn by turn."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.test import Client

from apps.devices import clock
from apps.devices.models import ApiCall, HistoryGap, Site
from apps.devices.options import default_site, save_home_options
from apps.metrics.apps import use_store
from apps.metrics.extents import DatabaseExtents
from apps.metrics.marks import mark_everything_stale
from apps.metrics.models import KnownExtent, Lump, MeterEvent, StaleRange
from apps.metrics.parameters import site_parameters
from apps.metrics.stale import derive_stale
from apps.metrics.store.front import Store
from apps.metrics.store.schema import series_names
from apps.simulator.history import Blemishes, History
from apps.simulator.spec import house_spec
from apps.simulator.world import SimulatedWorld
from heatmon.demo.house import DAY_S, DemoState, first_values, remember_devices
from heatmon.demo.rows import write_chunk
from tests.factories import Home
from tests.metrics.store.engines import ENGINES, engine_parameters, needs_influxd

pytestmark = pytest.mark.slow

SHORT_DAYS = 2
DAYS = int(os.environ.get("HEATMON_INFLUX_DAYS") or SHORT_DAYS)
LATE_S = 1800
POLLED_DAYS = float(os.environ.get("HEATMON_INFLUX_POLLED_DAYS") or 0.125)
PERIODS = ("day", "week", "month", "year")
END = int(datetime(2026, 3, 30, 10, 20, tzinfo=UTC).timestamp())  # clocks went forward the day before
NOW = datetime.fromtimestamp(END + 20, UTC)


@pytest.fixture
def site(db: None) -> Iterator[Site]:
    with clock.fixed(NOW):
        yield default_site()


def simulated(store: Store, site: Site) -> None:
    """Store the raw past of the house with a gap and a late piece, and derive everything from it."""
    start = END - DAYS * DAY_S
    spec = house_spec(7, start, END, "bias")
    save_home_options(site, first_values(spec))
    remember_devices(site, DemoState(seed=7, start=start, end=END, oldest=END))
    gap = (END - DAY_S - 7200, END - DAY_S)
    late = (END - 36 * 3600, END - 36 * 3600 + LATE_S)
    blemishes = Blemishes(meter_gaps=(gap,), lost_minutes=(gap,))
    for chunk in History(spec, start, END, blemishes=blemishes).chunks():
        write_chunk(store, site.pk, chunk)
    minutes = list(store.rows(site.pk, "meter_minute", *late))
    store.delete(site.pk, "meter_minute", *late)
    store.write(minutes)
    mark_everything_stale(store, site.pk)
    while derive_stale(store, site.pk, partial(site_parameters, site), NOW, 7 * 288):
        pass


def polled(store: Store, folder: Path) -> None:
    """Run every job at its time against the simulated devices until ``NOW``."""
    world = SimulatedWorld(7, NOW - timedelta(days=POLLED_DAYS))
    home = Home(world, store, folder)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(clock, "_clock", world.clock.now)
        home.run(days=POLLED_DAYS)


def addresses(span_days: float) -> Iterator[str]:
    start = NOW - timedelta(days=span_days)
    days = f"from={start:%Y-%m-%d}&to={NOW:%Y-%m-%d}"
    yield from (f"/api/energy?period={period}&{days}" for period in PERIODS)
    yield from (f"/api/jaz?{days}", "/api/jaz", f"/api/estimate?year={NOW.year}", "/api/status")
    names = series_names()
    for hours, points in ((2, 1000), (24, 50), (24 * span_days, 300)):
        since = NOW - timedelta(hours=hours)
        stretch = f"from={since:%Y-%m-%dT%H:%M:%SZ}&to={NOW:%Y-%m-%dT%H:%M:%SZ}&points={points}"
        for first in range(0, len(names), 40):
            yield f"/api/history?series={','.join(names[first : first + 40])}&{stretch}"


def answers(store: Store, client: Client, span_days: float) -> dict[str, str]:
    """Return what the API answers, by its address."""
    found = {}
    with use_store(store):
        for address in addresses(span_days):
            answer = client.get(address)
            assert answer.status_code == 200, answer.content
            found[address] = answer.content.decode()
    return found


def forget() -> None:
    """Forget what was derived from another store."""
    for model in (Lump, MeterEvent, StaleRange, KnownExtent, HistoryGap):
        model.objects.all().delete()


def assert_same(expected: dict[str, str], found: dict[str, str]) -> None:
    assert re.search(r'"electrical_energy_kwh":[1-9]', expected[next(iter(expected))])
    for address, answer in expected.items():
        assert found[address] == answer, address


@pytest.mark.parametrize("name", engine_parameters(*[name for name in ENGINES if name != "sqlite"]))
def test_every_answer_is_the_same_on_both_engines(
    name: str, site: Site, client: Client, settings: LazySettings, tmp_path: Path
) -> None:
    if name == "influxdb" and DAYS != SHORT_DAYS:
        pytest.skip("a long run is for a real server")
    settings.DEMO = True
    found: list[dict[str, str]] = []
    for engine_name in ("sqlite", name):
        engine = ENGINES[engine_name](tmp_path)
        store = Store(engine, DatabaseExtents(engine))
        forget()
        simulated(store, site)
        found.append(answers(store, client, DAYS))
        store.close()
    assert_same(*found)


@pytest.mark.influxd
@needs_influxd
def test_polls_end_in_the_same_answers_on_both_engines(
    db: None, client: Client, settings: LazySettings, tmp_path: Path
) -> None:
    settings.DEMO = True
    found: list[dict[str, str]] = []
    for engine_name in ("sqlite", "influxd"):
        Site.objects.all().delete()
        ApiCall.objects.all().delete()
        folder = tmp_path / engine_name
        folder.mkdir()
        engine = ENGINES[engine_name](folder)
        store = Store(engine, DatabaseExtents(engine))
        with use_store(store):
            polled(store, folder)
        with clock.fixed(NOW):
            found.append(answers(store, client, max(POLLED_DAYS, 1)))
        store.close()
    assert_same(*found)
