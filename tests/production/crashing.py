"""heatmon for twenty-five minutes of a night in virtual time, in a process that may be killed anywhere.

    python -m tests.production.crashing FOLDER

Started again it goes on where it was. Its own logs in FOLDER outlive a kill: ``acknowledged`` has a line each
poll, note and backup that was confirmed, ``called`` one each request that the cloud met.
"""

from __future__ import annotations

import json
import os
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

START = datetime(2026, 1, 12, 3, 10, tzinfo=UTC)
END = START + timedelta(minutes=25)
SEED = 3


class Log:
    """Lines that are in the file when ``add`` returns."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def add(self, line: str) -> None:
        os.write(self._file, f"{line}\n".encode())


def main(folder: Path) -> None:
    import django

    django.setup()
    from django.conf import settings
    from django.contrib.auth import get_user_model

    from apps.changelog.notes import add_note
    from apps.devices.options import default_site
    from apps.metrics.apps import default_store
    from apps.simulator.world import SimulatedWorld
    from heatmon import jobs
    from heatmon.database import make_ready
    from heatmon.schedule import JOBS
    from heatmon.simulated import collection_on, connect
    from heatmon.turns import Turn, VirtualTurns

    make_ready()
    acknowledged, called = Log(folder / "acknowledged"), Log(folder / "called")
    owner, _made = get_user_model().objects.get_or_create(username="anna")
    world = SimulatedWorld(SEED, START - timedelta(hours=1))
    answer = world.cloud_handler.handler
    tokens = folder / "tokens"  # the cloud outlives heatmon
    if tokens.exists():
        world.cloud._tokens, world.cloud._refresh = json.loads(tokens.read_text())

    def counted(method: str, path: str, headers: object, body: bytes, at: float) -> object:
        called.add(path)
        given = answer(method, path, headers, body, at)  # type: ignore[arg-type]
        tokens.write_text(json.dumps([world.cloud._tokens, world.cloud._refresh]))
        return given

    world.cloud_handler.handler = world.login_handler.handler = counted  # type: ignore[assignment]
    clock = folder / "now"
    now = datetime.fromisoformat(clock.read_text()) if clock.exists() else START
    site, store = default_site(), default_store()
    connect(site, world)
    world.advance_to(now)
    collection = collection_on(site, store, world, Path(settings.DATA_DIR))

    def note(turn: Turn) -> None:
        if not turn.failed and turn.job.name in {"poll_power", "poll_heat_pump", "back_up"}:
            acknowledged.add(f"{turn.job.name} {int(turn.at.timestamp())}")

    turns = VirtualTurns(collection, JOBS, now, world.advance_to, note)
    while now < END:
        now += timedelta(minutes=1)
        turns.run_until(now)
        acknowledged.add(f"note {add_note(site, f'minute {now}', now, owner).id}")
        clock.write_text(now.isoformat())
    end = END + timedelta(minutes=2)
    world.advance_to(end)
    jobs.refine_minutes(collection, end)
    jobs.backfill(collection, end, whole=True)
    jobs.derive(collection, end)
    store.close()


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "heatmon.settings")
    main(Path(sys.argv[1]))
