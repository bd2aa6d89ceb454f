"""waitress within limits: what one client, or a crowd, can hold of the server.

A request must come in whole within seconds, whatever it drips; a body is small and kept in memory; a client
has its share of the connections, and where there are too many, the one that has waited longest for its client
makes room. All of it happens in waitress's own loop, so that no thread of the pages ever waits for a request.
"""

from __future__ import annotations

import time
from typing import Any

from waitress.adjustments import Adjustments
from waitress.channel import HTTPChannel
from waitress.server import TcpWSGIServer
from waitress.task import ErrorTask, ThreadedTaskDispatcher

from apps.accounts.api_errors import error_response
from apps.accounts.middleware import BODY_LIMIT_BYTES

HEAD_LIMIT_BYTES = 64 * 1024
HEAD_WITHIN_S = 10
REQUEST_WITHIN_S = 40  # 1 MB by a slow uplink
IDLE_S = 60  # between two requests of one connection; pages ask every 10 s
TAKEN_WITHIN_S = 60  # an answer of which nothing is taken any more
LOOK_EVERY_S = 0.5
CONNECTIONS = 120
CONNECTIONS_PER_CLIENT = 24


class Refusal(ErrorTask):  # type: ignore[misc]
    """The server's own no, under /api/ in the API's shape."""

    def execute(self) -> None:
        error = self.request.error
        if "/api/" not in getattr(self.request, "path", ""):
            super().execute()
            return
        body = error_response(error.code, error.reason).content
        self.status = f"{error.code} {error.reason}"
        self.response_headers.append(("Content-Type", "application/json"))
        self.set_close_on_finish()
        self.content_length = len(body)
        self.write(body)


class Channel(HTTPChannel):  # type: ignore[misc]
    """One connection, and since when its client keeps us waiting (monotonic seconds)."""

    error_task_class = Refusal

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.since = self.moved_at = time.monotonic()
        self.begun = True  # a connection without a request is as good as half a head
        super().__init__(*args, **kwargs)

    def readable(self) -> bool:
        # Closed while waitress goes through its sockets: the number would be watched, and given to whoever
        # comes next, who would be closed for it.
        return self._fileno is not None and bool(super().readable())

    def writable(self) -> bool:
        return self._fileno is not None and bool(super().writable())

    def received(self, data: bytes) -> bool:
        if not self.begun:
            self.begun, self.since = True, time.monotonic()
        return bool(super().received(data))

    def send(self, data: bytes, do_close: bool = True) -> int:
        now = time.monotonic()
        count = int(super().send(data, do_close=do_close))
        if count:
            self.moved_at = now
        return count

    def service(self) -> None:
        self.begun = False
        super().service()

    def is_waiting(self) -> bool:
        """Return whether it is the client's turn."""
        return not (self.requests or self.total_outbufs_len)

    def is_overdue(self, now: float) -> bool:
        """Return whether its client has kept us waiting for too long."""
        waited_s = now - max(self.since, self.moved_at)
        if not self.is_waiting():
            return self.total_outbufs_len > 0 and waited_s > TAKEN_WITHIN_S
        request = self.request
        if request is None and not self.begun:
            return waited_s > IDLE_S
        in_body = request is not None and request.headers_finished
        return waited_s > (REQUEST_WITHIN_S if in_body else HEAD_WITHIN_S)


class Listener(TcpWSGIServer):  # type: ignore[misc]
    """One listening socket with its connections."""

    channel_class = Channel
    looked_at = 0.0
    shared_client: str | None = None
    """The reverse proxy's address: many people behind it, so it has no share."""

    def readable(self) -> bool:
        """Close what is overdue, and go on listening. waitress asks before each look at the sockets."""
        now = time.monotonic()
        if now - self.looked_at >= LOOK_EVERY_S:
            self.looked_at = now
            for channel in list(self.active_channels.values()):
                if channel.is_overdue(now):
                    channel.handle_close()
        return bool(self.accepting)

    def handle_accept(self) -> None:
        super().handle_accept()
        self._make_room()

    def _make_room(self) -> None:
        channels = [channel for channel in self.active_channels.values() if not channel.will_close]
        if not channels:
            return
        client = channels[-1].addr[0]
        theirs = [channel for channel in channels if channel.addr[0] == client]
        if len(channels) > CONNECTIONS:
            crowd = channels
        elif len(theirs) > CONNECTIONS_PER_CLIENT and client != self.shared_client:
            crowd = theirs
        else:
            return
        waiting = [channel for channel in crowd[:-1] if channel.is_waiting()] or crowd[-1:]
        min(waiting, key=lambda channel: channel.since).will_close = True


def listeners(
    application: Any, loop: dict[int, Any], *, threads: int, shared_client: str | None, **where: Any
) -> list[Listener]:
    """Return the servers for ``host`` and ``port``, or for ``sockets`` that listen already, and put them into
    ``loop``, the map of waitress's loop."""
    options = Adjustments(
        threads=threads,
        ident="heatmon",
        clear_untrusted_proxy_headers=False,  # whom to believe is decided in wsgi.py alone
        max_request_body_size=BODY_LIMIT_BYTES + 1,
        max_request_header_size=HEAD_LIMIT_BYTES,
        inbuf_overflow=BODY_LIMIT_BYTES + 1,
        **where,
    )
    dispatcher = ThreadedTaskDispatcher()
    dispatcher.set_thread_count(threads)
    given = [(one, (one.family, one.type, one.proto, one.getsockname())) for one in options.sockets]
    made = [
        Listener(
            application,
            loop,
            _sock=one,
            dispatcher=dispatcher,
            adj=options,
            sockinfo=info,
            bind_socket=one is None,
        )
        for one, info in given or [(None, info) for info in options.listen]
    ]
    for listener in made:
        listener.shared_client = shared_client
    return made
