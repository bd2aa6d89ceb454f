"""HTTP over sockets with a total deadline and a size cap, for the meter and for the cloud.

The timeouts of requests are per read, so that a server sending a byte a second is never cut. Here each
read gets what is left of the whole exchange: handshake, head and body, a login included.
"""

from __future__ import annotations

import io
import math
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from http.client import HTTPResponse
from typing import Any

from requests import PreparedRequest, Response
from requests.adapters import HTTPAdapter
from requests.exceptions import ConnectTimeout
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

MAX_HEAD_BYTES = 64 * 1024

PermittedIp = Callable[[str, int], str]


class AnswerTooLarge(OSError):
    """More came than the device has to say."""


class Limits:
    """What is left of one exchange. Monotonic time, as the wall clock may jump."""

    def __init__(self) -> None:
        self._deadline = math.inf
        self._bytes_left = MAX_HEAD_BYTES

    def start(self, seconds: float, max_bytes: int) -> None:
        self._deadline = time.monotonic() + seconds
        self._bytes_left = max_bytes + MAX_HEAD_BYTES

    def extend(self, seconds: float) -> None:
        """Leave out a wait of ours."""
        self._deadline += seconds

    def remaining(self) -> float:
        """Return the seconds left. Raises TimeoutError when there are none."""
        remaining = self._deadline - time.monotonic()
        if remaining <= 0:
            raise TimeoutError("the answer took too long")
        return remaining

    def take(self, count: int) -> None:
        self._bytes_left -= count
        if self._bytes_left < 0:
            raise AnswerTooLarge("the answer is too large")


class ThreadLimits(threading.local, Limits):
    """Limits of each thread's own exchange."""


class _LimitedStream(io.RawIOBase):
    def __init__(self, sock: socket.socket, stream: io.RawIOBase, limits: Limits) -> None:
        super().__init__()
        self._sock, self._stream, self._limits = sock, stream, limits

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._sock.settimeout(self._limits.remaining())
        count: int | None = self._stream.readinto(buffer)
        self._limits.take(count or 0)
        return count

    def close(self) -> None:
        self._stream.close()
        super().close()


def limited_pools(limits: Limits) -> Mapping[str, type[HTTPConnectionPool]]:
    """Return urllib3's pools by scheme, of connections that keep to ``limits``."""

    class LimitedResponse(HTTPResponse):
        def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
            super().__init__(sock, *args, **kwargs)
            self.fp = io.BufferedReader(_LimitedStream(sock, self.fp.detach(), limits))

    class Connection(HTTPConnection):
        response_class = LimitedResponse

    class SecureConnection(HTTPSConnection):
        response_class = LimitedResponse

    class Pool(HTTPConnectionPool):
        ConnectionCls = Connection

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = SecureConnection

    return {"http": Pool, "https": SecurePool}


class LimitedAdapter(HTTPAdapter):
    """One connection to one device, used by one thread at a time, within ``limits``. It never retries.

    ``permitted_ip`` checks and resolves a host that a user typed; None leaves it to the system.
    """

    def __init__(self, *, connect_timeout_s: float, permitted_ip: PermittedIp | None = None) -> None:
        self.limits = Limits()
        self._connect_timeout_s = connect_timeout_s
        self._permitted_ip = permitted_ip
        self._checked: dict[tuple[str, int], str] = {}
        super().__init__(pool_connections=1, pool_maxsize=1)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = dict(limited_pools(self.limits))

    def send(self, request: PreparedRequest, *args: Any, **kwargs: Any) -> Response:
        try:
            remaining = self.limits.remaining()
        except TimeoutError as error:
            raise ConnectTimeout(error, request=request) from error
        kwargs["timeout"] = (min(self._connect_timeout_s, remaining), remaining)
        return super().send(request, *args, **kwargs)

    def build_connection_pool_key_attributes(self, *args: Any, **kwargs: Any) -> Any:
        host, tls = super().build_connection_pool_key_attributes(*args, **kwargs)
        if self._permitted_ip is not None:
            place = host["host"].strip("[]"), host["port"] or 80
            if place not in self._checked:
                self._checked[place] = self._permitted_ip(*place)
            host["host"] = self._checked[place]
        return host, tls

    def close(self) -> None:
        self._checked.clear()
        super().close()


def capped(chunks: Iterable[bytes], max_bytes: int) -> Iterator[bytes]:
    """Pass a body on in pieces. Raises AnswerTooLarge once more than ``max_bytes`` came."""
    for chunk in chunks:
        max_bytes -= len(chunk)
        if max_bytes < 0:
            raise AnswerTooLarge("the answer is too large")
        yield chunk


def causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield the error and what it was made of: requests and urllib3 put causes into ``args`` and
    ``reason``."""
    seen: list[BaseException] = []
    waiting = [error]
    while waiting:
        current = waiting.pop()
        if current is None or any(current is known for known in seen):
            continue
        seen.append(current)
        yield current
        parts = (current.__cause__, current.__context__, getattr(current, "reason", None), *current.args)
        waiting += [part for part in parts if isinstance(part, BaseException)]  # a reason may be a text


def caused_by(error: BaseException, *kinds: type[BaseException]) -> bool:
    """Return whether one of ``kinds`` is among the causes of ``error``."""
    return any(isinstance(cause, kinds) for cause in causes(error))
