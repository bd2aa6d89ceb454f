"""The engines that the contract suite runs on, and how tests look inside one."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from _pytest.mark import ParameterSet

from apps.metrics.store.base import Row, Waiting
from apps.metrics.store.engine import Engine
from apps.metrics.store.front import Store
from apps.metrics.store.sqlite import SqliteEngine, SqliteStore
from apps.metrics.store.sqlite.tables import KEY_SPAN, LEVELS

DAY = 86_400
MIDNIGHT = 1_767_225_600  # 2026-01-01T00:00:00Z, a Thursday
METER = "A8032ABE54DC"
INFLUXD = os.environ.get("HEATMON_TEST_INFLUXDB") or shutil.which("influxd")
"""Path of a real server; None where there is none."""


def _on_standin(folder: Path) -> Engine:
    # Imported late: a child process of a test imports this module before Django is set up.
    from apps.metrics.store.influxdb.engine import InfluxEngine

    from .influxdb.standin import standin

    return InfluxEngine(standin().new_bucket())


def _on_influxd(folder: Path) -> Engine:
    from apps.metrics.store.influxdb.engine import InfluxEngine

    from .influxdb.influxd import influxd

    return InfluxEngine(influxd().new_bucket())


ENGINES: dict[str, Callable[[Path], Engine]] = {
    "sqlite": lambda folder: SqliteEngine(folder / "timeseries.sqlite3", synchronous="OFF"),
    "influxdb": _on_standin,
}
"""Every engine, empty and in a folder of its own: the contract suite runs on each. ``influxd``: a real
server, where one is found."""

if INFLUXD is not None:
    ENGINES["influxd"] = _on_influxd


def engine_parameters(*names: str) -> list[ParameterSet]:
    """Return the names, or all engines, as parameters of a test; a real server can be asked for by its
    marker."""
    marks = {"influxd": [pytest.mark.influxd]}
    return [pytest.param(name, marks=marks.get(name, [])) for name in names or ENGINES]


needs_influxd = pytest.mark.skipif(
    INFLUXD is None, reason="no influxd is found (HEATMON_TEST_INFLUXDB, PATH)"
)
"""For a test that only a real server can serve; it wants the marker ``influxd`` too."""


def power_row(at: int, power_w: float | None, *, site: int = 1, device: str = METER) -> Row:
    return Row(site=site, measurement="meter", device=device, at=at, values={"power_w": power_w})


def power_rows(start: int, values: Iterable[float | None], step_s: int = 10) -> list[Row]:
    return [power_row(start + index * step_s, value) for index, value in enumerate(values)]


def outside_row(at: int, temperature_c: float | None, *, circuit: str = "", site: int = 1) -> Row:
    values = {"outside_temperature_c": temperature_c}
    return Row(site=site, measurement="heat_pump", device="7571", at=at, values=values, circuit=circuit)


def waiting(store: Store) -> Waiting:
    found = store.waiting()
    assert found is not None
    return found


def content(store: SqliteStore) -> dict[str, list[Any]]:
    """Everything the file holds, with names instead of ids (those depend on who came first)."""
    connection = sqlite3.connect(store.engine.path)
    try:
        sources = {
            row[0]: row[1:]
            for row in connection.execute(
                "SELECT id, site, measurement, device, circuit, rolled_to, minute_from FROM source"
            )
        }
        series = {
            id_: (*sources[source], field)
            for id_, source, field in connection.execute("SELECT id, source, field FROM series")
        }
        held: dict[str, list[Any]] = {"source": sorted(sources.values())}
        for name in store.engine.tables:
            rows = connection.execute(f'SELECT * FROM "{name}"').fetchall()
            held[name] = sorted((sources[k // KEY_SPAN], k % KEY_SPAN, str(rest)) for k, *rest in rows)
        for level in LEVELS:
            rows = connection.execute(f"SELECT * FROM r{level}").fetchall()
            held[f"r{level}"] = sorted((series[k // KEY_SPAN], k % KEY_SPAN, *rest) for k, *rest in rows)
        return held
    finally:
        connection.close()
