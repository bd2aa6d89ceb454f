"""Headless Chromium before a live server with a house filled by hand.

Nothing but the server's own address may be asked; console errors and violations of the content security
policy fail the test that caused them. Tests wait for the state that they check, for as long as a busy machine
may take, and never for a while.
"""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.core.management import call_command
from django.core.signals import request_finished, request_started
from django.test import Client, override_settings
from playwright.sync_api import Browser, Page, Request, expect, sync_playwright
from pytest_django import DjangoDbBlocker
from pytest_django.live_server_helper import LiveServer

from apps.devices import clock
from apps.devices.models import Site
from apps.devices.options import default_site
from apps.metrics.apps import use_store
from apps.metrics.store.sqlite import SqliteStore
from tests.dashboard import house

from .lived_in import move_in

ROOT = Path(__file__).resolve().parents[2]
AXE = ROOT / "tests/vendor/axe-core-4.14.1/axe.min.js"
NOW = datetime(2026, 11, 23, 12, 20, 8, tzinfo=UTC)

VIOLATIONS = """
window.__violations = [];
document.addEventListener("securitypolicyviolation", (event) =>
  window.__violations.push(event.violatedDirective + " " + event.blockedURI));
"""

# Only a failing test waits that long: a browser beside busy cores takes seconds for what is else instant.
STATE_WITHIN_MS = 30_000
expect.set_options(timeout=STATE_WITHIN_MS)

# wait_for_function asks again by eval, which the pages' policy forbids.
FITS = """(within_ms) => new Promise((done, failed) => {
    const root = document.documentElement, end = performance.now() + within_ms;
    const look = () => root.scrollWidth <= root.clientWidth ? done()
        : performance.now() < end ? requestAnimationFrame(look) : failed(new Error("wider than the screen"));
    look();
})"""

Open = Callable[..., AbstractContextManager[Page]]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Ends with the module: while Playwright's loop runs in this thread, Django takes it for async code and
    refuses the ORM, which is switched off for just that long."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        reason = "headless Chromium is not installed (Debian: apt install chromium)"
        if os.environ.get("HEATMON_REQUIRE_BROWSER") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@contextmanager
def answered_in_the_end() -> Iterator[None]:
    """On leaving, wait until the server has answered what was asked: a closing browser leaves requests
    behind, and the store must not be closed under them."""
    running = 0
    changed = threading.Condition()

    def count(by: int) -> None:
        nonlocal running
        with changed:
            running += by
            changed.notify_all()

    def started(**_signal: object) -> None:
        count(1)

    def finished(**_signal: object) -> None:
        count(-1)

    request_started.connect(started)
    request_finished.connect(finished)
    try:
        yield
        with changed:
            assert changed.wait_for(lambda: running <= 0, timeout=20)
    finally:
        request_started.disconnect(started)
        request_finished.disconnect(finished)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    store = SqliteStore(tmp_path / "timeseries.sqlite3", synchronous="OFF")
    with use_store(store), answered_in_the_end():
        yield store
    store.close()


@pytest.fixture
def filled(
    chromium: Browser, store: SqliteStore, settings: LazySettings, transactional_db: None
) -> Iterator[Site]:
    """The demo's access rules and a house with three days of data at 13:20 local time."""
    settings.DEMO = True
    site = default_site()
    house.set_up(site)
    gap = (NOW - timedelta(hours=11), NOW - timedelta(hours=10))
    house.fill(store, site, NOW - timedelta(days=3), NOW, cloud_gap=gap)
    with clock.fixed(NOW):
        yield site


