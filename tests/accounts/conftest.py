"""A store for each test, the clock set to one moment, an owner with a password."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.core.cache import cache
from django.test import Client

from apps.devices import clock
from apps.metrics.apps import use_store
from apps.metrics.store.sqlite import SqliteStore

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
PASSWORD = "brine-and-copper-42"


@pytest.fixture(autouse=True)
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    store = SqliteStore(tmp_path / "timeseries.sqlite3", synchronous="OFF")
    with use_store(store):
        yield store
    store.close()


@pytest.fixture(autouse=True)
def now() -> Iterator[datetime]:
    with clock.fixed(NOW):
        yield NOW


@pytest.fixture(autouse=True)
def home(tmp_path: Path, settings: LazySettings) -> Path:
    """A data directory of its own; sessions do not outlive a test; hashing costs no time."""
    cache.clear()
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.HOME_DATA_DIR = settings.DATA_DIR = tmp_path / "home"
    settings.HOME_DATA_DIR.mkdir(mode=0o700)
    return Path(settings.HOME_DATA_DIR)


@pytest.fixture
def owner(db: None) -> User:
    return User.objects.create_superuser("anna", password=PASSWORD)


@pytest.fixture
def signed_in(client: Client, owner: User) -> Client:
    client.force_login(owner)
    return client
