"""Two ways to a simulated device: inside the process as a ``requests`` adapter, or over loopback HTTP."""

from __future__ import annotations

import io
import socket
import threading
from collections.abc import Callable, Mapping
from http.client import HTTPMessage
from http.client import responses as reasons
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import BaseAdapter
from requests.cookies import extract_cookies_to_jar
from requests.structures import CaseInsensitiveDict
from requests.utils import get_encoding_from_headers
from urllib3 import HTTPResponse

from .clock import Clock
from .wire import JSON_HEADERS, Answer, Handler, Unreachable


class _CutBody(io.BytesIO):
    """A body after whose bytes the connection breaks."""

    def read(self, size: int | None = -1) -> bytes:
        data = super().read(size)
        if not data:
            raise ConnectionResetError("the simulated connection broke")
        return data


class InProcessTransport(BaseAdapter):
    """Answers requests from handlers by host name, keeping status, headers, cookies and login.

    Mount it on a session for ``http://``. ``requests`` counts what was sent. ``take_time`` is told how long
    each answer takes [s], before it is given; without it answers take no time.
    """

    def __init__(
        self, handlers: Mapping[str, Handler], clock: Clock, take_time: Callable[[float], None] | None = None
    ) -> None:
        super().__init__()
        self.take_time = take_time
        self.handlers = dict(handlers)
        self.clock = clock
        self.requests = 0
        json_headers = CaseInsensitiveDict(JSON_HEADERS)
        self._json_headers = (json_headers, get_encoding_from_headers(json_headers))

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        verify: bool | str = True,
        cert: Any = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """Send a request. Raises the errors of ``requests``: ConnectionError, ReadTimeout."""
        self.requests += 1
        parts = urlsplit(request.url or "")
        handler = self.handlers.get(parts.netloc)
        if handler is None:
            raise requests.ConnectionError(f"no simulated device at {parts.netloc}", request=request)
        headers = {name.lower(): _text(value) for name, value in request.headers.items()}
        body = request.body or b""
        try:
            answer = handler(
                request.method or "GET",
                request.path_url,
                headers,
                body.encode() if isinstance(body, str) else bytes(body),
                self.clock.epoch(),
            )
        except Unreachable as error:
            raise requests.ConnectionError(str(error), request=request) from error
        limit = timeout[1] if isinstance(timeout, tuple) else timeout
        if self.take_time is not None:
            self.take_time(answer.duration_s if limit is None else min(limit, answer.duration_s))
        if limit is not None and answer.duration_s > limit:
            raise requests.ReadTimeout(f"no answer within {limit} s", request=request)
        return self._response(request, answer)

    def _response(self, request: requests.PreparedRequest, answer: Answer) -> requests.Response:
        response = requests.Response()
        response.status_code = answer.status
        response.headers, response.encoding = self._headers(answer)
        response.reason = reasons.get(answer.status, "")
        response.url = request.url or ""
        response.request = request
        response.connection = self  # type: ignore[assignment]
        if not answer.cut and "Set-Cookie" not in response.headers:
            response.raw = io.BytesIO(answer.body)  # all that requests needs, at a fifth of the price
            return response
        original = None
        if "Set-Cookie" in response.headers:
            message = HTTPMessage()
            message["Set-Cookie"] = response.headers["Set-Cookie"]
            original = SimpleNamespace(msg=message, isclosed=lambda: True, close=lambda: None)
        raw = HTTPResponse(
            body=_CutBody(answer.body[: len(answer.body) // 2]) if answer.cut else io.BytesIO(answer.body),
            headers=response.headers,
            status=answer.status,
            preload_content=False,
            original_response=original,  # type: ignore[arg-type]
        )
        response.raw = raw
        if original is not None:
            extract_cookies_to_jar(response.cookies, request, raw)  # type: ignore[no-untyped-call]
        return response

    def _headers(self, answer: Answer) -> tuple[CaseInsensitiveDict[str], str | None]:
        """Return the answer's headers and the encoding they name; those of plain JSON are made once."""
        if answer.headers is JSON_HEADERS:
            return self._json_headers
        headers = CaseInsensitiveDict(answer.headers)
        headers.setdefault("Content-Length", str(len(answer.body)))
        return headers, get_encoding_from_headers(headers)

    def close(self) -> None:
        """Do nothing: nothing is held open."""


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value


class RunningServer:
    """A handler served on loopback until ``stop``; also a context manager."""

    def __init__(self, server: _Server, thread: threading.Thread) -> None:
        self._server = server
        self._thread = thread
        host, port = server.server_address[:2]
        self.url = f"http://{host!s}:{port}"

    def stop(self) -> None:
        """End the server, its connections and threads."""
        self._server.stopping.set()
        self._server.shutdown()
        self._thread.join()
        self._server.close_connections()
        self._server.server_close()

    def __enter__(self) -> RunningServer:
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()


class _Server(ThreadingHTTPServer):
    daemon_threads = False
    block_on_close = True
    allow_reuse_address = True

    def __init__(self, address: tuple[str, int], handler: Handler, clock: Clock) -> None:
        self.handler = handler
        self.clock = clock
        self.stopping = threading.Event()
        self._connections: set[socket.socket] = set()
        self._guard = threading.Lock()
        super().__init__(address, _RequestHandler)

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._guard:
            self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._guard:
            self._connections.discard(request)
        super().shutdown_request(request)

    def close_connections(self) -> None:
        with self._guard:
            for connection in self._connections:
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    continue  # the other side was faster

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore a client that goes away; show anything else."""
        if not self.stopping.is_set():
            super().handle_error(request, client_address)


class _RequestHandler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # headers and body leave in one write (else Nagle and delayed ACK cost 40 ms)
    disable_nagle_algorithm = True
    server: _Server

    def _serve(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length) if length else b""
        headers = {name.lower(): value for name, value in self.headers.items()}
        try:
            answer = self.server.handler(self.command, self.path, headers, body, self.server.clock.epoch())
        except Unreachable:
            self.close_connection = True
            return
        if answer.duration_s > 0.0 and self.server.stopping.wait(answer.duration_s):
            self.close_connection = True
            return
        self.send_response_only(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body[: len(answer.body) // 2] if answer.cut else answer.body)
        self.wfile.flush()
        if answer.cut or answer.headers.get("Connection", "").lower() == "close":
            self.close_connection = True

    do_GET = do_POST = do_HEAD = do_PUT = do_DELETE = _serve

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing: the fakes keep their own books."""


def serve(handler: Handler, clock: Clock, host: str = "127.0.0.1", port: int = 0) -> RunningServer:
    """Serve ``handler`` on ``host`` (port 0: any free one) in threads of this process."""
    server = _Server((host, port), handler, clock)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    return RunningServer(server, thread)
