"""When `up` is the demo, and when it is the real thing."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from heatmon.mode import is_demo
from heatmon.options import Options, load_options


def options(tmp_path: Path, **more: str) -> Options:
    return load_options({"HEATMON_DATA_DIR": str(tmp_path), **more})


def up(*arguments: str) -> list[str]:
    return ["manage.py", "up", *arguments]


def database(path: Path, table: str, rows: int) -> None:
    with closing(sqlite3.connect(path / "heatmon.sqlite3")) as connection, connection:
        connection.execute(f"CREATE TABLE {table} (id INTEGER)")
        connection.executemany(f"INSERT INTO {table} VALUES (?)", [(row,) for row in range(rows)])


def test_a_first_start_without_devices_is_the_demo(tmp_path: Path) -> None:
    assert is_demo(up(), {}, options(tmp_path))


def test_a_device_in_the_environment_makes_it_real(tmp_path: Path) -> None:
    assert not is_demo(up(), {}, options(tmp_path, HEATMON_SHELLY_URL="192.168.1.50"))
    assert not is_demo(up(), {}, options(tmp_path, HEATMON_VIESSMANN_CLIENT_ID="abc"))


@pytest.mark.parametrize("table", ["auth_user", "devices_device", "devices_savedoption"])
def test_an_account_a_device_or_a_saved_value_makes_it_real(tmp_path: Path, table: str) -> None:
    database(tmp_path, table, rows=1)
    assert not is_demo(up(), {}, options(tmp_path))


def test_an_empty_database_leaves_it_the_demo(tmp_path: Path) -> None:
    database(tmp_path, "auth_user", rows=0)
    assert is_demo(up(), {}, options(tmp_path))


def test_the_demo_can_be_asked_for_with_devices(tmp_path: Path) -> None:
    assert is_demo(up("--demo"), {}, options(tmp_path, HEATMON_SHELLY_URL="192.168.1.50"))


def test_a_database_server_is_never_guessed_to_be_empty(tmp_path: Path) -> None:
    assert not is_demo(up(), {}, options(tmp_path, HEATMON_DATABASE_URL="postgres://h/x"))


def test_other_commands_are_never_the_demo(tmp_path: Path) -> None:
    assert not is_demo(["manage.py", "migrate"], {}, options(tmp_path))
    assert not is_demo(up("--help"), {}, options(tmp_path))


def test_what_up_says_to_its_children_decides_first(tmp_path: Path) -> None:
    assert is_demo(["manage.py", "demo_devices"], {"HEATMON_DEMO": "1"}, options(tmp_path))
    assert not is_demo(up(), {"HEATMON_DEMO": "0"}, options(tmp_path))
