"""Stand-ins for the meter's side of the wire: an adapter in this process, and a server on loopback."""

from __future__ import annotations

import hashlib
import io
import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import requests
from requests.adapters import BaseAdapter
from requests.utils import parse_dict_header

AT = datetime(2026, 1, 1, 6, 0, 5, tzinfo=UTC)
REALM = "shellypro3em-0a1b2c3d4e5f"


def clock() -> datetime:
    return AT


@dataclass
class Reply:
    body: Any = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def content(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


Answer = Callable[[str, dict[str, str]], Reply]


class InProcess(BaseAdapter):
    """Answers without a socket. ``asked`` lists path and query of each request."""

    def __init__(self, answer: Answer) -> None:
        super().__init__()
        self.answer = answer
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.sent: list[requests.PreparedRequest] = []

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        assert request.url is not None
        parts = urlsplit(request.url)
        query = dict(parse_qsl(parts.query))
        self.asked.append((parts.path, query))
        self.sent.append(request)
        reply = self.answer(parts.path, query)
        response = requests.Response()
        response.status_code, response.url, response.request = reply.status, request.url, request
        response.raw = io.BytesIO(reply.content)
        response.headers.update(reply.headers)
        return response

    def close(self) -> None:
        pass


def session_with(adapter: BaseAdapter) -> requests.Session:
    session = requests.Session()
    session.mount("http://meter.test", adapter)
    return session


def always(reply: Reply) -> Answer:
    return lambda path, query: reply


class DigestLogin:
    """The meter's login as firmware 2.0.0 has it: few places for nonces; a login whose place was given
    away gets 429, a request without login a new place."""

    def __init__(self, password: str, places: int = 32) -> None:
        self.password = password
        self.places = places
        self.nonces: dict[str, int] = {}
        self.given = 0
        self.challenges = 0
        self.forgotten: set[str] = set()

    def check(self, header: str, path: str) -> Reply | None:
        """None where the login is good."""
        if not header.startswith("Digest "):
            return self._challenge()
        values: dict[str, str] = parse_dict_header(  # type: ignore[no-untyped-call]
            header.removeprefix("Digest ")
        )
        nonce, count = values["nonce"], int(values["nc"], 16)
        if nonce in self.forgotten:
            return Reply(b"Too many requests", 429)
        if nonce not in self.nonces:
            return self._challenge(stale=True)
        if values["response"] != self._expected(values, path) or count != self.nonces[nonce] + 1:
            return self._challenge()
        self.nonces[nonce] = count
        return None

    def forget(self) -> None:
        """The place of every login is given away."""
        self.forgotten |= set(self.nonces)
        self.nonces.clear()

    def expire(self) -> None:
        """As after an hour or a restart: known no more, but told so."""
        self.nonces.clear()

    def _challenge(self, *, stale: bool = False) -> Reply:
        self.challenges += 1
        self.given += 1
        nonce = f"nonce{self.given}"
        self.nonces[nonce] = 0
        header = f'Digest qop="auth", realm="{REALM}", nonce="{nonce}", algorithm=SHA-256'
        return Reply(b"", 401, {"WWW-Authenticate": header + (", stale=true" if stale else "")})

    def _expected(self, values: dict[str, str], path: str) -> str:
        def sha256(text: str) -> str:
            return hashlib.sha256(text.encode()).hexdigest()

        secret = sha256(f"admin:{REALM}:{self.password}")
        request = sha256(f"GET:{path}")
        middle = f"{values['nonce']}:{values['nc']}:{values['cnonce']}:auth"
        return sha256(f"{secret}:{middle}:{request}")


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    server: Server
    answered = 0

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        self.answered += 1
        if self.answered > self.server.answers_per_connection:
            self.close_connection = True  # without a byte: the client used a connection given up here
            return
        login = self.server.login
        refused = login.check(self.headers.get("Authorization", ""), self.path) if login else None
        answer = self.server.answer
        reply = refused or answer
        if callable(reply):
            self.close_connection = True
            reply(self)
            return
        self.send_response(reply.status)
        for name, value in {"Content-Length": str(len(reply.content)), **reply.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(reply.content)

    def log_message(self, *args: Any) -> None:
        pass


Script = Callable[[BaseHTTPRequestHandler], None]


class Server(ThreadingHTTPServer):
    """One meter on loopback. ``answer`` is a reply, or a script that writes what it likes."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, answer: Reply | Script, login: DigestLogin | None = None) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answer = answer
        self.login = login
        self.answers_per_connection = 1000
        self.asked: list[str] = []
        self.connections = 0
        self.stopping = threading.Event()

    def get_request(self) -> tuple[socket.socket, Any]:
        accepted = super().get_request()
        self.connections += 1
        return accepted

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hung up is what these tests are about."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


@contextmanager
def serving(answer: Reply | Script, login: DigestLogin | None = None) -> Iterator[Server]:
    with Server(answer, login) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.stopping.set()
            server.shutdown()
            thread.join()
