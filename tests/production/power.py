"""heatmon's own SQL on files whose writes and syncs are written down, so that the power can be cut anywhere.

    python -m tests.production.power FOLDER [NORMAL]

Migrates, polls, calls, notes and checkpoints with its data in FOLDER, and leaves ``log.pickle`` there. The
recorder is SQLite's own access to files with five functions replaced. With NORMAL commits are not synced.
"""

from __future__ import annotations

import _sqlite3
import ctypes
import os
import pickle
import random
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

START = datetime(2026, 1, 12, 6, 0, tzinfo=UTC)
POLLS = 240
METHODS_BYTES, VFS_BYTES = 152, 168
NAME_AT, OPEN_AT, DELETE_AT = 24, 40, 48
WRITE_AT, TRUNCATE_AT, SYNC_AT = 24, 32, 40

# The path is passed on as the pointer that it is: SQLite keeps it, and names the -shm file by it later.
_Open = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p
)
_Delete = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int)
_Write = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int, ctypes.c_int64)
_Truncate = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int64)
_Sync = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int)


class Step(NamedTuple):
    """``what``: write, truncate, sync or delete of file ``name``, or ack, with ``content`` acknowledged."""

    what: str
    name: str = ""
    at: int = 0
    content: Any = b""


@dataclass
class Recorder:
    """Everything that SQLite did to files below ``folder``, in order."""

    folder: Path
    steps: list[Step] = field(default_factory=list)
    _names: dict[int, str] = field(default_factory=dict)
    _kept: list[Any] = field(default_factory=list)
    _methods: dict[int, int] = field(default_factory=dict)

    def acknowledge(self, content: tuple[str, int]) -> None:
        self.steps.append(Step("ack", content=content))

    @contextmanager
    def recording(self) -> Iterator[Recorder]:
        """Let each connection opened inside of this block be recorded; close them inside, too."""
        library = ctypes.CDLL(_sqlite3.__file__)
        library.sqlite3_vfs_find.restype = ctypes.c_void_p
        usual = library.sqlite3_vfs_find(None)
        own = ctypes.create_string_buffer(ctypes.string_at(usual, VFS_BYTES), VFS_BYTES)
        name = ctypes.create_string_buffer(b"recording")
        opened = _Open(_function(usual, OPEN_AT))
        deleted = _Delete(_function(usual, DELETE_AT))

        def open_(_vfs: int, path: int | None, file: int, flags: int, out: int) -> int:
            code = int(opened(usual, path, file, flags, out))
            if code == 0 and path is not None:
                self._follow(file, ctypes.string_at(path).decode())
            return code

        def delete(_vfs: int, path: bytes, sync: int) -> int:
            self._note("delete", path.decode())
            return int(deleted(usual, path, sync))

        self._kept += [own, name, _Open(open_), _Delete(delete)]
        _put(ctypes.addressof(own), NAME_AT, ctypes.addressof(name))
        _put(ctypes.addressof(own), OPEN_AT, ctypes.cast(self._kept[-2], ctypes.c_void_p).value)
        _put(ctypes.addressof(own), DELETE_AT, ctypes.cast(self._kept[-1], ctypes.c_void_p).value)
        library.sqlite3_vfs_register(ctypes.byref(own), 1)
        try:
            yield self
        finally:
            library.sqlite3_vfs_register(ctypes.c_void_p(usual), 1)

    def _follow(self, file: int, path: str) -> None:
        methods = ctypes.c_void_p.from_address(file).value or 0
        self._names[file] = path
        if methods not in self._methods:
            self._methods[methods] = self._replaced(methods)
        ctypes.c_void_p.from_address(file).value = self._methods[methods]

    def _replaced(self, methods: int) -> int:
        """Return a copy of a file's functions, of which those that change it write that down first."""
        own = ctypes.create_string_buffer(ctypes.string_at(methods, METHODS_BYTES), METHODS_BYTES)
        written, truncated, synced = (
            kind(_function(methods, at))
            for kind, at in ((_Write, WRITE_AT), (_Truncate, TRUNCATE_AT), (_Sync, SYNC_AT))
        )

        def write(file: int, content: int, size: int, at: int) -> int:
            self._note("write", self._names[file], at, ctypes.string_at(content, size))
            return int(written(file, content, size, at))

        def truncate(file: int, size: int) -> int:
            self._note("truncate", self._names[file], size)
            return int(truncated(file, size))

        def sync(file: int, flags: int) -> int:
            code = int(synced(file, flags))
            self._note("sync", self._names[file])
            return code

        for at, function in (
            (WRITE_AT, _Write(write)),
            (TRUNCATE_AT, _Truncate(truncate)),
            (SYNC_AT, _Sync(sync)),
        ):
            self._kept.append(function)
            _put(ctypes.addressof(own), at, ctypes.cast(function, ctypes.c_void_p).value)
        self._kept.append(own)
        return ctypes.addressof(own)

    def _note(self, what: str, path: str, at: int = 0, content: bytes = b"") -> None:
        if path.startswith(str(self.folder)) and not path.endswith("-shm"):
            self.steps.append(Step(what, Path(path).name, at, content))


