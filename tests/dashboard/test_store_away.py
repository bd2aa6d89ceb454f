"""What people see while InfluxDB is away: how much waits, since when, and what to do."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from django.test import Client

from apps.devices.models import Site
from apps.metrics.apps import use_store
from apps.metrics.extents import DatabaseExtents
from apps.metrics.models import OutboxEntry
from apps.metrics.store.base import Row
from apps.metrics.store.front import Store
from apps.metrics.store.influxdb.engine import InfluxEngine
from tests.metrics.store.influxdb.conftest import server
from tests.metrics.store.influxdb.standin import Fault, StandIn

__all__ = ["server"]


@pytest.fixture
def influxdb(server: StandIn, site: Site) -> Iterator[Store]:
    engine = InfluxEngine(server.new_bucket())
    opened = Store(engine, DatabaseExtents(engine))
    with use_store(opened):
        yield opened
    opened.close()


def poll(site: Site, at: datetime) -> Row:
    values = {"power_w": 500.0}
    return Row(site=site.pk, measurement="meter", device="M", at=int(at.timestamp()), values=values)


def test_the_system_page_names_the_store_and_what_waits(
    reader: Client, server: StandIn, influxdb: Store, site: Site, now: datetime
) -> None:
    influxdb.write([poll(site, now - timedelta(seconds=10))])
    shown = reader.get("/health").content.decode()
    assert "<dt>Store</dt><dd>InfluxDB</dd>" in shown
    assert "<dt>Waiting to be stored</dt><dd>nothing</dd>" in shown
    server.fault = Fault(status=401)
    for second in range(3):
        influxdb.write([poll(site, now + timedelta(seconds=second))])
    shown = reader.get("/health").content.decode()
    assert "Measured values have been waiting to be stored since" in shown
    assert "14:05" in shown
    assert "Check HEATMON_INFLUXDB_TOKEN." in shown
    assert "<dt>Waiting to be stored</dt><dd>3 (" in shown


def test_points_that_are_refused_for_good_are_shown_with_the_reason(
    reader: Client, influxdb: Store, now: datetime
) -> None:
    OutboxEntry.objects.create(
        work="{}", size_bytes=2, made_at=now, parked_at=now, reason="field type conflict"
    )
    shown = reader.get("/health").content.decode()
    assert "<dt>Refused by the store for good</dt><dd>1: field type conflict</dd>" in shown


@pytest.mark.parametrize(
    ("status", "advice"),
    [
        (401, "InfluxDB does not accept the token."),
        (404, "InfluxDB does not know the organization or the bucket."),
        (503, "InfluxDB is starting or overloaded"),
    ],
)
def test_a_page_without_its_store_says_what_to_do(
    reader: Client, server: StandIn, influxdb: Store, now: datetime, status: int, advice: str
) -> None:
    server.fault = Fault(status=status)
    answer = reader.get("/")
    assert answer.status_code == 503
    assert advice in answer.content.decode()


def test_readyz_tells_what_waits(
    reader: Client, server: StandIn, influxdb: Store, site: Site, now: datetime
) -> None:
    server.fault = Fault(status=503, path="/api/v2/write")
    influxdb.write([poll(site, now)])
    assert reader.get("/readyz").json()["waiting"] == {
        "writes": 1,
        "size_bytes": OutboxEntry.objects.get().size_bytes,
        "oldest_at": "2026-11-23T13:05:08+00:00",
        "code": "busy",
        "refused": 0,
    }
