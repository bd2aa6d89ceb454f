"""One log line an event: control characters escaped, secrets masked. Nobody needs to read the lines: what a
full pipe does not take waits, then is dropped, and no thread ever stands still for it.
"""

from __future__ import annotations

import atexit
import logging
import os
import queue
import threading

from .masking import masked

LINES_WAITING = 1000
FLUSH_WITHIN_S = 1.0


class OneLineFormatter(logging.Formatter):
    """Time, level, logger, message in one line; a traceback follows with its newlines escaped."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        line = masked(super().format(record))
        return "".join(
            character if character.isprintable() else character.encode("unicode_escape").decode()
            for character in line
        )


class Outlet:
    """Lines on their way to a file descriptor, written by a thread of their own.

    At most ``room`` lines wait; more are dropped, and how many is written once something is read again.
    """

    def __init__(self, descriptor: int, room: int = LINES_WAITING) -> None:
        self._descriptor = descriptor
        self._room = room
        self._begin()
        os.register_at_fork(after_in_child=self._begin)
        atexit.register(self.flush)

    def _begin(self) -> None:
        """Start empty; a child made by fork has its own lines and no thread yet."""
        self._lines: queue.Queue[str] = queue.Queue(self._room)
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()
        self._dropped = 0

    def put(self, line: str) -> None:
        """Write a line soon, or drop it; return at once."""
        try:
            self._lines.put_nowait(line)
        except queue.Full:
            self._dropped += 1
        with self._starting:
            if self._thread is None:
                self._thread = threading.Thread(target=self._write, name="log", daemon=True)
                self._thread.start()

    def flush(self, within_s: float = FLUSH_WITHIN_S) -> None:
        """Wait until all lines are written, but not long."""
        with self._lines.all_tasks_done:
            self._lines.all_tasks_done.wait_for(lambda: not self._lines.unfinished_tasks, within_s)

    def _write(self) -> None:
        while True:
            line = self._lines.get()
            dropped, self._dropped = self._dropped, 0
            if dropped:
                line = f"{dropped} lines were dropped here, as nobody read them\n{line}"
            left = f"{line}\n".encode(errors="backslashreplace")
            try:
                while left:
                    left = left[os.write(self._descriptor, left) :]
            except OSError:
                self._dropped += dropped + 1  # closed: there is nobody to tell
            self._lines.task_done()


_output, _errors = Outlet(1), Outlet(2)


def say(line: str) -> None:
    """Write a line to the standard output, if anybody reads it."""
    _output.put(line)


def flush() -> None:
    """Wait a moment for what is on its way."""
    _output.flush()
    _errors.flush()


class PatientHandler(logging.Handler):
    """Logs to the standard error output, if anybody reads it."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            _errors.put(self.format(record))
        except Exception:  # noqa: BLE001  (as logging's own handlers: no line may end what logs it)
            self.handleError(record)
