"""The two ways to a simulated device behave alike."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest
import requests

from apps.simulator.clock import VirtualClock
from apps.simulator.faults import FAULTS, METER, Fault, FaultyHandler, fault_script, refuse, scheduled
from apps.simulator.noise import generator
from apps.simulator.transport import InProcessTransport, serve
from apps.simulator.wire import Answer, Unreachable
from apps.simulator.world import SimulatedWorld

from .conftest import JANUARY

NOON = datetime(2026, 1, 12, 12, tzinfo=UTC)


def echo(method: str, path: str, headers: Mapping[str, str], body: bytes, at: float) -> Answer:
    if path == "/gone":
        raise Unreachable("gone")
    if path == "/cut":
        return Answer(200, {"Content-Type": "text/plain"}, b"0123456789" * 1000, cut=True)
    if path == "/moved":
        return Answer(302, {"Location": "/there", "Set-Cookie": "sid=42; Path=/"}, b"")
    told = f"{method} {path} {headers.get('cookie', '')} {body.decode()} {at:.0f}"
    return Answer(200, {"Content-Type": "text/plain; charset=utf-8"}, told.encode())


@pytest.fixture(params=["in process", "over a socket"])
def reached(request: pytest.FixtureRequest) -> object:
    clock = VirtualClock(NOON)
    session = requests.Session()
    if request.param == "in process":
        session.mount("http://", InProcessTransport({"device.simulated": echo}, clock))
        yield session, "http://device.simulated"
    else:
        with serve(echo, clock) as server:
            yield session, server.url
    session.close()


def test_method_path_body_and_time_arrive(reached: tuple[requests.Session, str]) -> None:
    session, url = reached
    answer = session.post(f"{url}/rpc?x=1", data="hello")
    assert (answer.status_code, answer.reason) == (200, "OK")
    assert answer.text == f"POST /rpc?x=1  hello {NOON.timestamp():.0f}"


def test_redirects_are_followed_with_the_cookie_they_set(reached: tuple[requests.Session, str]) -> None:
    session, url = reached
    answer = session.get(f"{url}/moved")
    assert [step.status_code for step in answer.history] == [302]
    assert answer.text.startswith("GET /there sid=42")


def test_a_streamed_answer_comes_in_pieces(reached: tuple[requests.Session, str]) -> None:
    session, url = reached
    with session.get(f"{url}/stream", stream=True) as answer:
        assert b"".join(answer.iter_content(5)).startswith(b"GET /stream")


def test_a_broken_connection_is_an_error_and_not_a_short_body(reached: tuple[requests.Session, str]) -> None:
    session, url = reached
    with pytest.raises((requests.exceptions.ChunkedEncodingError, requests.ConnectionError)):
        session.get(f"{url}/cut")


def test_nobody_there_is_a_connection_error(reached: tuple[requests.Session, str]) -> None:
    session, url = reached
    with pytest.raises(requests.ConnectionError):
        session.get(f"{url}/gone")


def test_one_connection_serves_many_requests_and_stops_cleanly() -> None:
    with serve(echo, VirtualClock(NOON)) as server, requests.Session() as session:
        for _ in range(20):
            assert session.get(f"{server.url}/poll").status_code == 200
    with requests.Session() as session, pytest.raises(requests.ConnectionError):
        session.get(f"{server.url}/poll", timeout=1)


def test_virtual_time_only_moves_on() -> None:
    clock = VirtualClock(NOON)
    clock.advance(timedelta(minutes=5))
    assert clock.now() == NOON + timedelta(minutes=5)
    with pytest.raises(ValueError, match="backwards"):
        clock.advance(-1)


def test_a_fault_lasts_its_time_and_is_counted() -> None:
    fault = Fault(name="away", target=METER, start=100.0, duration_s=50.0, effect=refuse)
    handler = FaultyHandler(echo, METER, [fault])
    assert handler("GET", "/", {}, b"", 99.0).status == 200
    with pytest.raises(Unreachable):
        handler("GET", "/", {}, b"", 100.0)
    assert handler("GET", "/", {}, b"", 150.0).status == 200
    assert handler.hits == {"away": 1}


def test_an_unknown_fault_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="unknown fault 'nonsense'"):
        scheduled(["nonsense"], generator(1, "f", 0), 0.0, 1000.0)


def test_a_fault_name_is_given_once() -> None:
    with pytest.raises(ValueError, match="already"):
        fault_script("cloud_offline")(FAULTS["cloud_offline"])


def test_a_world_with_faults_meets_them_and_heals() -> None:
    end = JANUARY + timedelta(days=2)
    world = SimulatedWorld(5, JANUARY, end=end, faults=["meter_unreachable", "cloud_offline"])
    assert {fault.name for fault in world.faults} == {"meter_unreachable", "cloud_offline"}
    away = next(fault for fault in world.faults if fault.name == "meter_unreachable")
    session = requests.Session()
    session.mount("http://", world.adapter())
    world.advance_to(datetime.fromtimestamp(away.start + 1, UTC))
    with pytest.raises(requests.ConnectionError):
        session.get(f"{world.meter_url}/shelly")
    world.advance_to(datetime.fromtimestamp(away.start + away.duration_s + 1, UTC))
    assert session.get(f"{world.meter_url}/shelly").status_code == 200
    assert world.meter_handler.hits == {"meter_unreachable": 1}
