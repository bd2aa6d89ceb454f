"""What a page costs: nothing moves while it loads and refreshes. Bytes: see test_demo.py."""

from __future__ import annotations

from datetime import timedelta

import pytest
from playwright.sync_api import expect

from apps.devices import clock
from apps.devices.models import Site
from apps.metrics.store.sqlite import SqliteStore
from tests.dashboard import house

from .conftest import NOW, Open, wait_until_all_is_drawn, wait_until_drawn

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]

WATCH = """
window.shifted = [];
new PerformanceObserver((list) => list.getEntries().forEach((each) => window.shifted.push(
  [each.value, each.sources.map(({node}) => node && (node.id || node.className || node.nodeName))],
))).observe({type: "layout-shift", buffered: true});
"""
NOTICED = 0.001
"""Less is a fraction of a pixel, or an icon whose label had not yet come."""


@pytest.mark.parametrize("width", [1280, 360])
def test_nothing_moves_while_the_overview_loads_and_refreshes(
    visit: Open, store: SqliteStore, filled: Site, width: int
) -> None:
    with visit("/documentation", viewport={"width": width, "height": 900}) as page:
        page.add_init_script(WATCH)
        page.goto(page.url.replace("/documentation", "/"))
        wait_until_drawn(page, charts=3)
        later = NOW + timedelta(minutes=12)
        house.fill(store, filled, NOW, later)
        with clock.fixed(later):
            page.evaluate("htmx.trigger('#live', 'heatmon:wake')")
            expect(page.get_by_role("heading", name="On standby")).to_be_visible()
            expect(page.locator("#day .panel__sub")).to_contain_text("13:35")
            wait_until_drawn(page, charts=3)
            page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
        assert [each for each in page.evaluate("window.shifted") if each[0] >= NOTICED] == []


@pytest.mark.parametrize("address", ["/history?range=month", "/energy", "/efficiency"])
def test_nothing_moves_while_charts_load(visit: Open, address: str) -> None:
    with visit("/documentation") as page:
        page.add_init_script(WATCH)
        page.goto(page.url.replace("/documentation", address))
        page.wait_for_selector("canvas[data-drawn]")
        wait_until_all_is_drawn(page)
        assert [each for each in page.evaluate("window.shifted") if each[0] >= NOTICED] == []
