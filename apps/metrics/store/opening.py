"""Opens an engine by its name in ``HEATMON_STORE``: the one place that knows which engines there are."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings

from .base import StoreUnavailable
from .engine import Engine
from .front import Store
from .sqlite import SqliteEngine, SqliteStore, move_aside

ENGINES = ("sqlite", "influxdb")


def open_engine(name: str, path: Path, *, must_exist: bool, lasting: bool = True) -> Engine:
    """Open the engine of the settings. ``path``: the file of an engine that has one; ``must_exist``: do not
    begin a new file; ``lasting`` False: a power cut may cost what was written last.

    Raises StoreUnavailable, StoreRefused if it is missing or damaged, ValueError for an unknown engine.
    """
    if name == "sqlite":
        return SqliteEngine(path, synchronous="FULL" if lasting else "NORMAL", must_exist=must_exist)
    if name == "influxdb":
        return _influx_engine()
    raise ValueError(f"HEATMON_STORE={name} is not known; use sqlite or influxdb")


def _influx_engine() -> Engine:
    # Loaded only where it is used: the client takes half a second and 40 MB.
    from .influxdb.connection import Address
    from .influxdb.engine import InfluxEngine

    options = settings.HEATMON
    address = Address(
        url=options.influxdb_url,
        org=options.influxdb_org,
        bucket=options.influxdb_bucket,
        token=options.influxdb_token,
    )
    return InfluxEngine(address)


def set_aside(name: str, path: Path, mark: str) -> Path | None:
    """Give the store another name with ``mark`` in it, so that a new one can begin; return the name, None if
    there was nothing. Raises StoreUnavailable for a store that cannot be renamed."""
    if name == "sqlite":
        return move_aside(path, mark)
    engine = open_engine(name, path, must_exist=False)
    begun = engine.homes()
    engine.close()
    if begun:
        raise StoreUnavailable(
            f"The bucket {settings.HEATMON.influxdb_bucket} is another home's and is left as it is. Make an"
            " empty bucket, name it in HEATMON_INFLUXDB_BUCKET and do this again"
        )
    return None


def scratch_store(folder: Path) -> Store:
    """Open a store in ``folder`` for data that nobody misses, such as a simulation's."""
    return SqliteStore(folder / "timeseries.sqlite3", synchronous="OFF")
