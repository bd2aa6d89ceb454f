"""The real jobs against the simulated house in virtual time, compared with the truth."""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
import time
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser

from heatmon.progress import Progress
from heatmon.simulation import fault_names, scratch_environment, simulate

START = datetime(2026, 2, 15, tzinfo=ZoneInfo("Europe/Berlin"))


class Command(BaseCommand):
    help = "Run the real jobs against a simulated house in scratch stores, and compare with the truth."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--days", type=int, help="local days to run, from 15 February 2026")
        parser.add_argument("--seed", type=int, default=1)
        parser.add_argument("--faults", nargs="+", default=[], metavar="NAME", help="names, or all")
        parser.add_argument("--list-faults", action="store_true")
        parser.add_argument("--http", action="store_true", help="all calls over loopback")
        parser.add_argument("--scenario", default="nameplate", help="kind of house (default: nameplate)")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        known = fault_names()
        if options["list_faults"]:
            for name, text in known.items():
                self.stdout.write(f"{name:<24} {text}")
            return
        days = options["days"]
        if days is None or not 1 <= days <= 400:
            raise CommandError("--days N is needed, from 1 to 400", returncode=2)
        faults = sorted(known) if options["faults"] == ["all"] else options["faults"]
        unknown = sorted(set(faults) - set(known))
        if unknown:
            raise CommandError(
                f"No fault called {', '.join(unknown)}; see simulate --list-faults", returncode=2
            )
        if not settings.SCRATCH:
            with scratch_environment(os.environ) as environ:
                child = subprocess.run([sys.executable, *sys.argv], env=environ, check=False)  # noqa: S603
            sys.exit(child.returncode)
        self._simulate(days, faults, options)

    def _simulate(self, days: int, faults: list[str], options: dict[str, Any]) -> None:
        call_command("migrate", verbosity=0)
        # A long run of short-lived objects: garbage is looked for once a simulated day.
        gc.freeze()
        gc.disable()
        began = time.monotonic()
        with Progress(days, "simulate") as progress:

            def day_done(days: int) -> None:
                progress.advance(days)
                gc.collect()
                gc.freeze()  # what outlived a day is not looked at again

            report = simulate(
                days,
                options["seed"],
                faults=faults,
                http=options["http"],
                start=START,
                scenario=options["scenario"],
                elapsed=lambda: time.monotonic() - began,
                progress=day_done,
            )
        if options["json"]:
            self.stdout.write(json.dumps(report.as_dict()))
        else:
            for name, value in report.as_dict().items():
                self.stdout.write(f"{name:<32} {value}")
        complaints = report.complaints()
        for complaint in complaints:
            self.stderr.write(complaint)
        if complaints:
            sys.exit(1)
