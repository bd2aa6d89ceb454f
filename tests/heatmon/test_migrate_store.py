"""``migrate_store``: the whole history moves, however often it is killed, and equality is proven."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.core.management import call_command
from django.core.management.base import CommandError

from apps.devices.options import default_site
from apps.metrics.admission import admitted
from apps.metrics.extents import DatabaseExtents
from apps.metrics.store.base import Aggregate, Row
from apps.metrics.store.engine import SourceKey
from apps.metrics.store.front import Store
from apps.metrics.store.influxdb.engine import InfluxEngine
from apps.metrics.store.migrating import Migration
from heatmon.embedded import ProcessLock
from heatmon.options import load_options
from tests.metrics.store.engines import (
    DAY,
    ENGINES,
    METER,
    MIDNIGHT,
    engine_parameters,
    outside_row,
    power_rows,
)
from tests.metrics.store.influxdb.conftest import server
from tests.metrics.store.influxdb.standin import StandIn

from .test_influxdb_away import address_of, options_of
from .test_up import ROOT, environment

__all__ = ["server"]

DAYS = 3
ALL = [MIDNIGHT, MIDNIGHT + DAYS * DAY]


@pytest.fixture
def options(request: pytest.FixtureRequest, server: StandIn) -> dict[str, str]:
    if getattr(request, "param", "influxdb") == "influxd":
        from tests.metrics.store.influxdb.influxd import influxd

        return {**options_of(influxd().new_bucket()), "HEATMON_STORE": "sqlite"}
    return {**options_of(server.new_bucket()), "HEATMON_STORE": "sqlite"}


@pytest.fixture
def open_store(
    options: dict[str, str], settings: LazySettings, tmp_path: Path, db: None
) -> Iterator[Callable[[str], Store]]:
    settings.HEATMON = load_options(options)
    settings.DATA_DIR = tmp_path
    settings.STORE_PATH = tmp_path / "timeseries.sqlite3"
    opened: list[Store] = []

    def open_named(name: str) -> Store:
        engine = admitted(name, settings.STORE_PATH, lasting=False)
        opened.append(Store(engine, DatabaseExtents(engine)))
        return opened[-1]

    yield open_named
    for store in opened:
        store.close()


def fill(store: Store) -> None:
    site = default_site().pk
    store.write(power_rows(MIDNIGHT, [100 + n % 7 for n in range(DAYS * 288)], step_s=300))
    store.write([outside_row(MIDNIGHT, 1), outside_row(MIDNIGHT + DAY, 2, circuit="1")])
    store.write(
        [
            Row(site=site, measurement="interval", device="heatmon", at=MIDNIGHT, values={"state": 1}),
            Row(site=site, measurement="meter", device="OLD", at=MIDNIGHT, values={"power_w": 5}),
        ]
    )


def migrate(source: str, target: str) -> None:
    call_command("migrate_store", "--from", source, "--to", target)


@pytest.mark.parametrize(
    "options", engine_parameters(*[name for name in ENGINES if name != "sqlite"]), indirect=True
)
def test_a_history_moves_to_influxdb_and_back(open_store: Callable[[str], Store], tmp_path: Path) -> None:
    fill(open_store("sqlite"))
    migrate("sqlite", "influxdb")
    moved = open_store("influxdb")
    expected = [Aggregate(count=DAYS * 288 + 1, sum=88_991, min=5, max=106)]
    assert moved.sums(1, ["power_w"], ALL) == {"power_w": expected}
    assert [row.circuit for row in moved.rows(1, "heat_pump", 0, MIDNIGHT + 9 * DAY, circuit=None)] == [
        "",
        "1",
    ]
    moved.write(power_rows(MIDNIGHT + DAYS * DAY, [7]))
    (tmp_path / "timeseries.sqlite3").unlink()
    migrate("influxdb", "sqlite")
    back = open_store("sqlite")
    assert back.sums(1, ["power_w"], ALL) == {"power_w": expected}
    assert back.extent(1, "meter") == (MIDNIGHT, MIDNIGHT + DAYS * DAY)


def test_a_repeat_changes_only_what_differs(
    open_store: Callable[[str], Store], server: StandIn, capsys: pytest.CaptureFixture[str]
) -> None:
    store = open_store("sqlite")
    fill(store)
    migrate("sqlite", "influxdb")
    assert "7 days of devices are equal in both stores (7 copied now)" in capsys.readouterr().out
    store.delete(1, "meter", MIDNIGHT + DAY, MIDNIGHT + DAY + 3600)
    store.delete(1, "meter", 0, MIDNIGHT + DAY, device="OLD")
    server.requests.clear()
    migrate("sqlite", "influxdb")
    assert "(2 copied now). Set HEATMON_STORE=influxdb and start heatmon." in capsys.readouterr().out
    moved = open_store("influxdb")
    assert moved.sums(1, ["power_w"], ALL)["power_w"][0].count == DAYS * 288 - 12


def test_a_difference_at_the_end_is_an_error(
    open_store: Callable[[str], Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(open_store("sqlite"))
    monkeypatch.setattr(Migration, "copy", lambda self, day, horizon: False)
    with pytest.raises(CommandError, match="7 days differ") as caught:
        migrate("sqlite", "influxdb")
    assert caught.value.returncode == 1


def test_the_bucket_of_another_home_is_left_alone(
    open_store: Callable[[str], Store], server: StandIn
) -> None:
    fill(open_store("sqlite"))
    held = next(iter(server.buckets.values()))
    held.series[("heatmon_home", (("home", "another"),), "begun")] = {0: 1.0}
    with pytest.raises(CommandError, match="belongs to another home"):
        migrate("sqlite", "influxdb")
    assert list(held.series) == [("heatmon_home", (("home", "another"),), "begun")]


def test_it_waits_for_heatmon_to_be_stopped(open_store: Callable[[str], Store], tmp_path: Path) -> None:
    fill(open_store("sqlite"))
    with ProcessLock(tmp_path / "heatmon.lock"), pytest.raises(CommandError, match="already running"):
        migrate("sqlite", "influxdb")


def test_from_and_to_the_same_store_ends_with_two(db: None) -> None:
    with pytest.raises(CommandError) as caught:
        migrate("sqlite", "sqlite")
    assert caught.value.returncode == 2


def test_without_an_address_it_says_what_to_set(db: None) -> None:
    with pytest.raises(CommandError, match="Set HEATMON_INFLUXDB_URL"):
        migrate("sqlite", "influxdb")


# Killed in a process of its own


def run(options: dict[str, str], folder: Path, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-u", *words],
        cwd=ROOT,
        env=environment(folder, **options),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


FILL = """
import django; django.setup()
from pathlib import Path
from django.conf import settings
from django.core.management import call_command
call_command("migrate", verbosity=0)
from apps.metrics.apps import default_store
from apps.metrics.store.bulk import BulkWriter
at = list(range(1_767_225_600, 1_767_225_600 + 40 * 86_400, 300))
BulkWriter(default_store()).write_columns(1, "meter", "M", at, {"power_w": [float(t % 997) for t in at]})
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    "options", engine_parameters(*[name for name in ENGINES if name != "sqlite"]), indirect=True
)
def test_killed_at_any_point_and_started_again_it_ends_in_equal_stores(
    options: dict[str, str], tmp_path: Path
) -> None:
    environ = {**options, "DJANGO_SETTINGS_MODULE": "heatmon.settings"}
    filled = run(environ, tmp_path, "-c", FILL)
    assert filled.communicate(timeout=120)[0] == ""
    command = ("manage.py", "migrate_store", "--from", "sqlite", "--to", "influxdb")
    bucket = InfluxEngine(address_of(options))
    held = [points_in(bucket)]
    for progress in ("migrate_store: 10 %", "migrate_store: 40 %"):
        process = run(environ, tmp_path, *command)
        assert process.stdout is not None
        assert any(line.startswith(progress) for line in process.stdout)
        os.kill(process.pid, signal.SIGKILL)
        process.communicate(timeout=60)
        held.append(points_in(bucket))
        assert bucket.homes() == frozenset()
    assert held[0] == 0 < held[1] < held[2] <= 40 * 288
    process = run(environ, tmp_path, *command)
    said = process.communicate(timeout=120)[0]
    assert process.returncode == 0, said
    assert "40 days of devices are equal in both stores" in said
    assert points_in(bucket) == 40 * 288
    assert len(bucket.homes()) == 1
    bucket.close()


def points_in(bucket: InfluxEngine) -> int:
    return sum(1 for _ in bucket.points(SourceKey(1, "meter", "M", ""), ["power_w"], 0, MIDNIGHT + 99 * DAY))


def test_a_days_content_leaves_out_what_has_no_value(open_store: Callable[[str], Store]) -> None:
    store = open_store("sqlite")
    store.write(power_rows(MIDNIGHT, [1]))
    migration = Migration(store.engine, store.engine, [1])
    assert [day.start for day in migration.days()] == [MIDNIGHT]
    assert all(migration.is_equal(day) for day in migration.days())
    assert store.engine.sources(1, "meter") == [SourceKey(1, "meter", METER, "")]
