"""A home for each test, on a winter's morning."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from apps.metrics.apps import use_store
from apps.metrics.store.sqlite import SqliteStore
from apps.simulator.world import SimulatedWorld
from tests.factories import JANUARY, Home

MakeHome = Callable[..., Home]


@pytest.fixture
def scratch_store(tmp_path: Path, db: None) -> Iterator[SqliteStore]:
    store = SqliteStore(tmp_path / "timeseries.sqlite3", synchronous="OFF")
    with use_store(store):
        yield store
    store.close()


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
