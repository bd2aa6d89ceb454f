"""A file is restored only if it is whole, heatmon's, of one home, and not of a newer heatmon."""

from __future__ import annotations

import json
import sqlite3
import zipfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from apps.backups.archive import make_archive
from apps.backups.checking import check, unpack
from apps.backups.words import NotRestorable

from .conftest import MADE_AT, sources_of


@pytest.fixture
def into(tmp_path: Path) -> Path:
    folder = tmp_path / "unpacked"
    folder.mkdir()
    return folder


def test_a_good_one_is_unpacked_and_says_of_when_it_is(archived: Path, into: Path) -> None:
    manifest = unpack(archived, into)
    check(into)
    assert (manifest.version, manifest.made_at) == ("0.1.0", MADE_AT)
    with closing(sqlite3.connect(into / "timeseries.sqlite3")) as series:
        assert series.execute("SELECT count(*), min(power_w), max(power_w) FROM meter").fetchone() == (
            360,
            8000,
            11_590,
        )


def flip_a_byte(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(5000)
        byte = file.read(1)
        file.seek(5000)
        file.write(bytes([byte[0] ^ 255]))


def cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def write_text(path: Path) -> None:
    path.write_text("not an archive")


def repacked(
    path: Path, change: Callable[[dict[str, bytes]], None], method: int = zipfile.ZIP_STORED
) -> None:
    with zipfile.ZipFile(path) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    change(content)
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in content.items():
            archive.writestr(name, data)


def spoil_what_lzma_packed(path: Path) -> None:
    repacked(path, lambda content: None, zipfile.ZIP_LZMA)
    packed = bytearray(path.read_bytes())
    packed[30 + len("heatmon.sqlite3") + 4] = 255  # how the first file is packed, behind its header
    path.write_bytes(packed)


def manifest_with(path: Path, **values: Any) -> None:
    def change(content: dict[str, bytes]) -> None:
        said = json.loads(content["manifest.json"]) | values
        content["manifest.json"] = json.dumps(said).encode()

    repacked(path, change)


def add_a_name_that_leads_out(path: Path) -> None:
    repacked(path, lambda content: content.update({"../evil": b"x"}))


def leave_a_database_out(path: Path) -> None:
    def change(content: dict[str, bytes]) -> None:
        del content["timeseries.sqlite3"]

    repacked(path, change)


def exchange_a_database(path: Path) -> None:
    repacked(path, lambda content: content.update({"heatmon.sqlite3": content["timeseries.sqlite3"]}))


def spoil_the_manifest(path: Path) -> None:
    repacked(
        path, lambda content: content.update({"manifest.json": b'{"application": "heatmon", "format": 1}'})
    )


def of_another_program(path: Path) -> None:
    manifest_with(path, application="other")


def of_a_newer_format(path: Path) -> None:
    manifest_with(path, format=2, version="9.0.0")


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (flip_a_byte, "is not a backup, or damaged"),
        (spoil_what_lzma_packed, "is not a backup, or damaged"),
        (cut_short, "is not a backup, or damaged"),
        (write_text, "is not a backup, or damaged"),
        (add_a_name_that_leads_out, "it holds other files"),
        (leave_a_database_out, "it holds other files"),
        (exchange_a_database, "not as large as its manifest says"),
        (spoil_the_manifest, "Its manifest cannot be read"),
        (of_another_program, "It is not a backup of heatmon"),
        (of_a_newer_format, r"A newer heatmon \(9\.0\.0\) has made it"),
    ],
)
def test_anything_else_is_refused(
    archived: Path, into: Path, spoil: Callable[[Path], None], said: str
) -> None:
    spoil(archived)
    with pytest.raises(NotRestorable, match=said):
        unpack(archived, into)


def test_a_content_that_is_not_the_one_of_the_manifest_is_refused(archived: Path, into: Path) -> None:
    def change(content: dict[str, bytes]) -> None:
        held = content["heatmon.sqlite3"]
        content["heatmon.sqlite3"] = held[:-1] + bytes([held[-1] ^ 1])

    repacked(archived, change)
    with pytest.raises(NotRestorable, match=r"heatmon\.sqlite3 in the backup is not what its manifest says"):
        unpack(archived, into)


@pytest.mark.parametrize(
    ("database", "statement", "said"),
    [
        (
            "heatmon.sqlite3",
            "INSERT INTO django_migrations (app, name, applied) VALUES ('devices', '0999_future', '2027')",
            r"it knows devices\.0999_future",
        ),
        ("heatmon.sqlite3", "DROP TABLE devices_site", "The backup is not heatmon's"),
        ("heatmon.sqlite3", "UPDATE metrics_storedhome SET uid = 'another'", "of different homes"),
        ("timeseries.sqlite3", "UPDATE meta SET value = 99 WHERE key = 'schema_version'", "time series 99"),
    ],
)
def test_databases_of_a_newer_heatmon_of_something_else_or_of_two_homes_are_refused(
    data_dir: Path, tmp_path: Path, into: Path, database: str, statement: str, said: str
) -> None:
    with closing(sqlite3.connect(data_dir / database)) as connection:
        connection.execute(statement)
        connection.commit()
    path = tmp_path / "other.zip"
    make_archive(path, sources_of(data_dir), at=MADE_AT, version="9.0.0")
    unpack(path, into)
    with pytest.raises(NotRestorable, match=said):
        check(into)
