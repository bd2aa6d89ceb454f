"""``python -m bench.influxdb``: one year of a home in SQLite and in a real InfluxDB, in one run.

Needs influxd 2: HEATMON_TEST_INFLUXDB=its path, or on the PATH. Prints a Markdown table.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

DAY_S = 86_400
COMPACTED_WITHIN_S = 600


class Measured(NamedTuple):
    """The median [ms] of a question on either store."""

    name: str
    sqlite_ms: float
    influxdb_ms: float


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.influxdb", description=__doc__)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--fields", type=int, default=12, help="of the meter's ten-second rows (default all)")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="heatmon-bench-") as scratch:
        _set_up_django(Path(scratch))
        for line in measured(Path(scratch), asked):
            sys.stdout.write(line + "\n")
            sys.stdout.flush()
    return 0


def _set_up_django(folder: Path) -> None:
    from .__main__ import _set_up_django as set_up

    set_up(folder / "django")
    from django.core.management import call_command

    from apps.devices.options import default_site

    call_command("migrate", verbosity=0)
    default_site()


def measured(folder: Path, asked: argparse.Namespace) -> Iterator[str]:
    from apps.metrics.extents import DatabaseExtents
    from apps.metrics.store.front import Store
    from apps.metrics.store.influxdb.engine import InfluxEngine
    from apps.metrics.store.sqlite import SqliteStore
    from tests.metrics.store.engines import INFLUXD
    from tests.metrics.store.influxdb.influxd import start

    assert INFLUXD is not None, "no influxd is found (HEATMON_TEST_INFLUXDB, PATH)"
    server = start(
        INFLUXD,
        "--storage-cache-snapshot-write-cold-duration=10s",
        "--storage-compact-full-write-cold-duration=30s",
    )
    try:
        engine = InfluxEngine(server.new_bucket())
        influxdb = Store(engine, DatabaseExtents(engine))
        sqlite = SqliteStore(folder / "timeseries.sqlite3")
        yield f"empty influxd: {memory_mib(server.process.pid)}"
        samples = 0
        for name, store in (("SQLite", sqlite), ("InfluxDB", influxdb)):
            began = time.perf_counter()
            samples = fill(store, asked.days, asked.fields)
            took_s = time.perf_counter() - began
            yield f"{name}: {samples:,} values of {asked.days} days written in {took_s:.0f} s"
        yield f"influxd after writing: {memory_mib(server.process.pid)}"
        size = compacted(server.folder / "engine")
        sizes = sqlite.engine.size_bytes() / samples, size / samples
        yield f"SQLite {sizes[0]:.2f}, InfluxDB {sizes[1]:.2f} bytes a value ({size / 2**20:.0f} MiB in all)"
        yield "\n| question | SQLite | InfluxDB |\n|---|---|---|"
        for found in questions(sqlite, influxdb, asked.days, asked.rounds):
            yield f"| {found.name} | {found.sqlite_ms:.1f} ms | {found.influxdb_ms:.1f} ms |"
        yield f"\ninfluxd after the questions: {memory_mib(server.process.pid)}"
        influxdb.close()
        sqlite.close()
    finally:
        server.stop()


def fill(store: object, days: int, fields: int) -> int:
    """Write the last days of the bench's year; return how many values they have."""
    from apps.metrics.store.bulk import BulkWriter

    from .generate import END, history
    from .stores import SITE

    bulk = BulkWriter(store)  # type: ignore[arg-type]
    samples = 0
    for chunk in history(1, 1):
        late = chunk.at >= END - days * DAY_S
        names = list(chunk.columns)[: fields if chunk.measurement == "meter" else None]
        columns = {name: chunk.columns[name][late] for name in names}
        bulk.write_columns(SITE, chunk.measurement, chunk.device, chunk.at[late], columns, chunk.circuit)
        samples += sum(int((column == column).sum()) for column in columns.values())
    return samples


def questions(sqlite: object, influxdb: object, days: int, rounds: int) -> Iterator[Measured]:
    """Ask both stores in turn, so that what else the machine does hits both."""
    asked = [dict(_asked(store, days)) for store in (sqlite, influxdb)]
    for name in asked[0]:
        times: list[list[float]] = [[], []]
        for _ in range(rounds):
            for number in (0, 1):
                began = time.perf_counter()
                asked[number][name]()
                times[number].append((time.perf_counter() - began) * 1000)
        yield Measured(name, statistics.median(times[0]), statistics.median(times[1]))


def _asked(store: object, days: int) -> Iterator[tuple[str, Callable[[], object]]]:
    from apps.devices.models import Site
    from apps.devices.options import HomeOptions
    from apps.metrics.home import Home
    from apps.metrics.series import history
    from apps.metrics.store.front import Store
    from apps.metrics.totals import INTERVAL_FIELDS

    from .figures import _row
    from .generate import END
    from .stores import SITE

    assert isinstance(store, Store)
    end = datetime.fromtimestamp(END, UTC)
    home = Home(site=Site(pk=SITE), options=HomeOptions(), store=store, at=end)

    def chart(length_days: int) -> Callable[[], object]:
        since = datetime.fromtimestamp(END - length_days * DAY_S, UTC)
        return lambda: history(home, ["power_w"], since, end)

    zone = ZoneInfo("Europe/Berlin")
    local = [
        int(datetime(2025 + (6 + n) // 12, (6 + n) % 12 + 1, 1, tzinfo=zone).timestamp()) for n in range(13)
    ]
    midnights = [int(datetime(2026, 6, n, tzinfo=zone).timestamp()) for n in range(1, 31)]
    yield "a year's chart", chart(days)
    yield "a month's chart", chart(30)
    yield "a day's chart", chart(1)
    yield "energy by month, a year", lambda: store.sums(SITE, INTERVAL_FIELDS, local)
    yield "energy by day, a month", lambda: store.sums(SITE, INTERVAL_FIELDS, midnights)
    yield "newest values", lambda: store.latest(SITE, ["power_w", "voltage_a_v"], END - 900)
    yield "raw rows of an hour", lambda: list(store.rows(SITE, "meter", END - 3600, END))
    at = iter(range(END, END + DAY_S, 10))
    yield "a poll written", lambda: store.write([_row(next(at))])
    late = iter(range(END - 100 * DAY_S, END, 7210))
    yield "a late value written", lambda: store.write([_row(next(late))])


def compacted(engine: Path) -> int:
    """Wait until the server has compacted what was written; return the bytes of its files."""
    until = time.monotonic() + COMPACTED_WITHIN_S
    before, same = -1, 0
    while same < 6 and time.monotonic() < until:
        time.sleep(10)
        size = sum(file.stat().st_size for file in engine.rglob("*") if file.is_file())
        before, same = size, same + 1 if size == before else 0
    return before


def memory_mib(pid: int) -> str:
    """Return what memory a process takes, now and at its peak."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    fields = dict(line.split(":", 1) for line in lines)
    now, peak = (int(fields[name].split()[0]) // 1024 for name in ("VmRSS", "VmHWM"))
    return f"{now} MiB (peak {peak} MiB)"


if __name__ == "__main__":
    sys.exit(main())
