"""How many homes one worker carries: simulated homes over HTTP, polled one after the other.

    python -m tools.homes --homes 20 --rounds 12

Prints the time that each job takes a home, and how many homes that makes: polls of all homes in half of their
ten seconds.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

SHARE = 0.5
PERIODS_S = {"poll_power": 10, "poll_heat_pump": 300, "derive": 300, "refine_minutes": 300}


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure how many homes one worker carries.")
    parser.add_argument("--homes", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=12, help="polls of each home")
    return parser.parse_args()


def main() -> int:
    asked = arguments()
    with tempfile.TemporaryDirectory(prefix="homes-") as folder:
        os.environ |= {
            "HEATMON_TESTING": "1",
            "HEATMON_DATA_DIR": folder,
            "DJANGO_SETTINGS_MODULE": "heatmon.settings",
        }
        import django

        django.setup()
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
        measure(Path(folder), asked.homes, asked.rounds)
    return 0


def measure(folder: Path, homes: int, rounds: int) -> None:
    from apps.devices.models import Site
    from apps.metrics.apps import default_store
    from apps.simulator.clock import RealClock
    from apps.simulator.world import SimulatedWorld
    from heatmon import jobs
    from heatmon.simulated import collection_on, connect

    begin = datetime.now(UTC) - timedelta(hours=2)
    with ExitStack() as stack:
        collections = []
        for number in range(homes):
            world = SimulatedWorld(number + 1, begin, clock=RealClock())
            running = stack.enter_context(world.serve())
            site = Site.objects.create(name=f"home {number + 1}")
            connect(site, world, running)
            own = folder / str(number)
            own.mkdir()
            collections.append(collection_on(site, default_store(), world, own, running=running))
        took: dict[str, list[float]] = {name: [] for name in PERIODS_S}
        for number in range(rounds):
            at = begin + timedelta(hours=2, seconds=10 * number)
            timed(took["poll_power"], jobs.poll_power, collections, at)
        timed(took["poll_heat_pump"], jobs.poll_heat_pump, collections, datetime.now(UTC))
        timed(took["refine_minutes"], jobs.refine_minutes, collections, datetime.now(UTC))
        for one in collections:
            jobs.backfill(one, datetime.now(UTC))
            jobs.derive(one, datetime.now(UTC) - timedelta(seconds=600))
        timed(took["derive"], jobs.derive, collections, datetime.now(UTC))
    tell(took)


def timed(took: list[float], job: Callable[..., Any], collections: Iterable[Any], at: datetime) -> None:
    for collection in collections:
        began = time.perf_counter()
        job(collection, at)
        took.append(time.perf_counter() - began)


def tell(took: dict[str, list[float]]) -> None:
    mean_s = {name: sum(times) / len(times) for name, times in took.items()}
    for name, seconds in mean_s.items():
        longest = max(took[name]) * 1000
        sys.stdout.write(f"{name}: {seconds * 1000:.0f} ms a home on average, {longest:.0f} ms at most\n")
    meter = SHARE * PERIODS_S["poll_power"] / mean_s["poll_power"]
    others = sum(mean_s[name] / PERIODS_S[name] for name in mean_s if name != "poll_power")
    sys.stdout.write(
        f"the meter's process carries {meter:.0f} homes, one of the others {SHARE / others:.0f}\n"
    )


if __name__ == "__main__":
    sys.exit(main())
