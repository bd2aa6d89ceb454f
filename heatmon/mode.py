"""Demo or real: decided once, before Django's settings are complete."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path

from .options import Options


def is_demo(argv: Sequence[str], environ: Mapping[str, str], options: Options) -> bool:
    """Return True for ``up --demo``, and for ``up`` with neither an account nor a device. HEATMON_DEMO, which
    ``up`` sets for its children, decides first."""
    if environ.get("HEATMON_DEMO"):
        return environ["HEATMON_DEMO"] == "1"
    if len(argv) < 2 or argv[1] != "up" or "--help" in argv or "-h" in argv:
        return False
    if "--demo" in argv:
        return True
    if options.database_url or options.shelly_url or options.viessmann_client_id:
        return False
    return not _is_a_home(options.data_dir)


def bind_of(argv: Sequence[str], options: Options) -> str:
    """Return the address and port that the pages are served on: ``up --bind``, else the option."""
    for number, argument in enumerate(argv):
        name, equals, value = argument.partition("=")
        if name == "--bind" and argv[1:2] == ["up"]:
            return value if equals else "".join(argv[number + 1 : number + 2])
    return str(options.bind)


def is_loopback(bind: str) -> bool:
    """Return whether only this machine can reach the pages."""
    return bind.rpartition(":")[0].strip("[]") in {"127.0.0.1", "localhost", "::1"}


def _is_a_home(data_dir: Path) -> bool:
    """Return whether somebody lives here: an account or a device is known, or measured values are there and
    the database that should know is lost or cannot be read."""
    database, series = data_dir / "heatmon.sqlite3", data_dir / "timeseries.sqlite3"
    if not database.exists() or not database.stat().st_size:
        return series.exists() and series.stat().st_size > 0
    try:
        return _has_account_or_device(database)
    except sqlite3.DatabaseError:
        return True


def _has_account_or_device(database: Path) -> bool:
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    try:
        tables = {
            name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        }
        for table in ("auth_user", "devices_device", "devices_savedoption"):
            if table in tables and connection.execute(f"SELECT 1 FROM {table} LIMIT 1").fetchone():  # noqa: S608
                return True
        return False
    finally:
        connection.close()
