"""The stand-in answers as the real server does, wherever heatmon looks (docs/decisions/0026)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from influxdb_client import InfluxDBClient
from influxdb_client.domain.dialect import Dialect

from apps.metrics.store.influxdb.answers import records
from apps.metrics.store.influxdb.connection import Address

from ..engines import METER, MIDNIGHT
from .standin import StandIn
from .test_flux import parameters, queries

COLUMNS = ("_time", "_field", "_value", "_measurement", "device", "circuit", "home")


def lines() -> Iterator[str]:
    for circuit in ("", ",circuit=1"):
        for device in (METER, "none", r"7571\,x\ y\=z"):
            for number in range(200):
                at = MIDNIGHT + number * 1000
                values = f"power_w={number % 7}.25,power_a_w={number}.0"
                yield f"meter,site=1,device={device}{circuit} {values} {at}"
    yield f"meter,site=2,device={METER} power_w=9.0 {MIDNIGHT}"
    yield "heatmon_home,home=b7a0 begun=1.0 0"


WRITES = {
    "nothing": "",
    "a comment": "# nothing",
    "garbage": "garbage",
    "garbage between good lines": "m a=1.0 1\ngarbage x\nm b=1.0 1",
    "an empty tag": "m,site= a=1.0 1",
    "an empty field": "m a= 1",
    "not a number": "m a=1.0x 1",
    "infinity": "m a=inf 1",
    "a time that is no number": "m a=1.0 now",
    "a time too far away": "m a=1.0 99999999999999",
    "a number of another type": f"meter,site=1,device={METER} power_w=1i {MIDNIGHT}",
    "another type beside a good line": f"meter,site=1,device={METER} power_w=1i {MIDNIGHT}\nm a=1.0 1",
    "text": 'm text="a \\"b\\" c" 1',
}
DELETES = {
    "one instant": ("2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z", '_measurement="meter" and site="1"'),
    "an end before the start": ("2026-01-02T00:00:00Z", "2026-01-01T00:00:00Z", '_measurement="meter"'),
    "one device": ("2026-01-01T10:00:00Z", "2026-01-01T20:00:00Z", '_measurement="meter" and device="none"'),
    "one or the other": ("2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z", 'site="1" or site="2"'),
}


def post(address: Address, path: str, **options: Any) -> requests.Response:
    where = {"org": address.org, "bucket": address.bucket, "precision": "s"}
    headers = {"Authorization": f"Token {address.token}"}
    return requests.post(address.url + path, params=where, headers=headers, timeout=30, **options)


def answered(address: Address, text: str) -> list[tuple[str, tuple[str, ...]]]:
    with InfluxDBClient(address.url, address.token, org=address.org) as client:
        answer = client.query_api().query_raw(
            text,
            dialect=Dialect(header=True, annotations=[], delimiter=","),
            params={**parameters(), "_bucket": address.bucket},
        )
        return sorted(records(answer.data.decode().splitlines(), COLUMNS))


@pytest.mark.influxd
def test_the_stand_in_and_a_real_server_say_the_same(real: Address, server: StandIn) -> None:
    both = (real, server.new_bucket())
    for address in both:
        assert post(address, "/api/v2/write", data="\n".join(lines())).status_code == 204
    for name, text in queries():
        assert answered(both[0], text) == answered(both[1], text), name
    for name, body in WRITES.items():
        statuses = [post(address, "/api/v2/write", data=body).status_code for address in both]
        assert statuses[0] == statuses[1], (name, statuses)
    for name, (start, stop, predicate) in DELETES.items():
        asked = json.dumps({"start": start, "stop": stop, "predicate": predicate})
        statuses = [post(address, "/api/v2/delete", data=asked).status_code for address in both]
        assert statuses[0] == statuses[1], (name, statuses)
    for name, text in queries():
        assert answered(both[0], text) == answered(both[1], text), name


@pytest.mark.influxd
@pytest.mark.parametrize(
    ("change", "path", "expected"),
    [
        ({"token": "wrong"}, "/api/v2/write", 401),
        ({"token": "wrong"}, "/api/v2/query", 401),
        ({"org": "nobody"}, "/api/v2/write", 404),
        ({"org": "nobody"}, "/api/v2/query", 400),
        ({"bucket": "nowhere"}, "/api/v2/write", 404),
        ({"bucket": "nowhere"}, "/api/v2/query", 404),
        ({}, "/api/v2/query", 400),
    ],
)
def test_both_refuse_alike(
    real: Address, server: StandIn, change: dict[str, str], path: str, expected: int
) -> None:
    for address in (real, server.new_bucket()):
        values = {"url": address.url, "org": address.org, "bucket": address.bucket, "token": address.token}
        wrong = Address(**{**values, **change})
        query = f'from(bucket: "{wrong.bucket}") |> range(start: {0 if change else "x y"}, stop: 1)'
        if path.endswith("write"):
            answer = post(wrong, path, data="m a=1.0 1")
        else:
            answer = post(wrong, path, json={"query": query, "dialect": {"annotations": []}})
        assert answer.status_code == expected, answer.text
