"""Compares the store's rollups with the raw rows they were made from."""

from __future__ import annotations

from random import Random
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.metrics.apps import default_store
from apps.metrics.store.base import StoreUnavailable
from apps.metrics.store.engine import Difference
from heatmon.progress import Progress

DAYS_DEFAULT = 30
SHOWN = 20


class Command(BaseCommand):
    help = "Recompute the rollups of random days from raw rows and compare; exit code 0 only if all match."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--days",
            type=int,
            default=DAYS_DEFAULT,
            metavar="N",
            help=f"days to check (default {DAYS_DEFAULT})",
        )
        parser.add_argument(
            "--seed", type=int, default=None, metavar="S", help="seed, to check the same days again"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        days: int = options["days"]
        if days < 1:
            raise CommandError("--days must be at least 1.", returncode=2)
        store = default_store()
        checked = 0
        found: list[Difference] = []
        try:
            with Progress(days, "verify") as progress:
                for differing in store.verify_days(Random(options["seed"]), days):
                    found += differing
                    checked += 1
                    progress.advance()
        except StoreUnavailable as error:
            raise CommandError(str(error)) from error
        for difference in found[:SHOWN]:
            self.stdout.write(sentence(difference))
        if found:
            raise CommandError(f"{len(found)} rollups differ from the raw rows ({checked} days checked).")
        if checked:
            self.stdout.write(f"All rollups agree with the raw rows ({checked} days checked).")
        else:
            self.stdout.write("There is nothing to check yet: no finished day is stored.")


def sentence(difference: Difference) -> str:
    """Return one line for one bucket that differs; figures are (count, sum, min, max) as stored."""
    circuit = f" circuit {difference.circuit}" if difference.circuit else ""
    return (
        f"site {difference.site} {difference.measurement}.{difference.field} of {difference.device}{circuit},"
        f" {difference.level_s} s from {difference.at}: stored {difference.stored},"
        f" raw rows yield {difference.computed}"
    )
