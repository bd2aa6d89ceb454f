"""Two small databases of one home as files, as heatmon leaves them, and their backup."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing, nullcontext
from datetime import UTC, datetime
from functools import partial
from hashlib import sha256
from pathlib import Path

import pytest
from django.db import connection
from pytest_django import DjangoDbBlocker

from apps.backups.archive import Sources, make_archive, vacuum_into
from apps.backups.relational import opened_file
from apps.metrics.store.base import Row
from apps.metrics.store.sqlite import SqliteStore

MADE_AT = datetime(2026, 11, 28, 2, 30, tzinfo=UTC)
UID = "0f8fad5bd9cb469fa16570867728950e"
MIDNIGHT = 1_767_225_600
METER = "A8032ABE54DC"
LEFT_OUT = {"django_session", "accounts_auditentry", "sqlite_sequence"}


@pytest.fixture(scope="session")
def empty_database(
    tmp_path_factory: pytest.TempPathFactory, django_db_setup: None, django_db_blocker: DjangoDbBlocker
) -> Path:
    """A database of this version, as a file."""
    path = tmp_path_factory.mktemp("migrated") / "heatmon.sqlite3"
    with django_db_blocker.unblock():
        if connection.vendor == "sqlite" and connection.introspection.table_names():
            with connection.cursor() as cursor:
                cursor.execute("VACUUM INTO %s", [str(path)])
        else:  # none of the tests of this run uses Django's database, or it is on a server
            with opened_file(path):
                pass
    return path


@pytest.fixture(scope="session")
def known_home(tmp_path_factory: pytest.TempPathFactory, empty_database: Path) -> Path:
    """A home with one saved option, one session and an hour of power."""
    folder = tmp_path_factory.mktemp("home")
    shutil.copy(empty_database, folder / "heatmon.sqlite3")
    with closing(sqlite3.connect(folder / "heatmon.sqlite3")) as database:
        database.executescript(
            f"""
            INSERT INTO devices_site (id, name, created_at) VALUES (1, 'Lindenweg', '2026-01-01');
            INSERT INTO metrics_storedhome (site_id, uid, began_at) VALUES (1, '{UID}', '2026-01-01');
            INSERT INTO devices_savedoption (site_id, name, value, saved_at)
              VALUES (1, 'currency', '"CHF"', '2026-01-01');
            INSERT INTO django_session VALUES ('canary-session', 'x', '2099-01-01');
            """
        )
    store = SqliteStore(folder / "timeseries.sqlite3", synchronous="OFF")
    store.write(
        Row(site=1, measurement="meter", device=METER, at=MIDNIGHT + 10 * n, values={"power_w": 800.0 + n})
        for n in range(360)
    )
    store.engine.add_home(UID)
    store.close()
    return folder


@pytest.fixture(scope="session")
def known_backup(tmp_path_factory: pytest.TempPathFactory, known_home: Path) -> Path:
    path = tmp_path_factory.mktemp("archive") / "heatmon-20261128T023000Z.zip"
    make_archive(path, sources_of(known_home), at=MADE_AT, version="0.1.0")
    return path


@pytest.fixture
def data_dir(tmp_path: Path, known_home: Path) -> Path:
    """The home, for this test alone."""
    return Path(shutil.copytree(known_home, tmp_path / "data"))


@pytest.fixture
def archived(tmp_path: Path, known_backup: Path) -> Path:
    """Its backup, for this test alone."""
    return Path(shutil.copy2(known_backup, tmp_path))


def sources_of(folder: Path) -> Sources:
    return Sources(
        series=partial(vacuum_into, folder / "timeseries.sqlite3"),
        database=partial(vacuum_into, folder / "heatmon.sqlite3"),
        quiet=nullcontext,
        size_bytes=0,
    )


def checksum(path: Path) -> str:
    """Return a checksum of all rows of an SQLite file; no backup has sessions, and a restore is noted in the
    audit log."""
    found = sha256()
    with closing(sqlite3.connect(path)) as database:
        tables = database.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY 1").fetchall()
        for table in (name for (name,) in tables if name not in LEFT_OUT):
            for row in database.execute(f'SELECT * FROM "{table}" ORDER BY 1'):  # noqa: S608
                found.update(repr((table, row)).encode())
    return found.hexdigest()
