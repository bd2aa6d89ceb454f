"""heatmon as an app on a phone, in a real browser: installed, without a connection, a new version."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import User
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from apps.accounts.links import create_link
from apps.dashboard.pages.app import view
from apps.devices.models import Site

from .conftest import NOW, STATE_WITHIN_MS, VIOLATIONS, serious_findings, wait_until_it_fits

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]

PHONE = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "locale": "en-GB"}
ACTIVE = "navigator.serviceWorker.ready.then((known) => known.active && known.active.state)"
CONTROLLED = "() => navigator.serviceWorker.controller !== null"
CACHES = """
(async () => {
  const kept = {};
  for (const name of await caches.keys())
    kept[name] = (await (await caches.open(name)).keys()).map((request) => new URL(request.url).pathname);
  return kept;
})()
"""
ONLY_ANOTHER = """
(before) => new Promise((resolve, reject) => {
  setTimeout(() => reject(new Error("the old shell stays")), 20000);
  const look = () => caches.keys().then((names) =>
    names.length === 1 && names[0] !== before ? resolve() : requestAnimationFrame(look));
  look();
})
"""
SHELL = [
    "/offline",
    "/static/css/style.css",
    "/static/js/offline.js",
    "/static/favicon.svg",
]


@contextmanager
def phone(chromium: Browser, **options: object) -> Iterator[Page]:
    """A phone whose service worker works; on leaving, the content security policy was never broken."""
    context = chromium.new_context(**{**PHONE, **options})  # type: ignore[arg-type]
    page = context.new_page()
    page.set_default_timeout(STATE_WITHIN_MS)
    page.add_init_script(VIOLATIONS)
    try:
        yield page
        assert page.evaluate("window.__violations") == []
    finally:
        context.set_offline(False)
        context.close()


@pytest.fixture
def installed(chromium: Browser, filled: Site, live_server: LiveServer) -> Iterator[Page]:
    with phone(chromium) as page:
        page.goto(live_server.url)
        page.wait_for_function(CONTROLLED)
        yield page


def test_a_browser_finds_nothing_against_installing(installed: Page) -> None:
    session = installed.context.new_cdp_session(installed)
    found = session.send("Page.getAppManifest")
    assert found["errors"] == []
    icons = json.loads(found["data"])["icons"]
    sizes = installed.evaluate(
        """(icons) => Promise.all(icons.map(async (icon) => {
            const image = new Image();
            image.src = icon.src;
            await image.decode();
            return image.naturalWidth + "x" + image.naturalHeight;
        }))""",
        icons,
    )
    assert sizes == [icon["sizes"] for icon in icons] == ["192x192", "512x512", "192x192", "512x512"]
    assert installed.evaluate(ACTIVE) == "activated"
    wrong = session.send("Page.getInstallabilityErrors")["installabilityErrors"]
    assert [error["errorId"] for error in wrong if error["errorId"] != "in-incognito"] == []


def test_without_a_connection_the_shell_says_since_when_and_goes_on_by_itself(installed: Page) -> None:
    address = f"{installed.url}history?range=day"
    installed.context.set_offline(True)
    installed.goto(address)
    expect(installed.get_by_role("heading", name="heatmon cannot be reached")).to_be_visible()
    expect(installed.get_by_text("No connection since")).to_contain_text(":")
    expect(installed.get_by_text("Last reached:")).to_contain_text(":")
    since = installed.locator("[data-show=since] time").get_attribute("datetime")
    installed.reload()
    expect(installed.locator("[data-show=since] time")).to_have_attribute("datetime", str(since))
    assert serious_findings(installed) == []
    wait_until_it_fits(installed)
    installed.context.set_offline(False)
    expect(installed.get_by_role("heading", name="History")).to_be_visible()
    assert installed.url == address
    assert installed.evaluate("localStorage.getItem('heatmon-lost')") is None


def test_a_phone_keeps_the_shell_and_no_number(installed: Page) -> None:
    root = installed.url
    for address in ("history", "energy", "efficiency", "changes", "api/status"):
        installed.goto(root + address)
    kept = installed.evaluate(CACHES)
    assert list(kept.values()) == [SHELL]


def test_a_new_version_replaces_the_shell(installed: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    (before,) = installed.evaluate(CACHES)
    monkeypatch.setattr(view, "version", lambda: "9.9.9")
    installed.reload()
    installed.evaluate(ONLY_ANOTHER, before)
    kept = installed.evaluate(CACHES)
    assert [name.startswith("heatmon / 9.9.9 ") for name in kept] == [True]
    assert list(kept.values()) == [SHELL]


def test_at_the_login_and_for_a_visitor_the_app_works_too(
    chromium: Browser, filled: Site, live_server: LiveServer, settings: LazySettings
) -> None:
    settings.DEMO = False
    owner = User.objects.create_superuser("anna", password="brine-and-copper-42")
    _link, secret = create_link("Tablet", notes=False, at=NOW, expires_at=NOW.replace(year=2027), user=owner)
    for address, heading in (("/login", "Sign in"), (f"/v/{secret}", "Overview")):
        with phone(chromium) as page:
            page.goto(live_server.url + address)
            page.wait_for_function(CONTROLLED)
            assert secret not in page.url
            page.context.set_offline(True)
            page.reload()
            expect(page.get_by_role("heading", name="heatmon cannot be reached")).to_be_visible()
            page.context.set_offline(False)
            expect(page.get_by_role("heading", name=heading, level=1)).to_be_visible()
            assert list(page.evaluate(CACHES).values()) == [SHELL]


BOX = "(selector) => document.querySelector(selector).getBoundingClientRect().toJSON()"
PULL = """
([selector, way]) => {
  const target = document.querySelector(selector);
  const touch = (y) => new Touch({ identifier: 1, target, clientX: 100, clientY: y });
  const send = (name, y, held) => target.dispatchEvent(new TouchEvent(name, {
    bubbles: true, touches: held ? [touch(y)] : [], changedTouches: [touch(y)] }));
  send("touchstart", 100, true);
  send("touchmove", 100 + way, true);
  const shown = !document.querySelector(".pull").hidden;
  send("touchend", 100 + way, false);
  return shown;
}
"""


def test_pulling_refreshes_on_an_iphones_home_screen_but_not_from_a_chart(
    chromium: Browser, filled: Site, live_server: LiveServer
) -> None:
    with phone(chromium) as page:
        page.add_init_script("navigator.standalone = true")
        page.goto(live_server.url)
        page.evaluate("window.__before = true")
        assert page.evaluate(PULL, [".plots", 150]) is False
        assert page.evaluate(PULL, ["h1", 60]) is True
        assert page.evaluate("window.__before") is True
        with page.expect_navigation():
            page.evaluate(PULL, ["h1", 150])
        assert page.evaluate("window.__before") is None


def test_where_the_browser_refreshes_by_itself_nothing_else_does(installed: Page) -> None:
    assert installed.evaluate(PULL, ["h1", 150]) is False


def test_bars_and_page_keep_clear_of_notches(installed: Page) -> None:
    session = installed.context.new_cdp_session(installed)
    session.send("Emulation.setSafeAreaInsetsOverride", {"insets": {"top": 44, "bottom": 34}})
    installed.reload()
    assert installed.evaluate(BOX, ".brand")["top"] >= 44
    assert installed.evaluate(BOX, ".nav a")["bottom"] <= 740 - 34
    session.send("Emulation.setSafeAreaInsetsOverride", {"insets": {"left": 44, "right": 44}})
    installed.set_viewport_size({"width": 740, "height": 360})
    for selector in (".brand", "h1", ".card", ".foot span", ".nav a"):
        box = installed.evaluate(BOX, selector)
        assert (box["left"] >= 44, box["right"] <= 740 - 44) == (True, True), selector
