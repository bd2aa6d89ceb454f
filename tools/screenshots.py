"""Take the README's pictures from the demo with headless Chromium.

    python tools/screenshots.py                      starts a demo of its own in a temporary folder
    python tools/screenshots.py --url http://127.0.0.1:8000    uses one that already runs
    python tools/screenshots.py verdict-light        takes these pictures only

Pictures go to docs/screenshots. A demo of its own is waited for until its history is complete and derived.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "docs" / "screenshots"
STARTED_WITHIN_S = 60
COMPLETE_WITHIN_S = 1200


@dataclass(frozen=True, slots=True)
class Picture:
    """The top of one page as a file; ``{week_ago}`` in the address is a date in a whole week, ``{found}`` a
    change whose effect was found."""

    name: str
    address: str
    scheme: str = "light"
    width: int = 1280
    height: int = 900
    language: str = "en-GB"


PICTURES = (
    # The first one waits for the verdicts, which others show too.
    Picture("verdict-light", "{found}", height=1310),
    Picture("overview-light", "/", height=1180),
    Picture("overview-dark", "/", scheme="dark", height=1180),
    Picture("overview-german", "/", language="de-DE", height=1180),
    Picture("overview-phone", "/", width=360, height=760),
    Picture("history-light", "/history?range=week&date={week_ago}", height=1100),
    Picture("energy-light", "/energy?period=month", height=1180),
    Picture("efficiency-light", "/efficiency", height=1300),
    Picture("changes-dark", "/changes", scheme="dark"),
)


class DemoFailed(Exception):
    """The demo did not start or did not get ready in time."""


@contextmanager
def own_demo() -> Iterator[str]:
    """Run a demo on a free port with an empty data folder; yield its address once the year is there."""
    with tempfile.TemporaryDirectory(prefix="heatmon-screenshots-") as folder:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        address = f"http://127.0.0.1:{port}"
        environ = {name: value for name, value in os.environ.items() if not name.startswith("HEATMON_")}
        environ |= {"HEATMON_DATA_DIR": folder, "HEATMON_BIND": f"127.0.0.1:{port}"}
        process = subprocess.Popen(
            [sys.executable, str(ROOT / "manage.py"), "up", "--demo"], cwd=ROOT, env=environ
        )
        try:
            wait_for(process, address + "/healthz", STARTED_WITHIN_S, lambda _answer: True)
            wait_for(process, address + "/api/jaz", COMPLETE_WITHIN_S, whole_year)
            yield address
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(timeout=30)


def whole_year(answer: bytes) -> bool:
    return json.loads(answer)["label"] in {"full", "partial"}


def wait_for(
    process: subprocess.Popen[bytes], address: str, within_s: float, ready: Callable[[bytes], bool]
) -> None:
    """Ask until the answer is the wanted one. Raises DemoFailed."""
    end = time.monotonic() + within_s
    while time.monotonic() < end:
        if process.poll() is not None:
            raise DemoFailed(f"the demo ended with code {process.returncode}")
        try:
            with urllib.request.urlopen(address, timeout=10) as answer:
                if ready(answer.read()):
                    return
        except (urllib.error.URLError, TimeoutError, ConnectionError):
            pass  # not there yet
        time.sleep(2)
    raise DemoFailed(f"{address} was not ready within {within_s:.0f} s")


def take(browser: Browser, address: str, picture: Picture) -> Path:
    """Open the page, wait until its charts are drawn, and save it."""
    context = browser.new_context(
        viewport={"width": picture.width, "height": picture.height},
        color_scheme="dark" if picture.scheme == "dark" else "light",
        locale=picture.language,
        reduced_motion="reduce",
    )
    page = context.new_page()
    week_ago = datetime.now(UTC).date() - timedelta(days=7)
    found = ""
    if "{found}" in picture.address:
        chips = page.locator(".entry", has_text="more heat per kWh")
        for _attempt in range(60):  # changes are judged every two minutes
            page.goto(f"{address}/changes", wait_until="networkidle")
            if chips.count():
                break
            time.sleep(5)
        found = chips.last.locator("h3 a").get_attribute("href") or ""
    page.goto(address + picture.address.format(week_ago=week_ago, found=found), wait_until="networkidle")
    page.wait_for_function("!document.querySelector('canvas[data-spec]:not([data-drawn])')")
    path = FOLDER / f"{picture.name}.png"
    page.screenshot(path=path)
    context.close()
    return path


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--url", help="address of a running demo; without it one is started")
    names = [picture.name for picture in PICTURES]
    parser.add_argument("names", nargs="*", metavar="picture", help="only these; without any all of them")
    options = parser.parse_args(arguments)
    if unknown := set(options.names) - set(names):
        parser.error(f"no such picture: {', '.join(sorted(unknown))}; there are {', '.join(names)}")
    chosen = [picture for picture in PICTURES if picture.name in (options.names or names)]
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        sys.stderr.write("headless Chromium is not installed (Debian: apt install chromium)\n")
        return 2
    FOLDER.mkdir(parents=True, exist_ok=True)
    if options.url:
        take_all(chromium, options.url.rstrip("/"), chosen)
        return 0
    try:
        with own_demo() as address:
            take_all(chromium, address, chosen)
    except DemoFailed as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def take_all(chromium: str, address: str, pictures: Sequence[Picture]) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for picture in pictures:
            path = take(browser, address, picture)
            sys.stdout.write(f"{path.relative_to(ROOT)}\n")
        browser.close()


if __name__ == "__main__":
    sys.exit(main())
