"""The main path through the pages in a real browser."""

from __future__ import annotations

from datetime import timedelta

import pytest
from playwright.sync_api import expect

from apps.changelog.models import Entry
from apps.devices import clock
from apps.devices.models import Site
from apps.metrics.store.sqlite import SqliteStore
from tests.dashboard import house

from .conftest import NOW, Open, drawn_pixels, serious_findings, wait_until_drawn, wait_until_it_fits

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

# In one piece, so that no timer of the page comes between; htmx sends within the event.
ASKED_WHILE_HIDDEN_AND_THEN = """() => {
    const asked = [];
    document.addEventListener("htmx:beforeSend", () => asked.push(document.hidden));
    const hide = (value) => Object.defineProperty(document, "hidden", {value, configurable: true});
    htmx.trigger("#live", "htmx:abort");
    hide(true);
    htmx.trigger("#live", "heatmon:wake");
    hide(false);
    document.dispatchEvent(new Event("visibilitychange"));
    return asked;
}"""
PAGES = ("/", "/history", "/energy", "/efficiency")


def test_the_overview_draws_both_charts_and_the_state(visit: Open) -> None:
    with visit("/") as page:
        wait_until_drawn(page, charts=3)
        expect(page.get_by_role("heading", name="Heating the house")).to_be_visible()
        for plot in ("power", "temperature", "band"):
            assert drawn_pixels(page, f"canvas[data-plot={plot}]") > 1000


def test_a_new_interval_redraws_the_charts_without_losing_the_reader_s_place(
    visit: Open, store: SqliteStore, filled: Site
) -> None:
    with visit("/") as page:
        page.locator("#day-table summary").click()
        page.locator("#day-table .table-wrap").focus()
        expect(page.locator("#measuring")).to_contain_text("meter 8 s ago")
        later = NOW + timedelta(minutes=12)
        house.fill(store, filled, NOW, later)
        with clock.fixed(later):
            page.evaluate("htmx.trigger('#live', 'heatmon:wake')")
            expect(page.get_by_role("heading", name="On standby")).to_be_visible()
            expect(page.locator("#live .hero__nums .value__num").first).to_have_text("30 W")
            expect(page.locator("#day .panel__sub")).to_contain_text("13:35")
        expect(page.locator("#day-table .table-wrap")).to_be_visible()
        expect(page.locator("#day-table .table-wrap")).to_be_focused()
        wait_until_drawn(page, charts=3)
        assert drawn_pixels(page, "canvas[data-plot=power]") > 1000


def test_cards_without_a_new_interval_leave_the_charts_alone(visit: Open) -> None:
    with visit("/") as page:
        wait_until_drawn(page, charts=3)
        asked: list[str | None] = []
        page.on("request", lambda request: asked.append(request.headers.get("hx-target")))
        page.evaluate("document.querySelector('#live').dataset.before = 'yes'")
        page.evaluate("htmx.trigger('#live', 'heatmon:wake')")
        expect(page.locator("#live:not([data-before])")).to_be_visible()
        assert [target for target in asked if target] == ["live"]


def test_a_swap_writes_no_inline_style_which_the_policy_forbids(visit: Open) -> None:
    with visit("/") as page:
        page.evaluate("document.querySelector('#live').dataset.before = 'yes'")
        page.evaluate("document.querySelector('#live').style.color = 'red'")
        page.evaluate("htmx.trigger('#live', 'heatmon:wake')")
        expect(page.locator("#live:not([data-before]):not(.htmx-settling)")).to_be_visible()


def test_the_charts_are_drawn_anew_after_a_swap(visit: Open, filled: Site) -> None:
    with visit("/") as page:
        expect(page.locator("#day .markers li")).to_have_count(0)
        Entry.objects.create(site=filled, at=NOW - timedelta(hours=2), kind="note", text="Bled the radiators")
        page.evaluate("htmx.ajax('GET', '/', {target: '#day', swap: 'outerHTML', source: '#day'})")
        expect(page.locator("#day .markers li")).to_contain_text("Bled the radiators")
        wait_until_drawn(page, charts=3)
        markers = page.evaluate(
            "Object.keys(Chart.getChart(document.querySelector('canvas[data-plot=power]'))"
            ".options.plugins.annotation.annotations)"
        )
        assert markers == ["m1"]


def test_a_hidden_page_does_not_ask_and_catches_up_when_looked_at(visit: Open) -> None:
    with visit("/") as page:
        asked = page.evaluate(ASKED_WHILE_HIDDEN_AND_THEN)
        assert asked and not any(asked)


