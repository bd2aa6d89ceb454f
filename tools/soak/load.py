"""Fifty open dashboards and one real Chromium beside collection: python -m tools.soak.load [--minutes 10]

heatmon runs as ``manage.py up`` on a simulated meter and cloud in a process of their own. Each client opens
the overview with what it links, then asks as the page does: the live part every 10 s, the day's chart with
each new interval. Fails for an answer of 400 or more, an unanswered request, a missed poll, a start later
than 1 s (99 %), or 20 MB more memory than after the first minute.
"""

from __future__ import annotations

import argparse
import math
import random
import re
import shutil
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import requests
from playwright.sync_api import sync_playwright

from tests.production.processes import (
    OWNER,
    PASSWORD,
    Services,
    answers,
    free_port,
    self_and_children,
    tell,
    wait_for,
)

CLIENTS = 50
REFRESH_S, INTERVAL_S, POLL_S = 10.0, 300.0, 10
WARM_S = 60.0
LATEST_S, MOST_MORE_MB = 1.0, 20.0
LINKED = re.compile(r'(?:href|src)="(/static/[^"#?]+)')


@dataclass(slots=True)
class Seen:
    """What the clients saw. ``took_s``: of each answered request."""

    took_s: list[float] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def ask(self, session: requests.Session, address: str, **headers: str) -> str:
        began = time.monotonic()
        try:
            answer = session.get(address, headers=headers, timeout=30)
        except requests.RequestException as error:
            self.faults.append(f"{address}: {type(error).__name__}")
            return ""
        self.took_s.append(time.monotonic() - began)
        if answer.status_code >= 400:
            self.faults.append(f"{address}: {answer.status_code}")
        return answer.text


def memory_mb(pid: int) -> float:
    """Return the memory of a process and its children without what they share [MB]."""
    kilobytes = 0
    for one in self_and_children(pid):
        with suppress(FileNotFoundError, ProcessLookupError):
            proportional = re.search(r"^Pss:\s+(\d+)", Path(f"/proc/{one}/smaps_rollup").read_text(), re.M)
            kilobytes += int(proportional.group(1)) if proportional else 0
    return kilobytes / 1024


def client(root: str, cookie: str, until: float, seen: Seen, phase_s: float) -> None:
    """Be one open dashboard until that time (monotonic)."""
    time.sleep(phase_s)
    with requests.Session() as session:
        session.headers["Cookie"] = cookie
        page = seen.ask(session, root + "/")
        for linked in sorted(set(LINKED.findall(page))):
            seen.ask(session, root + linked)
        due = chart_due = time.monotonic()
        while (due := due + REFRESH_S) < until:
            time.sleep(max(0.0, due - time.monotonic()))
            seen.ask(session, root + "/", **{"HX-Request": "true", "HX-Target": "live"})
            if due >= chart_due + INTERVAL_S:
                chart_due += INTERVAL_S
                seen.ask(session, root + "/", **{"HX-Request": "true", "HX-Target": "day"})


def signed_in(root: str) -> str:
    """Return the cookie of a signed-in reader."""
    with requests.Session() as session:
        session.get(root + "/login", timeout=30)
        fields = {
            "username": OWNER,
            "password": PASSWORD,
            "csrfmiddlewaretoken": session.cookies["csrftoken"],
        }
        answer = session.post(root + "/login", fields, timeout=30)
        answer.raise_for_status()
        (found,) = (f"{one.name}={one.value}" for one in session.cookies if "session" in one.name)
        return found


def browse(root: str, cookie: str, until: float, seen: Seen) -> None:
    """Leave the overview open in Chromium until that time."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        page = browser.new_page()
        page.on("pageerror", lambda error: seen.faults.append(f"Chromium: {error}"))
        page.on(
            "response",
            lambda answer: (
                seen.faults.append(f"Chromium: {answer.status} {answer.url}")
                if answer.status >= 400
                else None
            ),
        )
        name, _equals, value = cookie.partition("=")
        page.context.add_cookies([{"name": name, "value": value, "url": root}])
        page.goto(root + "/")
        page.wait_for_timeout(max(0.0, until - time.monotonic()) * 1000)
        browser.close()


def percentile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, math.ceil(share * len(ordered)) - 1)]


def measure(minutes: float, folder: Path) -> bool:
    services, port = Services(folder), free_port()
    root = f"http://127.0.0.1:{port}"
    try:
        services.start_devices()
        services.manage("migrate", "--verbosity", "0")
        services.make_owner()
        heatmon = services.start_embedded(f"127.0.0.1:{port}", HEATMON_LAN_HTTP="on")
        wait_for(lambda: answers(f"{root}/healthz", 5), 60, "heatmon answers")
        cookie = signed_in(root)
        seen = Seen()
        until = time.monotonic() + minutes * 60
        chance = random.Random(1)  # noqa: S311
        with ThreadPoolExecutor(CLIENTS + 1) as clients:
            begin = (int(time.time()) // POLL_S + 1) * POLL_S
            running_clients = [
                clients.submit(client, root, cookie, until, seen, chance.uniform(0, REFRESH_S))
                for _number in range(CLIENTS)
            ]
            running_clients.append(clients.submit(browse, root, cookie, until, seen))
            time.sleep(WARM_S)
            before_mb = memory_mb(heatmon.pid)
            for one in running_clients:
                one.result()
            end = int(time.time()) // POLL_S * POLL_S
        after_mb = memory_mb(heatmon.pid)
        time.sleep(5)
        in_time = [at for at in services.polls() if begin <= at < end]
    finally:
        services.close()
    late_s = [at % POLL_S for at in in_time]
    missed = (end - begin) // POLL_S - len({int(at) // POLL_S for at in in_time})
    tell(
        f"{len(seen.took_s)} answers, median {1000 * percentile(seen.took_s, 0.5):.0f} ms,"
        f" 99 % within {1000 * percentile(seen.took_s, 0.99):.0f} ms; {len(seen.faults)} faults"
    )
    for fault in seen.faults[:20]:
        tell(f"      {fault}")
    tell(
        f"{len(in_time)} of {(end - begin) // POLL_S} polls, begun {percentile(late_s, 0.5):.3f} s after"
        f" their time (median), 99 % within {percentile(late_s, 0.99):.3f} s"
    )
    tell(f"memory {before_mb:.0f} MB after the first minute, {after_mb:.0f} MB at the end")
    return (
        not seen.faults
        and missed == 0
        and percentile(late_s, 0.99) < LATEST_S
        and after_mb - before_mb <= MOST_MORE_MB
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10)
    minutes = parser.parse_args().minutes
    with tempfile.TemporaryDirectory(prefix="heatmon-load-") as name:
        return 0 if measure(minutes, Path(name)) else 1


if __name__ == "__main__":
    sys.exit(main())
