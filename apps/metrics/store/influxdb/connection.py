"""The way to one bucket: one client a process, and failures as StoreUnavailable that say what to do."""

from __future__ import annotations

import codecs
import json
import math
import os
import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from influxdb_client import (
    DeletePredicateRequest,
    DeleteService,
    InfluxDBClient,
    WritePrecision,
    WriteService,
)
from influxdb_client.client.exceptions import InfluxDBError
from influxdb_client.domain.dialect import Dialect
from influxdb_client.rest import ApiException
from urllib3.exceptions import HTTPError

from apps.devices.http import ThreadLimits, limited_pools

from ..base import StoreRefused, StoreUnavailable
from ..engine import LAST_TIME
from . import flux
from .answers import AnswerBroken, QueryFailed, records
from .lines import predicate

CONNECT_MS, WRITE_MS, READ_MS = 2_000, 5_000, 30_000
"""A poll comes every 10 s: what hangs while it is written must be over by then."""

LONGEST_ASKED_S = 900.0
"""Whoever asks to be left alone for longer is tried again all the same."""

_LONGEST_DETAIL = 300
_LARGEST_ANSWER = 512 * 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where the bucket is. ``token`` never appears in a message."""

    url: str
    org: str
    bucket: str
    token: str


class InfluxUnavailable(StoreUnavailable):
    """InfluxDB did not do what it was asked. ``code``: ``unreachable``, ``unauthorized``, ``forbidden``,
    ``not_found``, ``not_influxdb`` (something else answers), ``full`` (its disk is), ``busy``, ``refused`` (a
    line or a query), ``partial`` (some points of a write are kept, others never will be) or ``too_large``.
    ``retry_after_s``: what the server asked for."""

    def __init__(self, code: str, message: str, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.retry_after_s = retry_after_s


_BY_STATUS = {
    0: "unreachable",  # no TLS with it
    400: "refused",
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    413: "too_large",
    422: "partial",
}
_BY_INFLUXDB_ITSELF = frozenset({"refused", "unauthorized", "forbidden", "not_found", "partial"})
"""Said by anything else, such as a proxy, they mean nothing about what was asked."""

_MESSAGES = {
    "unreachable": "InfluxDB at {url} does not answer ({detail}); is it running, and is HEATMON_INFLUXDB_URL"
    " right?",
    "unauthorized": "InfluxDB does not accept the token; check HEATMON_INFLUXDB_TOKEN",
    "forbidden": "the token may not do this in bucket {bucket}; give it the right to read and write there",
    "not_found": "InfluxDB does not know organisation {org} or bucket {bucket}, or the token may not read it"
    " ({detail}); check HEATMON_INFLUXDB_ORG and HEATMON_INFLUXDB_BUCKET",
    "not_influxdb": "what answers at {url} is not InfluxDB ({detail}); check HEATMON_INFLUXDB_URL and what"
    " stands in between",
    "full": "the disk of InfluxDB is full ({detail}); make room, then follow docs/influxdb.md",
    "busy": "InfluxDB cannot do it just now ({detail})",
    "refused": "InfluxDB refused what heatmon asked ({detail})",
    "partial": "InfluxDB kept only a part of a write ({detail})",
    "too_large": "InfluxDB finds a write too large ({detail})",
}


class Gate:
    """What has to be found in order before the bucket is used. ``refusal``: why it was not."""

    def __init__(self) -> None:
        self._check: Callable[[], None] | None = None
        self._lock = threading.RLock()
        self._is_checking = False
        self._failed_at = -math.inf
        self._failure: StoreUnavailable | None = None
        self.refusal: StoreRefused | None = None

    def check_first(self, check: Callable[[], None]) -> None:
        """Call ``check`` before the next use, and again until it passes."""
        self._check = check

    def pass_through(self) -> None:
        if self._check is None:
            return
        began = time.monotonic()
        with self._lock:  # other threads wait
            if self._failure is not None and began < self._failed_at:
                raise self._failure  # not each of them for its own answer
            self._run_check()

    def _run_check(self) -> None:
        check = self._check
        if check is None or self._is_checking:  # what the check itself asks passes
            return
        self._is_checking = True
        try:
            check()
            self._check = self.refusal = None
        except StoreUnavailable as failure:
            self._failure, self._failed_at = failure, time.monotonic()
            self.refusal = failure if isinstance(failure, StoreRefused) else self.refusal
            raise
        finally:
            self._is_checking = False


class Connection:
    """Writes to, deletes from and asks one bucket. Threads and processes may share it. ``within_ms``: how
    long a request may take from its first byte to the last one of its answer."""

    def __init__(self, address: Address, gate: Gate, within_ms: int) -> None:
        self.address = address
        self._gate = gate
        self._within_ms = within_ms
        self._limits = ThreadLimits()
        self._lock = threading.Lock()
        self._closed = False
        self._process = 0
        self._client: InfluxDBClient | None = None

    def _opened(self) -> InfluxDBClient:
        """Return this process's client, for one request: connections do not survive a fork."""
        self._gate.pass_through()
        with self._lock:
            self.check_open()
            if self._client is None or self._process != os.getpid():
                self._process = os.getpid()
                self._client = InfluxDBClient(
                    self.address.url,
                    self.address.token,
                    org=self.address.org,
                    timeout=(CONNECT_MS, self._within_ms),
                )
                pools = self._client.api_client.rest_client.pool_manager
                pools.pool_classes_by_scheme = dict(limited_pools(self._limits))
            client = self._client
        self._limits.start((CONNECT_MS + self._within_ms) / 1000, _LARGEST_ANSWER)
        return client

    def check_open(self) -> None:
        """Raise StoreUnavailable once closed."""
        if self._closed:
            raise StoreUnavailable("the time-series store is closed")

    def close(self) -> None:
        """Close the client; later use raises StoreUnavailable. Closing twice is harmless."""
        with self._lock:
            self._closed = True
            if self._client is not None and self._process == os.getpid():
                self._client.close()
            self._client = None

    def write(self, lines: Sequence[str]) -> None:
        """Store lines, all or none of them, save for ``partial``."""
        client = self._opened()
        with self._translated():
            answer = WriteService(client.api_client).post_write_with_http_info(
                self.address.org,
                self.address.bucket,
                "\n".join(lines).encode(),
                precision=WritePrecision.S,
                content_type="text/plain; charset=utf-8",
            )
            self._check_done(answer)

    def delete(self, measurement: str, site: int, device: str | None, start: int, end: int) -> None:
        """Delete the points in [start, end), of all circuits."""
        start, end = max(start, 0), min(end, LAST_TIME)
        if start >= end:
            return
        client = self._opened()
        with self._translated():
            # the server's end is part of the stretch
            asked = DeletePredicateRequest(
                start=_time(start), stop=_time(end - 1), predicate=predicate(measurement, site, device)
            )
            answer = DeleteService(client.api_client).post_delete_with_http_info(
                asked, org=self.address.org, bucket=self.address.bucket
            )
            self._check_done(answer)

    def _check_done(self, answer: tuple[None, int, Mapping[str, str]]) -> None:
        """Raise for a success that is not InfluxDB's: the login page of a proxy is a 200 too."""
        _, status, _ = answer
        if status != 204:
            raise self.failure("not_influxdb", f"{status} where 204 is due")

    def ask(
        self, query: str, start: int, end: int, columns: Sequence[str], **parameters: Any
    ) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Yield (name of the result, values of ``columns``) of each row of a query's answer."""
        start, end = max(start, 0), min(end, LAST_TIME)
        if start >= end:
            return
        client = self._opened()
        given: dict[str, Any] = {
            "_bucket": self.address.bucket,
            "_start": _time(start),
            "_stop": _time(end),
            **parameters,
        }
        with self._translated():
            answer = client.query_api().query_raw(
                query, dialect=Dialect(header=True, annotations=[], delimiter=","), params=given
            )
            try:
                kind = answer.headers.get("Content-Type", "no type")
                if not kind.startswith("text/csv"):
                    raise self.failure("not_influxdb", f"{answer.status}: {kind}")
                yield from records(_lines(answer.stream(65_536)), columns)
            except BaseException:
                answer.close()  # a connection with the rest of an answer in it is of no use to the next one
                raise
            answer.release_conn()

    def ping(self) -> None:
        """Return if the bucket can be read, else raise."""
        list(self.ask(flux.ping(), 0, 1, ("_time",)))

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except ApiException as error:
            raise self._of_answer(error) from error
        except (QueryFailed, AnswerBroken) as error:
            raise self.failure("busy", str(error)) from error
        except UnicodeDecodeError as error:  # the client takes every answer to be text
            raise self.failure("not_influxdb", "its answer is not text") from error
        except (InfluxDBError, HTTPError, OSError) as error:
            raise self.failure("unreachable", type(error).__name__) from error

    def _of_answer(self, error: ApiException) -> InfluxUnavailable:
        code = _BY_STATUS.get(error.status or 0, "busy")
        told = _told(error.body)
        if (told is None and code in _BY_INFLUXDB_ITSELF) or 300 <= (error.status or 0) < 400:
            code = "not_influxdb"
        elif code == "refused" and told and "organization" in told and "not found" in told:
            code = "not_found"  # what a query is answered where a write is answered 404
        elif told and "no space left" in told:
            code = "full"
        detail = " ".join((told or error.reason or "no reason given").split())
        detail = f"{error.status}: {detail}" if error.status else detail
        return self.failure(code, detail[:_LONGEST_DETAIL], _asked_s(error.retry_after))

    def failure(self, code: str, detail: str, retry_after_s: float | None = None) -> InfluxUnavailable:
        where = self.address
        url = re.sub("//[^/]*@", "//", where.url)  # a password that somebody put into it is not shown
        message = _MESSAGES[code].format(url=url, org=where.org, bucket=where.bucket, detail=detail)
        return InfluxUnavailable(code, message, retry_after_s)


def _told(body: str | bytes | None) -> str | None:
    """Return InfluxDB's own words in the body of an error; None if it is somebody else's."""
    try:
        said = json.loads(body or "")
    except (ValueError, RecursionError):
        return None
    return str(said.get("message", "")) if isinstance(said, dict) and "code" in said else None


def _asked_s(retry_after: str | None) -> float | None:
    """Return how long a server wants to be left alone [s]; None for what is not a number of seconds."""
    try:
        asked_s = float(retry_after or "")
    except ValueError:  # a date, says HTTP, or whatever a proxy makes of it
        return None
    return min(asked_s, LONGEST_ASKED_S) if asked_s >= 0 else None  # NaN neither


def _time(at: int) -> datetime:
    return datetime.fromtimestamp(at, UTC)


def _lines(chunks: Iterable[bytes]) -> Iterator[str]:
    """Cut a stream of bytes into lines."""
    decode = codecs.getincrementaldecoder("utf-8")("replace").decode
    rest = ""
    for chunk in chunks:
        whole, newline, part = (rest + decode(chunk)).rpartition("\n")
        if newline:
            yield from whole.split("\n")
        rest = part
    if rest:
        yield rest
