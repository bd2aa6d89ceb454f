"""A store for each test, and the clock set to one moment."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.test import Client

from apps.devices import clock
from apps.devices.models import Site
from apps.devices.options import default_site
from apps.metrics.apps import use_store
from apps.metrics.store.sqlite import SqliteStore

NOW = datetime(2026, 11, 23, 13, 5, 8, tzinfo=UTC)
"""Monday, 14:05 in Berlin; the compressor has stood since 13:30."""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    store = SqliteStore(tmp_path / "timeseries.sqlite3", synchronous="OFF")
    with use_store(store):
        yield store
    store.close()


@pytest.fixture
def site(db: None) -> Site:
    return default_site()


@pytest.fixture
def owner(client: Client, site: Site) -> Client:
    client.force_login(User.objects.create_superuser("anna"))
    return client


@pytest.fixture
def now() -> Iterator[datetime]:
    with clock.fixed(NOW):
        yield NOW


@pytest.fixture
def reader(client: Client, settings: LazySettings) -> Client:
    """Who may read all pages: as in the demo, where nobody logs in."""
    settings.DEMO = True
    return client
