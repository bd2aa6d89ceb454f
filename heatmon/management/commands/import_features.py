"""Stored answers of the cloud into readings and settings history, as if polled then."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.devices.errors import CodedError, DeviceError
from apps.devices.models import Device
from apps.devices.options import default_site
from apps.devices.viessmann.snapshot import FeatureSnapshot
from apps.devices.wording import words_of
from apps.metrics.apps import default_store
from apps.metrics.stale import mark_stale
from heatmon import jobs
from heatmon.collection import Collection
from heatmon.deriving import derive_marked
from heatmon.progress import Progress


class Command(BaseCommand):
    help = 'Import Viessmann answers: one features answer (JSON), or JSON lines {"at": …, "payload": …}.'

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
        parser.add_argument("--at", metavar="T", help="when a single answer was given (ISO 8601 with offset)")

    def handle(self, *args: Any, **options: Any) -> None:
        files: list[Path] = options["files"]
        missing = [str(path) for path in files if not path.is_file()]
        if missing:
            raise CommandError(f"No such file: {', '.join(missing)}", returncode=2)
        at = _instant(options["at"], "--at") if options["at"] else None
        if at is not None and len(files) > 1:
            raise CommandError("--at is the time of one answer; give one file with it", returncode=2)
        collection = Collection(default_site(), default_store(), clock=lambda: datetime.now(UTC))
        with Progress(sum(path.stat().st_size for path in files), "import") as progress:
            for path in sorted(files, key=lambda path: _first_time(path, at)):
                count = 0
                try:
                    for snapshot in snapshots(path, at):
                        jobs.record_snapshot(collection, snapshot)
                        asked = int(snapshot.received_at.timestamp())
                        mark_stale(collection.site.pk, asked, asked + 1)
                        count += 1
                except (ValueError, DeviceError) as error:
                    self.stdout.write(f"{path}: {count} answers")
                    raise CommandError(
                        f"{path}: {_sentence(error).rstrip('.')}. Answers before it were kept; "
                        "mend the file and repeat.",
                        returncode=2,
                    ) from error
                progress.advance(path.stat().st_size)
                self.stdout.write(f"{path}: {count} answers")
        derive_marked(collection.store, collection.site)


def snapshots(path: Path, at: datetime | None) -> Iterator[FeatureSnapshot]:
    """All answers of a file. Raises ValueError or PayloadInvalid that names the line."""
    text = path.read_text(encoding="utf-8-sig")
    try:
        whole = _parsed(text)
    except ValueError as error:
        first = next((line for line in text.splitlines() if line.strip()), "")
        if not _is_json(first):
            raise ValueError(f"line {getattr(error, 'lineno', 1)} is no JSON: {error}") from error
        whole = None
    if isinstance(whole, dict) and "payload" not in whole:
        yield snapshot_of(whole, at)
        return
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            row = _parsed(line)
        except ValueError as error:
            raise ValueError(f"line {number} is no JSON: {error}.") from error
        if not isinstance(row, dict) or "at" not in row or not isinstance(row.get("payload"), dict):
            raise ValueError(f'line {number} must be an object with "at" and "payload".')
        try:
            yield snapshot_of(row["payload"], _instant(row["at"], "at"))
        except (ValueError, CommandError, DeviceError) as error:
            raise ValueError(f"line {number}: {_sentence(error)}") from error


def _parsed(text: str) -> Any:
    """Raises ValueError for anything but JSON."""
    try:
        return json.loads(text)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def _is_json(line: str) -> bool:
    try:
        _parsed(line)
    except ValueError:
        return False
    return True


def _first_time(path: Path, at: datetime | None) -> datetime:
    """Files are read in the order of their time: settings that changed are entries only forwards. One that
    cannot be read comes last."""
    try:
        first = next(snapshots(path, at), None)
    except (ValueError, DeviceError):
        first = None
    return first.received_at if first else datetime.max.replace(tzinfo=UTC)


def snapshot_of(payload: dict[str, Any], at: datetime | None) -> FeatureSnapshot:
    """An answer as if polled at ``at``, else at its newest time stamp. Belongs to the site's heat pump, or
    to the gateway that the answer names."""
    device = Device.objects.filter(site=default_site(), kind=Device.Kind.HEAT_PUMP, active=True).first()
    serial = device.identifier if device else _gateway_of(payload)
    snapshot = FeatureSnapshot(payload=payload, received_at=at or datetime.now(UTC), device=serial)
    if at is not None:
        return snapshot
    if snapshot.newest_source_at is None:
        raise ValueError("no feature has a time stamp; give the time with --at.")
    return replace(snapshot, received_at=snapshot.newest_source_at)


def _gateway_of(payload: dict[str, Any]) -> str:
    features = payload.get("data")
    for feature in features if isinstance(features, list) else []:
        serial = feature.get("gatewayId") if isinstance(feature, dict) else None
        if isinstance(serial, str) and serial.strip("# "):
            return serial
    return "IMPORTED"


def _instant(value: Any, name: str) -> datetime:
    try:
        at = datetime.fromisoformat(str(value))
    except ValueError as error:
        raise CommandError(
            f"{name}: {value!r} is no time like 2026-11-24T12:00:00+01:00", returncode=2
        ) from error
    if at.tzinfo is None:
        raise CommandError(f"{name}: {value!r} has no offset; write for example …+01:00", returncode=2)
    return at.astimezone(UTC)


def _sentence(error: Exception) -> str:
    return words_of(error).sentence if isinstance(error, CodedError) else str(error)
