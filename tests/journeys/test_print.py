"""Pages on paper: A4, without forms and menus, charts as wide as the sheet, with range and footer."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, ViewportSize, expect

from .conftest import Open, wait_until_all_is_drawn

PAPER: ViewportSize = {"width": 688, "height": 1016}
"""A4 less its margins, at 96 dots an inch."""

WIDTHS = "all => all.map((canvas) => [canvas.offsetWidth, canvas.parentElement.clientWidth])"

KEEP_WIDTHS_BEFORE_PRINT = """() => {
    window.drawnForPaper = [];
    window.addEventListener("beforeprint", () => {
        const all = document.querySelectorAll("canvas");
        window.drawnForPaper = Array.from(all, (canvas) => canvas.offsetWidth);
    });
}"""
"""A chart that is drawn wider than the sheet is made smaller on it, and its letters too."""


def sheets(page: Page) -> int:
    return len(re.findall(rb"/Type\s*/Page[^s]", page.pdf(format="A4", prefer_css_page_size=True)))


def put_on_paper(page: Page) -> None:
    page.emulate_media(media="print")
    page.set_viewport_size(PAPER)


@pytest.mark.parametrize(
    ("address", "footer", "needed"), [("/energy", ".foot", 1), ("/report", ".sheet__foot", 2)]
)
def test_a_phone_prints_a_sheet_or_two_with_charts_as_wide_as_their_card(
    visit: Open, address: str, footer: str, needed: int
) -> None:
    with visit(address, viewport={"width": 360, "height": 740}) as page:
        page.wait_for_selector("canvas[data-drawn]", state="attached")
        assert sheets(page) == needed
        put_on_paper(page)
        widths = page.locator("canvas").evaluate_all(WIDTHS)
        assert widths and all(abs(drawn - room) <= 1 for drawn, room in widths)
        expect(page.locator(footer).first).to_contain_text("heatmon")


SHEETS = {
    "/": 2,
    "/history?range=day": 1,
    "/history?range=month": 1,
    "/energy": 1,
    "/efficiency": 2,
    "/hot-water": 2,
    "/changes": 1,
    "/normal": 1,
    "/health": 2,
}


@pytest.mark.parametrize(("address", "most"), SHEETS.items())
def test_a_page_of_a_wide_dark_screen_fits_its_sheets_with_letters_that_can_be_read(
    visit: Open, address: str, most: int
) -> None:
    with visit(address, color_scheme="dark") as page:
        wait_until_all_is_drawn(page)
        page.evaluate(KEEP_WIDTHS_BEFORE_PRINT)
        assert 1 <= sheets(page) <= most
        drawn = page.evaluate("window.drawnForPaper")
        assert all(width <= PAPER["width"] + 10 for width in drawn), drawn


def test_forms_buttons_and_menus_stay_off_the_paper(visit: Open) -> None:
    with visit("/changes") as page:
        put_on_paper(page)
        for hidden in ("form", ".topbar", ".seg", ".btn"):
            assert page.locator(hidden).count() > 0
            assert page.locator(f"{hidden}:visible").count() == 0
