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
        self._sockets: list[socket.socket] = []
        self._timer = threading.Timer(seconds, self._expire)
        self._timer.daemon = True
        self._running = False

    def start(self) -> None:
        """The time runs, from the first request on."""
        if not self._running:
            self._running = True
            self._timer.start()

    def follow(self, used: object) -> None:
        """The exchange uses this socket. Kept here, for the connection forgets it while the answer is still
        read from it."""
        if isinstance(used, socket.socket):
            self._sockets.append(used)

    def end(self) -> None:
        self._timer.cancel()
        self._sockets.clear()

    def _expire(self) -> None:
        self.expired = True
        for used in list(self._sockets):
            with suppress(OSError):  # closed in the meantime: nothing left to cut
                # Of the plain socket: that of an SSL socket would change its state under the reader.
                socket.socket.shutdown(used, socket.SHUT_RDWR)


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


class _Watched:
    """Mixed into a connection: tells the current watch which socket is in use."""

    sock: object

    def connect(self) -> None:
        if _current.watch is not None:
            _current.watch.start()
        super().connect()  # type: ignore[misc]
        if _current.watch is not None:
            _current.watch.follow(self.sock)

    def putrequest(self, *args: Any, **kwargs: Any) -> None:
        if _current.watch is not None:
            _current.watch.start()
            _current.watch.follow(self.sock)
        super().putrequest(*args, **kwargs)  # type: ignore[misc]


class _WatchedConnection(_Watched, HTTPConnection):
    pass


class _WatchedTlsConnection(_Watched, HTTPSConnection):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = _WatchedConnection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _WatchedTlsConnection


class WatchedAdapter(HTTPAdapter):
    """An HTTPAdapter whose exchanges ``deadline`` can cut off. It never retries by itself."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}
