"""InfluxDB goes away and comes back: no poll is lost, and the numbers are those of an undisturbed run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.test import Client

from apps.devices import clock
from apps.metrics.admission import admitted, begin_anew, keep
from apps.metrics.apps import use_store
from apps.metrics.extents import DatabaseExtents
from apps.metrics.models import StoredHome
from apps.metrics.store.base import Row, StoreRefused, StoreUnavailable
from apps.metrics.store.front import Store
from apps.metrics.store.influxdb.connection import Address
from apps.simulator.world import SimulatedWorld
from heatmon.options import load_options
from tests.factories import JANUARY, Home
from tests.metrics.store.engines import ENGINES, INFLUXD, engine_parameters, waiting
from tests.metrics.store.influxdb.influxd import Influxd
from tests.metrics.store.influxdb.influxd import start as start_influxd
from tests.metrics.store.influxdb.standin import Fault, StandIn

from .conftest import MakeHome

RESULTS = ("interval", "thermal_power_modulation", "thermal_power_delta_t", "cop", "cop_delta_t")
RAW = ("meter", "meter_minute", "meter_counter", "heat_pump")


@pytest.fixture
def server(request: pytest.FixtureRequest) -> Iterator[StandIn | Influxd]:
    started: StandIn | Influxd
    if getattr(request, "param", "influxdb") == "influxd":
        assert INFLUXD is not None
        started = start_influxd(INFLUXD)
    else:
        started = StandIn().start()
    yield started
    started.stop()


def options_of(address: Address) -> dict[str, str]:
    return {
        "HEATMON_STORE": "influxdb",
        "HEATMON_INFLUXDB_URL": address.url,
        "HEATMON_INFLUXDB_ORG": address.org,
        "HEATMON_INFLUXDB_BUCKET": address.bucket,
        "HEATMON_INFLUXDB_TOKEN": address.token,
    }


def address_of(options: dict[str, str]) -> Address:
    return Address(
        url=options["HEATMON_INFLUXDB_URL"],
        org=options["HEATMON_INFLUXDB_ORG"],
        bucket=options["HEATMON_INFLUXDB_BUCKET"],
        token=options["HEATMON_INFLUXDB_TOKEN"],
    )


@pytest.fixture
def start(server: StandIn | Influxd, settings: LazySettings, db: None) -> Iterator[Callable[[], Store]]:
    """Opens the store as a start of heatmon does."""
    settings.HEATMON = load_options(options_of(server.new_bucket()))
    opened: list[Store] = []

    def open_store() -> Store:
        engine = admitted("influxdb", Path("unused"), lasting=True)
        opened.append(Store(engine, DatabaseExtents(engine)))
        return opened[-1]

    yield open_store
    for store in opened:
        store.close()


def values(home: Home, names: tuple[str, ...], start_s: int, end_s: int) -> list[tuple[str, Row]]:
    return [
        (name, row)
        for name in names
        for row in home.store.rows(home.site.pk, name, start_s, end_s, circuit=None)
    ]


@pytest.mark.parametrize(
    "server", engine_parameters(*[name for name in ENGINES if name != "sqlite"]), indirect=True
)
def test_every_poll_of_an_outage_is_there_afterwards_with_the_numbers_of_an_undisturbed_run(
    server: StandIn | Influxd,
    start: Callable[[], Store],
    make_home: MakeHome,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    undisturbed = make_home()
    undisturbed.run(minutes=30)
    start_s, end_s = int(JANUARY.timestamp()), int(undisturbed.at.timestamp())
    expected = values(undisturbed, (*RAW, *RESULTS), start_s, end_s)

    world = SimulatedWorld(3, JANUARY)
    world.advance_to(JANUARY)
    (tmp_path / "influxdb").mkdir()
    monkeypatch.setattr(clock, "_clock", lambda: world.clock.now())
    store = start()
    with use_store(store):
        home = Home(world, store, tmp_path / "influxdb")
        home.run(minutes=5)
        server.go_away()
        home.run(minutes=5)
        assert waiting(store).writes >= 30
    store = home.store = start()  # heatmon starts again while InfluxDB is still away
    with use_store(store):
        home.restart()
        home.run(minutes=8)
        assert waiting(store).writes >= 78
        with pytest.raises(StoreUnavailable):
            store.latest(home.site.pk, ["power_w"], start_s)
        server.come_back()
        home.run(minutes=12)
        assert waiting(store).writes == 0
        found = values(home, (*RAW, *RESULTS), start_s, end_s)
    polls = [row.at for name, row in found if name == "meter"]
    assert polls == list(range(start_s, end_s, 10))
    assert len([row for name, row in found if name == "heat_pump" and not row.circuit]) == 6
    assert found == expected


def test_a_bucket_of_another_home_is_refused_once_it_answers(
    server: StandIn, start: Callable[[], Store], settings: LazySettings, client: Client
) -> None:
    start()
    settings.HEATMON = load_options(options_of(server.new_bucket()))
    server.fault = Fault()
    store = start()
    server.fault = None
    with pytest.raises(StoreRefused, match="is empty") as caught:
        store.latest(1, ["power_w"], 0)
    assert caught.value.code == "missing"
    assert store.refusal is caught.value
    with pytest.raises(StoreRefused):
        store.ping()
    with use_store(store):
        page = client.get("/login", follow=True).content.decode()
    assert f"The InfluxDB bucket {settings.HEATMON.influxdb_bucket} is empty, but this home has" in page
    assert "docker compose run --rm web begin_store" in page


def test_a_new_bucket_is_begun_only_when_its_owner_says_so(
    server: StandIn, start: Callable[[], Store], settings: LazySettings
) -> None:
    start()
    settings.HEATMON = load_options(options_of(server.new_bucket()))
    with pytest.raises(StoreRefused):
        start()
    assert begin_anew("influxdb", Path("unused")) is None
    start().ping()


def test_a_bucket_of_another_home_is_never_emptied(
    server: StandIn, start: Callable[[], Store], settings: LazySettings
) -> None:
    start()
    StoredHome.objects.all().delete()
    with pytest.raises(StoreRefused) as caught:
        start()
    assert caught.value.code == "foreign"
    with pytest.raises(StoreUnavailable, match="name it in HEATMON_INFLUXDB_BUCKET"):
        begin_anew("influxdb", Path("unused"))
    keep("influxdb", Path("unused"))
    start().ping()


def test_a_home_does_not_begin_while_influxdb_is_away(server: StandIn, start: Callable[[], Store]) -> None:
    server.fault = Fault(status=401)
    with pytest.raises(StoreUnavailable, match="HEATMON_INFLUXDB_TOKEN"):
        start()
