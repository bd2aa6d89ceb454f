"""One archive: whole or not there, consistent, and without anything that opens a door."""

from __future__ import annotations

import json
import shutil
import sqlite3
import stat
import zipfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pytest

from apps.backups.archive import make_archive
from apps.backups.words import BackupFailed
from apps.metrics.store.base import Row
from apps.metrics.store.sqlite import SqliteStore

from .conftest import MADE_AT, METER, MIDNIGHT, sources_of


def unpacked(archive: Path, name: str, folder: Path) -> sqlite3.Connection:
    with zipfile.ZipFile(archive) as opened:
        opened.extract(name, folder)
    return sqlite3.connect(folder / name)


def test_it_holds_both_databases_and_says_what_it_is(archived: Path) -> None:
    with zipfile.ZipFile(archived) as archive:
        assert archive.namelist() == ["heatmon.sqlite3", "timeseries.sqlite3", "manifest.json"]
        manifest = json.loads(archive.read("manifest.json"))
    assert {name: manifest[name] for name in ("application", "format", "version", "made_at")} == {
        "application": "heatmon",
        "format": 1,
        "version": "0.1.0",
        "made_at": "2026-11-28T02:30:00+00:00",
    }
    assert stat.S_IMODE(archived.stat().st_mode) == 0o600


def test_who_is_signed_in_is_not_in_it_not_even_in_freed_pages(archived: Path, tmp_path: Path) -> None:
    with closing(unpacked(archived, "heatmon.sqlite3", tmp_path)) as database:
        assert database.execute("SELECT count(*) FROM django_session").fetchone() == (0,)
        assert database.execute("SELECT value FROM devices_savedoption").fetchone() == ('"CHF"',)
    assert b"canary-session" not in (tmp_path / "heatmon.sqlite3").read_bytes()


def test_what_is_written_while_it_is_made_waits_for_nothing_and_is_in_the_next(
    data_dir: Path, tmp_path: Path
) -> None:
    store = SqliteStore(data_dir / "timeseries.sqlite3", synchronous="OFF")
    sources = sources_of(data_dir)

    def with_a_poll(target: Path) -> None:
        sources.series(target)
        store.write(
            [Row(site=1, measurement="meter", device=METER, at=MIDNIGHT + 3600, values={"power_w": 1})]
        )

    make_archive(tmp_path / "one.zip", replace(sources, series=with_a_poll), at=MADE_AT, version="0.1.0")
    store.close()
    with closing(unpacked(tmp_path / "one.zip", "timeseries.sqlite3", tmp_path)) as series:
        assert series.execute("SELECT count(*) FROM meter").fetchone() == (360,)


def test_both_copies_are_made_in_the_same_quiet_moment_the_time_series_first(
    data_dir: Path, tmp_path: Path
) -> None:
    seen: list[str] = []
    sources = sources_of(data_dir)

    @contextmanager
    def quiet() -> Iterator[None]:
        seen.append("quiet")
        yield
        seen.append("over")

    def noting(name: str, target: Path) -> None:
        seen.append(name)
        getattr(sources, name)(target)

    noted = replace(
        sources,
        quiet=quiet,
        series=lambda target: noting("series", target),
        database=lambda target: noting("database", target),
    )
    make_archive(tmp_path / "one.zip", noted, at=MADE_AT, version="0.1.0")
    assert seen == ["quiet", "series", "database", "over"]


def test_a_copy_that_is_damaged_becomes_no_backup(data_dir: Path, tmp_path: Path) -> None:
    def damaged(target: Path) -> None:
        sources_of(data_dir).series(target)
        with target.open("r+b") as file:
            file.seek(20 * 4096)
            file.write(b"\xff" * 4096)

    with pytest.raises(BackupFailed, match=r"the copy of timeseries\.sqlite3 is damaged") as caught:
        make_archive(
            tmp_path / "one.zip", replace(sources_of(data_dir), series=damaged), at=MADE_AT, version="0.1.0"
        )
    assert caught.value.code == "damaged"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data"]


class Usage(NamedTuple):
    total: int
    used: int
    free: int


def test_without_room_for_it_nothing_is_begun(
    data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(100, 81, 19))
    with pytest.raises(BackupFailed, match="19 bytes are free") as caught:
        make_archive(
            tmp_path / "one.zip", replace(sources_of(data_dir), size_bytes=10), at=MADE_AT, version="0.1.0"
        )
    assert caught.value.code == "no_room"


def test_what_a_killed_attempt_has_left_is_cleared_away(data_dir: Path, tmp_path: Path) -> None:
    leftover = tmp_path / ".making-abc"
    leftover.mkdir()
    (leftover / "timeseries.sqlite3").write_bytes(b"half")
    make_archive(tmp_path / "one.zip", sources_of(data_dir), at=MADE_AT, version="0.1.0")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "one.zip"]
