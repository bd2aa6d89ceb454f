"""heatmon's SQLite files as somebody else reads them."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

NOTES, SERIES = "heatmon.sqlite3", "timeseries.sqlite3"
AT = "k % 4320000000"
"""In SQL: when a row of the measured values was."""


def numbers(database: Path, sql: str) -> list[int]:
    """Return the first column of an answer."""
    with closing(sqlite3.connect(database)) as connection:
        return [row[0] for row in connection.execute(sql)]


def damaged(folder: Path) -> list[str]:
    """Return the database files below ``folder`` that do not pass SQLite's check."""
    faults = []
    for path in sorted(folder.rglob("*.sqlite3")):
        try:
            with closing(sqlite3.connect(path)) as connection:
                (answer,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
        except sqlite3.DatabaseError as error:
            answer = str(error)
        if answer != "ok":
            faults.append(f"{path.relative_to(folder)}: {answer}")
    return faults
