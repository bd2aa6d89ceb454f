"""Minute rows from the meter's own CSV export into the store."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any, TextIO

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.devices import clock
from apps.devices.errors import PayloadInvalid
from apps.devices.models import Device, Site
from apps.devices.options import default_site, home_options, zone_of
from apps.devices.readings import MinuteRecord
from apps.devices.shelly.parse import csv_minutes
from apps.devices.wording import words_of
from apps.metrics.apps import default_store
from apps.metrics.marks import write_marked
from apps.metrics.recording import minute_rows, with_stored_channels
from heatmon.deriving import derive_marked
from heatmon.imported import UNNAMED
from heatmon.progress import Progress

BATCH = 5000
LONGEST_LINE = 10_000  # a row has about 325 characters


class Command(BaseCommand):
    help = "Import the meter's CSV export (/emdata/0/data.csv, /em1data/N/data.csv); repeats are harmless."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
        parser.add_argument("--device", metavar="MAC", help="the meter the files come from")
        parser.add_argument("--channel", type=int, choices=(0, 1, 2), help="channel of a /em1data/N file")

    def handle(self, *args: Any, **options: Any) -> None:
        files: list[Path] = options["files"]
        missing = [str(path) for path in files if not path.is_file()]
        if missing:
            raise CommandError(f"No such file: {', '.join(missing)}", returncode=2)
        site = default_site()
        device = meter_for_import(site, options["device"])
        total = sum(path.stat().st_size for path in files)
        faults = []
        self._stored = 0
        with Progress(total, "import") as progress:
            for path in files:
                fault = self._import(path, site, device, options["channel"], progress)
                faults += [fault] if fault else []
        if device == UNNAMED and self._stored:
            self.stdout.write("They become those of the first meter that answers at the address you set up.")
        derive_marked(default_store(), site)
        for fault in faults:
            self.stderr.write(fault)
        if faults:
            kept = "Rows before the lines named above were kept" if self._stored else "Nothing was stored"
            raise CommandError(f"{kept}; fix the files and run the command again.", returncode=2)

    def _import(
        self, path: Path, site: Site, device: str, channel: int | None, progress: Progress
    ) -> str | None:
        stored = read = 0
        fault = None
        end: datetime | None = None
        with path.open("rb") as file, io.TextIOWrapper(file, encoding="utf-8", newline="") as text:
            lines = _WholeLines(text)
            records = csv_minutes(lines, device, channel, now=clock.now())
            while fault is None:
                batch, fault = _next_batch(path, records)
                if not batch:
                    break
                end = max(row.at + timedelta(seconds=row.period_s) for row in batch)
                stored += _store(site, batch, is_one_channel=channel is not None)
                progress.advance(file.tell() - read)
                read = file.tell()
        progress.advance(path.stat().st_size - read)
        self._stored += stored
        whose = "a meter not known yet" if device == UNNAMED else f"meter {device}"
        self.stdout.write(f"{path}: {stored} minutes of {whose}")
        if fault is None and lines.cut is not None:
            self.stderr.write(_cut_words(path, lines.cut, end, site))
        return fault


class _WholeLines:
    """The lines of a file, but for a last one without a line end: its last number may be half a number.

    ``cut``: the number of the line that was left out so. Raises PayloadInvalid for one too long for a row.
    """

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self.cut: int | None = None

    def __iter__(self) -> Iterator[str]:
        number = 1
        while line := self._file.readline(LONGEST_LINE + 1):
            if len(line) > LONGEST_LINE:
                raise PayloadInvalid("line_unknown", path=f"line {number}", line=number)
            if number > 1 and not line.endswith(("\n", "\r")):
                self.cut = number
                return
            yield line
            number += 1


def _cut_words(path: Path, line: int, end: datetime | None, site: Site) -> str:
    """Return what a file that breaks off lacks; ``end``: where its last whole row ends."""
    said = f"{path}: the file breaks off in line {line}, which is left out."
    if end is None:
        return said
    local = end.astimezone(zone_of(site))
    return f"{said} Fetch again from {local:%Y-%m-%d %H:%M} (ts={end.timestamp():.0f})."


def _next_batch(path: Path, records: Iterator[MinuteRecord]) -> tuple[list[MinuteRecord], str | None]:
    """Return the next records, and what is wrong with the file behind them."""
    batch: list[MinuteRecord] = []
    try:
        batch.extend(islice(records, BATCH))
    except PayloadInvalid as error:
        return batch, f"{path}: {words_of(error).sentence}"
    except UnicodeDecodeError as error:
        return batch, f"{path}: not valid text at byte {error.start}; is it the meter's CSV?"
    return batch, None


def meter_for_import(site: Site, given: str | None) -> str:
    """Return the meter that rows belong to: the one named, else the site's only one, made if there is
    none."""
    if given is not None:
        mac = re.sub(r"[:\-]", "", given).upper()
        if not re.fullmatch(r"[0-9A-F]{12}", mac):
            raise CommandError(f"--device {given}: a MAC has twelve hex digits", returncode=2)
    else:
        known = Device.objects.filter(site=site, kind=Device.Kind.METER).order_by("pk")
        meters = list(known.values_list("identifier", flat=True))
        if len(meters) > 1:
            raise CommandError(
                f"There are several meters; choose one with --device: {', '.join(meters)}", returncode=2
            )
        mac = meters[0] if meters else UNNAMED
    now = clock.now()
    # A meter known from a file only is not the one that must answer at the address: polling decides that.
    Device.objects.get_or_create(
        site=site,
        kind=Device.Kind.METER,
        identifier=mac,
        defaults={"first_seen_at": now, "last_seen_at": now, "active": False},
    )
    return mac


def _store(site: Site, records: list[MinuteRecord], *, is_one_channel: bool) -> int:
    if not records:
        return 0
    channels = home_options(site, with_secrets=False).heat_pump_channels
    store, rows = default_store(), minute_rows(site.pk, records, channels)
    if is_one_channel:
        times = [row.at for row in rows]
        stored = store.rows(site.pk, "meter_minute", min(times), max(times) + 1)
        rows = with_stored_channels(rows, stored, channels)
    write_marked(store, site.pk, rows)
    return len(records)
