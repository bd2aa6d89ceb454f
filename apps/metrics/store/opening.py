"""Opens an engine by its name in ``HEATMON_STORE``: the one place that knows which engines there are."""

from __future__ import annotations

from pathlib import Path

from .engine import Engine
from .front import Store
from .sqlite import SqliteEngine, SqliteStore, move_aside


def open_engine(name: str, path: Path, *, must_exist: bool, lasting: bool = True) -> Engine:
    """Open the engine of the settings. ``path``: the file of an engine that has one; ``must_exist``: do not
    begin a new store; ``lasting`` False: a power cut may cost what was written last.

    Raises StoreUnavailable, StoreRefused if it is missing or damaged, ValueError for an unknown engine.
    """
    if name != "sqlite":
        raise ValueError(f"HEATMON_STORE={name} comes with a later version; use sqlite")
    return SqliteEngine(path, synchronous="FULL" if lasting else "NORMAL", must_exist=must_exist)


def set_aside(path: Path, mark: str) -> Path | None:
    """Give the store at ``path`` another name with ``mark`` in it, so that a new one can begin; return the
    name, None if there was nothing."""
    return move_aside(path, mark)


def scratch_store(folder: Path) -> Store:
    """Open a store in ``folder`` for data that nobody misses, such as a simulation's."""
    return SqliteStore(folder / "timeseries.sqlite3", synchronous="OFF")
