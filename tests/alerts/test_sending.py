"""A message leaves through apprise, in a process of its own; its address is never shown."""

from __future__ import annotations

import json
import logging
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from apps.alerts.sending import send, service_of


class Service(BaseHTTPRequestHandler):
    taken: list[dict[str, Any]] = []
    code = 200

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers["Content-Length"]))
        type(self).taken.append(json.loads(content))
        self.send_response(type(self).code)
        self.end_headers()

    def log_message(self, *_arguments: Any) -> None:
        pass


@pytest.fixture
def service() -> Iterator[str]:
    Service.taken, Service.code = [], 200
    server = HTTPServer(("127.0.0.1", 0), Service)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"json://canary:secret@127.0.0.1:{server.server_port}/topic"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_service_gets_title_and_text_and_an_error_of_it_is_no_success(
    service: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        assert send(service, "Disk nearly full", "7.5 GB free")
        Service.code = 500
        assert not send(service, "Disk nearly full", "7.5 GB free")
    assert [(one["title"], one["message"]) for one in Service.taken] == [
        ("Disk nearly full", "7.5 GB free")
    ] * 2
    assert "did not take an alert" in caplog.text
    assert not any(canary in caplog.text for canary in ("canary", "secret", "topic"))


def test_an_address_that_names_no_service_is_known_before_it_is_used() -> None:
    assert service_of("nonsense://secret") == ""


def test_a_service_that_hangs_is_broken_off_without_showing_its_address(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def hang(command: list[str], **options: Any) -> None:
        assert "canary" not in " ".join(command)
        assert options["timeout"] == 30.0
        raise subprocess.TimeoutExpired(options["input"], 30.0)

    monkeypatch.setattr(subprocess, "run", hang)
    assert not send("json://canary:secret@127.0.0.1/topic", "t", "x")
    assert "broken off (TimeoutExpired)" in caplog.text
    assert "canary" not in caplog.text
