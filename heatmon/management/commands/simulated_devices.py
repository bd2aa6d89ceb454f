"""A simulated meter and cloud for a heatmon of its own: to try the setup without devices."""

from __future__ import annotations

import signal
import threading
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.devices.option_parsers import InvalidValue, address_and_port
from apps.simulator.announcement import announced
from apps.simulator.clock import RealClock
from apps.simulator.world import RunningWorld, SimulatedWorld
from heatmon.log import say

SEED = 11
NAME = "Simulated heat pump"


class Command(BaseCommand):
    help = "Serve a simulated meter and a simulated cloud, to set heatmon up with them."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--meter", metavar="ADDRESS", default="127.0.0.1:8180", help="of the meter")
        parser.add_argument("--cloud", metavar="ADDRESS", default="127.0.0.1:8181", help="of the cloud")
        parser.add_argument("--days", type=int, default=60, help="days that the meter remembers")

    def handle(self, *args: Any, **options: Any) -> None:
        stop = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_ignored: stop.set())
        if not 0 <= options["days"] <= 60:
            raise CommandError("--days takes 0 to 60", returncode=2)
        meter, cloud = (_host_and_port(options[name]) for name in ("meter", "cloud"))
        world = simulated_world(options["days"])
        with ExitStack() as running:
            try:
                served = running.enter_context(world.serve(meter, cloud))
            except OSError as error:
                raise CommandError(f"Cannot serve there: {error.strerror}") from error
            try:
                running.enter_context(announced(NAME, *meter))
                found = f', announced on the network as "{NAME}"'
            except OSError:
                found = ""
            for line in told(world, served, found):
                say(line)
            stop.wait()


def simulated_world(days: int) -> SimulatedWorld:
    """Return a house that has lived for ``days`` and lives on by this computer's clock."""
    now = datetime.now(UTC)
    start = (now - timedelta(days=days)).replace(second=0, microsecond=0)
    world = SimulatedWorld(SEED, start, scenario="bias", clock=RealClock(), forgets=True)
    world.house.advance_to(now.timestamp())
    return world


def told(world: SimulatedWorld, served: RunningWorld, found: str) -> list[str]:
    """Return what somebody needs to set heatmon up with these devices."""
    return [
        f"meter     {served.meter_url.removeprefix('http://')}{found}",
        f"account   {world.cloud.user}",
        f"password  {world.cloud.password}",
        f"client ID {world.cloud.client_id}",
        "heatmon reaches them when it is started with",
        "  HEATMON_ALLOW_LOOPBACK_DEVICES=on",
        f"  HEATMON_VIESSMANN_API_URL={served.cloud_api_url}",
        f"  HEATMON_VIESSMANN_IAM_URL={served.cloud_iam_url}",
        "stop: Ctrl-C",
    ]


def _host_and_port(address: str) -> tuple[str, int]:
    try:
        host, _colon, port = address_and_port(address).rpartition(":")
    except InvalidValue as error:
        raise CommandError(f"{address} {error}", returncode=2) from error
    return host, int(port)
