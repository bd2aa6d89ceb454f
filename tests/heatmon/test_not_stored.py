"""A full disk, a lock, a file that was taken away: nothing is lost in silence, and everybody is told why."""

from __future__ import annotations

import errno
import logging
import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import OperationalError, connection
from django.db.backends.sqlite3.base import DatabaseWrapper
from django.test import Client

from apps.devices import storage
from apps.devices.errors import DeviceUnreachable
from apps.devices.models import SourceState
from apps.devices.options import default_site
from apps.metrics.store.base import Row, StoreUnavailable
from apps.metrics.store.sqlite import SqliteStore
from heatmon.database import told_in_a_sentence
from heatmon.embedded import Runner
from heatmon.schedule import Job
from tests.dashboard import house
from tests.full_disk import full_disk

FULL = "The disk is full: nothing can be stored until some space is free again."
GONE = (
    "A database file was deleted or replaced while heatmon was running, so nothing can be stored. Stop"
    " heatmon, put the file back, and start it again."
)
LOCKED = "The database is busy with another write, so nothing was stored. Try again in a moment."
POLL = Job(name="poll", period_s=10, offset_s=0, expires_s=5, thread="meter")


@pytest.fixture(autouse=True)
def untouched(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(storage, "_opened", {})
    monkeypatch.setattr(storage, "_noted", {})
    storage.look_again()
    yield
    storage.look_again()


@pytest.fixture
def reader(client: Client, settings: LazySettings, scratch_store: SqliteStore) -> Client:
    settings.DEMO = True
    return client


@pytest.fixture
def no_room(monkeypatch: pytest.MonkeyPatch) -> None:
    def write(descriptor: int, content: bytes) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "write", write)


def raised_by(work: Callable[[], Any]) -> sqlite3.Error:
    with pytest.raises(sqlite3.Error) as caught:
        work()
    return caught.value


def sqlite_full(folder: Path) -> sqlite3.Error:
    """What SQLite raises where there is no page left."""
    small = sqlite3.connect(folder / "small.sqlite3")
    small.execute("CREATE TABLE kept (content BLOB)")
    small.execute("PRAGMA max_page_count = 2")
    return raised_by(lambda: small.execute("INSERT INTO kept VALUES (zeroblob(100000))"))


def sqlite_locked(folder: Path) -> sqlite3.Error:
    """What SQLite raises while another program writes."""
    holder, other = (sqlite3.connect(folder / "held.sqlite3", timeout=0) for _ in range(2))
    holder.execute("BEGIN IMMEDIATE")
    return raised_by(lambda: other.execute("BEGIN IMMEDIATE"))


def failing(error: sqlite3.Error) -> Callable[..., Any]:
    """Let every INSERT of the ORM fail like that."""

    def execute(run: Callable[..., Any], sql: str, *arguments: Any) -> Any:
        if sql.startswith("INSERT"):
            raise OperationalError(str(error)) from error
        return run(sql, *arguments)

    return execute


def add_note(reader: Client) -> tuple[int, dict[str, Any]]:
    answer = reader.post("/api/changelog", {"text": "bled the radiators"}, content_type="application/json")
    return answer.status_code, answer.json()


def one_turn(work: Callable[[datetime], Any]) -> None:
    runner = Runner([POLL], {"poll": work})
    runner._run(POLL, datetime(2026, 1, 12, tzinfo=UTC))


# -- no room ---------------------------------------------------------------------------------------------


@pytest.mark.skipif(connection.vendor != "sqlite", reason="on a server the disk is the server's")
def test_a_note_on_a_full_disk_is_unavailable_and_not_internal(
    transactional_db: None, reader: Client
) -> None:
    with full_disk():
        assert add_note(reader) == (503, {"error": {"code": "unavailable", "message": FULL, "field": None}})


def test_readyz_tries_whether_there_is_room(reader: Client, no_room: None) -> None:
    answer = reader.get("/readyz")
    assert (answer.status_code, answer.json()["failing"]) == (503, ["storage"])


def test_every_page_says_that_the_disk_is_full(reader: Client, no_room: None) -> None:
    assert FULL in reader.get("/health").content.decode()


def test_with_room_nothing_is_said_and_nothing_is_left(reader: Client, settings: LazySettings) -> None:
    assert reader.get("/readyz").json()["failing"] == []
    assert storage.fault() == ""
    assert not list(Path(settings.DATA_DIR).glob(".room*"))


