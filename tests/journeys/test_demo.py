"""The demo as a newcomer meets it: one command, a page within seconds, live values over real HTTP."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from .conftest import ROOT, drawn_pixels, serious_findings, watched_page

pytestmark = pytest.mark.browser

# Generous, as test machines may be busy: alone it takes a few seconds.
STARTED_WITHIN_S = 90
SLOW_MS = 60_000

MOST_COLD_BYTES = 250_000
MOST_REFRESH_BYTES = 5_000


@pytest.fixture(scope="module")
def demo(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A demo in a process of its own, ended by Ctrl-C; its exit code must be 0."""
    folder = tmp_path_factory.mktemp("demo")
    environ = {
        name: value for name, value in os.environ.items() if not name.startswith(("HEATMON_", "DJANGO_"))
    }
    environ |= {"HEATMON_DATA_DIR": str(folder), "HEATMON_BIND": "127.0.0.1:0"}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, str(ROOT / "manage.py"), "up", "--demo"],
            cwd=ROOT, env=environ, stdout=log, stderr=log,
        )  # fmt: skip
        try:
            yield address_told(process, folder / "log")
        finally:
            process.send_signal(signal.SIGINT)
            code = process.wait(timeout=60)
    assert code == 0, (folder / "log").read_text()


def address_told(process: subprocess.Popen[bytes], log: Path) -> str:
    """Return the address that the process prints once it serves, without its last slash."""
    end = time.monotonic() + STARTED_WITHIN_S
    while time.monotonic() < end:
        told = re.search(r"http://127\.0\.0\.1:\d+(?=/)", log.read_text())
        if told:
            return told[0]
        assert process.poll() is None, log.read_text()
        time.sleep(0.2)  # another process starts; its log is all there is to see
    pytest.fail(f"the demo told no address within {STARTED_WITHIN_S} s: {log.read_text()}")


@pytest.mark.slow
def test_the_demo_shows_live_values_and_takes_a_note_that_marks_the_charts(
    chromium: Browser, demo: str
) -> None:
    with watched_page(chromium, demo, "/") as page:
        expect(page.locator(".banner--demo")).to_contain_text("Demo data.")
        # newest days first: today's curves are there within seconds, the year follows
        expect(page.locator("canvas[data-plot=power]")).to_be_visible(timeout=SLOW_MS)
        assert drawn_pixels(page, "canvas[data-plot=power]") > 1000
        assert drawn_pixels(page, "canvas[data-plot=temperature]") > 1000
        expect(page.locator("#live .hero__nums .value").first).to_have_attribute(
            "data-state", "fresh", timeout=SLOW_MS
        )
        with page.expect_response(
            lambda answer: answer.request.headers.get("hx-target") == "live", timeout=SLOW_MS
        ) as refreshed:
            pass
        assert refreshed.value.status == 200
        assert serious_findings(page) == []
        page.get_by_role("link", name="Changes", exact=True).click()
        page.get_by_label("What happened?").fill("Put new seals into the front door")
        page.get_by_role("button", name="Save note").click()
        expect(page.get_by_role("heading", name="Put new seals into the front door")).to_be_visible()
        page.get_by_role("link", name="Overview").click()
        expect(page.locator("#day .markers")).to_contain_text("Put new seals into the front door")


@pytest.mark.slow
def test_the_overview_is_light_when_first_opened_and_at_each_refresh(chromium: Browser, demo: str) -> None:
    with watched_page(chromium, demo, "/documentation") as page:
        session = page.context.new_cdp_session(page)
        session.send("Network.enable")
        session.send("Network.setCacheDisabled", {"cacheDisabled": True})
        received: list[int] = []
        session.on("Network.loadingFinished", lambda event: received.append(event["encodedDataLength"]))
        page.goto(f"{demo}/", wait_until="networkidle")
        page.wait_for_selector("canvas[data-drawn]", state="attached", timeout=SLOW_MS)
        assert 100_000 < sum(received) <= MOST_COLD_BYTES
        received.clear()
        with page.expect_response(
            lambda answer: answer.request.headers.get("hx-target") == "live"
        ) as refresh:
            page.evaluate("htmx.trigger('#live', 'heatmon:wake')")
        assert refresh.value.request.sizes()["responseBodySize"] <= MOST_REFRESH_BYTES
        assert refresh.value.headers["content-encoding"] == "gzip"


def test_the_demo_speaks_german_to_a_german_browser(chromium: Browser, demo: str) -> None:
    with watched_page(chromium, demo, "/history", locale="de-DE") as page:
        expect(page.locator("html")).to_have_attribute("lang", "de")


def test_the_demo_holds_no_credentials_and_closes_its_admin(chromium: Browser, demo: str) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(f"{demo}/admin/", timeout=10)
    assert refused.value.code == 403
    refused.value.close()
