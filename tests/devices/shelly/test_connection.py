"""What can go wrong between heatmon and the meter, over real sockets on loopback."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from datetime import timedelta
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
import requests

from apps.devices.address import permitted_ip
from apps.devices.errors import (
    DeviceBusy,
    DeviceError,
    DeviceRefused,
    DeviceUnreachable,
    PayloadInvalid,
    WrongDevice,
)
from apps.devices.shelly.connection import MeterConnection
from apps.devices.wording import words_of

from .meters import AT, DigestLogin, InProcess, Reply, always, clock, serving, session_with

PATH = "/rpc/Shelly.GetStatus"
GOOD = Reply({"answer": 42})


def connection(url: str, password: str | None = None, **options: Any) -> MeterConnection:
    return MeterConnection(url, password, clock=clock, sleep=no_sleep, **options)


def no_sleep(seconds: float) -> None:
    pass


def error_of(call: Callable[[], object], kind: type[DeviceError]) -> tuple[str, str, str]:
    with pytest.raises(kind) as caught:
        call()
    said = words_of(caught.value)
    return caught.value.code, said.sentence, said.hint


def code_over_http(answer: Reply, kind: type[DeviceError]) -> str:
    with serving(answer) as server:
        return error_of(lambda: connection(server.url).get_json(PATH), kind)[0]


def test_polls_share_one_connection() -> None:
    with serving(GOOD) as server:
        meter = connection(server.url)
        assert [meter.get_json(PATH) for _ in range(5)] == [{"answer": 42}] * 5
        assert (server.connections, len(server.asked)) == (1, 5)
        meter.close()


def test_a_login_is_made_once_and_kept() -> None:
    login = DigestLogin("secret")
    with serving(GOOD, login) as server:
        meter = connection(server.url, "secret")
        assert [meter.get_json(PATH) for _ in range(4)] == [{"answer": 42}] * 4
        assert (login.challenges, len(server.asked)) == (1, 5)
        meter.close()


def test_a_query_is_part_of_what_is_signed() -> None:
    with serving(GOOD, DigestLogin("secret")) as server:
        meter = connection(server.url, "secret")
        assert meter.get_json("/rpc/EMData.GetData", id=0, ts=60) == {"answer": 42}
        assert server.asked[-1] == "/rpc/EMData.GetData?id=0&ts=60"
        meter.close()


def test_a_password_may_have_any_letters() -> None:
    with serving(GOOD, DigestLogin('Wärme:"€"')) as server:
        meter = connection(server.url, 'Wärme:"€"')
        assert meter.get_json(PATH) == {"answer": 42}
        meter.close()


def test_a_login_that_ran_out_is_renewed_without_notice() -> None:
    login = DigestLogin("secret")
    with serving(GOOD, login) as server:
        meter = connection(server.url, "secret")
        meter.get_json(PATH)
        login.expire()
        assert meter.get_json(PATH) == {"answer": 42}
        assert login.challenges == 2
        meter.close()


class ShortLivedNonces(DigestLogin):
    """The first ``stale`` logins find that their nonce has run out meanwhile."""

    def __init__(self, password: str, stale: int) -> None:
        super().__init__(password)
        self.stale = stale

    def check(self, header: str, path: str) -> Reply | None:
        if header and self.stale:
            self.stale -= 1
            self.expire()
        return super().check(header, path)


def test_a_nonce_that_is_stale_again_and_again_is_no_wrong_password() -> None:
    login = ShortLivedNonces("secret", stale=2)
    with serving(GOOD, login) as server:
        meter = connection(server.url, "secret")
        assert meter.get_json(PATH) == {"answer": 42}
        meter.close()


def test_a_meter_whose_nonces_are_always_stale_is_busy_and_asked_again_at_the_next_poll() -> None:
    login = ShortLivedNonces("secret", stale=3)
    with serving(GOOD, login) as server:
        meter = connection(server.url, "secret")
        assert error_of(lambda: meter.get_json(PATH), DeviceBusy)[0] == "busy"
        assert meter.get_json(PATH) == {"answer": 42}
        meter.close()


def test_a_wrong_password_is_tried_once_and_then_no_more() -> None:
    login = DigestLogin("secret")
    with serving(GOOD, login) as server:
        meter = connection(server.url, "wrong")
        for _ in range(3):
            code, sentence, hint = error_of(lambda: meter.get_json(PATH), DeviceRefused)
            assert code == "wrong_password"
            assert sentence == f"The meter at {server.url[7:]} rejected the password."
            assert hint.startswith("Enter the meter's password again")
        assert len(server.asked) == 2
        meter.close()


def test_a_missing_password_is_asked_for_and_the_meter_left_alone() -> None:
    with serving(GOOD, DigestLogin("secret")) as server:
        meter = connection(server.url)
        for _ in range(3):
            assert error_of(lambda: meter.get_json(PATH), DeviceRefused)[0] == "password_needed"
        assert len(server.asked) == 1
        meter.close()


def test_a_login_whose_place_was_given_away_begins_anew_after_three_seconds() -> None:
    login = DigestLogin("secret")
    waited: list[float] = []
    with serving(GOOD, login) as server:
        meter = MeterConnection(server.url, "secret", clock=clock, sleep=waited.append)
        meter.get_json(PATH)
        login.forget()
        assert meter.get_json(PATH) == {"answer": 42}
        assert waited == [3.0]
        assert server.asked == [PATH] * 5  # challenge, login; 429; challenge, login
        meter.close()


def test_a_meter_that_stays_busy_is_asked_twice_and_left_until_the_next_poll() -> None:
    adapter = InProcess(always(Reply(b"Too many requests", 429)))
    waited: list[float] = []
    meter = MeterConnection(
        "http://meter.test", clock=clock, sleep=waited.append, session=session_with(adapter)
    )
    with pytest.raises(DeviceBusy) as caught:
        meter.get_json(PATH)
    assert (caught.value.code, caught.value.retry_at) == ("busy", None)
    assert (len(adapter.asked), waited) == (2, [3.0])


def test_a_busy_meter_may_say_when_to_come_back() -> None:
    adapter = InProcess(always(Reply(b"", 429, {"Retry-After": "90"})))
    with pytest.raises(DeviceBusy) as caught:
        connection("http://meter.test", session=session_with(adapter)).get_json(PATH)
    assert caught.value.retry_at == AT + timedelta(seconds=90)


def test_a_kept_connection_that_the_meter_dropped_is_tried_once_more() -> None:
    with serving(GOOD) as server:
        meter = connection(server.url)
        server.answers_per_connection = 1
        assert [meter.get_json(PATH) for _ in range(3)] == [{"answer": 42}] * 3
        assert (server.connections, len(server.asked)) == (3, 5)
        meter.close()


def test_a_meter_that_hangs_up_on_every_request_is_not_asked_again_and_again() -> None:
    def hang_up(handler: BaseHTTPRequestHandler) -> None:
        pass

    with serving(hang_up) as server:
        meter = connection(server.url)
        for asked in (1, 2):
            assert error_of(lambda: meter.get_json(PATH), DeviceUnreachable)[0] == "connection_lost"
            assert len(server.asked) == asked


def dripping(handler: BaseHTTPRequestHandler, head: bytes, drop: bytes) -> None:
    handler.wfile.write(head)
    while not handler.server.stopping.wait(0.05):  # type: ignore[attr-defined]
        handler.wfile.write(drop)
        handler.wfile.flush()


def drips_its_head(handler: BaseHTTPRequestHandler) -> None:
    dripping(handler, b"HTTP/1.1 200 OK\r\nX-Slow: ", b"a")


def drips_its_body(handler: BaseHTTPRequestHandler) -> None:
    dripping(handler, b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", b" ")


def drips_chunks(handler: BaseHTTPRequestHandler) -> None:
    dripping(handler, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n")


def drips_the_body_of_a_challenge(handler: BaseHTTPRequestHandler) -> None:
    head = b'HTTP/1.1 401 No\r\nWWW-Authenticate: Digest realm="a", nonce="b", qop="auth"\r\n'
    dripping(handler, head + b"Content-Length: 100000\r\n\r\n", b" ")


def drips_the_body_of_an_error(handler: BaseHTTPRequestHandler) -> None:
    dripping(handler, b"HTTP/1.1 500 Oh\r\nContent-Length: 100000\r\n\r\n", b" ")


def says_nothing(handler: BaseHTTPRequestHandler) -> None:
    handler.server.stopping.wait(10)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "script",
    [
        drips_its_head,
        drips_its_body,
        drips_chunks,
        drips_the_body_of_a_challenge,
        drips_the_body_of_an_error,
        says_nothing,
    ],
)
def test_an_answer_that_drips_is_cut_at_the_deadline(
    script: Callable[[BaseHTTPRequestHandler], None],
) -> None:
    with serving(script) as server:
        meter = connection(server.url, "secret")
        began = time.monotonic()
        assert error_of(lambda: meter.get_json(PATH, deadline_s=0.3), DeviceUnreachable)[0] == "timeout"
        assert 0.25 < time.monotonic() - began < 3.0


def endless(handler: BaseHTTPRequestHandler, head: bytes) -> None:
    handler.wfile.write(head)
    for _ in range(800):  # 50 MB
        handler.wfile.write(b" " * 65536)


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 52428800\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n",
        b'HTTP/1.1 401 No\r\nWWW-Authenticate: Digest realm="a", nonce="b", qop="auth"\r\n'
        b"Content-Length: 52428800\r\n\r\n",
    ],
    ids=["announced", "not announced", "challenge"],
)
def test_fifty_megabytes_are_cut_at_two(head: bytes) -> None:
    with serving(lambda handler: endless(handler, head)) as server:
        meter = connection(server.url, "secret")
        assert error_of(lambda: meter.get_json(PATH), PayloadInvalid)[0] == "too_large"


def test_a_body_of_more_than_two_megabytes_is_refused_in_process_too() -> None:
    adapter = InProcess(always(Reply(b" " * (2 * 1024 * 1024 + 1))))
    meter = connection("http://meter.test", session=session_with(adapter))
    assert error_of(lambda: meter.get_json(PATH), PayloadInvalid)[0] == "too_large"


@pytest.mark.parametrize(
    "body",
    [b'{"em:0": {"a_act', b"", b"<html>Login</html>", b"\xff\xfe\x00", b"[" * 100_000],
    ids=["cut", "empty", "HTML", "no text", "deep"],
)
def test_a_body_that_is_no_json_cannot_be_read(body: bytes) -> None:
    assert code_over_http(Reply(body), PayloadInvalid) == "unreadable"


def test_a_body_that_breaks_off_is_no_answer() -> None:
    def breaks_off(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b'HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{"em:0": {')

    with serving(breaks_off) as server:
        call = connection(server.url).get_json
        assert error_of(lambda: call(PATH), DeviceUnreachable)[0] == "connection_lost"


def test_what_speaks_no_http_is_no_answer() -> None:
    def greets(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"SSH-2.0-OpenSSH_9.6\r\n")

    with serving(greets) as server:
        call = connection(server.url).get_json
        assert error_of(lambda: call(PATH), DeviceUnreachable)[0] == "connection_lost"


def test_a_closed_port_does_not_answer() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, but nobody listens
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        code, sentence, hint = error_of(lambda: connection(url).get_json(PATH), DeviceUnreachable)
    assert code == "unreachable"
    assert sentence == f"The meter at {url[7:]} is not responding."
    assert hint == "Check that the meter has power and a network connection and that the address is right."


def test_a_name_that_nobody_knows_is_said_to_be_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*args: object, **kwargs: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    choices: list[dict[str, Any]] = [{}, {"permitted_ip": lambda host, port: permitted_ip(host, port, False)}]
    for options in choices:
        call = connection("http://no-such-meter.test", **options).get_json
        code, sentence, _ = error_of(lambda call=call: call(PATH), DeviceUnreachable)
        assert (code, sentence) == (
            "name_unknown",
            "The name no-such-meter.test is not known on this network.",
        )


def test_a_redirect_is_not_followed() -> None:
    with serving(GOOD) as other:
        answer = Reply(b"", 302, {"Location": f"{other.url}/rpc/Shelly.GetStatus"})
        assert code_over_http(answer, WrongDevice) == "redirected"
        assert other.asked == []


def refusal(code: int, message: str, status: int) -> Reply:
    return Reply({"code": code, "message": message}, status)


def frame(code: int, message: str) -> Reply:
    return Reply({"id": 1, "error": {"code": code, "message": message}})


@pytest.mark.parametrize(
    ("answer", "kind", "code"),
    [
        (Reply(b"not found", 404), WrongDevice, "not_a_shelly"),
        (refusal(404, "No handler for EM.GetStatus", 404), WrongDevice, "profile_changed"),
        (refusal(-105, "Argument 'id', value 7 not found!", 500), WrongDevice, "profile_changed"),
        (refusal(-103, "Missing required argument 'id'!", 500), DeviceUnreachable, "server_error"),
        (frame(-105, "Bad id=7"), WrongDevice, "profile_changed"),
        (frame(429, "Too many failed authentication attempts"), DeviceBusy, "busy"),
        (Reply(b"Oops", 500), DeviceUnreachable, "server_error"),
        (Reply(b"", 503), DeviceUnreachable, "server_error"),
        (Reply(b"", 403), WrongDevice, "not_a_shelly"),
        (Reply(b"", 401, {"WWW-Authenticate": 'Basic realm="NAS"'}), WrongDevice, "not_a_shelly"),
        (Reply(b"", 204), WrongDevice, "not_a_shelly"),
    ],
)
def test_each_refusal_has_its_own_code(answer: Reply, kind: type[DeviceError], code: str) -> None:
    assert code_over_http(answer, kind) == code


def test_a_challenge_without_a_nonce_is_not_a_shellys() -> None:
    answer = Reply(b"", 401, {"WWW-Authenticate": 'Digest realm="x"'})
    with serving(answer) as server:
        meter = connection(server.url, "secret")
        assert error_of(lambda: meter.get_json(PATH), WrongDevice)[0] == "not_a_shelly"


def test_proxies_and_stored_logins_of_the_system_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[str | None] = []

    def answer(handler: BaseHTTPRequestHandler) -> None:
        sent.append(handler.headers.get("Authorization"))
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")

    with serving(answer) as server, serving(GOOD) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("http_proxy", proxy.url)
        session = requests.Session()
        meter = connection(server.url, session=session)
        assert meter.get_json(PATH) == {}
        assert (session.trust_env, proxy.asked, sent) == (False, [], [None])


def test_a_password_inside_the_address_is_refused_and_not_shown() -> None:
    meter = connection("http://admin:hunter2@192.168.1.50")
    code, sentence, hint = error_of(lambda: meter.get_json(PATH), DeviceRefused)
    assert code == "address_invalid"
    assert "hunter2" not in sentence + hint


def test_a_typed_loopback_address_is_not_connected_to() -> None:
    with serving(GOOD) as server:
        meter = connection(server.url, permitted_ip=lambda host, port: permitted_ip(host, port, False))
        assert error_of(lambda: meter.get_json(PATH), DeviceRefused)[0] == "address_refused"
        assert server.connections == 0


def test_a_typed_name_is_resolved_once_and_that_address_is_connected_to(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real, asked = socket.getaddrinfo, []

    def resolve(host: str, port: int, *args: object, **kwargs: object) -> object:
        asked.append(host)
        return real("127.0.0.1" if host == "meter.test" else host, port, *args, **kwargs)  # type: ignore[arg-type]

    def permitted(host: str, port: int) -> str:
        return permitted_ip(host, port, True)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    with serving(GOOD) as server:
        meter = connection(f"http://meter.test:{server.server_address[1]}", permitted_ip=permitted)
        assert [meter.get_json(PATH) for _ in range(3)] == [{"answer": 42}] * 3
        assert asked.count("meter.test") == 1
        meter.close()


def test_lines_come_as_they_are_sent_and_those_before_a_break_are_kept() -> None:
    def breaks_off(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 500000\r\n\r\n" + b"0123456789\r\n" * 2000)

    with serving(breaks_off) as server:
        lines = connection(server.url).get_lines("/emdata/0/data.csv", deadline_s=5)
        received = [next(lines) for _ in range(1700)]
        with pytest.raises(DeviceUnreachable):
            list(lines)
    assert set(received) == {"0123456789\r"}
