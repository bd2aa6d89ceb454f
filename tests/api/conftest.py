"""The API's tests use the same home and clock as the pages'; those about numbers run on every engine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from apps.metrics.apps import use_store
from apps.metrics.extents import DatabaseExtents
from apps.metrics.store.front import Store
from tests.dashboard.conftest import NOW, now, reader, site
from tests.metrics.store.engines import ENGINES, engine_parameters

__all__ = ["NOW", "now", "reader", "site"]

OF_NUMBERS = {"test_energy", "test_history", "test_status"}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "store" in metafunc.fixturenames:
        everywhere = metafunc.module.__name__.rpartition(".")[2] in OF_NUMBERS
        names = () if everywhere else ("sqlite",)
        metafunc.parametrize("store", engine_parameters(*names), indirect=True)


@pytest.fixture
def store(request: pytest.FixtureRequest, tmp_path: Path, db: None) -> Iterator[Store]:
    engine = ENGINES[request.param](tmp_path)
    opened = Store(engine, DatabaseExtents(engine))
    with use_store(opened):
        yield opened
    opened.close()
