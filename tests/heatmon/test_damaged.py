"""Damaged and lost files: everybody is told in a sentence, and notes are left as they are."""

from __future__ import annotations

import signal
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.db import DatabaseError, connection
from django.db.backends.sqlite3.base import DatabaseWrapper
from django.test import Client, RequestFactory

from apps.devices import storage
from apps.metrics.admission import admitted, admitted_or_set_aside
from apps.metrics.apps import use_store
from apps.metrics.store.base import Row, StoreRefused
from apps.metrics.store.sqlite import SqliteStore
from heatmon import last_resort
from heatmon.database import NotesUnusable, make_ready
from heatmon.mode import is_demo
from heatmon.options import load_options
from tests.heatmon.test_up import Up

NOTES = "The database of settings and notes is damaged, so nothing in it is changed and nothing is collected."
LOST = "The database of settings and notes is missing or empty"
READER = "Another program has kept a database open in the middle of reading"
SERIES = "The file with the measured values is damaged. Restart heatmon: it sets the file aside"


@pytest.fixture(autouse=True)
def looked_at_anew(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(storage, "_noted", {})
    storage.look_again()
    yield
    storage.look_again()


@pytest.fixture
def series(tmp_path: Path, settings: LazySettings, db: None) -> Path:
    """A home's store with a thousand rows."""
    settings.STORE_PATH = tmp_path / "timeseries.sqlite3"
    engine = admitted("sqlite", settings.STORE_PATH, lasting=False)
    engine.close()
    store = SqliteStore(settings.STORE_PATH)
    store.write(
        [Row(site=1, measurement="meter", device="M", at=at, values={"power_w": 1.0}) for at in range(9000)]
    )
    store.tidy()
    store.close()
    return Path(settings.STORE_PATH)


@pytest.fixture
def notes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that stands for the database of settings and notes."""
    path = tmp_path / "heatmon.sqlite3"
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE kept (content TEXT)")
    monkeypatch.setattr(storage, "notes_path", lambda: path)
    return path


def flip_bytes(path: Path, at: int) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        file.write(b"\xff" * 200)


# -- measured values -------------------------------------------------------------------------------------


def test_a_file_of_series_that_cannot_be_read_is_set_aside_and_a_new_one_begins(series: Path) -> None:
    flip_bytes(series, 0)
    before = series.read_bytes()
    engine = admitted_or_set_aside("sqlite", series, lasting=False)
    assert list(engine.sources(1, "meter")) == []
    engine.close()
    (aside,) = series.parent.glob("timeseries-damaged-*.sqlite3")
    assert aside.read_bytes() == before


def test_flipped_bytes_in_the_middle_are_told_and_set_aside_by_the_next_start(series: Path) -> None:
    flip_bytes(series, 40 * 4096)
    store = SqliteStore(series)
    assert store.damage() is not None
    store.close()
    assert storage.damage() == "series_damaged"
    assert storage.sentence(storage.fault()).startswith(SERIES)
    admitted_or_set_aside("sqlite", series, lasting=False).close()
    assert storage.damage() == ""
    assert len(list(series.parent.glob("timeseries-damaged-*.sqlite3"))) == 1


def test_whoever_reads_a_damaged_page_is_refused_and_the_damage_is_known(series: Path) -> None:
    store = SqliteStore(series)
    flip_bytes(series, 40 * 4096)
    flip_bytes(series, 41 * 4096)
    with pytest.raises(StoreRefused):
        list(store.rows(1, "meter", 0, 9000))
    store.close()
    assert storage.damage() == "series_damaged"


def test_a_restored_backup_is_no_damage(series: Path) -> None:
    storage.note_damage(series, "page 41 is wrong")
    engine = admitted_or_set_aside("sqlite", series, lasting=False)
    assert len(list(engine.sources(1, "meter"))) == 1
    engine.close()
    assert storage.damage() == ""


def test_every_page_tells_of_a_file_that_was_set_aside_until_somebody_takes_it_away(
    client: Client, settings: LazySettings, series: Path, scratch_store: SqliteStore
) -> None:
    settings.DEMO = True
    flip_bytes(series, 0)
    admitted_or_set_aside("sqlite", series, lasting=False).close()
    (aside,) = series.parent.glob("timeseries-damaged-*.sqlite3")
    assert f"It has been set aside as {aside.name} in the data directory" in client.get("/").content.decode()
    aside.unlink()
    assert "set aside" not in client.get("/").content.decode()


def test_a_reader_left_open_is_told_while_the_log_of_a_database_grows(
    client: Client, settings: LazySettings, series: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.DEMO = True
    monkeypatch.setattr(storage, "_opened", {})
    monkeypatch.setattr(storage, "LARGEST_LOG_BYTES", 100_000)
    storage.watch(series)
    store = SqliteStore(series)
    rows = [
        Row(site=1, measurement="meter", device="M", at=at, values={"power_w": 2.0}) for at in range(9000)
    ]
    with use_store(store), closing(sqlite3.connect(series, isolation_level=None)) as reader:
        assert READER not in client.get("/health").content.decode()
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM meter").fetchone()
        store.write(rows)
        assert READER in client.get("/health").content.decode()
        assert client.get("/readyz").json()["failing"] == []
    store.close()


# -- settings and notes ----------------------------------------------------------------------------------


def test_damaged_notes_can_be_read_and_not_changed(
    client: Client, settings: LazySettings, notes: Path, scratch_store: SqliteStore
) -> None:
    settings.DEMO = True
    storage.note_damage(notes, "page 7 is wrong")
    page = client.get("/changes")
    assert (page.status_code, NOTES in page.content.decode()) == (200, True)
    answer = client.post("/api/changelog", {"text": "a note"}, content_type="application/json")
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "unavailable")
    assert answer.json()["error"]["message"].startswith(NOTES)
    assert NOTES in client.post("/changes", {"text": "a note"}).content.decode()
    assert client.get("/readyz").json()["failing"] == ["storage"]
    assert client.get("/healthz").status_code == 200


def test_no_connection_to_a_damaged_database_writes(db: None, notes: Path) -> None:
    storage.note_damage(notes, "page 7 is wrong")
    opened = DatabaseWrapper({**connection.settings_dict, "NAME": notes, "OPTIONS": {}})
    with opened.cursor() as cursor, pytest.raises(DatabaseError, match="readonly"):
        cursor.execute("INSERT INTO kept VALUES ('more')")
    opened.close()


def test_a_page_that_meets_the_damage_tells_it_and_it_is_known_from_then_on(
    client: Client, settings: LazySettings, notes: Path, scratch_store: SqliteStore
) -> None:
    settings.DEMO = True
    damaged = sqlite3.DatabaseError("database disk image is malformed")
    damaged.sqlite_errorname = "SQLITE_CORRUPT"

    def read(run: object, sql: str, *more: object) -> None:
        raise DatabaseError(str(damaged)) from damaged

    client.raise_request_exception = False
    with connection.execute_wrapper(read):
        answer = client.get("/api/changelog")
        page = client.get("/changes")
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "unavailable")
    assert page.status_code == 503 and NOTES in page.content.decode()
    assert storage.damage() == "notes_damaged"


@pytest.mark.parametrize("is_there", [True, False], ids=["empty", "missing"])
def test_a_lost_database_beside_measured_values_is_no_new_installation(
    series: Path, notes: Path, is_there: bool
) -> None:
    notes.write_bytes(b"") if is_there else notes.unlink()
    with pytest.raises(NotesUnusable) as refused:
        make_ready()
    assert (refused.value.code, str(refused.value).startswith(LOST)) == ("notes_missing", True)
    assert not notes.exists() or notes.stat().st_size == 0


@pytest.mark.parametrize("content", [b"", b"no database at all"])
def test_a_lost_or_damaged_database_beside_measured_values_is_no_demo(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "heatmon.sqlite3").write_bytes(content)
    (tmp_path / "timeseries.sqlite3").write_bytes(b"series")
    assert not is_demo(["manage.py", "up"], {}, load_options({"HEATMON_DATA_DIR": str(tmp_path)}))


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        ("/", 503, NOTES),
        ("/setup", 503, NOTES),
        ("/api/status", 503, '"unavailable"'),
        ("/readyz", 503, '"database"'),
        ("/healthz", 200, '"ok": true'),
    ],
)
def test_without_a_database_every_address_has_an_answer(path: str, status: int, said: str) -> None:
    answer = last_resort.answer(path, "notes_damaged")
    assert (answer.status_code, said in answer.content.decode()) == (status, True)


def test_a_request_that_failed_for_the_database_before_any_page_has_a_sentence() -> None:
    try:
        raise DatabaseError("x") from None
    except DatabaseError:
        answer = last_resort.handler500(RequestFactory().get("/api/status"))
    assert (answer.status_code, answer["Content-Type"]) == (503, "application/json")


def test_heatmon_starts_on_a_damaged_database_says_so_and_changes_nothing(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    content = b"this was a database once" * 400
    (home / "heatmon.sqlite3").write_bytes(content)
    up = Up(home)
    assert "damaged" in up.line_with("database of settings and notes")
    assert NOTES in up.get("setup").text
    assert up.get("readyz").status_code == 503
    up.must_end_cleanly(signal.SIGTERM)
    assert (home / "heatmon.sqlite3").read_bytes() == content
