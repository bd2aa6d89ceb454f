"""What is measured: the figures of docs on storage, each with its aim."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import numpy as np

from apps.metrics.store.base import Row
from apps.metrics.store.bulk import BulkWriter
from apps.metrics.store.engine import SourceKey
from apps.metrics.store.sqlite import SqliteStore

from .generate import DAY_S, END, METER, YEAR_DAYS, Chunk, meter_chunk
from .stores import SITE, Built
from .timing import Times, interleaved, times_of
from .web import Web

RANGES_DAYS = {"day": 1, "week": 7, "month": 31, "year": YEAR_DAYS, "ten years": 10 * YEAR_DAYS}
ZONE = ZoneInfo("Europe/Berlin")
DAY_OF_POLLS = 8640
CHARTS_BEFORE_MEMORY = 1000
MONTH_FIELDS = (
    "electrical_energy_wh",
    "thermal_energy_modulation_wh",
    "thermal_energy_delta_t_wh",
    "full_electrical_energy_wh",
    "full_thermal_energy_wh",
    "full_s",
    "electric_s",
    "compressor_starts",
    "compressor_run_s",
    "outside_temperature_c",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One line of the report. ``value`` in ``unit``, None with a ``note`` that says why."""

    name: str
    value: float | None
    unit: str
    aim: float | None = None
    times: Times | None = None
    note: str = ""

    @property
    def good(self) -> bool | None:
        """Whether the aim is met; None where there is none or nothing was measured."""
        return None if self.aim is None or self.value is None else self.value <= self.aim


def sizes(built: Built) -> Iterator[Figure]:
    yield Figure(name="bytes a sample, all measurements", value=built.size_bytes / built.samples, unit="B")
    yield Figure(name="size a year", value=built.size_bytes / built.years / 1e6, unit="MB")
    yield Figure(name="import with rollups", value=built.rows / built.import_s, unit="rows/s")


def import_ratio(folder: Path, days: int, seed: int) -> Iterator[Figure]:
    """Measure a meter's history through the bulk writer against inserting the same rows into a like table.
    Minutes are left out as they are in any year but the last 40 days."""
    chunk = meter_chunk(np.random.default_rng(seed), END - days * DAY_S, END)
    plain_s, bulk_s = [], []
    for turn in range(3):
        start = time.process_time()
        _plain_insert(folder / f"plain-{turn}.sqlite3", chunk)
        plain_s.append(time.process_time() - start)
        store = SqliteStore(folder / f"bulk-{turn}.sqlite3", synchronous="OFF")
        bulk = BulkWriter(store)
        with store.engine.transaction() as connection:
            source = store.engine.source_id(connection, SourceKey(SITE, "meter", METER, ""))
            connection.execute("UPDATE source SET minute_from = ? WHERE id = ?", (END, source))
        start = time.process_time()
        bulk.write_columns(SITE, "meter", METER, chunk.at, chunk.columns)
        bulk_s.append(time.process_time() - start)
        store.tidy()
        store.close()
    size_bytes = (folder / "bulk-0.sqlite3").stat().st_size
    yield Figure(
        name="bytes a sample, meter with rollups", value=size_bytes / chunk.samples, unit="B", aim=4.5
    )
    yield Figure(name="plain insert, meter", value=chunk.rows / min(plain_s), unit="rows/CPU s")
    yield Figure(name="import with rollups, meter", value=chunk.rows / min(bulk_s), unit="rows/CPU s")
    yield Figure(
        name="import with rollups / plain insert (CPU)", value=min(bulk_s) / min(plain_s), unit="×", aim=2.5
    )


def _plain_insert(path: Path, chunk: Chunk) -> None:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute(f"CREATE TABLE meter (t INTEGER PRIMARY KEY, {', '.join(chunk.columns)})")
    marks = ", ".join("?" for _ in chunk.columns)
    for first in range(0, chunk.rows, 8640):
        day = slice(first, first + 8640)
        columns = [(column[day] * 10.0).round().tolist() for column in chunk.columns.values()]
        connection.execute("BEGIN")
        connection.executemany(
            f"INSERT INTO meter VALUES (?, {marks})", zip(chunk.at[day].tolist(), *columns, strict=True)
        )
        connection.execute("COMMIT")
    connection.close()


