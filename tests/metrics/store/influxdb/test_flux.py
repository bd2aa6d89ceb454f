"""Every Flux text: checked by the Flux language server, and pushed down by a real server."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from influxdb_client import InfluxDBClient
from influxdb_client.domain.dialect import Dialect

from apps.metrics.store.influxdb import flux
from apps.metrics.store.influxdb.answers import records
from apps.metrics.store.influxdb.connection import READ_MS, Address, Connection, Gate
from apps.metrics.store.schema import MEASUREMENTS
from tests.flux_checker import checked, needs_flux_checker

from ..engines import METER, MIDNIGHT

LARGEST = max(len(measurement.fields) for measurement in MEASUREMENTS)
PUSHED_DOWN = {"*influxdb.readWindowAggregateSource", "*influxdb.readFilterSource"}
CHEAP = {"*universe.schemaMutationTransformation"}
"""What ``keep`` is: it renames, and looks at no row."""


def queries() -> Iterator[tuple[str, str]]:
    """Every text that heatmon can make, with a name."""
    for count in range(1, LARGEST + 1):
        for circuit in (False, True):
            for by_hour in (False, True):
                name = f"totals of {count} {'by hour' if by_hour else 'raw'} {circuit=}"
                yield name, flux.totals(count, circuit=circuit, by_hour=by_hour)
            yield f"latest {count} {circuit=}", flux.latest(count, circuit=circuit)
            yield f"points {count} {circuit=}", flux.points(count, circuit=circuit)
        yield f"hours {count}", flux.hours(count)
    for device in (False, True):
        yield f"edges {device=}", flux.edges(device=device)
    for single in (flux.device_points, flux.sources, flux.homes, flux.ping):
        yield single.__name__, single()


def parameters() -> dict[str, Any]:
    names = (*flux.AGGREGATES, "field")
    fields = {f"_{name}{number}": "power_w" for name in names for number in range(LARGEST)}
    return {
        "_bucket": "heatmon",
        "_start": datetime.fromtimestamp(MIDNIGHT, UTC),
        "_stop": datetime.fromtimestamp(MIDNIGHT + 86_400, UTC),
        "_measurement": "meter",
        "_site": "1",
        "_device": METER,
        "_circuit": "1",
        "_every": timedelta(hours=1),
        "_offset": timedelta(0),
        **fields,
    }


@needs_flux_checker
def test_every_text_is_flux() -> None:
    options = [f'option {name} = "{value}"' for name, value in parameters().items() if isinstance(value, str)]
    options += ["option _start = 2026-01-01T00:00:00Z", "option _stop = 2026-01-02T00:00:00Z"]
    options += ["option _every = 3600000000us", "option _offset = 0us"]
    batch = [{"name": name, "query": text, "extern": "\n".join(options)} for name, text in queries()]
    assert [each for each in checked(batch) if not each["ok"]] == []


def test_a_sum_of_hours_never_bears_the_name_of_a_field() -> None:
    for measurement in MEASUREMENTS:
        names = [field.column for field in measurement.fields]
        sums = [f"{name}{end}" for name in names for end in ("", "_count", "_min", "_max")]
        assert len(set(sums)) == len(sums)


@pytest.mark.influxd
def test_a_real_server_works_every_query_out_in_its_storage(real: Address) -> None:
    """Else it would send every raw value through Flux, hundreds of times slower."""
    connection = Connection(real, Gate(), READ_MS)
    times = range(MIDNIGHT, MIDNIGHT + 86_400, 600)
    for circuit in ("", ",circuit=1"):
        connection.write([f"meter,site=1,device={METER}{circuit} power_w=1.5 {at}" for at in times])
    connection.write(["heatmon_home,home=b7a0 begun=1.0 0"])
    for name, text in queries():
        operators = _operators(real, text)
        reading = {kind for kind, _ in operators if kind not in CHEAP}
        assert reading and reading <= PUSHED_DOWN, (name, operators)
        if "aggregateWindow" in text:
            assert {label.rstrip("0123456789") for kind, label in operators if kind in PUSHED_DOWN} == {
                "ReadWindowAggregateByTime"
            }, (name, operators)
    connection.close()


def _operators(address: Address, text: str) -> set[tuple[str, ...]]:
    """Return (type, label) of everything that a query was worked out with."""
    profiled = f'import "profiler"\noption profiler.enabledProfilers = ["operator"]\n{text}'
    with InfluxDBClient(address.url, address.token, org=address.org) as client:
        answer = client.query_api().query_raw(
            profiled,
            dialect=Dialect(header=True, annotations=[], delimiter=","),
            params={**parameters(), "_bucket": address.bucket},
        )
        lines = answer.data.decode().splitlines()
    return {row for _, row in records(lines, ("Type", "Label")) if row[0]}
