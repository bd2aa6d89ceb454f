"""Answers that are not InfluxDB's, or not whole: a proxy in front, a wrong port, a line that breaks."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from apps.devices import clock
from apps.metrics.models import OutboxEntry
from apps.metrics.store.base import Sample
from apps.metrics.store.front import Store
from apps.metrics.store.influxdb.connection import Address, Connection, InfluxUnavailable
from apps.metrics.store.influxdb.engine import InfluxEngine

from ..engines import MIDNIGHT, power_row, power_rows, waiting
from .standin import Fault, StandIn

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
HTML = b"<html><head><title>Sign in</title></head><body>\r\n<h1>Sign in</h1></body></html>"
WRITE, QUERY, DELETE = "/api/v2/write", "/api/v2/query", "/api/v2/delete"
FULL = (
    b'{"code":"internal error","message":"unexpected error writing points to database: not attempting to open'
    b' shard 2; opening shard previously failed with: write /data/0000: no space left on device"}'
)
OURS = b'{"code":"unavailable","message":"busy"}'


def http(status: str, body: bytes = b"", kind: str = "text/html", **headers: str) -> bytes:
    """Return an answer whose length is told."""
    lines = [
        f"HTTP/1.1 {status}",
        f"Content-Type: {kind}",
        f"Content-Length: {len(body)}",
        "Connection: close",
    ]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


def csv(body: str) -> bytes:
    """Return an answer that lasts until the connection ends, as old proxies pass it on."""
    return f"HTTP/1.0 200 OK\r\nContent-Type: text/csv; charset=utf-8\r\n\r\n{body}".encode()


@pytest.fixture(autouse=True)
def known_home(store: Store) -> None:
    store.write([power_row(MIDNIGHT - 10, 1)])


@pytest.mark.parametrize(
    ("says", "code"),
    [
        pytest.param(http("200 OK", HTML), "not_influxdb", id="login page of a proxy"),
        pytest.param(http("200 OK", b"{}", "application/json"), "not_influxdb", id="another program"),
        pytest.param(
            http("301 Moved Permanently", Location="https://influxdb:8086/api/v2/write"),
            "not_influxdb",
            id="redirect to https",
        ),
        pytest.param(
            http("400 Bad Request", b"Client sent an HTTP request to an HTTPS server.\n", "text/plain"),
            "not_influxdb",
            id="http to a port of https",
        ),
        pytest.param(http("400 Bad Request", HTML), "not_influxdb", id="400 of a proxy"),
        pytest.param(http("401 Unauthorized", HTML), "not_influxdb", id="401 of a proxy"),
        pytest.param(http("403 Forbidden", HTML), "not_influxdb", id="403 of a proxy"),
        pytest.param(http("404 Not Found", HTML), "not_influxdb", id="404 of a proxy"),
        pytest.param(http("422 Unprocessable", HTML), "not_influxdb", id="422 of a proxy"),
        pytest.param(http("413 Too Large", HTML), "too_large", id="a proxy that takes nothing"),
        pytest.param(http("502 Bad Gateway", HTML), "busy", id="502 of a proxy"),
        pytest.param(http("500 Error", FULL, "application/json"), "full", id="its disk is full"),
        pytest.param(http("500 Error", b"\xff\xfe\xe4"), "not_influxdb", id="no text"),
        pytest.param(http("400 Bad", b"[]", "application/json"), "not_influxdb", id="a list"),
        pytest.param(http("400 Bad", b"[" * 100_000, "application/json"), "not_influxdb", id="nested"),
        pytest.param(b"\x15\x03\x01\x00\x02\x02\x16", "unreachable", id="no HTTP"),
        pytest.param(http("503 Busy", OURS, Retry_After="Wed, 21 Oct 2026 07:28:00 GMT"), "busy", id="date"),
        pytest.param(http("503 Busy", OURS, Retry_After="nan"), "busy", id="nan"),
        pytest.param(http("503 Busy", OURS, Retry_After="-5"), "busy", id="negative"),
    ],
)
def test_a_write_that_influxdb_itself_did_not_answer_is_kept(
    store: Store, server: StandIn, says: bytes, code: str
) -> None:
    with clock.fixed(NOON):
        server.fault = Fault(path=WRITE, says=says)
        store.write(power_rows(MIDNIGHT, [7, 8]))
        server.fault = None
        assert (waiting(store).writes, waiting(store).refused, waiting(store).code) == (1, 0, code)
    with clock.fixed(NOON + timedelta(minutes=2)):
        assert store.wait_until_readable(5.0)
    assert store.latest(1, ["power_w"], MIDNIGHT) == {"power_w": Sample(at=MIDNIGHT + 10, value=8)}
    assert not OutboxEntry.objects.exists()


@pytest.mark.parametrize("asked", ["inf", "1e300", "86400"])
def test_a_server_that_wants_to_be_left_alone_for_ever_is_asked_after_a_quarter_of_an_hour(
    store: Store, server: StandIn, asked: str
) -> None:
    with clock.fixed(NOON):
        server.fault = Fault(path=WRITE, says=http("429 Slow down", OURS, Retry_After=asked))
        store.write([power_row(MIDNIGHT, 7)])
        server.fault = None
    with clock.fixed(NOON + timedelta(minutes=14)):
        assert not store.wait_until_readable(5.0)
    with clock.fixed(NOON + timedelta(minutes=16)):
        assert store.wait_until_readable(5.0)


def test_a_deletion_that_influxdb_itself_did_not_answer_is_kept(store: Store, server: StandIn) -> None:
    with clock.fixed(NOON):
        server.fault = Fault(path=DELETE, says=http("200 OK", HTML))
        store.delete(1, "meter", 0, MIDNIGHT)
        server.fault = None
    assert waiting(store).code == "not_influxdb"
    with clock.fixed(NOON + timedelta(minutes=2)):
        assert store.wait_until_readable(5.0)
    assert store.extent(1, "meter") is None


HEAD = ",result,table,_time,_field,_value\r\n"
ROW = ",_result,0,2026-01-01T00:00:00Z,power_w,7\r\n"
CHUNKED = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/csv\r\nTransfer-Encoding: chunked\r\n\r\n"
    + f"{len(HEAD + ROW):x}\r\n{HEAD}{ROW}\r\n".encode()
)
ERROR = "\r\nerror,reference\r\n"


@pytest.mark.parametrize(
    ("says", "code"),
    [
        pytest.param(http("200 OK", HTML), "not_influxdb", id="login page of a proxy"),
        pytest.param(http("200 OK", HTML, "text/csv"), "busy", id="HTML that says it is CSV"),
        pytest.param(http("302 Found", Location="/login"), "not_influxdb", id="redirect"),
        pytest.param(http("502 Bad Gateway", HTML), "busy", id="502 of a proxy"),
        pytest.param(http("404 Not Found", HTML), "not_influxdb", id="404 of a proxy"),
        pytest.param(csv(""), "busy", id="nothing"),
        pytest.param(csv(HEAD), "busy", id="cut after the head"),
        pytest.param(csv(HEAD + ROW), "busy", id="cut after a row"),
        pytest.param(csv(HEAD + ROW.replace("7\r\n", "1")), "busy", id="cut in the last number"),
        pytest.param(csv(HEAD + ROW[:20]), "busy", id="cut in a time"),
        pytest.param(csv("\0\0\0"), "busy", id="zeros"),
        pytest.param(CHUNKED, "unreachable", id="a part of it missing"),
        pytest.param(
            csv(HEAD + ROW + "\r\nerror,reference\r\nout of memory,\r\n"), "busy", id="error inside"
        ),
        pytest.param(csv(HEAD + ROW + "\r\nerror,reference\r\n"), "busy", id="cut in the error"),
    ],
)
def test_an_answer_that_is_not_whole_is_no_answer(
    store: Store, server: StandIn, says: bytes, code: str
) -> None:
    store.write([power_row(MIDNIGHT, 17)])
    server.fault = Fault(path=QUERY, says=says)
    with pytest.raises(InfluxUnavailable) as caught:
        store.latest(1, ["power_w"], MIDNIGHT)
    assert caught.value.code == code
    server.fault = None
    assert store.latest(1, ["power_w"], MIDNIGHT) == {"power_w": Sample(at=MIDNIGHT, value=17)}


def test_a_page_of_a_proxy_is_told_in_one_short_line(store: Store, server: StandIn) -> None:
    server.fault = Fault(path=QUERY, says=http("502 Bad Gateway", HTML * 1000))
    with pytest.raises(InfluxUnavailable) as caught:
        store.ping()
    assert str(caught.value) == "InfluxDB cannot do it just now (502: Bad Gateway)"
    server.fault = Fault(message="too\n\n" + 10_000 * "many ")
    with pytest.raises(InfluxUnavailable) as caught:
        store.ping()
    assert str(caught.value).startswith("InfluxDB cannot do it just now (503: too many many")
    assert len(str(caught.value)) < 400


def test_a_login_in_the_address_is_not_told(address: Address, db: None) -> None:
    url = address.url.replace("//", "//pump:canary@")
    engine = InfluxEngine(dataclasses.replace(address, url=url.rpartition(":")[0] + ":1"))
    with pytest.raises(InfluxUnavailable, match=r"InfluxDB at http://127\.0\.0\.1:1 does not answer"):
        engine.ping()
    engine.close()


@pytest.mark.parametrize("late", ["sum", "count", "min", "max"])
def test_a_value_that_comes_while_it_is_summed_does_not_make_a_wrong_mean(
    store: Store, monkeypatch: pytest.MonkeyPatch, late: str
) -> None:
    """The server works out one aggregate after the other."""
    store.write(power_rows(MIDNIGHT, [100] * 6))
    ask = Connection.ask
    answers = iter([1, 1])

    def with_one_value_less(*arguments: Any, **named: Any) -> Iterator[tuple[str, tuple[str, ...]]]:
        less = next(answers, 0)
        for aggregate, (at, name, value) in ask(*arguments, **named):
            missing = {"sum": "500", "count": "5"}.get(late) if aggregate == late and less else value
            if missing is not None:
                yield aggregate, (at, name, missing)

    monkeypatch.setattr(Connection, "ask", with_one_value_less)
    for _ in range(2):
        assert store.series(1, "power_w", MIDNIGHT, MIDNIGHT + 60, 60).mean == [100]


def test_a_window_that_is_never_whole_is_not_known_yet(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    store.write(power_rows(MIDNIGHT, [100] * 6))
    ask = Connection.ask
    monkeypatch.setattr(Connection, "ask", lambda *a, **n: (row for row in ask(*a, **n) if row[0] != "count"))
    assert store.series(1, "power_w", MIDNIGHT, MIDNIGHT + 60, 60).mean == [None]
