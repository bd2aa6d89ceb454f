"""What becomes of writes that InfluxDB does not take: each answer of its API, one by one."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.devices import clock
from apps.metrics.models import OutboxEntry
from apps.metrics.store.base import Sample, StoreUnavailable, Waiting
from apps.metrics.store.front import Store
from apps.metrics.store.influxdb import connection as connections
from apps.metrics.store.influxdb import engine as engines
from apps.metrics.store.influxdb import outbox, sending
from apps.metrics.store.influxdb.connection import Address, InfluxUnavailable
from apps.metrics.store.influxdb.engine import InfluxEngine

from ..engines import DAY, METER, MIDNIGHT, power_row, power_rows, waiting
from .standin import Fault, StandIn

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
WRITE, DELETE = "/api/v2/write", "/api/v2/delete"


@pytest.fixture(autouse=True)
def known_home(store: Store) -> None:
    """The store has met the device before, so that nothing about it needs to be looked up."""
    store.write([power_row(MIDNIGHT - 10, 1)])


def powers(store: Store) -> list[float | None]:
    rows = store.rows(1, "meter", MIDNIGHT, MIDNIGHT + DAY, ["power_w"])
    return [row.values["power_w"] for row in rows]


def refuse_points(server: StandIn, monkeypatch: pytest.MonkeyPatch, part: str) -> None:
    """Let the server find points unreadable that have ``part`` in them."""
    take = server.write

    def picky(parameters: dict[str, str], body: str) -> tuple[int, object]:
        if part in body:
            return 400, {"code": "invalid", "message": "unable to parse"}
        return take(parameters, body)

    monkeypatch.setattr(server, "write", picky)


def minutes_later(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


def test_a_write_that_is_taken_leaves_nothing_behind(store: Store, server: StandIn) -> None:
    store.write(power_rows(MIDNIGHT, [1, 2]))
    assert waiting(store) == Waiting(
        writes=0, size_bytes=0, oldest_at=None, code="", reason="", refused=0, refused_reason=""
    )
    assert powers(store) == [1, 2]


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (Fault(status=401), "unauthorized"),
        (Fault(status=403), "forbidden"),
        (Fault(status=404), "not_found"),
        (Fault(status=429), "busy"),
        (Fault(status=500), "busy"),
        (Fault(status=503), "busy"),
        (Fault(drops=True), "unreachable"),
    ],
)
def test_a_failure_that_may_pass_keeps_the_write_until_it_has(
    store: Store, server: StandIn, fault: Fault, code: str
) -> None:
    with clock.fixed(NOON):
        server.fault = fault
        store.write([power_row(MIDNIGHT, 7)])
        assert (waiting(store).writes, waiting(store).code, waiting(store).oldest_at) == (1, code, NOON)
        with pytest.raises(InfluxUnavailable) as caught:
            store.latest(1, ["power_w"], MIDNIGHT)
        assert caught.value.code == code
        server.fault = None
    with clock.fixed(minutes_later(2)):
        assert store.wait_until_readable(5.0)
    assert store.latest(1, ["power_w"], MIDNIGHT) == {"power_w": Sample(at=MIDNIGHT, value=7)}
    assert waiting(store).writes == 0


def test_a_server_that_is_gone_keeps_the_writes_in_their_order(store: Store, server: StandIn) -> None:
    port = int(server.url.rpartition(":")[2])
    server.stop()
    with clock.fixed(NOON):
        for number in range(20):
            store.write([power_row(MIDNIGHT, number), power_row(MIDNIGHT + 10, number)])
        assert waiting(store).writes == 20
        assert waiting(store).code == "unreachable"
        assert "HEATMON_INFLUXDB_URL" in waiting(store).reason
    server.start(port)
    with clock.fixed(minutes_later(2)):
        store.write([power_row(MIDNIGHT + 20, 5)])
    assert powers(store) == [19, 19, 5]
    assert waiting(store).writes == 0


def test_what_waits_goes_out_in_few_requests(store: Store, server: StandIn) -> None:
    with clock.fixed(NOON):
        server.fault = Fault()
        for number in range(100):
            store.write([power_row(MIDNIGHT + 10 * number, number)])
        server.fault = None
        server.requests.clear()
    with clock.fixed(minutes_later(2)):
        assert store.wait_until_readable(5.0)
    assert server.requests.count(WRITE) == 1
    assert powers(store) == list(range(100))


def test_a_server_in_trouble_is_asked_ever_more_rarely(store: Store, server: StandIn) -> None:
    server.fault = Fault()
    server.requests.clear()
    for second in range(0, 3600, 10):
        with clock.fixed(NOON + timedelta(seconds=second)):
            store.write([power_row(MIDNIGHT + second, 1)])
    assert 55 <= server.requests.count(WRITE) <= 130  # every 30 to 60 s; without pauses it were 360
    assert waiting(store).writes == 360


def test_the_server_says_how_long_it_wants_to_be_left_alone(store: Store, server: StandIn) -> None:
    with clock.fixed(NOON):
        server.fault = Fault(status=429, retry_after_s=600)
        store.write([power_row(MIDNIGHT, 1)])
        server.fault = None
    for minutes, sent in ((9.9, False), (10.1, True)):
        with clock.fixed(minutes_later(minutes)):
            store.write([power_row(MIDNIGHT + 10, 2)])
        assert (waiting(store).writes == 0) is sent


def test_one_bad_line_is_found_and_parked_and_all_others_are_stored(
    store: Store, server: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse_points(server, monkeypatch, "power_w=13.0")
    store.write(power_rows(MIDNIGHT, range(50)))
    assert powers(store) == [number for number in range(50) if number != 13]
    assert (waiting(store).writes, waiting(store).refused) == (0, 1)
    assert "unable to parse" in waiting(store).refused_reason
    assert "power_w=13.0" in OutboxEntry.objects.get().work


def test_a_type_conflict_is_parked_with_what_the_server_says(store: Store, address: Address) -> None:
    other = InfluxEngine(address)
    other._writer.write([f"meter,site=1,device={METER} power_a_w=1i {MIDNIGHT}"])
    store.write(
        [
            power_row(MIDNIGHT, 5),
            *[
                row.__class__(site=1, measurement="meter", device=METER, at=row.at, values={"power_a_w": 2.0})
                for row in power_rows(MIDNIGHT + 10, [0])
            ],
        ]
    )
    other.close()
    assert powers(store) == [5]
    assert waiting(store).refused == 1
    assert "field type conflict" in waiting(store).refused_reason


def test_a_write_that_is_too_large_is_halved(store: Store, server: StandIn) -> None:
    server.largest_body = 2000
    store.write(power_rows(MIDNIGHT, range(200)))
    assert powers(store) == list(range(200))
    assert waiting(store).refused == 0


def test_a_bucket_that_forgets_is_not_begun(server: StandIn, db: None) -> None:
    engine = InfluxEngine(server.new_bucket(retention_s=86_400))
    with pytest.raises(InfluxUnavailable, match="retention policy"):
        engine.add_home("b7a0")
    engine.close()


def test_a_bucket_that_forgets_later_is_found_in_the_night(
    store: Store, server: StandIn, address: Address
) -> None:
    store.engine.add_home("b7a0")
    assert store.damage() is None
    series = server.buckets[address.bucket].series
    for key in [key for key in series if key[0] == "heatmon_home"]:
        del series[key]
    assert "keep data forever" in (store.damage() or "")


def test_a_delete_waits_its_turn_between_writes(store: Store, server: StandIn) -> None:
    with clock.fixed(NOON):
        server.fault = Fault()
        store.write([power_row(MIDNIGHT, 1), power_row(MIDNIGHT + 10, 2)])
        store.delete(1, "meter", MIDNIGHT, MIDNIGHT + DAY)
        store.write([power_row(MIDNIGHT + 20, 3)])
        server.fault = None
    with clock.fixed(minutes_later(2)):
        assert store.wait_until_readable(5.0)
    assert powers(store) == [3]


def test_an_erased_value_takes_nothing_else_with_it_though_the_server_goes_in_between(
    store: Store, server: StandIn
) -> None:
    both = power_row(MIDNIGHT, 10)
    store.write(
        [
            both.__class__(
                site=1,
                measurement="meter",
                device=METER,
                at=MIDNIGHT,
                values={"power_w": 10.0, "power_a_w": 4.0},
            )
        ]
    )
    with clock.fixed(NOON):
        server.fault = Fault(path=WRITE)  # the point is deleted, but not written anew
        store.write([power_row(MIDNIGHT, None)])
        server.fault = None
    assert powers(store) == []
    with clock.fixed(minutes_later(2)):
        assert store.wait_until_readable(5.0)
    (row,) = store.rows(1, "meter", MIDNIGHT, MIDNIGHT + 1, ["power_w", "power_a_w"])
    assert row.values == {"power_w": None, "power_a_w": 4}


def test_hours_are_summed_again_though_the_process_ended_before(
    store: Store, address: Address, server: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.write(power_rows(MIDNIGHT, [100] * 1440, step_s=60))

    def killed(*arguments: object, **options: object) -> None:
        raise KeyboardInterrupt

    assert isinstance(store.engine, InfluxEngine)
    monkeypatch.setattr(store.engine._sender.hours, "follow", killed)
    with pytest.raises(KeyboardInterrupt):
        store.write([power_row(MIDNIGHT + 30, 900)])
    again = Store(InfluxEngine(address))
    assert again.series(1, "power_w", MIDNIGHT, MIDNIGHT + 3600, 3600).max == [100]
    assert again.wait_until_readable(5.0)
    assert again.series(1, "power_w", MIDNIGHT, MIDNIGHT + 3600, 3600).max == [900]
    again.close()


def test_a_time_far_away_costs_few_questions(store: Store, server: StandIn) -> None:
    store.write(power_rows(MIDNIGHT, [100] * 1440, step_s=60))
    server.requests.clear()
    store.write([power_row(MIDNIGHT + 20 * 365 * DAY, 7)])
    store.delete(1, "meter", 0, MIDNIGHT + 30 * 365 * DAY)
    assert len(server.requests) < 40  # asked week by week it were more than a thousand
    assert store.series(1, "power_w", MIDNIGHT, MIDNIGHT + DAY, DAY).count == [0]


def test_a_full_outbox_refuses_the_newest_and_says_why(
    store: Store, server: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "LARGEST_BYTES", 500)
    server.fault = Fault(status=401)
    with clock.fixed(NOON), pytest.raises(StoreUnavailable, match=r"full.*HEATMON_INFLUXDB_TOKEN"):
        for number in range(10):
            store.write([power_row(MIDNIGHT + 10 * number, number)])
    assert 1 <= waiting(store).writes < 10


def test_a_full_outbox_makes_room_as_soon_as_the_server_is_back(
    store: Store, server: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "LARGEST_BYTES", 500)
    server.fault = Fault()
    with clock.fixed(NOON), pytest.raises(StoreUnavailable, match="full"):
        for number in range(10):
            store.write([power_row(MIDNIGHT + 10 * number, number)])
    kept = waiting(store).writes
    server.fault = None
    with clock.fixed(minutes_later(2)):
        store.write([power_row(MIDNIGHT + 10 * kept, kept)])
    assert powers(store) == list(range(kept + 1))


def test_a_pause_does_not_last_until_a_clock_that_was_set_back_gets_there_again(
    store: Store, server: StandIn
) -> None:
    server.fault = Fault()
    with clock.fixed(NOON + timedelta(days=30)):
        store.write([power_row(MIDNIGHT, 7)])
    server.fault = None
    with clock.fixed(NOON):
        store.write([power_row(MIDNIGHT + 10, 8)])
    assert powers(store) == [7, 8]


def test_a_line_is_parked_once_though_what_followed_it_had_to_be_sent_again(
    store: Store, server: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    take = server.write

    def busy(parameters: dict[str, str], body: str) -> tuple[int, object]:
        if "power_w=1.0" in body and fails:
            return 503, {"code": "unavailable", "message": fails.pop()}
        return take(parameters, body)

    fails = ["busy", "busy"]
    monkeypatch.setattr(server, "write", busy)
    refuse_points(server, monkeypatch, "power_w=0.0")
    for minutes in (0, 2, 4):
        with clock.fixed(minutes_later(minutes)):
            if not minutes:
                store.write(power_rows(MIDNIGHT, range(2)))
            store.wait_until_readable(5.0)
    assert powers(store) == [1]
    assert (waiting(store).writes, waiting(store).refused) == (0, 1)


def test_a_delete_that_failed_waits_once_with_its_reason(store: Store, server: StandIn) -> None:
    server.fault = Fault(status=401)
    with clock.fixed(NOON):
        store.delete(1, "meter", MIDNIGHT, MIDNIGHT + DAY)
    assert (waiting(store).writes, waiting(store).code) == (1, "unauthorized")


def test_of_large_writes_only_as_many_as_fit_into_memory_are_taken_up_at_once(store: Store) -> None:
    for size in (3, 1, 1, 1):
        OutboxEntry.objects.create(work="", size_bytes=size * 2**20, made_at=NOON)
    assert [entry.size_bytes // 2**20 for entry in outbox.oldest(500)] == [3, 1]
    OutboxEntry.objects.update(size_bytes=2**27)
    assert len(outbox.oldest(500)) == 1


@pytest.mark.skipif(connection.vendor != "sqlite", reason="looks at SQLite's plans")
def test_what_every_poll_of_an_outage_asks_the_database_reads_no_writes(
    store: Store, server: StandIn
) -> None:
    """Else each of them would read through hundreds of megabytes after some weeks."""
    server.fault = Fault()
    with clock.fixed(NOON):
        store.write([power_row(MIDNIGHT, 1)])
        with CaptureQueriesContext(connection) as asked:
            store.write([power_row(MIDNIGHT + 10, 2)])
            waiting(store)
    selects = [query["sql"] for query in asked if "FROM" in query["sql"] and "SELECT" in query["sql"]]
    assert any("SUM" in sql for sql in selects)
    with connection.cursor() as cursor:
        for sql in selects:
            cursor.execute(f"EXPLAIN QUERY PLAN {sql}")
            steps = [row[3] for row in cursor.fetchall()]
            assert all("INDEX" in step for step in steps), (sql, steps)


@pytest.fixture
def release() -> Iterator[threading.Event]:
    """Lets hanging requests go at the end."""
    event = threading.Event()
    yield event
    event.set()


def test_a_server_that_hangs_holds_a_poll_up_for_less_than_its_period(
    store: Store,
    server: StandIn,
    address: Address,
    release: threading.Event,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert 1000 * sending._LOCK_WAIT_S + connections.CONNECT_MS + connections.WRITE_MS < 10_000
    monkeypatch.setattr(engines, "WRITE_MS", 100)
    hanging = Store(InfluxEngine(address))
    server.fault = Fault(stalls=release)
    began = time.monotonic()
    with clock.fixed(NOON):
        hanging.write([power_row(MIDNIGHT, 1)])
    assert time.monotonic() - began < 5  # with the limit of readers it were 30 s
    hanging.close()
    assert waiting(store).code == "unreachable"


def test_a_server_that_answers_a_byte_at_a_time_is_given_up_in_time(
    store: Store,
    server: StandIn,
    address: Address,
    release: threading.Event,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(connections, "CONNECT_MS", 100)
    for name in ("WRITE_MS", "READ_MS"):
        monkeypatch.setattr(engines, name, 400)
    dripping = Store(InfluxEngine(address))
    server.fault = Fault(drips=release)
    began = time.monotonic()
    with clock.fixed(NOON):
        dripping.write([power_row(MIDNIGHT, 1)])
    with pytest.raises(InfluxUnavailable):
        dripping.ping()
    assert time.monotonic() - began < 10  # by the pause between two bytes alone it were minutes
    dripping.close()
    assert waiting(store).code == "unreachable"


def test_a_server_that_hangs_at_the_start_holds_nobody_up_for_longer(
    server: StandIn, address: Address, release: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "WRITE_MS", 300)
    engine = InfluxEngine(address)

    def check() -> None:
        engine.homes()

    engine.check_first(check)
    server.fault = Fault(stalls=release)
    began = time.monotonic()
    with ThreadPoolExecutor(8) as threads:
        asked = [threads.submit(engine.ping) for _ in range(8)]
    assert all(isinstance(one.exception(), InfluxUnavailable) for one in asked)
    assert server.requests.count("/api/v2/query") < 4  # else each thread asks, one after the other
    assert time.monotonic() - began < 10  # with the limit of readers it were 30 s
    engine.close()


@pytest.mark.parametrize(
    ("change", "code", "names"),
    [
        (lambda address: {"token": "wrong"}, "unauthorized", "HEATMON_INFLUXDB_TOKEN"),
        (lambda address: {"org": "nobody"}, "not_found", "HEATMON_INFLUXDB_ORG"),
        (lambda address: {"bucket": "nowhere"}, "not_found", "HEATMON_INFLUXDB_BUCKET"),
        (lambda address: {"url": "http://127.0.0.1:1"}, "unreachable", "HEATMON_INFLUXDB_URL"),
    ],
)
def test_a_wrong_option_is_named(
    address: Address, db: None, change: Callable[[Address], dict[str, str]], code: str, names: str
) -> None:
    values = {"url": address.url, "org": address.org, "bucket": address.bucket, "token": address.token}
    engine = InfluxEngine(Address(**{**values, **change(address)}))
    for ask in (engine.ping, engine.homes, lambda: engine.add_home("b7a0")):
        with pytest.raises(InfluxUnavailable, match=names) as caught:
            ask()
        assert caught.value.code == code
        assert address.token not in str(caught.value)
    engine.close()