def growth(small: SqliteStore, large: SqliteStore, rounds: int) -> Iterator[Figure]:
    """Measure reads and writes on the long history against the same on one year; the best run of each, since
    other programs only ever add to a duration."""
    ranges = {**RANGES_DAYS, "day a year ago": 1}
    del ranges["ten years"]
    candidates: dict[str, Callable[[], object]] = {}
    for name, days in ranges.items():
        end = END - (YEAR_DAYS - 2) * DAY_S if name == "day a year ago" else END
        for label, store in (("small", small), ("large", large)):
            candidates[f"{name} {label}"] = _chart(store, end - days * DAY_S, end)
    candidates["ten years large"] = _chart(large, END - 10 * YEAR_DAYS * DAY_S, END)
    for label, store in (("small", small), ("large", large)):
        candidates[f"poll {label}"] = _poll(store)
        candidates[f"late row {label}"] = _late_row(store)
    found = interleaved(candidates, rounds)
    for name in [*ranges, "poll", "late row"]:
        one, ten = found[f"{name} small"], found[f"{name} large"]
        yield Figure(name=f"growth, {name}", value=ten.min / one.min, unit="×", aim=1.15, times=ten)
    ten_years = found["ten years large"]
    yield Figure(name="history() of ten years", value=ten_years.median, unit="ms", times=ten_years)


def _chart(store: SqliteStore, start: int, end: int) -> Callable[[], object]:
    from apps.devices.models import Site
    from apps.devices.options import HomeOptions
    from apps.metrics.home import Home
    from apps.metrics.series import history

    first, last = datetime.fromtimestamp(start, UTC), datetime.fromtimestamp(end, UTC)
    home = Home(site=Site(pk=SITE), options=HomeOptions(), store=store, at=last)
    return lambda: history(home, ["power_w"], first, last)


def _poll(store: SqliteStore) -> Callable[[], object]:
    at = iter(range(END, END + DAY_S, 10))
    return lambda: store.write([_row(next(at))])


def _late_row(store: SqliteStore) -> Callable[[], object]:
    at = iter(range(END - 200 * DAY_S, END, 7210))
    return lambda: store.write([_row(next(at))])


def _row(at: int) -> Row:
    values: dict[str, float | None] = {"power_w": 800.0 + at % 7, "voltage_a_v": 231.0, "current_a_a": 1.1}
    return Row(site=SITE, measurement="meter", device=METER, at=at, values=values)


def late_day(store: SqliteStore, seed: int) -> Iterator[Figure]:
    """Measure a whole past day of the meter written again, with its rollups."""
    start = END - 100 * DAY_S
    chunk = meter_chunk(np.random.default_rng(seed), start, start + DAY_S)
    bulk = BulkWriter(store)
    found = interleaved(
        {
            "day": lambda: bulk.write_columns(SITE, "meter", METER, chunk.at, chunk.columns),
            "rollups": lambda: list(store.engine.rebuild(start, start + DAY_S)),
        },
        10,
    )
    yield Figure(
        name="one late day written and recomputed", value=found["day"].min, unit="ms", times=found["day"]
    )
    yield Figure(
        name="one day recomputed, all sources",
        value=found["rollups"].min,
        unit="ms",
        aim=100,
        times=found["rollups"],
    )


