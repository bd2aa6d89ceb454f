"""The SQLite engine of the time-series store."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..front import Store
from .engine import SqliteEngine
from .files import move_aside

__all__ = ["SqliteEngine", "SqliteStore", "move_aside"]


class SqliteStore(Store):
    """A store in one SQLite file that is known by its path alone, for scratch data and tests. Arguments as
    ``SqliteEngine``."""

    engine: SqliteEngine

    def __init__(self, path: Path | str, **arguments: Any) -> None:
        super().__init__(SqliteEngine(path, **arguments))
