"""Pages on paper: A4, without forms and menus, charts as wide as the sheet, with range and footer."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, ViewportSize, expect

from .conftest import Open

PAPER: ViewportSize = {"width": 688, "height": 1016}
"""A4 less its margins, at 96 dots an inch."""

WIDTHS = "all => all.map((canvas) => [canvas.offsetWidth, canvas.parentElement.clientWidth])"


def sheets(page: Page) -> int:
    return len(re.findall(rb"/Type\s*/Page[^s]", page.pdf(format="A4", prefer_css_page_size=True)))


def put_on_paper(page: Page) -> None:
    page.emulate_media(media="print")
    page.set_viewport_size(PAPER)


@pytest.mark.parametrize(("address", "footer"), [("/energy", ".foot"), ("/report", ".sheet__foot")])
def test_a_phone_prints_two_sheets_with_charts_as_wide_as_their_card(
    visit: Open, address: str, footer: str
) -> None:
    with visit(address, viewport={"width": 360, "height": 740}) as page:
        page.wait_for_selector("canvas[data-drawn]", state="attached")
        assert sheets(page) == 2
        put_on_paper(page)
        widths = page.locator("canvas").evaluate_all(WIDTHS)
        assert widths and all(abs(drawn - room) <= 1 for drawn, room in widths)
        expect(page.locator(footer).first).to_contain_text("heatmon")


def test_forms_buttons_and_menus_stay_off_the_paper(visit: Open) -> None:
    with visit("/changes") as page:
        put_on_paper(page)
        for hidden in ("form", ".topbar", ".seg", ".btn"):
            assert page.locator(hidden).count() > 0
            assert page.locator(f"{hidden}:visible").count() == 0
