"""Puts a backup in the place of what is there."""

from __future__ import annotations

import shutil
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection

from apps.backups.archive import DATABASE
from apps.backups.checking import Manifest, check, unpack
from apps.backups.relational import fill_database
from apps.backups.restoring import calls_since, complete, holds_a_home, put_in_force
from apps.backups.words import NotRestorable
from apps.devices.locks import LockHeld, held
from heatmon.database import make_ready
from heatmon.embedded import AlreadyRunning, ProcessLock
from heatmon.restored import ASIDE, PENDING, finish_restore

PREPARED = "restoring"


class Command(BaseCommand):
    help = (
        "Restore a backup. It is checked first; what is there now is replaced only with --force, and kept"
        " beside it. Stop heatmon before."
    )
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE")
        parser.add_argument("--force", action="store_true", help="replace the data that is there")

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["file"]
        data_dir = Path(settings.DATA_DIR)
        if not path.is_file():
            raise CommandError(f"No such file: {path}", returncode=2)
        on_server = connection.vendor != "sqlite"
        has_home = holds_a_home(data_dir) or (on_server and _server_holds_a_home())
        if has_home and not options["force"]:
            raise CommandError(
                f"{data_dir} already holds a home. Nothing was changed; to replace it, add --force.",
                returncode=2,
            )
        try:
            with ExitStack() as stack:
                stack.enter_context(ProcessLock(data_dir / "heatmon.lock"))
                for lock in _meter_locks(data_dir):
                    stack.enter_context(held(lock))
                manifest = self._restore(path, data_dir, on_server=on_server)
        except NotRestorable as error:
            raise CommandError(f"{error}. Nothing was changed.", returncode=2) from error
        except AlreadyRunning as error:
            raise CommandError(f"{error}. Stop it first; nothing was changed.") from error
        except LockHeld as error:
            raise CommandError("heatmon's worker is running. Stop it first; nothing was changed.") from error
        self._fill_bucket()
        self.stdout.write(
            f"Restored: the backup of {manifest.made_at:%Y-%m-%d %H:%M} UTC by heatmon {manifest.version}."
        )
        self.stdout.write(
            "Saved passwords can be read only with the keys of the installation they come from."
        )

    def _restore(self, path: Path, data_dir: Path, *, on_server: bool) -> Manifest:
        prepared = data_dir / PREPARED
        shutil.rmtree(prepared, ignore_errors=True)  # of an attempt that was killed
        prepared.mkdir(mode=0o700)
        try:
            manifest = unpack(path, prepared)
            if manifest.demo and not settings.DEMO:
                raise NotRestorable(
                    "It is a backup of the demo's simulated house; with HEATMON_DEMO=1 before the command it"
                    " is restored into the demo"
                )
            check(prepared)
            now = datetime.now(UTC)
            calls = calls_since(manifest.made_at, data_dir / DATABASE)
            complete(prepared / DATABASE, calls, at=now, detail=f"backup of {manifest.made_at.isoformat()}")
            aside = f"before-restore-{now:%Y%m%d-%H%M%S}"
            (prepared / ASIDE).write_text(aside, encoding="utf-8")
            put_in_force(prepared, data_dir / PENDING)
        finally:
            shutil.rmtree(prepared, ignore_errors=True)
        finish_restore(data_dir)
        if (data_dir / aside).is_dir():
            self.stdout.write(f"What was there before is kept in {data_dir / aside}.")
        if on_server:
            make_ready()
            fill_database(data_dir / DATABASE)
            (data_dir / DATABASE).unlink()
        return manifest

    def _fill_bucket(self) -> None:
        """Bring the measured values into the bucket, where heatmon keeps them in one."""
        if settings.STORE_ENGINE != "influxdb":
            return
        make_ready()
        call_command("migrate_store", "--from", "sqlite", "--to", "influxdb", stdout=self.stdout)


def _meter_locks(data_dir: Path) -> list[str]:
    """Return the locks that a running worker keeps, one a home."""
    found = (path.name for path in (data_dir / "locks").glob("meter-[0-9]*"))
    return sorted(name for name in found if not name.endswith(".next"))


def _server_holds_a_home() -> bool:
    tables = set(connection.introspection.table_names())
    with connection.cursor() as cursor:
        for table in {"auth_user", "devices_device", "devices_savedoption"} & tables:
            cursor.execute(f"SELECT 1 FROM {table} LIMIT 1")  # noqa: S608  (from the list above)
            if cursor.fetchone():
                return True
    return False
