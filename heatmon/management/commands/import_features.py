"""Stored answers of the cloud into readings and settings history, as if polled then."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.devices.errors import CodedError
from apps.devices.options import default_site
from apps.metrics.apps import default_store
from heatmon.answer_files import answers_in, instant
from heatmon.answer_import import AnswerImport, snapshot_of
from heatmon.deriving import derive_marked
from heatmon.progress import Progress

OBJECTS_BEFORE_A_SEARCH = 10_000


class Command(BaseCommand):
    help = 'Import Viessmann responses: one features response (JSON), or JSON lines {"at": …, "payload": …}.'

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
        parser.add_argument("--at", metavar="T", help="time of a single response (ISO 8601 with offset)")

    def handle(self, *args: Any, **options: Any) -> None:
        files: list[Path] = options["files"]
        missing = [str(path) for path in files if not path.is_file()]
        if missing:
            raise CommandError(f"No such file: {', '.join(missing)}", returncode=2)
        at = _given_time(options["at"])
        if at is not None and len(files) > 1:
            raise CommandError("--at is the time of a single response; use it with one file", returncode=2)
        importer = AnswerImport(default_site(), default_store())
        total = sum(path.stat().st_size for path in files)
        with old_objects_left_alone(), Progress(total, "import") as progress:
            for path in sorted(files, key=lambda path: _first_time(path, at)):
                self._import(path, at, importer, progress)
        derive_marked(importer.store, importer.site)

    def _import(self, path: Path, at: datetime | None, importer: AnswerImport, progress: Progress) -> None:
        read = 0
        fault = None
        importer.begin()
        try:
            for answer in answers_in(path):
                importer.take(answer, at)
                progress.advance(answer.read - read)
                read = answer.read
        except ValueError as error:
            fault = error
        importer.store_taken()
        self.stdout.write(f"{path}: {importer.told()}")
        if fault is not None:
            raise CommandError(
                f"{path}: {str(fault).rstrip('.')}. Responses before it were kept; "
                "fix the file and run the command again.",
                returncode=2,
            ) from fault


@contextmanager
def old_objects_left_alone() -> Iterator[None]:
    """Search only new objects for garbage: an answer is thousands of them, and each search through all that
    was there before takes a third of the time of an import."""
    thresholds = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(OBJECTS_BEFORE_A_SEARCH, *thresholds[1:])
    try:
        yield
    finally:
        gc.set_threshold(*thresholds)
        gc.unfreeze()


def _given_time(text: str | None) -> datetime | None:
    try:
        return instant(text) if text else None
    except ValueError as error:
        raise CommandError(f"--at: {error}", returncode=2) from error


def _first_time(path: Path, at: datetime | None) -> datetime:
    """Return the time to order files by: settings that changed are entries only forwards. A file that cannot
    be read comes last."""
    try:
        first = next(answers_in(path), None)
        return snapshot_of(first, at).received_at if first else datetime.max.replace(tzinfo=UTC)
    except (ValueError, CodedError):
        return datetime.max.replace(tzinfo=UTC)
