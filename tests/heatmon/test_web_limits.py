"""What one client can hold of the embedded server, and of gunicorn's worker, which uses the same."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from heatmon import web_limits, wsgi
from heatmon.web import WebServer
from heatmon.web_worker import LimitedWorker

HEAD = b"GET /page HTTP/1.1\r\nHost: 127.0.0.1\r\n"
POST = b"POST /page HTTP/1.1\r\nHost: 127.0.0.1\r\n"
API = b"POST /api/changelog HTTP/1.1\r\nHost: 127.0.0.1\r\n"
OTHER = "127.0.0.66"


class Time:
    """A clock that stands still until told to go on."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Time:
    clock = Time()
    monkeypatch.setattr(web_limits, "time", clock)
    return clock


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """What the pages answer."""
    answer = {"body": b"page"}

    def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        start_response("200 OK", [("Content-Length", str(len(answer["body"])))])
        return [answer["body"]]

    monkeypatch.setattr(wsgi, "application", application)
    return answer


@pytest.fixture
def server(page: dict[str, bytes], clock: Time) -> Iterator[WebServer]:
    # One thread: it is done with everybody's earlier requests once a later one is answered.
    server = WebServer("127.0.0.1", 0, threads=1)
    server.start()
    yield server
    server.stop()


Connect = Callable[..., socket.socket]


@pytest.fixture
def connect(server: WebServer) -> Iterator[Connect]:
    port = int(server.address.rstrip("/").rpartition(":")[2])
    with ExitStack() as stack:

        def open_one(sent: bytes = b"", client: str = "127.0.0.1") -> socket.socket:
            made = socket.create_connection(("127.0.0.1", port), 10, source_address=(client, 0))
            stack.enter_context(made)
            made.sendall(sent)
            return made

        yield open_one


def received(connection: socket.socket, until: bytes = b"") -> bytes:
    """Everything up to ``until``, or to the end of the connection."""
    connection.settimeout(10)
    got = b""
    while not until or until not in got:
        try:
            piece = connection.recv(65536)
        except ConnectionResetError:
            break
        if not piece:
            break
        got += piece
    return got


def is_open(connection: socket.socket) -> bool:
    """Whether a page can still be asked for: what was sent before must have been whole."""
    connection.sendall(HEAD + b"\r\n")
    return b"page" in received(connection, b"page")


@pytest.mark.parametrize("sent", [b"", HEAD, b"\r\n\r\n"], ids=["nothing", "half a head", "blank lines"])
def test_a_head_that_is_not_whole_after_ten_seconds_is_cut(
    connect: Connect, clock: Time, sent: bytes
) -> None:
    connection = connect(sent)
    answered(connect)
    clock.now += 10.5
    assert received(connection) == b""


def test_a_head_that_drips_is_cut_as_well(connect: Connect, clock: Time) -> None:
    connection = connect(HEAD + b"X: ")
    for _ in range(4):
        answered(connect)
        clock.now += 3
        connection.sendall(b"a")
    assert received(connection) == b""


def test_a_body_has_forty_seconds(connect: Connect, clock: Time) -> None:
    connection = connect(POST + b"Content-Length: 10\r\n\r\n12345")
    answered(connect)
    clock.now += 39
    answered(connect)
    connection.sendall(b"67890")
    assert b"page" in received(connection, b"page")


def test_a_body_that_is_not_whole_by_then_is_cut(connect: Connect, clock: Time) -> None:
    connection = connect(POST + b"Content-Length: 10\r\n\r\n12345")
    answered(connect)
    clock.now += 41
    assert received(connection) == b""


def test_a_connection_rests_a_minute_between_two_requests(connect: Connect, clock: Time) -> None:
    connection = connect()
    assert is_open(connection)
    clock.now += 59
    answered(connect)
    assert is_open(connection)
    answered(connect)
    clock.now += 61
    assert received(connection) == b""


def answered(connect: Connect, client: str = "127.0.0.1") -> None:
    """Ask for a page: by then the server has looked at everything sent before."""
    assert is_open(connect(client=client))


def test_a_client_has_its_share_of_connections_and_the_oldest_waiting_makes_room(
    connect: Connect, clock: Time
) -> None:
    idle = []
    for _ in range(web_limits.CONNECTIONS_PER_CLIENT):
        idle.append(connect(HEAD))
        clock.now += 0.1
    answered(connect)
    assert received(idle[0]) == b""
    idle[-1].sendall(b"\r\n")
    assert b"page" in received(idle[-1], b"page")


def test_a_crowd_of_one_client_closes_no_connection_of_another(connect: Connect) -> None:
    mine = connect()
    assert is_open(mine)
    for _ in range(2 * web_limits.CONNECTIONS_PER_CLIENT):
        connect(HEAD, client=OTHER)
    answered(connect, client=OTHER)
    assert is_open(mine)


def test_the_people_behind_the_proxy_have_no_share(server: WebServer, connect: Connect) -> None:
    server._listener.shared_client = "127.0.0.1"
    first = connect()
    assert is_open(first)
    for _ in range(2 * web_limits.CONNECTIONS_PER_CLIENT):
        connect(HEAD)
    answered(connect)
    assert is_open(first)


def test_a_crowd_of_many_clients_makes_room_for_the_next(
    connect: Connect, clock: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web_limits, "CONNECTIONS", 6)
    crowd = []
    for number in range(6):
        crowd.append(connect(HEAD, client=f"127.0.0.{100 + number}"))
        clock.now += 0.1
    answered(connect)
    assert received(crowd[0]) == b""


def test_a_large_body_is_refused_before_it_is_sent(connect: Connect) -> None:
    answer = received(connect(POST + b"Content-Length: 399000000\r\n\r\n"))
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"text/plain" in answer


def test_under_the_api_the_refusal_has_its_shape(connect: Connect) -> None:
    head, _blank, body = received(connect(API + b"Content-Length: 399000000\r\n\r\n")).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 413 ")
    assert json.loads(body)["error"]["code"] == "invalid"


def test_a_body_of_unknown_length_ends_at_one_megabyte(connect: Connect) -> None:
    connection = connect(POST + b"Transfer-Encoding: chunked\r\n\r\n")
    answers: list[bytes] = []
    reader = threading.Thread(target=lambda: answers.append(received(connection)))
    reader.start()
    try:
        for _ in range(20):
            connection.sendall(b"10000\r\n" + b"a" * 65536 + b"\r\n")
    except OSError:
        pass  # refused already
    reader.join(10)
    assert answers[0].startswith(b"HTTP/1.1 413 ")


def test_a_long_head_is_refused(connect: Connect) -> None:
    connection = connect(HEAD + b"X: " + b"a" * web_limits.HEAD_LIMIT_BYTES)
    assert received(connection, b"\r\n").startswith(b"HTTP/1.0 431 ")


def test_an_answer_that_nobody_takes_is_given_up(
    server: WebServer, page: dict[str, bytes], connect: Connect, clock: Time
) -> None:
    page["body"] = b"a" * 8_000_000
    greedy = connect(HEAD + b"\r\n")
    taken = len(greedy.recv(1000))
    page["body"] = b"page"
    (channel,) = server._listener.active_channels.values()
    while channel.requests:  # the answer is still being made
        answered(connect)
    clock.now += 61
    answered(connect)
    assert taken + len(received(greedy)) < 8_000_000


def test_the_image_starts_gunicorn_with_the_worker_that_keeps_the_limits() -> None:
    script = Path(settings.BASE_DIR, "heatmon", "entrypoint.sh").read_text()
    assert f"--worker-class {LimitedWorker.__module__}.{LimitedWorker.__name__}" in script