def test_a_job_that_cannot_store_is_noted_until_it_can_and_logged_once(
    db: None, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = SqliteStore(tmp_path / "store.sqlite3")
    row = Row(site=1, measurement="meter", device="a", at=0, values={"power_w": 1.0})
    with store.engine._connections.writing() as writer:
        pages = writer.execute("PRAGMA page_count").fetchone()[0]
        writer.execute(f"PRAGMA max_page_count = {pages}")
    rows = [Row(site=1, measurement="meter", device="a", at=at, values=row.values) for at in range(5000)]
    with caplog.at_level(logging.INFO):
        for _ in range(3):
            one_turn(lambda _at: store.write(rows))
        assert storage.fault() == "disk_full"
        one_turn(lambda _at: None)
    assert storage.fault() == ""
    assert [record.getMessage() for record in caplog.records if record.name == "heatmon.embedded"] == [
        f"poll: {FULL}",
        "poll: what it brings can be stored again",
    ]
    store.close()


def test_a_source_whose_values_cannot_be_stored_is_not_called_stopped(reader: Client, no_room: None) -> None:
    house.set_up(default_site())
    SourceState.objects.create(
        site=default_site(), source="meter", last_success_at=datetime(2026, 1, 12, tzinfo=UTC)
    )
    assert reader.get("/api/status").json()["meter"]["message"] == FULL


def test_a_command_on_a_full_disk_ends_with_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    full = sqlite_full(tmp_path)
    with pytest.raises(SystemExit) as ended, told_in_a_sentence():
        raise OperationalError(str(full)) from full
    assert (ended.value.code, capsys.readouterr().err) == (1, f"CommandError: {FULL}\n")


def test_a_poll_that_only_its_device_fails_could_store_that(db: None) -> None:
    def away(_at: datetime) -> None:
        raise DeviceUnreachable("timeout", host="192.168.1.50")

    storage.note("poll", "locked")
    one_turn(away)
    assert storage.fault() == ""


def test_what_a_job_noted_long_ago_says_nothing_of_now(monkeypatch: pytest.MonkeyPatch) -> None:
    storage.note("derive", "locked")
    assert storage.fault() == "locked"
    later = time.monotonic() + 61
    monkeypatch.setattr(time, "monotonic", lambda: later)
    assert storage.fault() == ""


# -- locked ----------------------------------------------------------------------------------------------


def test_a_note_while_another_program_holds_the_database_is_unavailable(
    reader: Client, tmp_path: Path
) -> None:
    with connection.execute_wrapper(failing(sqlite_locked(tmp_path))):
        assert add_note(reader) == (503, {"error": {"code": "unavailable", "message": LOCKED, "field": None}})


def test_a_poll_that_meets_a_busy_database_is_a_warning_and_not_called_lost(
    db: None, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def meet(_at: datetime) -> None:
        busy = sqlite_locked(tmp_path)
        raise OperationalError(str(busy)) from busy

    one_turn(meet)
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("WARNING", "poll: the database is busy with another write; the next turn stores it")
    ]


# -- a file that was taken away --------------------------------------------------------------------------


@pytest.fixture(params=["deleted", "replaced"])
def other_file(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """The database file that was opened, deleted or replaced since."""
    path = tmp_path / "heatmon.sqlite3"
    path.write_bytes(b"one")
    storage.watch(path)
    assert not storage.is_replaced()
    if request.param == "replaced":
        (tmp_path / "copy").write_bytes(b"one")
        (tmp_path / "copy").rename(path)
    else:
        path.unlink()
    return path


def test_a_note_is_refused_that_would_go_into_a_file_without_a_name(reader: Client, other_file: Path) -> None:
    assert add_note(reader) == (503, {"error": {"code": "unavailable", "message": GONE, "field": None}})


def test_a_form_is_refused_with_a_page(reader: Client, other_file: Path) -> None:
    answer = reader.post("/changes", {"text": "bled the radiators"})
    assert answer.status_code == 503
    assert answer.content.decode().count(GONE) == 1


def test_readyz_and_pages_tell_of_it(reader: Client, other_file: Path) -> None:
    answer = reader.get("/readyz")
    assert (answer.status_code, answer.json()["failing"]) == (503, ["storage"])
    assert GONE in reader.get("/").content.decode()


def test_no_job_writes_into_it(db: None, other_file: Path) -> None:
    turns: list[datetime] = []
    one_turn(turns.append)
    assert (turns, storage.fault()) == ([], "replaced")


def test_the_store_refuses_to_write_into_a_file_that_was_taken_away(db: None, tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite3"
    store = SqliteStore(path)
    row = Row(site=1, measurement="meter", device="a", at=0, values={"power_w": 1.0})
    store.write([row])
    path.unlink()
    with pytest.raises(StoreUnavailable) as caught:
        store.write([row])
    assert caught.value.code == "replaced"
    store.close()


def test_djangos_database_is_watched_from_its_first_connection(db: None, tmp_path: Path) -> None:
    path = tmp_path / "heatmon.sqlite3"
    given = {**connection.settings_dict, "NAME": path, "OPTIONS": {}}
    opened = DatabaseWrapper(given)
    opened.ensure_connection()
    assert not storage.is_replaced()
    path.unlink()
    assert storage.is_replaced()
    opened.close()
