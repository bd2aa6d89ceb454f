"""The way to the bucket: connections that are used again, processes that fork."""

from __future__ import annotations

import dataclasses

import pytest

from apps.devices.models import Site
from apps.metrics.store.engine import Fields, SourceKey
from apps.metrics.store.front import Store
from apps.metrics.store.influxdb import connection as connections
from apps.metrics.store.influxdb import flux
from apps.metrics.store.influxdb.connection import Address, InfluxUnavailable
from apps.metrics.store.influxdb.engine import InfluxEngine

from ..engines import DAY, METER, MIDNIGHT, power_row, power_rows, waiting


def test_an_answer_that_is_given_up_half_way_does_not_disturb_the_next_question(store: Store) -> None:
    store.write(power_rows(MIDNIGHT, range(5000)))
    connection = store.engine._connection  # type: ignore[attr-defined]
    rows = connection.ask(
        flux.points(1, circuit=False),
        MIDNIGHT,
        MIDNIGHT + DAY,
        ("_time",),
        _measurement="meter",
        _site="1",
        _device=METER,
        _field0="power_w",
    )
    assert next(rows) == ("_result", ("2026-01-01T00:00:00Z",))
    rows.close()
    for _ in range(3):
        store.ping()
        assert store.extent(1, "meter") == (MIDNIGHT, MIDNIGHT + 49_990)


def test_a_child_process_makes_connections_of_its_own(store: Store) -> None:
    engine = store.engine
    assert isinstance(engine, InfluxEngine)
    store.ping()
    first = engine._connection._opened()
    assert engine._connection._opened() == first
    engine._connection._process -= 1  # as after a fork
    assert engine._connection._opened() != first


def test_names_that_mean_something_in_line_protocol_come_back_as_they_are(store: Store) -> None:
    for device in ("a,b=c d", "7571381573112225/0", "x' or 1==1 --"):
        source = SourceKey(1, "meter", device, "")
        store.write(
            [
                row.__class__(site=1, measurement="meter", device=device, at=row.at, values=row.values)
                for row in power_rows(MIDNIGHT, [5, None])
            ]
        )
        fields = Fields(1, "meter", "", ("power_w",))
        assert list(store.engine.points(source, fields.names, MIDNIGHT, MIDNIGHT + DAY)) == [(MIDNIGHT, [50])]
        store.delete(1, "meter", MIDNIGHT, MIDNIGHT + DAY, device=device)
        assert list(store.engine.points(source, fields.names, MIDNIGHT, MIDNIGHT + DAY)) == []


@pytest.mark.influxd
def test_values_that_somebody_else_writes_beside_ours_stop_nothing(real: Address, db: None) -> None:
    """A text or a truth value cannot be summed up: the server answers 500 to whoever asks for that."""
    Site.objects.get_or_create(pk=1)
    store = Store(InfluxEngine(real))
    store.write(power_rows(MIDNIGHT, [100] * 10))
    head = f"meter,site=1,device={METER}"
    others = connections.Connection(real, connections.Gate(), connections.WRITE_MS)
    for number, value in enumerate(('"abc"', "true", "5i")):
        others.write([f"{head} others{number}={value} {MIDNIGHT + number}"])
    store.write(power_rows(MIDNIGHT + 600, [100] * 1440, step_s=60))
    store.write([power_row(MIDNIGHT + 30, 900)])
    store.write([power_row(MIDNIGHT, None)])
    store.tidy()
    assert (waiting(store).writes, waiting(store).refused) == (0, 0)
    assert store.series(1, "power_w", MIDNIGHT, MIDNIGHT + 3600, 3600).max == [900]
    assert [row.values["power_w"] for row in store.rows(1, "meter", MIDNIGHT, MIDNIGHT + 30)] == [100, 100]
    others.close()
    store.close()


@pytest.mark.influxd
def test_a_token_that_may_read_and_write_the_bucket_is_enough(real: Address, db: None) -> None:
    from .influxd import influxd

    Site.objects.get_or_create(pk=1)
    engine = InfluxEngine(dataclasses.replace(real, token=influxd().token_for(real.bucket)))
    engine.add_home("b7a0")
    assert engine.homes() == {"b7a0"}
    engine.ping()
    store = Store(engine)
    store.write(power_rows(MIDNIGHT, [5, 6, 7]))
    store.write(power_rows(MIDNIGHT, [None]))
    store.delete(1, "meter", MIDNIGHT + 20, MIDNIGHT + DAY)
    store.tidy()
    assert [row.values["power_w"] for row in store.rows(1, "meter", MIDNIGHT, MIDNIGHT + DAY)] == [6]
    other = InfluxEngine(dataclasses.replace(influxd().new_bucket(), token=influxd().token_for(real.bucket)))
    with pytest.raises(InfluxUnavailable):
        other.ping()
    for one in (engine, other):
        one.close()
