"""The embedded web server ends without a byte in a file that is not its own."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
import requests
from waitress import wasyncore

from heatmon import wsgi
from heatmon.web import WebServer


class SlowPage:
    """A WSGI application that begins an answer and goes on when told to."""

    def __init__(self) -> None:
        self.begun, self.may_go_on = threading.Event(), threading.Event()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        self.begun.set()
        self.may_go_on.wait(10)
        start_response("200 OK", [("Content-Length", "4")])
        return [b"slow"]


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> SlowPage:
    page = SlowPage()
    monkeypatch.setattr(wsgi, "application", page)
    return page


@pytest.fixture
def landed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Where one-byte writes by number went."""
    seen: list[str] = []
    write = os.write

    def watched(number: int, data: bytes) -> int:
        if data == b"x":
            try:
                seen.append(os.readlink(f"/proc/self/fd/{number}"))
            except OSError:
                seen.append("closed")
        return write(number, data)

    monkeypatch.setattr(os, "write", watched)
    return seen


def test_a_stop_in_the_middle_of_an_answer_writes_into_no_file(
    page: SlowPage, landed: list[str], tmp_path: Path
) -> None:
    web = WebServer("127.0.0.1", 0)
    web.start()
    answers: list[str] = []
    browser = threading.Thread(target=lambda: answers.append(requests.get(web.address, timeout=10).text))
    browser.start()
    assert page.begun.wait(10)
    stopping = threading.Thread(target=web.stop)
    stopping.start()
    stopping.join(0.3)
    # What SQLite does: open files while the server ends. They would get the numbers of a closed pipe.
    files = [open(tmp_path / str(number), "wb") for number in range(20)]  # noqa: SIM115
    page.may_go_on.set()
    browser.join(10)
    stopping.join(10)
    for file in files:
        file.close()
    assert [path.name for path in tmp_path.iterdir() if path.read_bytes()] == []
    assert landed != []
    assert [where for where in landed if not where.startswith("pipe:")] == []
    assert answers == ["slow"]


def test_a_loop_woken_by_somebody_else_leaves_the_pipe_open_for_the_byte_of_the_stop(
    page: SlowPage, landed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    web = WebServer("127.0.0.1", 0)
    web.start()
    closed = threading.Event()
    close_all, write = wasyncore.close_all, os.write

    def woken_first(number: int, data: bytes) -> int:
        write(number, data)
        closed.wait(0.3)
        return write(number, data)

    def told(*arguments: Any, **named: Any) -> None:
        close_all(*arguments, **named)
        closed.set()

    monkeypatch.setattr(wasyncore, "close_all", told)
    monkeypatch.setattr(os, "write", woken_first)
    web.stop()
    assert closed.wait(10)
    assert [where for where in landed if not where.startswith("pipe:")] == []


def test_after_the_stop_nobody_listens_and_no_thread_is_left(page: SlowPage) -> None:
    before = threading.active_count()
    page.may_go_on.set()
    web = WebServer("127.0.0.1", 0)
    web.start()
    assert requests.get(web.address, timeout=10).text == "slow"
    web.stop()
    assert threading.active_count() == before
    with pytest.raises(requests.ConnectionError):
        requests.get(web.address, timeout=10)


def test_a_name_with_two_addresses_is_served_on_both(page: SlowPage, monkeypatch: pytest.MonkeyPatch) -> None:
    import socket

    known = socket.getaddrinfo

    def two(host: str, *arguments: Any, **named: Any) -> Any:
        return known("127.0.0.1", *arguments, **named) + known("127.0.0.2", *arguments, **named)

    monkeypatch.setattr(socket, "getaddrinfo", two)
    page.may_go_on.set()
    web = WebServer("localhost", 0)
    web.start()
    monkeypatch.undo()
    assert web.address.startswith("http://localhost:")
    web.stop()
