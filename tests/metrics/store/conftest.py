"""A store of each engine, empty and in a folder of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from apps.devices.models import Site
from apps.metrics.extents import DatabaseExtents
from apps.metrics.store.front import Store
from apps.metrics.store.sqlite import SqliteStore

from .engines import ENGINES, engine_parameters


@pytest.fixture(params=engine_parameters())
def store(request: pytest.FixtureRequest, tmp_path: Path, db: None) -> Iterator[Store]:
    """A store as ``default_store`` makes it, for the homes 1 and 2."""
    for number in (1, 2):
        Site.objects.get_or_create(pk=number)
    engine = ENGINES[request.param](tmp_path)
    opened = Store(engine, DatabaseExtents(engine))
    yield opened
    opened.close()


@pytest.fixture
def sqlite_store(tmp_path: Path) -> Iterator[SqliteStore]:
    opened = SqliteStore(tmp_path / "timeseries.sqlite3", synchronous="OFF")
    yield opened
    opened.close()
