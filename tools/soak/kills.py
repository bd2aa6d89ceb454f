"""Kill heatmon two hundred times, more than half of them inside of its work, and count what is missing.

python -m tools.soak.kills [--count 200] [--seed 1]

A simulated meter and cloud, ``manage.py up`` and a writer of notes run beside each other; what heatmon has
acknowledged is in a list here. Fails if a start needs help, a file is damaged, anything acknowledged is
missing, or minutes lack a quarter of an hour after the last kill.
"""

from __future__ import annotations

import argparse
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

import requests

from tests.production.databases import AT, NOTES, SERIES, damaged, numbers
from tests.production.processes import Services, answers, free_port, wait_for

# Name of a crash point → how often it is passed at most. The cloud is asked once in five minutes only.
INSIDE = {"store.write": 3, "store.written": 3}
AT_A_CALL = {"answer.kept": 1, "ledger.charged": 1, "ledger.answered": 1}
INSIDE_SHARE, AT_A_CALL_SHARE = 0.7, 0.1
LONGEST_LIFE_S, START_WITHIN_S, COMPLETE_WITHIN_S = 40.0, 60.0, 900.0


class Home(Services):
    """heatmon on simulated devices, with a checker's own list of what was acknowledged."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.data = folder / "data"
        self.address = f"http://127.0.0.1:{free_port()}"
        self.acknowledged: list[int] = []
        self._ended = threading.Event()
        self.start_devices()
        self.token = self.manage("create_api_token", "soak", "--write").split()[-1]
        self._writer = threading.Thread(target=self._write, daemon=True)
        self._writer.start()

    def environment(self, name: str) -> dict[str, str]:
        return {**super().environment(name), "HEATMON_REDIS_URL": ""}

    def up(self, crash: str = "") -> subprocess.Popen[bytes]:
        return self.start_embedded(self.address.removeprefix("http://"), HEATMON_CRASH=crash)

    def _write(self) -> None:
        headers = {"Authorization": f"Bearer {self.token}"}
        number = 0
        while not self._ended.wait(0.3):
            number += 1
            with suppress(requests.RequestException, ValueError, KeyError):
                answer = requests.post(
                    f"{self.address}/api/changelog",
                    json={"text": f"note {number}"},
                    headers=headers,
                    timeout=5,
                )
                if answer.status_code == 201:
                    self.acknowledged.append(int(answer.json()["id"]))

    def stop_writing(self) -> None:
        self._ended.set()
        self._writer.join()

    def missing_minutes(self, since: float) -> set[int]:
        first, last = int(since) // 60 * 60 + 60, int(time.time()) // 60 * 60 - 120
        final = f"SELECT {AT} FROM meter_minute WHERE NOT coalesce(provisional, 0)"  # noqa: S608
        return set(range(first, last, 60)) - set(numbers(self.data / SERIES, final))


def kill_once(home: Home, chance: random.Random) -> str:
    """Start, let it live for a while, kill it; return where that was."""
    share = chance.random()
    points = INSIDE if share < INSIDE_SHARE else AT_A_CALL if share < INSIDE_SHARE + AT_A_CALL_SHARE else {}
    point = chance.choice(list(points) or ["anywhere"])
    process = home.up(f"{point}:{chance.randint(1, points[point])}" if points else "")
    deadline = time.monotonic() + (LONGEST_LIFE_S if points else chance.uniform(1.0, LONGEST_LIFE_S))
    while time.monotonic() < deadline and process.poll() is None:
        time.sleep(0.05)
    if process.poll() not in {None, -signal.SIGKILL}:
        raise SystemExit(f"heatmon ended by itself ({process.returncode}): {home.log('up')[-2000:]}")
    was_inside = process.poll() is not None
    home.end("up", signal.SIGKILL)
    return point if was_inside else "anywhere"


def faults_of(home: Home, began: float) -> list[str]:
    """Run once more without a kill; return what is not as it should be."""
    home.up()
    wait_for(lambda: answers(f"{home.address}/healthz", 2), START_WITHIN_S, "heatmon answers")
    deadline = time.monotonic() + COMPLETE_WITHIN_S
    while (missing := home.missing_minutes(began)) and time.monotonic() < deadline:
        time.sleep(10)
    faults = [f"{len(missing)} minutes are missing"] if missing else []
    home.stop_writing()
    calls = (home.control() or {})["cloud_calls"]
    home.end("up", signal.SIGTERM)
    lost = set(home.acknowledged) - set(numbers(home.data / NOTES, "SELECT id FROM changelog_entry"))
    faults += [f"{len(lost)} of {len(home.acknowledged)} notes are missing"] if lost else []
    (ledger,) = numbers(home.data / NOTES, "SELECT count(*) FROM devices_apicall")
    faults += [f"{calls} calls, {ledger} in the ledger"] if calls > ledger else []
    faults += damaged(home.data)
    sys.stdout.write(f"{len(home.acknowledged)} notes, {calls} calls of {ledger} in the ledger\n")
    return faults


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    chance = random.Random(given.seed)  # noqa: S311
    places: Counter[str] = Counter()
    with tempfile.TemporaryDirectory(prefix="heatmon-kills-") as name:
        home = Home(Path(name))
        try:
            began = time.time()
            for number in range(given.count):
                places[kill_once(home, chance)] += 1
                sys.stdout.write(f"{number + 1:>3} {dict(places)}\n")
                sys.stdout.flush()
            faults = faults_of(home, began)
        finally:
            home.close()
    inside = sum(times for place, times in places.items() if place != "anywhere")
    sys.stdout.write(
        f"{given.count} kills, {inside} inside of work: {'; '.join(faults) or 'nothing is missing'}\n"
    )
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
