"""How charts are drawn in a real browser: what only the browser's pixels decide."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from playwright.sync_api import Page, Route, expect

from apps.changelog.models import Entry
from apps.devices.models import Site
from apps.devices.options import save_home_options

from .conftest import NOW, Open, serious_findings, wait_until_drawn

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]

TICKS = """(selector) =>
    Chart.getChart(document.querySelector(selector)).scales.y.ticks.map((tick) => tick.label)"""
NUMBERS = """(selector) => {
    const chart = Chart.getChart(document.querySelector(selector));
    return Object.values(chart.config.options.plugins.annotation.annotations)
        .filter((line) => line.type === "line" && line.label.display({chart}))
        .map((line) => line.label.content({chart}));
}"""


def ticks(page: Page, selector: str) -> list[str]:
    found: list[str] = page.evaluate(TICKS, selector)
    return found


def test_an_axis_of_small_sums_has_the_decimals_that_its_steps_need(visit: Open, filled: Site) -> None:
    save_home_options(filled, {"electricity_price": 0.0001})
    with visit("/energy") as page:
        page.wait_for_selector("canvas[data-spec=cost-data][data-drawn]")
        labels = ticks(page, "canvas[data-spec=cost-data]")
        assert len(set(labels)) == len(labels) > 2
        assert labels[0] == "0.000"


def test_an_axis_of_whole_steps_has_none(visit: Open) -> None:
    with visit("/history?range=day") as page:
        wait_until_drawn(page, charts=3)
        assert all(label.isdigit() for label in ticks(page, "canvas[data-plot=temperature]"))


@pytest.mark.parametrize(("width", "labels"), [(1280, 6), (360, 3)])
def test_the_line_of_zero_has_its_label_at_every_width(visit: Open, width: int, labels: int) -> None:
    def around_zero(route: Route) -> None:
        answer = route.fetch()
        body = answer.text()
        for name, value in (("minimum", "-30"), ("maximum", "20"), ("step", "10"), ("signed", "true")):
            body = re.sub(rf'("kind": ?"intervals".*?"{name}": ?)[^,}}]+', rf"\g<1>{value}", body, count=1)
        route.fulfill(response=answer, body=body)

    with visit("/documentation", viewport={"width": width, "height": 900}) as page:
        page.route("**/efficiency", around_zero)
        page.goto(page.url.replace("/documentation", "/efficiency"))
        page.wait_for_selector("canvas[data-spec=methods-data][data-drawn]")
        found = page.evaluate(TICKS.replace("scales.y", "scales.x"), "canvas[data-spec=methods-data]")
        assert "0" in found[1:-1] or "0 %" in found[1:-1]
        assert len(found) == labels


@pytest.mark.parametrize(("width", "numbers"), [(1280, ["1", "2–4"]), (360, ["1", "2–4"])])
def test_numbers_that_would_cover_one_another_share_a_label(
    visit: Open, filled: Site, width: int, numbers: list[str]
) -> None:
    for hours in (20, 3.2, 3.1, 3):
        Entry.objects.create(
            site=filled, kind="note", at=NOW - timedelta(hours=hours), text=f"{hours} hours ago"
        )
    with visit("/", viewport={"width": width, "height": 900}) as page:
        wait_until_drawn(page, charts=3)
        assert page.evaluate(NUMBERS, "canvas[data-plot=power]") == numbers
        assert page.evaluate(NUMBERS, "canvas[data-plot=temperature]") == []
        assert page.locator("#day .markers a").count() == 4


def hover(page: Page, selector: str, x: float, y: float = 0.5) -> tuple[float, float]:
    """Move the mouse over a canvas, to shares of its width and height; return where that is."""
    canvas = page.locator(selector)
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    assert box is not None
    place = (box["x"] + x * box["width"], box["y"] + y * box["height"])
    page.mouse.move(*place)
    return place


def test_one_box_reads_all_plots_and_is_never_over_its_point(visit: Open) -> None:
    with visit("/history?range=day&date=2026-11-22") as page:
        wait_until_drawn(page, charts=3)
        for share in (0.3, 0.9):
            x, _y = hover(page, "canvas[data-plot=power]", share)
            box = page.locator(".readbox")
            expect(box).to_be_visible()
            for word in ("Electric power", "Hot water", "Flow", "Outdoor", "State of the heat pump"):
                expect(box).to_contain_text(word)
            place = box.bounding_box()
            assert place is not None
            assert place["x"] > x or place["x"] + place["width"] < x
        crossed = page.evaluate(
            "Array.from(document.querySelectorAll('canvas[data-spec]'), (c) => Chart.getChart(c).$at())"
        )
        assert max(crossed) - min(crossed) < 1
        dashed = page.locator(".readbox line.k-heatb").evaluate(
            "(line) => getComputedStyle(line).strokeDasharray"
        )
        assert dashed != "none"
        page.mouse.move(5, 5)
        expect(page.locator(".readbox")).to_be_hidden()


def test_keys_walk_the_points_are_spoken_open_a_column_and_go_back(visit: Open) -> None:
    with visit("/history?range=month") as page:
        wait_until_drawn(page, charts=4)
        page.locator(".plots").focus()
        said = page.locator(".plots [role=status]")
        page.keyboard.press("ArrowLeft")
        expect(said).to_contain_text("Mon 23 Nov, so far: Electricity")
        page.keyboard.press("ArrowLeft")
        expect(said).to_contain_text("Sun 22 Nov: Electricity 19.")
        page.keyboard.press("ArrowDown")
        expect(said).to_contain_text("Sun 22 Nov, 00:00")
        hover(page, "canvas[data-plot=energy]", 0.7)
        expect(said).to_contain_text("Sun 22 Nov, 00:00")
        page.locator(".plots").focus()
        page.keyboard.press("End")
        page.keyboard.press("Home")
        expect(said).to_contain_text("Fri 20 Nov")
        page.mouse.move(5, 5)
        for _day in range(2):
            page.keyboard.press("ArrowRight")
        page.keyboard.press("Enter")
        page.wait_for_url("**/history?range=day&date=2026-11-22")
        page.locator(".plots").focus()
        page.keyboard.press("Backspace")
        page.wait_for_url("**/history?range=month")


def test_enter_in_a_day_zooms_to_what_was_measured_in_whole_minutes(visit: Open) -> None:
    with visit("/history?range=day&date=2026-11-22") as page:
        wait_until_drawn(page, charts=3)
        page.locator(".plots").focus()
        page.keyboard.press("Home")
        page.keyboard.press("Shift+ArrowRight")
        expect(page.locator(".plots [role=status]")).to_contain_text("Sun 22 Nov, 00:50")
        page.keyboard.press("Enter")
        page.wait_for_url("**from=2026-11-21T23%3A00%3A00Z&to=2026-11-22T05%3A00%3A00Z")
        expect(page.locator(".panel__sub").first).to_contain_text(
            "Power every 1 min, everything else every 5 min."
        )


def test_a_tap_opens_the_box_above_the_plots_with_a_way_on(visit: Open) -> None:
    with visit("/history?range=month", viewport={"width": 360, "height": 800}, has_touch=True) as page:
        wait_until_drawn(page, charts=4)
        canvas = page.locator("canvas[data-plot=cop]")
        canvas.scroll_into_view_if_needed()
        place = canvas.bounding_box()
        assert place is not None
        page.touchscreen.tap(place["x"] + 0.3 * place["width"], place["y"] + 0.5 * place["height"])
        expect(page.locator(".readbox")).to_contain_text("COP (estimated)")
        assert page.evaluate("document.documentElement.scrollWidth") == 360
        page.locator(".readbox a").click()
        page.wait_for_url("**/history?range=day&date=2026-11-2*")


@pytest.mark.parametrize("address", ["/history?range=week", "/history?range=month", "/history?range=year"])
def test_long_ranges_have_no_serious_finding_while_they_are_read(visit: Open, address: str) -> None:
    with visit(address) as page:
        page.wait_for_selector("canvas[data-plot=energy][data-drawn]")
        page.locator(".plots").focus()
        page.keyboard.press("ArrowLeft")
        expect(page.locator(".readbox")).to_be_visible()
        labels = ticks(page, "canvas[data-plot=energy]")
        assert 2 <= len(labels) <= 6
        assert len({len(label.partition(".")[2]) for label in labels}) == 1
        assert serious_findings(page) == []


def test_from_a_month_to_a_day_by_bars_and_back(visit: Open) -> None:
    with visit("/energy?period=month") as page:
        page.wait_for_selector("canvas[data-spec=energy-data][data-drawn]")
        x, y = hover(page, "canvas[data-spec=energy-data]", 0.92)
        expect(page.locator(".readbox").first).to_contain_text("November 2026, so far")
        page.mouse.click(x, y)
        page.wait_for_url("**/energy?period=day&date=2026-11-01")
        page.wait_for_selector("canvas[data-spec=energy-data][data-drawn]")
        page.locator(".plots").first.focus()
        page.keyboard.press("ArrowLeft")
        page.keyboard.press("ArrowLeft")
        expect(page.locator(".plots [role=status]").first).to_contain_text("Sun 22 Nov: Electricity 19.")
        page.keyboard.press("Enter")
        page.wait_for_url("**/history?range=day&date=2026-11-22")
        page.go_back()
        page.go_back()
        expect(page.locator(".range__label")).to_have_text("2026")


def test_keys_walk_the_days_of_a_cloud_by_temperature_speak_them_and_open_one(visit: Open) -> None:
    with visit("/efficiency") as page:
        page.wait_for_selector("canvas[data-spec=cop-data][data-drawn]")
        cloud = page.get_by_role("group", name="Daily COP against outdoor temperature")
        said = cloud.locator("[role=status]")
        spoken: list[str] = []
        cloud.focus()
        page.keyboard.press("Home")
        for _day in range(2):
            expect(said).not_to_have_text(spoken[-1] if spoken else "")
            spoken.append(said.text_content() or "")
            page.keyboard.press("ArrowRight")
        assert [text.split(": ")[0] for text in spoken] == ["22 Nov 2026", "21 Nov 2026"]
        assert "°C · COP 4.8" in spoken[0]
        expect(cloud.locator(".readbox")).to_be_visible()
        page.keyboard.press("Home")
        page.keyboard.press("Enter")
        page.wait_for_url("**/history?range=day&date=2026-11-22")
        page.locator(".plots").focus()
        page.keyboard.press("Backspace")
        page.wait_for_url("**/efficiency")


def test_a_day_among_the_days_of_the_efficiency_page_leads_to_its_history(visit: Open) -> None:
    with visit("/efficiency") as page:
        page.wait_for_selector("canvas[data-spec=cop-data][data-drawn]")
        place = page.evaluate(
            """() => {
                const chart = Chart.getChart(document.querySelector("canvas[data-spec=cop-data]"));
                const set = chart.getDatasetMeta(0).data.length ? 0 : 1;
                const point = chart.getDatasetMeta(set).data[0];
                chart.canvas.scrollIntoView({block: "center"});
                const box = chart.canvas.getBoundingClientRect();
                return [box.left + point.x, box.top + point.y];
            }"""
        )
        page.mouse.move(*place)
        page.mouse.click(*place)
        page.wait_for_url("**/history?range=day&date=2026-11-2*")