def sums_by_month(store: SqliteStore, years: int) -> Iterator[Figure]:
    """Measure what an energy table of all years by local month asks of the store."""
    months = [
        int(datetime(END_YEAR - years + (5 + index) // 12, (5 + index) % 12 + 1, 1, tzinfo=ZONE).timestamp())
        for index in range(12 * years)
    ]
    assert all(early < late for early, late in pairwise(months))
    found = interleaved({"sums": lambda: store.sums(SITE, MONTH_FIELDS, months)}, 10)["sums"]
    yield Figure(
        name=f"sums of {len(MONTH_FIELDS)} series by month, {years} years",
        value=found.median,
        unit="ms",
        times=found,
    )


END_YEAR = datetime.fromtimestamp(END, UTC).year


PAGE_AIMS = {
    "overview page": 15.0,
    "history page, year": 20.0,
    "energy by month, all years": 15.0,
    "energy page, year": 30.0,
    "efficiency page": 50.0,
}
"""Medians as multiples of the bare "ok" of the same run, on ten years of data."""


def pages(web: Web, years: int, rounds: int) -> Iterator[Figure]:
    """Measure signed-in requests, as multiples of a bare "ok" of the same server in the same run."""
    addresses = dict(_addresses(years))
    there = {name: web.get(path)[0] for name, path in addresses.items()}
    candidates: dict[str, Callable[[], object]] = {"ok": lambda: web.get("/bench/ok")}
    for name, path in addresses.items():
        if there[name] == 200:
            candidates[name] = lambda path=path: web.get(path)  # type: ignore[misc]
    found = interleaved(candidates, rounds)
    ok = found.pop("ok")
    yield Figure(name='bare "ok"', value=ok.median, unit="ms", times=ok)
    for name in addresses:
        aim = 6.0 if name.startswith("chart") else PAGE_AIMS.get(name)
        if name not in found:
            note = f"not there: {there[name]} at {addresses[name]}"
            yield Figure(name=name, value=None, unit="× ok", aim=aim, note=note)
        elif name.startswith("chart"):
            value = found[name].p95 / ok.p95
            yield Figure(name=f"{name}, p95 / p95 of ok", value=value, unit="×", aim=aim, times=found[name])
        else:
            value = found[name].median / ok.median
            yield Figure(name=f"{name}, median / ok", value=value, unit="×", aim=aim, times=found[name])


def _addresses(years: int) -> Iterator[tuple[str, str]]:
    end = datetime.fromtimestamp(END, UTC)
    for name, days in RANGES_DAYS.items():
        if days <= years * YEAR_DAYS:
            start = end - timedelta(days=days)
            query = urlencode({"series": "power_w", "from": start.isoformat(), "to": end.isoformat()})
            yield f"chart, {name}", f"/api/history?{query}"
    first = (end - timedelta(days=years * YEAR_DAYS)).date().isoformat()
    yield "energy by month, all years", f"/api/energy?period=month&from={first}&to={end.date()}"
    yield "energy page, year", "/energy?period=month"
    yield "energy page, days of a month", "/energy?period=day"
    yield "energy page, all years", "/energy?period=year"
    yield "overview page", "/"
    yield "history page, day", "/history?range=day"
    yield "history page, year", "/history?range=year"
    yield "efficiency page", "/efficiency"
    yield "changes page", "/changes"


def living(web: Web, now: int) -> Iterator[Figure]:
    """Measure a day of polls beside page loads, then charts; and what the process weighs after all that."""
    stop = threading.Event()
    reader = web.another()

    def read() -> None:
        while not stop.is_set():
            for _name, path in _addresses(1):
                reader.get(path)

    thread = threading.Thread(target=read)
    thread.start()
    durations_ms: list[float] = web.json(f"/bench/polls?start={now - DAY_S}&count={DAY_OF_POLLS}")
    stop.set()
    thread.join()
    reader.close()
    polls = times_of(durations_ms)
    yield Figure(name="poll to stored, p99, beside pages", value=polls.p99, unit="ms", aim=50, times=polls)
    charts = [path for name, path in _addresses(1) if name.startswith("chart")]
    for index in range(CHARTS_BEFORE_MEMORY):
        web.get(charts[index % len(charts)])
    yield Figure(
        name="memory after 1,000 charts and a day of polls",
        value=web.json("/bench/memory") / 1024,
        unit="MiB",
        aim=90,
    )