def _function(table: int, at: int) -> int:
    return ctypes.c_void_p.from_address(table + at).value or 0


def _put(table: int, at: int, value: int | None) -> None:
    ctypes.c_void_p.from_address(table + at).value = value


def after_power_cut(steps: Sequence[Step], cut: int, seed: int) -> dict[str, bytes]:
    """Return the files as a power cut after ``cut`` steps leaves them: what was synced is there, of the rest
    a random part, by chance none."""
    chance = random.Random(seed)
    files: dict[str, bytearray] = {}
    pending: dict[str, list[Step]] = defaultdict(list)
    for step in steps[:cut]:
        if step.what == "sync":
            for one in pending.pop(step.name, []):
                _apply(files, one)
        elif step.what != "ack":
            pending[step.name].append(step)
    keeps = chance.choice((0.0, 0.5, 0.9))
    for waiting in pending.values():
        for one in waiting:
            if one.what == "delete" or chance.random() < keeps:
                _apply(files, one)
    return {name: bytes(content) for name, content in files.items()}


def _apply(files: dict[str, bytearray], step: Step) -> None:
    if step.what == "delete":
        files.pop(step.name, None)
        return
    content = files.setdefault(step.name, bytearray())
    if step.what == "truncate":
        del content[step.at :]
        return
    content.extend(bytes(max(0, step.at + len(step.content) - len(content))))
    content[step.at : step.at + len(step.content)] = step.content


def main(folder: Path, synchronous: str) -> None:
    recorder = Recorder(folder)
    with recorder.recording():
        import django

        django.setup()
        from django.conf import settings
        from django.db import connection

        from apps.changelog.notes import add_note
        from apps.devices.budget import CallBudget
        from apps.devices.options import default_site
        from apps.metrics.store.base import Row
        from apps.metrics.store.sqlite import SqliteStore
        from heatmon.database import make_ready

        if synchronous != "FULL":
            options = settings.DATABASES["default"]["OPTIONS"]
            options["init_command"] = options["init_command"].replace("FULL", synchronous)
        make_ready()
        site = default_site()
        store = SqliteStore(folder / "timeseries.sqlite3", synchronous=synchronous)
        budget = CallBudget("account", clock=lambda: START)
        for number in range(POLLS):
            at = START + timedelta(seconds=10 * number)
            second = int(at.timestamp())
            store.write([Row(site=1, measurement="meter", device="M", at=second, values={"power_w": 1.0})])
            recorder.acknowledge(("meter", second))
            if number % 6 == 0:
                recorder.acknowledge(("call", budget.charge("poll", "cloud", at + timedelta(hours=number))))
                recorder.acknowledge(("note", add_note(site, f"note {number}", at, "owner").id))
            if number in {80, 160}:
                store.tidy()
                with connection.cursor() as cursor:
                    cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        store.close()
        connection.close()
    (folder / "log.pickle").write_bytes(pickle.dumps([tuple(step) for step in recorder.steps]))


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "heatmon.settings")
    main(Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else "FULL")
