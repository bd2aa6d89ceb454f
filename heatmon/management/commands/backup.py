"""Makes one backup of everything but the secret keys."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.backups import folder
from apps.backups.words import log_line
from apps.devices.models import Device
from apps.metrics.apps import default_store
from apps.metrics.models import KnownExtent
from heatmon.backing_up import FAULTS, back_up, code_of
from heatmon.figures import size_in_words


class Command(BaseCommand):
    help = (
        "Back up measured values, settings, notes and accounts in one file, while heatmon runs or not. Secret"
        " keys are not in it. Without FILE it is placed in the backup folder."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", nargs="?", type=Path, metavar="FILE")

    def handle(self, *args: Any, **options: Any) -> None:
        at = datetime.now(UTC)
        if not any(kind.objects.exists() for kind in (User, Device, KnownExtent)):
            raise CommandError(
                "No home is set up here, so there is nothing to back up. For the demo's data put"
                " HEATMON_DEMO=1 before the command.",
                returncode=2,
            )
        try:
            target: Path = options["file"] or folder.folder() / folder.name_at(at)
            if target.exists():
                raise CommandError(f"{target} exists already.", returncode=2)
            if not target.parent.is_dir():
                raise CommandError(f"There is no folder {target.parent}.", returncode=2)
            back_up(default_store(), target, at)
        except FAULTS as error:
            raise CommandError(f"{log_line(code_of(error))} ({error})") from error
        self.stdout.write(f"{target}: {size_in_words(target.stat().st_size)}, checked.")
