"""The production server under a sub-path, and whom it believes."""

from __future__ import annotations

import os
import re
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import requests

from .processes import Services, free_port, wait_for

FORWARDED = {"X-Forwarded-Proto": "https"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("gunicorn")


@pytest.fixture
def address(folder: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of a server with the given settings."""
    services = Services(folder)
    port = free_port()
    services.start(
        *("web", "sh", "heatmon/entrypoint.sh", "web"),
        PATH=f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        HEATMON_BIND=f"127.0.0.1:{port}",
        **request.param,
    )
    url = f"http://127.0.0.1:{port}"
    wait_for(lambda: answers(f"{url}/healthz"), 30, "the server answers")
    yield url
    assert services.end("web") < 10


def answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=5).status_code == 200
    except requests.ConnectionError:
        time.sleep(0.1)
        return False


@pytest.mark.parametrize(
    "address", [{"HEATMON_SCRIPT_NAME": "/heatmon", "HEATMON_TRUSTED_PROXY": "127.0.0.1"}], indirect=True
)
def test_under_a_sub_path_the_proxy_may_keep_the_prefix_or_strip_it(address: str) -> None:
    kept = requests.get(f"{address}/heatmon/setup", headers=FORWARDED, timeout=20)
    stripped = requests.get(f"{address}/setup", headers=FORWARDED, timeout=20)
    for answer in (kept, stripped):
        links = set(re.findall(r'(?:href|src|action)="(/[^"#]*)', answer.text))
        assert answer.status_code == 200
        assert links
        assert [link for link in links if not link.startswith("/heatmon/")] == []
    assert requests.get(address + max(links), timeout=20).status_code == 200


@pytest.mark.parametrize("address", [{"HEATMON_TRUSTED_PROXY": "127.0.0.1"}], indirect=True)
def test_the_named_proxy_is_believed(address: str) -> None:
    assert (
        "Strict-Transport-Security" in requests.get(f"{address}/setup", headers=FORWARDED, timeout=20).headers
    )


@pytest.mark.parametrize("address", [{"HEATMON_TRUSTED_PROXY": "127.0.0.2"}], indirect=True)
def test_nobody_else_is_believed(address: str) -> None:
    answer = requests.get(f"{address}/setup", headers=FORWARDED, timeout=20)
    assert "Strict-Transport-Security" not in answer.headers


@pytest.mark.parametrize("address", [{}], indirect=True)
def test_half_heads_keep_nobody_waiting(address: str) -> None:
    """As many as there are threads, four times over."""
    host, _colon, port = address.removeprefix("http://").partition(":")
    with ExitStack() as stack:
        for _ in range(16):
            half = stack.enter_context(socket.create_connection((host, int(port)), 5))
            half.sendall(b"POST /login HTTP/1.1\r\nHost: 127.0.0.1\r\n")
        assert requests.get(f"{address}/login", timeout=5).status_code == 200


@pytest.mark.parametrize("address", [{}], indirect=True)
def test_a_large_body_is_refused(address: str) -> None:
    host, _colon, port = address.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), 5) as connection:
        connection.sendall(b"POST /login HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 399000000\r\n\r\n")
        assert connection.recv(1024).startswith(b"HTTP/1.1 413 ")