@pytest.fixture(scope="module")
def lived_in(
    chromium: Browser,
    tmp_path_factory: pytest.TempPathFactory,
    django_db_setup: None,
    django_db_blocker: DjangoDbBlocker,
) -> Iterator[str]:
    """Serve one home of fourteen months to all tests of a module: filling it takes seconds."""
    store = SqliteStore(tmp_path_factory.mktemp("lived-in") / "timeseries.sqlite3", synchronous="OFF")
    with django_db_blocker.unblock(), override_settings(ALLOWED_HOSTS=["localhost"]):
        server = LiveServer("localhost")
        try:
            call_command("migrate", verbosity=0)  # is done already where another test uses the ORM
            with use_store(store), clock.fixed(NOW), answered_in_the_end():
                move_in(store, default_site(), NOW)
                yield server.url
        finally:
            server.stop()
            store.close()
            call_command("flush", interactive=False, verbosity=0)


def session_of(user: User) -> dict[str, Any]:
    """Sign a user in; return what ``watched_page`` takes as ``storage_state``."""
    client = Client()
    client.force_login(user)
    cookie = {
        "name": "heatmon_session",
        "value": client.cookies["heatmon_session"].value,
        "domain": "localhost",
        "path": "/",
        "expires": -1,
        "httpOnly": True,
        "secure": False,
        "sameSite": "Lax",
    }
    return {"cookies": [cookie], "origins": []}


@contextmanager
def watched_page(chromium: Browser, root: str, address: str, **options: Any) -> Iterator[Page]:
    """A browser of its own at ``address``; on leaving, nothing may have gone wrong there."""
    options = {
        "viewport": {"width": 1280, "height": 900},
        "locale": "en-GB",
        "service_workers": "block",  # test_app.py looks at what it does
        **options,
    }
    context = chromium.new_context(**options)
    page = context.new_page()
    page.set_default_timeout(STATE_WITHIN_MS)
    faults: list[str] = []
    page.add_init_script(VIOLATIONS)
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: faults.append(str(error)))

    def outside(request: Request) -> None:
        if not request.url.startswith((root, "data:", "blob:")):
            faults.append(f"asked {request.url}")

    page.on("request", outside)
    try:
        page.goto(root + address)
        yield page
        if options.get("java_script_enabled", True):
            faults.extend(page.evaluate("window.__violations"))
    finally:
        context.close()
    assert faults == []


@pytest.fixture
def visit(chromium: Browser, filled: Site, live_server: LiveServer) -> Open:
    """Open an address of the filled house."""

    def open_page(address: str, **options: Any) -> AbstractContextManager[Page]:
        return watched_page(chromium, live_server.url, address, **options)

    return open_page


def serious_findings(page: Page) -> list[str]:
    """What axe-core calls serious or critical on the page as it stands."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{finding['id']}: {node['html'][:120]} {node['failureSummary'][:200]}"
        for finding in found["violations"]
        if finding["impact"] in {"serious", "critical"}
        for node in finding["nodes"]
    ]


def wait_until_drawn(page: Page, charts: int, times: int = 1) -> None:
    """Wait until the page has so many charts, and each has been drawn so many times."""
    expect(page.locator("canvas[data-spec]")).to_have_count(charts)
    expect(page.locator(f'canvas[data-drawn="{times}"]')).to_have_count(charts)


def wait_until_all_is_drawn(page: Page) -> None:
    """Wait until no chart of the page is still to be drawn."""
    expect(page.locator("canvas[data-spec]:not([data-drawn])")).to_have_count(0)


def wait_until_it_fits(page: Page) -> None:
    """Wait until nothing sticks out to the right: charts follow a new width a frame later."""
    page.evaluate(FITS, STATE_WITHIN_MS)


def drawn_pixels(page: Page, selector: str) -> int:
    """Return how many pixels of a canvas are not transparent, once it is drawn."""
    page.wait_for_selector(f"{selector}[data-drawn]")
    count: int = page.evaluate(
        """(selector) => {
            const canvas = document.querySelector(selector);
            const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
            let count = 0;
            for (let i = 3; i < data.length; i += 4) if (data[i]) count += 1;
            return count;
        }""",
        selector,
    )
    return count
