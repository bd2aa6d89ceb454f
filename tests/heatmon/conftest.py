"""A home for each test, on a winter's morning."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from apps.backups.archive import vacuum_into
from apps.metrics.apps import use_store
from apps.metrics.store.sqlite import SqliteStore
from apps.simulator.world import SimulatedWorld
from heatmon import backing_up
from tests.backups.conftest import empty_database  # noqa: F401  (a fixture)
from tests.factories import JANUARY, Home

MakeHome = Callable[..., Home]


@pytest.fixture
def scratch_store(tmp_path: Path, db: None) -> Iterator[SqliteStore]:
    store = SqliteStore(tmp_path / "timeseries.sqlite3", synchronous="OFF")
    with use_store(store):
        yield store
    store.close()


@pytest.fixture
def backups(
    tmp_path: Path,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
    empty_database: Path,  # noqa: F811
) -> Path:
    settings.BACKUP_DIR = tmp_path / "backups"
    settings.DATA_DIR = tmp_path
    monkeypatch.setattr(backing_up, "_has_something_to_lose", lambda: True)
    monkeypatch.setattr(backing_up, "copy_database", partial(vacuum_into, empty_database))
    return tmp_path / "backups"


@pytest.fixture
def make_home(scratch_store: SqliteStore, tmp_path: Path) -> MakeHome:
    """Makes a home whose meter has remembered for ``remembers_h`` hours."""

    def make(remembers_h: float = 0.0, **world: Any) -> Home:
        made = SimulatedWorld(3, JANUARY - timedelta(hours=remembers_h), **world)
        made.advance_to(JANUARY)
        return Home(made, scratch_store, tmp_path)

    return make


@pytest.fixture
def home(make_home: MakeHome) -> Home:
    return make_home()
