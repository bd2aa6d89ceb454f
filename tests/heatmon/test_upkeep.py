"""The nightly check tells a sound file from a damaged one."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from heatmon.upkeep import quick_check


def filled(path: Path) -> Path:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE note (text)")
        connection.executemany("INSERT INTO note VALUES (?)", [("x" * 500,)] * 2000)
    return path


def test_a_sound_file_passes(tmp_path: Path) -> None:
    assert quick_check(filled(tmp_path / "a.sqlite3")) is None


def test_flipped_bytes_in_the_middle_are_found(tmp_path: Path) -> None:
    path = filled(tmp_path / "a.sqlite3")
    with path.open("r+b") as file:
        file.seek(40 * 4096)
        file.write(b"\xff" * 200)
    assert quick_check(path) is not None


def test_a_file_that_is_no_database_is_told(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite3"
    path.write_bytes(b"this is no database" * 500)
    assert "not a database" in str(quick_check(path))
