"""Decides about a time-series store that heatmon refuses: begin a new one, or keep what is there."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.metrics.admission import NothingToDecide, begin_anew, keep
from apps.metrics.store.base import StoreUnavailable


class Command(BaseCommand):
    help = (
        "Start a new time-series store where this home's is missing, damaged or belongs to another home. "
        "The existing one is set aside. A store that is in order is left untouched."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--keep", action="store_true", help="use the existing store for this home instead"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        name, path = settings.STORE_ENGINE, settings.STORE_PATH
        try:
            if options["keep"]:
                keep(name, path)
                said = "The existing store now belongs to this home; its figures will be derived again."
            else:
                aside = begin_anew(name, path)
                said = "A new time-series store was started."
                if aside is not None:
                    said += f" The old one was set aside as {aside}."
        except NothingToDecide as error:
            raise CommandError(str(error), returncode=2) from error
        except StoreUnavailable as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{said} Start heatmon again.")
