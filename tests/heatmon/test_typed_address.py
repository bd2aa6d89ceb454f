"""An address typed on a page is checked at each poll, too, and never leads to heatmon's own services."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from django.conf import LazySettings

from apps.devices.errors import DeviceRefused
from apps.devices.models import Device
from apps.devices.options import default_site, save_home_options
from apps.devices.typed_address import checked_typed_address, own_services
from apps.metrics.store.sqlite import SqliteStore
from heatmon.collection import Collection
from heatmon.mode import bind_of, is_loopback
from heatmon.options import load_options
from tests.devices.shelly.meters import Reply, serving
from tests.devices.shelly.payloads import payload

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def options_are(settings: LazySettings, **values: Any) -> None:
    settings.HEATMON = replace(settings.HEATMON, values={**settings.HEATMON.values, **values})


@pytest.fixture
def collection(scratch_store: SqliteStore) -> Collection:
    Device.objects.create(
        site=default_site(), kind="meter", identifier="AA", first_seen_at=NOW, last_seen_at=NOW
    )
    return Collection(default_site(), scratch_store, clock=lambda: NOW)


def test_a_saved_address_of_this_machine_is_not_asked_by_poll_or_memory(collection: Collection) -> None:
    with serving(Reply(payload("status_triphase"))) as server:
        save_home_options(collection.site, {"shelly_url": server.url})
        connected = collection.connected()
        assert connected.meter is not None
        memory = connected.memory
        assert memory is not None
        for ask in (connected.meter.poll, lambda: memory.extent("triphase")):
            with pytest.raises(DeviceRefused) as caught:
                ask()
            assert caught.value.code == "address_refused"
        assert server.connections == 0


def test_the_operators_address_may_be_on_this_machine(collection: Collection, settings: LazySettings) -> None:
    with serving(Reply(payload("status_triphase"))) as server:
        options_are(settings, shelly_url=server.url)
        meter = collection.connected().meter
        assert meter is not None
        meter.poll()
        assert server.connections == 1


def test_its_own_services_are_the_pages_the_broker_and_the_databases(
    settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.BIND = "0.0.0.0:8000"
    monkeypatch.setitem(settings.DATABASES["default"], "HOST", "db,/run/postgresql,db2")
    monkeypatch.setitem(settings.DATABASES["default"], "PORT", "5433")
    options_are(settings, redis_url="redis://:secret@redis/0", influxdb_url="http://influxdb:8086")
    assert own_services() == ["0.0.0.0:8000", "redis:6379", "influxdb:8086", "db:5433", "db2:5433"]


@pytest.mark.parametrize("typed", ["127.0.0.1:6379", "localhost:6379", "[::1]:6379", "127.0.0.1:8000"])
def test_they_are_refused_by_address_where_loopback_is_allowed(settings: LazySettings, typed: str) -> None:
    settings.BIND = "0.0.0.0:8000"
    options_are(settings, redis_url="redis://127.0.0.1:6379/0", allow_loopback_devices=True)
    with pytest.raises(DeviceRefused):
        checked_typed_address(typed)
    assert checked_typed_address("127.0.0.1:8123").port == 8123


@pytest.mark.parametrize(
    ("argv", "bind"),
    [
        (["manage.py", "up"], "127.0.0.1:8000"),
        (["manage.py", "up", "--bind", "0.0.0.0:80"], "0.0.0.0:80"),
        (["manage.py", "up", "--bind=0.0.0.0:80"], "0.0.0.0:80"),
        (["manage.py", "report", "--bind", "0.0.0.0:80"], "127.0.0.1:8000"),
    ],
)
def test_where_the_pages_are_served_is_what_the_command_line_says(argv: list[str], bind: str) -> None:
    """On it depends whether passwords may travel without TLS."""
    assert bind_of(argv, load_options({})) == bind
    assert is_loopback(bind) is (bind == "127.0.0.1:8000")
