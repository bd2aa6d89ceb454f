"""A stand-in for InfluxDB v2 over real HTTP: writes, deletes, heatmon's queries, and every failure.

It reads line protocol and Flux by itself and answers 400 to what it does not understand. ``Fault`` lets it
fail as the real one does; how it was compared with that is told in docs/decisions.
"""

from __future__ import annotations

import functools
import gzip
import json
import re
import threading
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from apps.metrics.store.influxdb.connection import Address

from .csv_writer import annotated_csv
from .flux import NS, Data, NoBucket, NotUnderstood, answer, parameters_of
from .lines import BadLine, Point, points_of

ORG, TOKEN = "tests", "stand-in-token"
_TYPES = {float: "float", int: "integer", str: "string", bool: "boolean"}
SHARD_NS = 7 * 86_400 * NS


@dataclass(frozen=True)
class Fault:
    """How requests to ``path`` fail: with a status, by being cut off (``drops``), late (``stalls``), with the
    bytes of somebody else's answer (``says``), or a byte at a time (``drips``)."""

    status: int = 503
    message: str = "unavailable"
    path: str = "/api/v2/"
    retry_after_s: int | None = None
    drops: bool = False
    stalls: threading.Event | None = None
    says: bytes = b""
    drips: threading.Event | None = None


