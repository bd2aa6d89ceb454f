"""The backup of the night: made once, tried again after a failure, told on pages and in ``/readyz``."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client

from apps.backups import folder
from apps.backups.words import BackupFailed
from apps.devices.locks import held
from apps.devices.options import default_site
from apps.metrics.store.base import StoreUnavailable
from apps.metrics.store.sqlite import SqliteStore
from heatmon import backing_up
from heatmon.backing_up import nightly

pytestmark = pytest.mark.skipif(
    connection.vendor != "sqlite", reason="on a server the copy opens a database that test cases do not allow"
)

NIGHT = datetime(2026, 11, 28, 2, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)


def names(backups: Path) -> list[str]:
    return sorted(path.name for path in backups.iterdir())


def test_it_is_made_once_a_night(scratch_store: SqliteStore, backups: Path) -> None:
    made = [nightly(scratch_store, NIGHT + n * HOUR) for n in range(25)]
    assert [n for n, one in enumerate(made) if one] == [0, 24]
    assert names(backups) == ["heatmon-20261128T023000Z.zip", "heatmon-20261129T023000Z.zip"]


def test_newer_ones_supersede_older_ones_and_no_other_file_is_touched(
    scratch_store: SqliteStore, backups: Path
) -> None:
    backups.mkdir()
    (backups / "my-own.zip").write_text("kept")
    for day in range(1, 40):
        name = folder.name_at(NIGHT - timedelta(days=day))
        (backups / name).write_text("an old one")
    nightly(scratch_store, NIGHT)
    assert len(folder.backups()) == 11
    assert (backups / "my-own.zip").exists()


def test_a_file_that_vanishes_while_the_folder_is_listed_ends_no_listing(backups: Path) -> None:
    backups.mkdir()
    for hour in range(4):
        (backups / folder.name_at(NIGHT + hour * HOUR)).write_text("whole")
    vanished = backups / folder.name_at(NIGHT + 4 * HOUR)
    vanished.symlink_to(backups / "gone")
    for hour in range(5, 9):
        (backups / folder.name_at(NIGHT + hour * HOUR)).write_text("whole")
    assert [backup.path.name for backup in folder.backups()] == [
        folder.name_at(NIGHT + hour * HOUR) for hour in (8, 7, 6, 5, 3, 2, 1, 0)
    ]


def failing(error: Exception) -> Any:
    def copy(_target: Path) -> None:
        raise error

    return copy


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (BackupFailed("damaged", "x"), "damaged", "failed its check: a database is damaged"),
        (OSError(28, "No space left on device"), "no_room", "not enough free disk space"),
        (OSError(30, "Read-only file system"), "not_writable", "folder cannot be written"),
        (StoreUnavailable("away"), "store_away", "did not answer"),
    ],
)
def test_a_failure_is_remembered_and_tried_again_an_hour_later(
    scratch_store: SqliteStore,
    backups: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    error: Exception,
    code: str,
    said: str,
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(backing_up, "copy_database", failing(error))
        assert not nightly(scratch_store, NIGHT)
    assert folder.failure() == folder.Failure(at=NIGHT, code=code)
    assert said in caplog.text
    assert names(backups) == []
    assert nightly(scratch_store, NIGHT + HOUR)
    assert folder.failure() is None


def test_a_disk_that_is_not_mounted_is_noticed(
    scratch_store: SqliteStore, backups: Path, settings: Any
) -> None:
    settings.BACKUP_DIR = backups.parent / "usb" / "heatmon"
    assert not nightly(scratch_store, NIGHT)
    assert not (backups.parent / "usb").exists()
    assert folder.failure() == folder.Failure(at=NIGHT, code="not_writable")


def test_two_are_never_made_at_once(scratch_store: SqliteStore, backups: Path) -> None:
    with held("backup"):
        assert not nightly(scratch_store, NIGHT)
    assert folder.failure() == folder.Failure(at=NIGHT, code="busy")


def test_the_copies_keep_deriving_and_filling_out_for_their_time(
    scratch_store: SqliteStore, backups: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []

    def noted(name: str, wait_s: float = 0.0) -> Any:
        seen.append(name)
        return held(name, wait_s)

    site = default_site().pk
    monkeypatch.setattr(backing_up, "held", noted)
    nightly(scratch_store, NIGHT)
    assert seen == ["backup", f"meter-memory-{site}", f"derive-{site}"]


def test_what_lives_in_memory_or_is_simulated_is_not_backed_up(
    scratch_store: SqliteStore, tmp_path: Path, settings: Any
) -> None:
    settings.BACKUP_DIR = tmp_path / "backups"
    assert not nightly(scratch_store, NIGHT)
    assert not (tmp_path / "backups").exists()


@pytest.fixture
def owner(client: Client, db: None) -> Client:
    client.force_login(get_user_model().objects.create_user("anna", password="a-long-password"))
    return client


@pytest.fixture
def at_noon() -> Iterator[None]:
    with time_machine.travel(NIGHT + 10 * HOUR, tick=False):
        yield


def test_readyz_tells_those_logged_in_how_old_the_newest_is(
    owner: Client, scratch_store: SqliteStore, backups: Path, at_noon: None
) -> None:
    assert json.loads(owner.get("/readyz").content)["backup"] is None
    nightly(scratch_store, NIGHT)
    size = (backups / "heatmon-20261128T023000Z.zip").stat().st_size
    folder.note_failure(NIGHT, "no_room")
    answer = json.loads(owner.get("/readyz").content)
    assert answer["ok"] is True
    assert answer["backup"] == {"age_s": 36_000, "size_bytes": size, "failure": "no_room"}
    assert "backup" not in json.loads(Client().get("/readyz").content)


def test_the_health_page_shows_the_newest_and_says_when_it_is_old_or_failed(
    owner: Client, scratch_store: SqliteStore, backups: Path
) -> None:
    with time_machine.travel(NIGHT, tick=False):
        assert "none yet" in owner.get("/health").content.decode()
        nightly(scratch_store, NIGHT)
        page = owner.get("/health").content.decode()
    assert "Newest backup" in page and "The last backup failed" not in page
    assert ">old</span>" not in page
    folder.note_failure(NIGHT, "no_room")
    with time_machine.travel(NIGHT + 40 * HOUR, tick=False):
        page = owner.get("/health").content.decode()
    assert "The last backup failed.</b> There is not enough free disk space for a backup." in page
    assert "old</span>" in page


def test_where_no_home_is_set_up_there_is_nothing_to_back_up(db: None, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="put HEATMON_DEMO=1 before the command") as refused:
        call_command("backup", tmp_path / "one.zip")
    assert refused.value.returncode == 2
    assert list(tmp_path.iterdir()) == []
