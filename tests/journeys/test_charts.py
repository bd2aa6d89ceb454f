"""How charts are drawn in a real browser: what only the browser's pixels decide."""

from __future__ import annotations

from datetime import timedelta

import pytest
from playwright.sync_api import Page

from apps.changelog.models import Entry
from apps.devices.models import Site
from apps.devices.options import save_home_options

from .conftest import NOW, Open, wait_until_drawn

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

TICKS = """(selector) =>
    Chart.getChart(document.querySelector(selector)).scales.y.ticks.map((tick) => tick.label)"""
NUMBERS = """(selector) => {
    const chart = Chart.getChart(document.querySelector(selector));
    return Object.values(chart.config.options.plugins.annotation.annotations)
        .filter((line) => line.type === "line" && line.label.display({chart}))
        .map((line) => line.label.content({chart}));
}"""
SAMPLES = """(selector) => {
    const chart = Chart.getChart(document.querySelector(selector));
    return chart.data.datasets.map((dataset) => {
        const style = Chart.defaults.plugins.tooltip.callbacks.labelPointStyle({dataset, chart}).pointStyle;
        const pixels = style.getContext("2d").getImageData(0, 3, style.width, 1).data;
        return Array.from(pixels).filter((value, index) => index % 4 === 3 && value > 0).length;
    });
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


def test_the_tooltip_shows_dashed_lines_dashed(visit: Open) -> None:
    with visit("/history?range=day") as page:
        wait_until_drawn(page, charts=3)
        _power, heat_a, heat_b = page.evaluate(SAMPLES, "canvas[data-plot=power]")
        assert heat_b < heat_a
