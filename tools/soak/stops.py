"""Stop heatmon under load, many times, and look where its wake-up writes land.

python -m tools.soak.stops [--count 50]

A third of the stops each by Ctrl-C, by SIGTERM and by the demo's restart into the real home. Fails if a
write of waitress's wake-up pipe landed in anything but a pipe, or if a database file is damaged.
"""

from __future__ import annotations

import argparse
import os
import re
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

from tests.production.databases import damaged

ROOT = Path(__file__).resolve().parents[2]
WATCH = Path(__file__).resolve().parent / "watch"
PAGES = ("", "history", "energy", "efficiency", "changes", "health", "setup", "static/css/style.css")
LOADERS = 8
LOAD_S = 1.5
START_WITHIN_S, STOP_WITHIN_S = 60.0, 20.0
ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+/")
CODE = re.compile(r"setup : ([A-Z2-9-]{14})")
COMPLAINTS = ("Traceback", "did not end in time", "Error")
WAYS = ("Ctrl-C", "SIGTERM", "restart")


class Load:
    """Browsers that ask for pages as fast as they can, on connections they keep."""

    def __init__(self, address: str, browsers: int = LOADERS) -> None:
        self._ended = threading.Event()
        self.answers = 0
        self._threads = [
            threading.Thread(target=self._ask, args=(address, number), daemon=True)
            for number in range(browsers)
        ]
        for thread in self._threads:
            thread.start()

    def _ask(self, address: str, number: int) -> None:
        with requests.Session() as session:
            while not self._ended.is_set():
                number += 1
                try:
                    session.get(address + PAGES[number % len(PAGES)], timeout=5, allow_redirects=False)
                    self.answers += 1
                except requests.RequestException:
                    self._ended.wait(0.02)

    def wait_for_answers(self, count: int) -> None:
        """Return once that many pages came; at the latest after half a minute."""
        deadline = time.monotonic() + START_WITHIN_S / 2
        while self.answers < count and time.monotonic() < deadline:
            self._ended.wait(0.02)

    def end(self) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join()


class Heatmon:
    """A watched ``manage.py up --demo``."""

    def __init__(self, data_dir: Path, log: Path) -> None:
        kept = {name: text for name, text in os.environ.items() if not name.startswith("HEATMON_")}
        self.process = subprocess.Popen(  # noqa: S603
            [sys.executable, "manage.py", "up", "--bind", "127.0.0.1:0", "--demo"],
            cwd=ROOT,
            env={
                **kept,
                "HEATMON_DATA_DIR": str(data_dir),
                "PYTHONPATH": str(WATCH),
                "STRAY_WRITES_LOG": str(log),
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.said = ""

    def next_match(self, pattern: re.Pattern[str]) -> str:
        """Return the next thing it says that looks like ``pattern``."""
        assert self.process.stdout is not None
        alarm = threading.Timer(START_WITHIN_S, self.process.kill)
        alarm.start()
        try:
            for line in self.process.stdout:
                self.said += line
                found = pattern.search(line)
                if found is not None:
                    return found.group(found.lastindex or 0)
        finally:
            alarm.cancel()
        raise RuntimeError(f"it ended without {pattern.pattern!r}:\n{self.said}")

    def restart(self, address: str) -> None:
        """Leave the demo as a newcomer does, by the page that creates the first account."""
        code = self.next_match(CODE)
        with requests.Session() as session:
            session.get(f"{address}setup", timeout=10)
            password = "a long enough pass phrase"  # noqa: S105
            fields = {
                "code": code,
                "username": "anna",
                "password": password,
                "password_again": password,
                "csrfmiddlewaretoken": session.cookies["heatmon_demo_csrf"],
            }
            with suppress(requests.RequestException):  # it may end before it has answered
                session.post(f"{address}setup", fields, timeout=30)

    def end(self, number: signal.Signals) -> None:
        self.process.send_signal(number)
        try:
            rest, _none = self.process.communicate(timeout=STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            rest, _none = self.process.communicate()
            rest += "\ndid not end in time"
        self.said += rest


def stop_once(way: str, data_dir: Path, log: Path) -> tuple[int, str]:
    """Return (answers under load, what heatmon said) of one start and stop."""
    heatmon = Heatmon(data_dir, log)
    address = heatmon.next_match(ADDRESS)
    load = Load(address)
    time.sleep(LOAD_S)
    if way == "restart":
        heatmon.restart(address)
        later = Load(heatmon.next_match(ADDRESS))
        time.sleep(LOAD_S)
        heatmon.end(signal.SIGTERM)
        later.end()
    else:
        heatmon.end(signal.SIGINT if way == "Ctrl-C" else signal.SIGTERM)
    load.end()
    return load.answers, heatmon.said


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--count", type=int, default=50)
    count = parser.parse_args().count
    stray = faults = 0
    with tempfile.TemporaryDirectory(prefix="heatmon-stops-") as name:
        folder = Path(name)
        kept = folder / "kept"
        for number in range(count):
            way = WAYS[number % len(WAYS)]
            data_dir = folder / f"restart-{number}" if way == "restart" else kept
            log = folder / f"{number}.log"
            answers, said = stop_once(way, data_dir, log)
            landed = log.read_text().splitlines() if log.exists() else []
            wrong = damaged(data_dir)
            wrong += [line[-400:] for line in said.splitlines() if any(word in line for word in COMPLAINTS)]
            stray += len(landed)
            faults += len(wrong)
            print(f"{number + 1:>3} {way:<8} {answers:>5} answers, {len(landed)} stray writes", flush=True)  # noqa: T201
            places = Counter(Path(line.rpartition(" -> ")[2]).name for line in landed)
            for line in (*(f"{place}: {times}" for place, times in places.items()), *wrong):
                print(f"      {line}")  # noqa: T201
    print(f"{count} stops: {stray} stray writes, {faults} faults")  # noqa: T201
    return 1 if stray or faults else 0


if __name__ == "__main__":
    sys.exit(main())
