"""The simulated devices of the demo, in a process of their own. Started by ``up``."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from heatmon.demo.devices import CountersMissing, serve


class Command(BaseCommand):
    help = "Serve the simulated devices of the demo (started by up)."
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEMO:
            raise CommandError("demo_devices belongs to the demo: make run ARGS=--demo", returncode=2)
        try:
            serve()
        except CountersMissing as error:
            raise CommandError(str(error)) from error
