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
from typing import NamedTuple

from apps.devices import crash_points, storage

from ..base import StoreRefused, StoreUnavailable
from .files import is_damage

_BUSY_S = 30.0
_STEPS_BETWEEN_LOOKS = 20_000
_LARGEST_LOG_BYTES = 16 * 2**20  # what a large import leaves of the write-ahead log until the night


class _Reader(NamedTuple):
    """A thread's own connection; ``in_use`` is held while it reads."""

    thread: threading.Thread
    connection: sqlite3.Connection
    in_use: threading.Lock


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
        self._identity: tuple[int, int] | None = None
        self._start_process()

    def _start_process(self) -> None:
        self._process = os.getpid()
        self._writer: sqlite3.Connection | None = None
        self._readers: list[_Reader] = []
        self._local = threading.local()

    def _follow_fork(self) -> None:
        if self._process == os.getpid():
            return
        self._inherited += [reader.connection for reader in self._readers]
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
        connection.execute("PRAGMA cache_size = -2000")  # the system's own cache is as fast
        self._identity = self._identity or storage.identity(self._path)
        return connection

    def _open_writer(self) -> sqlite3.Connection:
        connection = self._connect()
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute(f"PRAGMA synchronous = {self._synchronous}")
            connection.execute(f"PRAGMA journal_size_limit = {_LARGEST_LOG_BYTES}")
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    def _reader(self) -> _Reader:
        reader: _Reader | None = getattr(self._local, "reader", None)
        if reader is None:
            connection = self._connect()
            connection.execute("PRAGMA query_only = ON")
            reader = _Reader(threading.current_thread(), connection, threading.Lock())
            with self._lock:
                self._close_readers_of_ended_threads()
                self._readers.append(reader)
            self._local.reader = reader
        return reader

    def _close_readers_of_ended_threads(self) -> None:
        for reader in self._readers:
            if not reader.thread.is_alive():
                reader.connection.close()
        self._readers = [reader for reader in self._readers if reader.thread.is_alive()]

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Hold the writer connection, alone in this process and outside of a transaction."""
        self._follow_fork()
        with self._alone(), self._translated():
            if self._writer is None:
                self._writer = self._open_writer()
            if storage.identity(self._path) != self._identity:
                raise _unavailable("its file was deleted or replaced", "replaced")
            wait_s = storage.patience_s()
            if wait_s is None:
                yield self._writer
                return
            self._writer.execute(f"PRAGMA busy_timeout = {round(1000 * wait_s)}")
            try:
                yield self._writer
            finally:
                self._writer.execute(f"PRAGMA busy_timeout = {round(1000 * _BUSY_S)}")

    @contextmanager
    def _alone(self) -> Iterator[None]:
        wait_s = storage.patience_s()
        if not self._lock.acquire(timeout=-1 if wait_s is None else wait_s):
            raise _unavailable("another thread is writing", "locked")
        try:
            yield
        finally:
            self._lock.release()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Open a write transaction: all of it is kept, or nothing. Raises StoreUnavailable."""
        with self.writing() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                crash_points.reached("store.write")
                connection.execute("COMMIT")
                crash_points.reached("store.written")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Hold this thread's reader with one snapshot for everything read inside. Raises StoreUnavailable,
        also when it takes longer than the limit."""
        self._follow_fork()
        with self._translated():
            reader = self._reader()
            with reader.in_use:
                if self._closed:
                    raise StoreUnavailable("the time-series store is closed")
                connection = reader.connection
                until = time.monotonic() + self._read_limit_s
                connection.set_progress_handler(
                    lambda: self._closed or time.monotonic() > until, _STEPS_BETWEEN_LOOKS
                )
                connection.execute("BEGIN")
                try:
                    yield connection
                finally:
                    if connection.in_transaction:
                        connection.execute("COMMIT")
                    connection.set_progress_handler(None, 0)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError as error:
            if str(error) == "interrupted":
                raise StoreUnavailable("reading the time-series store took too long") from error
            raise _unavailable(error, storage.code_of(error)) from error
        except sqlite3.DatabaseError as error:
            if is_damage(error):
                storage.note_damage(self._path, str(error))
                raise StoreRefused("damaged", f"the time-series store cannot be read: {error}") from error
            raise StoreUnavailable(f"the time-series store cannot be used: {error}") from error
        except sqlite3.Error as error:
            raise StoreUnavailable(f"the time-series store cannot be used: {error}") from error

    def close(self) -> None:
        """Close all connections; later use raises StoreUnavailable. Closing twice is harmless.

        Reads under way in other threads are broken off first: SQLite does not bear a connection that is
        closed while it works.
        """
        self._follow_fork()
        with self._lock:
            self._closed = True
            for reader in self._readers:
                with reader.in_use:
                    reader.connection.close()
            if self._writer is not None:
                self._writer.close()
            self._start_process()


def _unavailable(reason: object, code: str) -> StoreUnavailable:
    unavailable = StoreUnavailable(f"the time-series store cannot be used: {reason}")
    unavailable.code = code
    return unavailable
