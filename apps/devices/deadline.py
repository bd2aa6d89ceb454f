"""A deadline for a whole HTTP exchange.

The timeouts of requests are per read: a server that sends one byte a second is waited for without end.
``deadline(seconds)`` shuts the socket down when the time is over, whichever part of the exchange it
hangs in; ``WatchedAdapter`` makes the connections that it can reach.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection


class Watch:
    """One running exchange. ``expired``: its time was over and its socket was shut down."""

    def __init__(self, seconds: float) -> None:
        self.expired = False
        self._connection: HTTPConnection | None = None
        self._timer = threading.Timer(seconds, self._expire)
        self._timer.daemon = True

    def follow(self, connection: HTTPConnection) -> None:
        """The exchange uses this connection; the time runs from the first one on."""
        first = self._connection is None
        self._connection = connection
        if first:
            self._timer.start()

    def end(self) -> None:
        self._timer.cancel()

    def _expire(self) -> None:
        self.expired = True
        connection = self._connection
        found = connection.sock if connection is not None else None
        if isinstance(found, socket.socket):
            with suppress(OSError):  # closed in the meantime: nothing left to cut
                # Of the plain socket: that of an SSL socket would change its state under the reader.
                socket.socket.shutdown(found, socket.SHUT_RDWR)


class _Current(threading.local):
    watch: Watch | None = None


_current = _Current()


@contextmanager
def deadline(seconds: float) -> Iterator[Watch]:
    """Cut this thread's exchange off after ``seconds``. Without a watched connection nothing happens."""
    watch = _current.watch = Watch(seconds)
    try:
        yield watch
    finally:
        _current.watch = None
        watch.end()


def _follow(connection: HTTPConnection) -> None:
    if _current.watch is not None:
        _current.watch.follow(connection)


class _WatchedConnection(HTTPConnection):
    def putrequest(self, *args: Any, **kwargs: Any) -> None:
        _follow(self)
        super().putrequest(*args, **kwargs)


class _WatchedTlsConnection(HTTPSConnection):
    def putrequest(self, *args: Any, **kwargs: Any) -> None:
        _follow(self)
        super().putrequest(*args, **kwargs)


class _Pool(HTTPConnectionPool):
    ConnectionCls = _WatchedConnection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _WatchedTlsConnection


class WatchedAdapter(HTTPAdapter):
    """An HTTPAdapter whose exchanges ``deadline`` can cut off. It never retries by itself."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}
