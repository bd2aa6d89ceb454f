"""Builds the bench's stores through the real bulk writer, and keeps them for the next run."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from apps.metrics.store.bulk import BulkWriter
from apps.metrics.store.sqlite import SqliteStore

from .generate import history

SITE = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """A store of ``years`` years, and what building it took."""

    years: int
    rows: int
    samples: int
    meter_samples: int
    import_s: float
    size_bytes: int


def built_store(folder: Path, years: int, seed: int) -> tuple[Path, Built]:
    """Return the store of so many years in ``folder``; made there if an earlier run did not finish one."""
    path = folder / f"{years}-years-seed-{seed}" / "timeseries.sqlite3"
    facts = path.with_name("facts.json")
    if not facts.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        for left in path.parent.glob("timeseries.sqlite3*"):
            left.unlink()
        facts.write_text(json.dumps(asdict(_build(path, years, seed))))
    return path, Built(**json.loads(facts.read_text()))


def _build(path: Path, years: int, seed: int) -> Built:
    store = SqliteStore(path, synchronous="OFF")
    bulk = BulkWriter(store)
    rows = samples = meter_samples = 0
    import_s = 0.0
    for chunk in history(years, seed):
        start = time.perf_counter()
        bulk.write_columns(SITE, chunk.measurement, chunk.device, chunk.at, chunk.columns, chunk.circuit)
        import_s += time.perf_counter() - start
        rows += chunk.rows
        samples += chunk.samples
        if chunk.measurement == "meter":
            meter_samples += chunk.samples
            sys.stderr.write(f"{years} years: {rows:,} rows in {import_s:.0f} s\n")
    store.tidy()
    store.close()
    return Built(
        years=years,
        rows=rows,
        samples=samples,
        meter_samples=meter_samples,
        import_s=import_s,
        size_bytes=path.stat().st_size,
    )
