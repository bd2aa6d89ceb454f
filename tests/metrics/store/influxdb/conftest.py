"""A stand-in of its own for each test, and an engine on it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from apps.devices.models import Site
from apps.metrics.extents import DatabaseExtents
from apps.metrics.store.front import Store
from apps.metrics.store.influxdb.connection import Address
from apps.metrics.store.influxdb.engine import InfluxEngine

from ..engines import INFLUXD
from .standin import StandIn


@pytest.fixture
def server() -> Iterator[StandIn]:
    started = StandIn().start()
    yield started
    started.stop()


@pytest.fixture
def address(server: StandIn) -> Address:
    return server.new_bucket()


@pytest.fixture
def store(address: Address, db: None) -> Iterator[Store]:
    Site.objects.get_or_create(pk=1)
    engine = InfluxEngine(address)
    opened = Store(engine, DatabaseExtents(engine))
    opened.write([])
    yield opened
    opened.close()


@pytest.fixture
def real() -> Address:
    """An empty bucket of a real server."""
    if INFLUXD is None:
        pytest.skip("no influxd is found (HEATMON_TEST_INFLUXDB, PATH)")
    from .influxd import influxd

    return influxd().new_bucket()
