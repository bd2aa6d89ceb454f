"""Moves the whole history from one time-series store to the other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.devices.models import Site
from apps.metrics.admission import admitted, take_over
from apps.metrics.store.base import StoreRefused, StoreUnavailable
from apps.metrics.store.engine import Engine
from apps.metrics.store.migrating import Day, Migration
from apps.metrics.store.opening import ENGINES, open_engine
from heatmon.embedded import AlreadyRunning, ProcessLock
from heatmon.progress import Progress

READABLE_WITHIN_S = 600.0


class Command(BaseCommand):
    help = (
        "Copy all measured values from one store to the other and compare every value at the end. Stop"
        " heatmon before. Interrupting is safe: run it again, and it goes on. The old store is left as it is."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        for option, dest in (("--from", "source"), ("--to", "target")):
            parser.add_argument(option, dest=dest, choices=ENGINES, required=True)

    def handle(self, *args: Any, **options: Any) -> None:
        source_name, target_name = options["source"], options["target"]
        if source_name == target_name:
            raise CommandError("--from and --to are the same store.", returncode=2)
        if "influxdb" in (source_name, target_name) and settings.HEATMON.influxdb_url is None:
            raise CommandError(
                "Set HEATMON_INFLUXDB_URL, HEATMON_INFLUXDB_ORG, HEATMON_INFLUXDB_BUCKET and"
                " HEATMON_INFLUXDB_TOKEN first.",
                returncode=2,
            )
        try:
            with ProcessLock(settings.DATA_DIR / "heatmon.lock"):
                copied, days = self._migrate(source_name, target_name)
        except StoreRefused as error:
            raise CommandError(f"{error}. Nothing was changed.") from error
        except (StoreUnavailable, AlreadyRunning) as error:
            raise CommandError(f"{error}. Nothing is lost; run this again.") from error
        except KeyboardInterrupt:
            raise CommandError("Interrupted; run this again to go on.", returncode=130) from None
        self.stdout.write(
            f"{days} days of devices are equal in both stores ({copied} copied now)."
            f" Set HEATMON_STORE={target_name} and start heatmon."
        )

    def _migrate(self, source_name: str, target_name: str) -> tuple[int, int]:
        source = admitted(source_name, settings.STORE_PATH, lasting=True)
        target = open_engine(target_name, settings.STORE_PATH, must_exist=False)
        try:
            source.ping()
            with take_over(target_name, target):
                _drained(source)
                migration = Migration(source, target, Site.objects.values_list("pk", flat=True))
                days = migration.days()
                with Progress(2 * len(days), "migrate_store") as progress:
                    copied = _copy(migration, days, progress)
                    _drained(target)
                    unequal = _unequal(migration, days, progress)
                if unequal:
                    raise StoreUnavailable(
                        f"{len(unequal)} days differ, the first of them {unequal[0]}; was heatmon running"
                    )
        finally:
            source.close()
            target.close()
        return copied, len(days)


def _drained(engine: Engine) -> None:
    if not engine.wait_until_readable(READABLE_WITHIN_S):
        raise StoreUnavailable("Earlier writes are still waiting for the store")


def _copy(migration: Migration, days: Iterable[Day], progress: Progress) -> int:
    days = list(days)
    horizon: Mapping[tuple[int, str, str], int] = {day[:3]: day.end for day in days}
    copied = 0
    for day in days:
        copied += migration.copy(day, horizon[day[:3]])
        progress.advance()
    return copied


def _unequal(migration: Migration, days: Iterable[Day], progress: Progress) -> list[Day]:
    unequal = []
    for day in days:
        if not migration.is_equal(day):
            unequal.append(day)
        progress.advance()
    return unequal