def test_ranges_change_by_click_and_by_key(visit: Open) -> None:
    with visit("/history") as page:
        page.get_by_role("link", name="Week", exact=True).click()
        expect(page.locator(".range__label")).to_have_text("Week 48, 2026")
        page.get_by_role("link", name="Day", exact=True).click()
        expect(page.locator(".range__label")).not_to_have_text("Week 48, 2026")
        page.wait_for_url("**/history?range=day*")
        page.keyboard.press("ArrowLeft")
        page.wait_for_url("**/history?range=day&date=2026-11-22")
        expect(page.locator('.range__nav a[rel="next"]')).to_be_visible()
        page.keyboard.press("ArrowRight")
        page.wait_for_url("**/history?range=day&date=2026-11-23")


def test_dragging_in_a_chart_zooms_and_the_address_can_be_shared(visit: Open) -> None:
    with visit("/history?date=2026-11-22&series=power_w,cop") as page:
        box = page.locator("canvas[data-plot=power]").bounding_box()
        assert box is not None
        middle = box["y"] + box["height"] / 2
        page.mouse.move(box["x"] + 300, middle)
        page.mouse.down()
        page.mouse.move(box["x"] + 400, middle)
        page.mouse.move(box["x"] + 600, middle)
        page.mouse.up()
        page.wait_for_url("**from=2026-11-22T*to=2026-11-22T*")
        assert "series=power_w&series=cop" in page.url
        assert page.url.count("%3A00Z") == 2  # whole minutes
        expect(page.locator("#exact input[name=from]")).to_be_visible()
        wait_until_drawn(page, charts=3)


def test_marks_follow_the_house_and_not_the_browser(visit: Open) -> None:
    with visit("/history?date=2026-10-25", timezone_id="America/New_York") as page:
        expect(page.locator(".page-head p")).to_contain_text("25 Oct 2026, 00:00")


def test_the_theme_is_switched_remembered_and_redrawn(visit: Open) -> None:
    with visit("/") as page:
        before = page.evaluate("getComputedStyle(document.body).backgroundColor")
        page.get_by_role("button", name="Light or dark").click()
        wait_until_drawn(page, charts=3, times=2)
        after = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert before != after
        page.reload()
        expect(page.locator("html")).to_have_attribute("data-theme", "dark")
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == after


@pytest.mark.parametrize("address", PAGES)
def test_pages_have_no_serious_accessibility_findings_and_do_not_overflow(visit: Open, address: str) -> None:
    with visit(address) as page:
        page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
        for width in (1280, 360):
            page.set_viewport_size({"width": width, "height": 800})
            for scheme in ("light", "dark"):
                page.emulate_media(color_scheme=scheme)
                assert serious_findings(page) == [], f"{scheme}, {width} px"
            wait_until_it_fits(page)


@pytest.mark.parametrize("name", ["", "/readme", "/study", "/options", "/home-server"])
def test_documents_are_accessible_and_do_not_overflow(visit: Open, name: str) -> None:
    with visit(f"/documentation{name}") as page:
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            assert serious_findings(page) == [], scheme
        page.set_viewport_size({"width": 360, "height": 800})
        wait_until_it_fits(page)
        assert serious_findings(page) == []


def test_stale_values_are_readable_too(visit: Open) -> None:
    with visit("/") as page, clock.fixed(NOW + timedelta(hours=8)):
        page.reload()
        expect(page.locator("#alarms .badge--bad")).to_have_count(2)
        expect(page.locator('.value[data-state="stale"]')).to_have_count(5)
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            assert serious_findings(page) == [], scheme


@pytest.mark.parametrize("address", PAGES)
def test_pages_answer_without_javascript(visit: Open, address: str) -> None:
    with visit(address, java_script_enabled=False) as page:
        expect(page.locator("h1")).to_be_visible()
        page.locator("details.more summary").first.click()
        expect(page.locator("table").first).to_be_attached()
        expect(page.locator("canvas:visible")).to_have_count(0)


def test_a_german_browser_gets_german_pages(visit: Open) -> None:
    with visit("/", locale="de-DE") as page:
        expect(page.locator("html")).to_have_attribute("lang", "de")
        expect(page.locator("#live")).to_contain_text("30,0")
        wait_until_drawn(page, charts=3)
        assert page.evaluate("heatmonCharts.text(2.5, 1)") == "2,5"


def test_reduced_motion_stops_all_animation(visit: Open) -> None:
    with visit("/", reduced_motion="reduce") as page:
        assert page.evaluate("getComputedStyle(document.querySelector('.dot--live')).animationName") == "none"
