"""Everything in open formats: CSV for what was measured and computed, JSON for settings and changes."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import asdict, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from apps.changelog.models import ConfigurationVersion, Entry
from apps.changelog.timeline import view
from apps.devices.home_options import SECRETS
from apps.metrics.csv_lines import csv_lines
from apps.metrics.home import Home
from apps.metrics.periods import EnergyRow, energy_rows
from apps.metrics.store.engine import LAST_TIME, Engine, SourceKey
from apps.metrics.store.schema import MEASUREMENTS, scales_of

README = """heatmon export of {at}

<measurement>-<device>[-<circuit>].csv  values as stored, times in UTC; an empty field was not measured
energy-day.csv                          the figures of each local day; times with offset
changes.json                            notes, changes of settings and events
configurations.json                     all settings of the heat pump from each time on
options.json                            what was saved on the Settings page, without passwords

Units are part of the names: _w, _wh, _kw, _kwh, _c (degrees Celsius), _v, _a, _percent, _s.
docs/numbers.md explains each figure; phases and modes are the codes of apps/metrics/store/schema.py.
"""


def sources_of(engine: Engine, site: int) -> list[SourceKey]:
    """Return all that is to be written as a file each."""
    return sorted(source for measurement in MEASUREMENTS for source in engine.sources(site, measurement.name))


def write_source(engine: Engine, source: SourceKey, folder: Path) -> int:
    """Write all points of one device's measurement; return how many."""
    scales = scales_of(source.measurement)
    name = "-".join(part for part in (source.measurement, source.device, source.circuit) if part)
    count = 0

    def rows() -> Iterator[list[Any]]:
        nonlocal count
        for at, values in engine.points(source, tuple(scales), 0, LAST_TIME):
            if values.count(None) == len(values):
                continue
            count += 1
            yield [
                datetime.fromtimestamp(at, UTC),
                *(
                    None if value is None else value / scale
                    for value, scale in zip(values, scales.values(), strict=True)
                ),
            ]

    _write(folder / f"{_safe(name)}.csv", csv_lines(["time", *scales], rows()))
    return count


def write_days(home: Home, folder: Path) -> None:
    """Write the figures of all local days."""
    names = [field.name for field in fields(EnergyRow) if field.name != "lumps"]
    first = home.first_day()
    rows = [] if first is None else energy_rows(home, "day", first, home.today)
    lines = csv_lines(names, ([getattr(row, name) for name in names] for row in rows))
    _write(folder / "energy-day.csv", lines)


def write_changes(home: Home, folder: Path) -> None:
    """Write the changes, the settings of the heat pump by time, and the home's options."""
    entries = Entry.objects.filter(site=home.site).order_by("at", "pk").prefetch_related("setting_changes")
    _write_json(folder / "changes.json", [_entry(entry) for entry in entries])
    versions = ConfigurationVersion.objects.filter(site=home.site).order_by("at", "pk")
    _write_json(
        folder / "configurations.json",
        [{"at": each.at, "device": each.device, "settings": each.settings} for each in versions],
    )
    options = {
        name: getattr(home.options, name) for name in home.options.__dataclass_fields__ if name not in SECRETS
    }
    _write_json(folder / "options.json", {"name": home.site.name, **options})
    _write(folder / "README.txt", [README.format(at=home.at.isoformat())])


def _entry(entry: Entry) -> dict[str, Any]:
    shown = view(entry)
    return {
        "at": entry.at,
        "end": entry.ended_at,
        "kind": entry.kind,
        "title": shown.title,
        "text": entry.text,
        "author": shown.author,
        "settings": [asdict(change) for change in shown.settings],
    }


def _safe(name: str) -> str:
    """Return a name of a file that a device's name cannot lead elsewhere."""
    return re.sub(r"[^\w.-]", "_", name, flags=re.ASCII)


def _write_json(path: Path, content: Any) -> None:
    text = json.dumps(content, indent=1, ensure_ascii=False, default=_as_json)
    _write(path, [text, "\n"])


def _as_json(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else list(value)


def _write(path: Path, lines: Iterable[str]) -> None:
    with open(
        os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8", newline=""
    ) as file:
        file.writelines(lines)
