"""“Back up now”: asked for on a page, made off the request from the real store, told in words."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.test import Client

from apps.accounts.models import AuditEntry
from apps.accounts.roles import create_reader
from apps.backups import folder, under_way
from apps.backups.archive import vacuum_into
from apps.devices import clock
from apps.devices.locks import held
from apps.metrics.store.sqlite import SqliteStore
from heatmon import backing_up
from heatmon.backing_up import asked_for, nightly

pytestmark = pytest.mark.skipif(
    connection.vendor != "sqlite", reason="on a server the copy opens a database that test cases do not allow"
)

NOON = datetime(2026, 11, 28, 12, 0, 3, tzinfo=UTC)
TURN = datetime(2026, 11, 28, 12, 0, 7, tzinfo=UTC)
MADE = "heatmon-20261128T120007Z.zip"


@pytest.fixture
def owner(client: Client, db: None, backups: Path) -> Iterator[Client]:
    client.force_login(get_user_model().objects.create_superuser("anna"))
    with clock.fixed(NOON):
        yield client


def press(client: Client) -> Any:
    return client.post("/settings", {"section": "backups"}, headers={"HX-Request": "true"})


def look(client: Client) -> str:
    """Return the section as the page asks for it while it waits."""
    address = f"/settings?section=backups&since={int(NOON.timestamp())}"
    return client.get(address, headers={"HX-Request": "true"}).content.decode()


def test_it_is_made_by_the_job_and_the_page_says_when_how_large_and_where(
    owner: Client, scratch_store: SqliteStore, backups: Path
) -> None:
    piece = press(owner).content.decode()
    assert "The backup begins within a few seconds." in piece
    assert f"since={int(NOON.timestamp())}" in piece
    assert list(backups.glob("*")) == [], "nothing is made in the request"
    assert asked_for(scratch_store, TURN)
    with zipfile.ZipFile(backups / MADE) as archive:
        assert {"heatmon.sqlite3", "timeseries.sqlite3"} <= set(archive.namelist())
    piece = look(owner)
    assert "Backup made and checked: " in piece
    assert str(backups / MADE) in piece
    assert "28 Nov 2026, 13:00" in piece
    assert "hx-trigger" not in piece, "nothing is waited for any more"
    assert "Backup made and checked" not in owner.get("/settings").content.decode()
    assert not asked_for(scratch_store, TURN + timedelta(seconds=15))
    assert AuditEntry.objects.filter(action="backup_asked", actor="anna").count() == 1


def test_without_javascript_the_page_comes_back_and_shows_it(
    owner: Client, scratch_store: SqliteStore, backups: Path
) -> None:
    response = owner.post("/settings", {"section": "backups"})
    assert response["Location"] == "/settings#backups"
    assert "A backup is about to begin." in owner.get("/settings").content.decode()
    asked_for(scratch_store, TURN)
    assert MADE in owner.get("/settings").content.decode()


def test_a_second_press_says_that_one_is_under_way(
    owner: Client, scratch_store: SqliteStore, backups: Path
) -> None:
    press(owner)
    assert "A backup is under way already." in press(owner).content.decode()
    under_way.begin(TURN)
    piece = press(owner).content.decode()
    assert "A backup is under way already." in piece
    assert "A backup is being made, since" in piece
    under_way.end()
    assert under_way.current() is None


def test_while_the_backup_of_the_night_is_being_made_a_press_says_so(
    owner: Client,
    scratch_store: SqliteStore,
    backups: Path,
    monkeypatch: pytest.MonkeyPatch,
    empty_database: Path,
) -> None:
    said: list[str] = []

    def look_meanwhile(target: Path) -> None:
        said.append(press(owner).content.decode())
        vacuum_into(empty_database, target)

    monkeypatch.setattr(backing_up, "copy_database", look_meanwhile)
    assert nightly(scratch_store, NOON)
    assert "A backup is under way already." in said[0]
    assert not asked_for(scratch_store, TURN), "the one under way is the one that was wanted"


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(28, "No space left on device"), "There is not enough free disk space for a backup."),
        (OSError(30, "Read-only file system"), "The backup folder cannot be written."),
    ],
)
def test_a_failure_is_told_in_words_and_the_next_good_one_takes_it_back(
    owner: Client,
    scratch_store: SqliteStore,
    backups: Path,
    monkeypatch: pytest.MonkeyPatch,
    error: OSError,
    said: str,
) -> None:
    def fail(_target: Path) -> None:
        raise error

    press(owner)
    with monkeypatch.context() as patched:
        patched.setattr(backing_up, "copy_database", fail)
        assert not asked_for(scratch_store, TURN)
    piece = look(owner)
    assert said in piece
    assert "The backup of " in piece
    press(owner)
    assert asked_for(scratch_store, TURN)
    assert said not in look(owner)


def test_one_that_runs_by_command_is_told_as_busy(
    owner: Client, scratch_store: SqliteStore, backups: Path
) -> None:
    press(owner)
    with held("backup"):
        assert not asked_for(scratch_store, TURN)
    assert "The data was in use for too long." in look(owner)


def test_one_that_ended_with_its_process_is_told_and_not_begun_again(
    owner: Client, scratch_store: SqliteStore, backups: Path
) -> None:
    press(owner)
    under_way.begin(TURN)
    assert not asked_for(scratch_store, TURN + timedelta(minutes=5))
    assert "heatmon was stopped while the backup was being made." in look(owner)
    press(owner)
    assert asked_for(scratch_store, TURN + timedelta(minutes=6))


def test_one_that_nobody_takes_up_is_told_after_two_minutes(owner: Client, backups: Path) -> None:
    press(owner)
    with clock.fixed(NOON + timedelta(minutes=2)):
        assert "A backup is about to begin." in look(owner)
    with clock.fixed(NOON + timedelta(minutes=2, seconds=1)):
        assert "but nothing has begun it" in look(owner)


def test_a_data_directory_that_takes_no_file_is_told(owner: Client, backups: Path, settings: Any) -> None:
    settings.DATA_DIR = backups / "away"
    assert "The backup folder cannot be written." in press(owner).content.decode()


def test_only_the_owner_asks_and_nobody_in_the_demo(owner: Client, backups: Path, settings: Any) -> None:
    owner.force_login(create_reader("ben", "correct horse battery", notes=True))
    assert press(owner).status_code == 403
    assert "Back up now" not in owner.get("/health").content.decode()
    settings.DEMO = True
    assert press(owner).status_code == 403
    assert "Back up now" not in owner.get("/settings").content.decode()
    assert under_way.current() is None


def test_the_list_names_each_backup_with_its_size(owner: Client, backups: Path) -> None:
    backups.mkdir()
    for days, size in ((1, 2_000_000), (2, 1_000_000)):
        name = folder.name_at(NOON - timedelta(days=days))
        (backups / name).write_bytes(b"0" * size)
    page = owner.get("/settings").content.decode()
    assert "heatmon-20261127T120003Z.zip" in page
    assert "heatmon-20261126T120003Z.zip" in page
    assert "2 files, 2.9" in page
    assert "1.9" in page
