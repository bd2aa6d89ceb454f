"""``python -m bench [--years N]``: prints the table, keeps it as JSON under build/."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import django

from apps.metrics.store.sqlite import SqliteStore

from . import cloud, figures
from .figures import Figure
from .generate import END
from .stores import built_store
from .web import web_process

ROOT = Path(__file__).resolve().parent.parent


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure heatmon on years of data.")
    parser.add_argument("--years", type=int, default=10, help="length of the long history (default 10)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=60, help="runs of each candidate (default 60)")
    parser.add_argument(
        "--keep", type=Path, help="folder for the made histories, used again if they are there"
    )
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "bench.json")
    return parser.parse_args()


def main() -> int:
    asked = arguments()
    with tempfile.TemporaryDirectory(prefix="heatmon-bench-") as scratch:
        found = []
        for figure in measured(asked, Path(scratch)):
            sys.stdout.write(line(figure) + "\n")
            sys.stdout.flush()
            found.append(figure)
    asked.out.parent.mkdir(parents=True, exist_ok=True)
    asked.out.write_text(json.dumps([as_json(figure) for figure in found], indent=1) + "\n")
    sys.stdout.write(f"\nkept in {asked.out}\n")
    return 0


def measured(asked: argparse.Namespace, scratch: Path) -> Iterator[Figure]:
    _set_up_django(scratch / "django")
    yield from cloud.answer(asked.rounds)
    kept = asked.keep or scratch
    small_path, small_built = built_store(kept, 1, asked.seed)
    large_path, large_built = built_store(kept, asked.years, asked.seed)
    yield from figures.sizes(large_built)
    yield from figures.import_ratio(scratch, 73, asked.seed)
    with web_process(large_path, scratch / "web") as web:
        yield from figures.living(web, END)
        yield from figures.pages(web, asked.years, asked.rounds)
    shutil.rmtree(scratch / "web")
    stores = []
    for name, path in (("small", small_path), ("large", large_path)):
        copy = scratch / f"{name}.sqlite3"
        shutil.copyfile(path, copy)
        stores.append(SqliteStore(copy))
    small, large = stores
    yield from figures.growth(small, large, asked.rounds)
    yield from figures.late_day(large, asked.seed)
    yield from figures.sums_by_month(large, asked.years)
    small.close()
    large.close()


def _set_up_django(data_dir: Path) -> None:
    """Set up Django: charts are asked for a home, which is one of its models; its database stays empty."""
    os.environ |= {"HEATMON_TESTING": "1", "HEATMON_DATA_DIR": str(data_dir)}
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "heatmon.settings")
    django.setup()


def line(figure: Figure) -> str:
    value = "–" if figure.value is None else f"{figure.value:,.2f}"
    aim = "" if figure.aim is None else f"≤ {figure.aim:g}"
    verdict = {True: "good", False: "MISSED", None: ""}[figure.good]
    spread = ""
    if figure.times is not None:
        times = figure.times
        spread = f"min {times.min:.2f}, median {times.median:.2f}, p95 {times.p95:.2f} ms"
    return f"{figure.name:48} {value:>12} {figure.unit:10} {aim:8} {verdict:7} {spread}{figure.note}".rstrip()


def as_json(figure: Figure) -> dict[str, object]:
    times = figure.times
    return {
        "name": figure.name,
        "value": figure.value,
        "unit": figure.unit,
        "aim": figure.aim,
        "good": figure.good,
        "note": figure.note,
        "times_ms": None
        if times is None
        else {"min": times.min, "median": times.median, "p95": times.p95, "p99": times.p99},
    }


if __name__ == "__main__":
    sys.exit(main())
