"""``restore``: nothing is overwritten by mistake, nothing is lost, and nothing makes room in the quota."""

from __future__ import annotations

import shutil
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from apps.backups.archive import make_archive
from apps.devices.locks import held
from heatmon.embedded import ProcessLock

from .conftest import MADE_AT, checksum, sources_of


@pytest.fixture
def in_place(data_dir: Path, settings: Any) -> Path:
    settings.DATA_DIR = data_dir
    return data_dir


def restore(path: Path, *words: str) -> str:
    said = StringIO()
    call_command("restore", str(path), *words, stdout=said)
    return said.getvalue()


def files_of(folder: Path) -> dict[str, str]:
    return {path.name: checksum(path) for path in sorted(folder.glob("*.sqlite3"))}


def test_nothing_is_overwritten_without_force(in_place: Path, archived: Path) -> None:
    before = files_of(in_place)
    with pytest.raises(CommandError, match="already holds a home. Nothing was changed") as caught:
        restore(archived)
    assert caught.value.returncode == 2
    assert files_of(in_place) == before


def test_with_force_what_was_there_is_kept_beside(in_place: Path, archived: Path) -> None:
    with closing(sqlite3.connect(in_place / "heatmon.sqlite3")) as database:
        database.execute("UPDATE devices_site SET name = 'changed since'")
        database.commit()
    before = files_of(in_place)
    (in_place / "device-secrets.key").write_text("key")
    assert "What was there before is kept in" in restore(archived, "--force")
    (aside,) = in_place.glob("before-restore-*")
    assert files_of(aside) == before
    assert files_of(in_place) != before
    assert (in_place / "device-secrets.key").read_text() == "key"


def test_a_bad_file_changes_nothing_whatever_is_forced(in_place: Path, archived: Path) -> None:
    before = files_of(in_place)
    archived.write_bytes(archived.read_bytes()[:-50])
    with pytest.raises(CommandError, match="Nothing was changed") as caught:
        restore(archived, "--force")
    assert caught.value.returncode == 2
    assert files_of(in_place) == before
    assert not (in_place / "restoring").exists()


def test_the_demos_backup_does_not_become_a_real_home(in_place: Path, tmp_path: Path, settings: Any) -> None:
    settings.DEMO = True
    make_archive(tmp_path / "demo.zip", sources_of(in_place), at=MADE_AT, version="0.1.0")
    settings.DEMO = False
    before = files_of(in_place)
    with pytest.raises(CommandError, match="backup of the demo's simulated house") as caught:
        restore(tmp_path / "demo.zip", "--force")
    assert caught.value.returncode == 2
    assert files_of(in_place) == before
    settings.DEMO = True
    assert "Restored" in restore(tmp_path / "demo.zip", "--force")


def test_a_backup_of_a_newer_heatmon_changes_nothing_either(in_place: Path, tmp_path: Path) -> None:
    newer = Path(shutil.copytree(in_place, tmp_path / "newer"))
    with closing(sqlite3.connect(newer / "heatmon.sqlite3")) as database:
        database.execute(
            "INSERT INTO django_migrations (app, name, applied) VALUES ('devices', '0999', '2027')"
        )
        database.commit()
    make_archive(tmp_path / "newer.zip", sources_of(newer), at=MADE_AT, version="9.0.0")
    before = files_of(in_place)
    with pytest.raises(CommandError, match=r"it knows devices\.0999"):
        restore(tmp_path / "newer.zip", "--force")
    assert files_of(in_place) == before


def test_it_is_refused_while_heatmon_runs(in_place: Path, archived: Path) -> None:
    with ProcessLock(in_place / "heatmon.lock"), pytest.raises(CommandError, match="already running"):
        restore(archived, "--force")


@contextmanager
def polling(folder: Path) -> Iterator[None]:
    """Hold the lock that a worker keeps."""
    begun, done = threading.Event(), threading.Event()

    def hold() -> None:
        with held("meter-1"):
            begun.set()
            done.wait()

    thread = threading.Thread(target=hold)
    thread.start()
    begun.wait()
    try:
        yield
    finally:
        done.set()
        thread.join()


def test_it_is_refused_while_a_worker_polls(in_place: Path, archived: Path) -> None:
    with polling(in_place), pytest.raises(CommandError, match="worker is running"):
        restore(archived, "--force")


def test_calls_made_since_the_backup_still_count(in_place: Path, archived: Path) -> None:
    call = "INSERT INTO devices_apicall (at, account, purpose, host) VALUES (?, 'a', 'poll', 'h')"
    with closing(sqlite3.connect(in_place / "heatmon.sqlite3")) as database:
        database.executemany(call, [("2026-11-28 02:29:59",), ("2026-11-28 02:30:01",)])
        database.commit()
    restore(archived, "--force")
    with closing(sqlite3.connect(in_place / "heatmon.sqlite3")) as database:
        assert database.execute("SELECT at FROM devices_apicall").fetchall() == [("2026-11-28 02:30:01",)]


def test_the_audit_log_says_that_it_was_restored(in_place: Path, archived: Path) -> None:
    restore(archived, "--force")
    with closing(sqlite3.connect(in_place / "heatmon.sqlite3")) as database:
        assert database.execute("SELECT action, detail FROM accounts_auditentry").fetchall() == [
            ("restore", "backup of 2026-11-28T02:30:00+00:00")
        ]
