"""Checks of the files on disk."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from django.conf import settings


def damaged_files() -> Iterator[tuple[str, str]]:
    """(name, what SQLite says) of each database file that does not pass a quick check."""
    files = [Path(settings.STORE_PATH)]
    if settings.DATABASES["default"]["ENGINE"].endswith("sqlite3"):
        files.append(Path(settings.DATABASES["default"]["NAME"]))
    for file in files:
        if file.exists() and (fault := quick_check(file)) is not None:
            yield file.name, fault


def quick_check(file: Path) -> str | None:
    """None for a sound SQLite file, else what is wrong with it."""
    try:
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection:
            answer = connection.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.DatabaseError as error:
        return str(error)
    return None if answer == ("ok",) else str(answer[0])
