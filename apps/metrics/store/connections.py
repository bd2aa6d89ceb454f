"""Connections of the SQLite engine: one writer under a lock, one reader a thread.

After a fork the child opens its own; the parent's are kept from being closed there, since closing them
would drop the parent's file locks.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .base import StoreUnavailable

_BUSY_S = 30.0
_STEPS_BETWEEN_LOOKS = 20_000


class Connections:
    """``synchronous``: FULL, NORMAL or OFF. ``read_limit_s``: how long one read may take."""

    def __init__(self, path: Path, *, synchronous: str, read_limit_s: float) -> None:
        if synchronous not in {"FULL", "NORMAL", "OFF"}:
            raise ValueError(f"synchronous must be FULL, NORMAL or OFF, not {synchronous!r}")
        self._path = path
        self._synchronous = synchronous
        self._read_limit_s = read_limit_s
        self._lock = threading.RLock()
        self._inherited: list[sqlite3.Connection] = []
        self._closed = False
        self._start_process()

    def _start_process(self) -> None:
        self._process = os.getpid()
        self._writer: sqlite3.Connection | None = None
        self._readers: list[tuple[threading.Thread, sqlite3.Connection]] = []
        self._local = threading.local()

    def _follow_fork(self) -> None:
        if self._process == os.getpid():
            return
        self._inherited += [connection for _, connection in self._readers]
        if self._writer is not None:
            self._inherited.append(self._writer)
        self._lock = threading.RLock()
        self._start_process()

    def _connect(self) -> sqlite3.Connection:
        if self._closed:
            raise StoreUnavailable("the time-series store is closed")
        connection = sqlite3.connect(
            self._path,
            timeout=_BUSY_S,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=512,
        )
        connection.execute("PRAGMA cache_size = -8000")
        return connection

    def _open_writer(self) -> sqlite3.Connection:
        connection = self._connect()
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute(f"PRAGMA synchronous = {self._synchronous}")
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    def _reader(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._connect()
            connection.execute("PRAGMA query_only = ON")
            with self._lock:
                self._close_readers_of_ended_threads()
                self._readers.append((threading.current_thread(), connection))
            self._local.connection = connection
        return connection

    def _close_readers_of_ended_threads(self) -> None:
        for thread, connection in self._readers:
            if not thread.is_alive():
                connection.close()
        self._readers = [pair for pair in self._readers if pair[0].is_alive()]

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """The writer connection, alone in this process and outside of a transaction."""
        self._follow_fork()
        with self._lock, _translated():
            if self._writer is None:
                self._writer = self._open_writer()
            yield self._writer

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """A write transaction: all of it is kept, or nothing. Raises StoreUnavailable."""
        with self.writing() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """This thread's reader with one snapshot for everything read inside. Raises StoreUnavailable,
        also when it takes longer than the limit."""
        self._follow_fork()
        with _translated():
            connection = self._reader()
            until = time.monotonic() + self._read_limit_s
            connection.set_progress_handler(lambda: time.monotonic() > until, _STEPS_BETWEEN_LOOKS)
            connection.execute("BEGIN")
            try:
                yield connection
            finally:
                if connection.in_transaction:
                    connection.execute("COMMIT")
                connection.set_progress_handler(None, 0)

    def close(self) -> None:
        """Close all connections; later use raises StoreUnavailable. Closing twice is harmless."""
        self._follow_fork()
        with self._lock:
            self._closed = True
            for _, connection in self._readers:
                connection.close()
            if self._writer is not None:
                self._writer.close()
            self._start_process()


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except sqlite3.OperationalError as error:
        if str(error) == "interrupted":
            raise StoreUnavailable("reading the time-series store took too long") from error
        raise StoreUnavailable(f"the time-series store cannot be used: {error}") from error
    except sqlite3.Error as error:
        raise StoreUnavailable(f"the time-series store cannot be used: {error}") from error
