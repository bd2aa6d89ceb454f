"""A scratch store and a home for tests of the derived numbers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from apps.devices.models import Site
from apps.metrics.store.sqlite import SqliteStore

from .data import SITE


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    scratch = SqliteStore(tmp_path / "timeseries.sqlite3", synchronous="OFF")
    yield scratch
    scratch.close()


@pytest.fixture
def site(db: None) -> Site:
    return Site.objects.create(id=SITE)