@dataclass
class StandIn:
    """A server with buckets. ``fault`` is in force until it is None again; ``requests`` counts by path."""

    url: str = ""
    fault: Fault | None = None
    largest_body: int = 50_000_000
    buckets: dict[str, Data] = field(default_factory=dict)
    retention_s: dict[str, int] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    types: dict[tuple[str, str, str, int], type] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)
    server: ThreadingHTTPServer | None = None
    is_gone: bool = False

    def new_bucket(self, retention_s: int = 0) -> Address:
        name = f"bucket-{uuid.uuid4().hex[:12]}"
        self.buckets[name] = Data()
        self.retention_s[name] = retention_s
        return Address(url=self.url, org=ORG, bucket=name, token=TOKEN)

    def start(self, port: int = 0) -> StandIn:
        self.is_gone = False
        handler = type("Handler", (_Handler,), {"standin": self})
        self.server = ThreadingHTTPServer(("127.0.0.1", port), handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def stop(self) -> None:
        """Vanish: connections are refused."""
        if self.server is not None:
            self.is_gone = True
            self.server.shutdown()
            self.server.server_close()
            self.server = None

    def go_away(self) -> None:
        """Answer nothing."""
        self.fault = Fault()

    def come_back(self) -> None:
        self.fault = None

    # What it answers

    def write(self, parameters: Mapping[str, str], body: str) -> tuple[int, Any]:
        refused = self._refusal(parameters)
        if refused is not None:
            return refused
        try:
            points = points_of(body, parameters.get("precision", "ns"), time.time_ns())
        except BadLine as error:
            return _problem(400, "invalid", str(error))
        dropped = [reason for point in points if (reason := self._keep(parameters["bucket"], point))]
        if dropped:
            message = (
                f"failure writing points to database: partial write: {dropped[0]} dropped={len(dropped)}"
            )
            return _problem(422, "unprocessable entity", message)
        return 204, None

    def _keep(self, bucket: str, point: Point) -> str:
        """Store a point; return why not."""
        data = self.buckets[bucket].series
        retention_s = self.retention_s[bucket]
        if retention_s and point.at_ns < time.time_ns() - retention_s * NS:
            return "points outside retention policy"
        shard = point.at_ns // SHARD_NS
        for name, value in point.fields.items():
            place = bucket, point.measurement, name, shard
            if (held := self.types.setdefault(place, type(value))) is not type(value):
                return (
                    f'field type conflict: input field "{name}" on measurement "{point.measurement}" is type'
                    f" {_TYPES[type(value)]}, already exists as type {_TYPES[held]}"
                )
        for name, value in point.fields.items():
            data.setdefault((point.measurement, point.tags, name), {})[point.at_ns] = value
        return ""

    def delete(self, parameters: Mapping[str, str], body: str) -> tuple[int, Any]:
        refused = self._refusal(parameters)
        if refused is not None:
            return refused
        asked = json.loads(body)
        wanted: dict[str, str] = {}
        for part in asked["predicate"].split(" and "):
            found = re.fullmatch(r'(\w+)="((?:[^"\\]|\\.)*)"', part)
            if not found:
                return _problem(400, "invalid", f"error decoding json body: {part}")
            wanted[found[1]] = re.sub(r"\\(.)", r"\1", found[2])
        start, stop = (_at(asked[name]) for name in ("start", "stop"))
        series = self.buckets[parameters["bucket"]].series
        for key in list(series):
            measurement, tags, _field = key
            has = {"_measurement": measurement, **dict(tags)}
            if any(has.get(name) != value for name, value in wanted.items()):
                continue
            series[key] = {at: value for at, value in series[key].items() if not start <= at <= stop}
            if not series[key]:
                del series[key]
        return 204, None

    def query(self, parameters: Mapping[str, str], body: str) -> tuple[int, Any]:
        if parameters.get("org") != ORG:
            name = parameters.get("org")
            message = f'failed to decode request body: organization name "{name}" not found'
            return _problem(400, "invalid", message)
        asked = json.loads(body)
        try:
            results = answer(asked["query"], parameters_of(asked.get("extern") or {}), self.buckets)
        except NoBucket as error:
            message = f'failed to initialize execute state: could not find bucket "{error}"'
            return _problem(404, "not found", message)
        except NotUnderstood as error:
            return _problem(400, "invalid", f"compilation failed: {error}")
        return 200, annotated_csv(results, asked["dialect"].get("annotations") or [])

    def _refusal(self, parameters: Mapping[str, str]) -> tuple[int, Any] | None:
        if parameters.get("org") != ORG:
            return _problem(404, "not found", f'organization name "{parameters.get("org")}" not found')
        if parameters.get("bucket") not in self.buckets:
            return _problem(404, "not found", f'bucket "{parameters.get("bucket")}" not found')
        return None


def _problem(status: int, code: str, message: str) -> tuple[int, Any]:
    return status, {"code": code, "message": message}


def _at(text: str) -> int:
    return int(datetime.fromisoformat(text).astimezone(UTC).timestamp()) * NS


class _Handler(BaseHTTPRequestHandler):
    standin: StandIn
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        if urlsplit(self.path).path == "/ping":
            self._answer(204, None)
        else:
            self._answer(*_problem(404, "not found", "path not found"))

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.standin.is_gone:  # an open connection ends with the server
            self.close_connection = True
            return
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        path = urlsplit(self.path).path
        parameters = {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}
        self.standin.requests.append(path)
        fault = self.standin.fault
        if fault is not None and path.startswith(fault.path):
            if fault.stalls is not None:
                fault.stalls.wait(60)
            if fault.drips is not None:
                self._drip(fault.drips)
            if fault.drops or fault.stalls is not None or fault.says or fault.drips is not None:
                self.wfile.write(fault.says)
                self.close_connection = True
                return
            headers = {} if fault.retry_after_s is None else {"Retry-After": str(fault.retry_after_s)}
            self._answer(*_problem(fault.status, "unavailable", fault.message), headers)
        elif self.headers.get("Authorization") != f"Token {TOKEN}":
            self._answer(*_problem(401, "unauthorized", "unauthorized access"))
        elif len(body) > self.standin.largest_body:
            self._answer(
                *_problem(413, "request too large", "unable to read data: points batch is too large")
            )
        else:
            self._serve(path, parameters, body.decode())

    def _drip(self, until: threading.Event) -> None:
        for byte in b"HTTP/1.1 200 OK\r\nContent-Type: text/csv\r\n\r\n" + b"#\r\n" * 1000:
            if until.wait(0.05):
                return
            try:
                self.wfile.write(bytes([byte]))
            except OSError:
                return

    def _serve(self, path: str, parameters: Mapping[str, str], body: str) -> None:
        ways = {
            "/api/v2/write": self.standin.write,
            "/api/v2/delete": self.standin.delete,
            "/api/v2/query": self.standin.query,
        }
        with self.standin.lock:
            status, content = (
                ways[path](parameters, body) if path in ways else _problem(404, "not found", path)
            )
        self._answer(status, content)

    def _answer(self, status: int, content: Any, headers: Mapping[str, str] | None = None) -> None:
        is_text = isinstance(content, str)
        data = b"" if content is None else (content if is_text else json.dumps(content)).encode()
        self.send_response(status)
        kind = "text/csv; charset=utf-8" if is_text else "application/json; charset=utf-8"
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:
        pass


@functools.lru_cache(maxsize=1)
def standin() -> StandIn:
    """Return the test process's stand-in, started at the first call."""
    return StandIn().start()
