"""Writes everything in open formats."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.accounts import audit
from apps.backups.exporting import sources_of, write_changes, write_days, write_source
from apps.devices import clock
from apps.devices.options import default_site
from apps.metrics.apps import default_store
from apps.metrics.home import Home
from apps.metrics.store.base import StoreUnavailable
from heatmon.progress import Progress


class Command(BaseCommand):
    help = "Export measured values, daily figures, notes and settings as CSV and JSON into an empty folder."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path, metavar="FOLDER", help="new or empty")

    def handle(self, *args: Any, **options: Any) -> None:
        folder: Path = options["folder"]
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise CommandError(f"{folder} is not an empty folder.", returncode=2)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        points = 0
        try:
            home = Home.of(default_site(), clock.now())
            engine = default_store().engine
            sources = sources_of(engine, home.site.pk)
            with Progress(len(sources) + 1, "export") as progress:
                for source in sources:
                    points += write_source(engine, source, folder)
                    progress.advance()
                write_days(home, folder)
                write_changes(home, folder)
                progress.advance()
        except StoreUnavailable as error:
            raise CommandError(f"{error}. {folder} is incomplete.") from error
        except OSError as error:
            raise CommandError(f"{folder} cannot be written: {error.strerror}", returncode=2) from error
        audit.record(audit.EXPORT, actor="", detail=str(folder))
        self.stdout.write(f"{folder}: {points} points in {len(sources)} files, and the settings and changes.")
