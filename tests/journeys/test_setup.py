"""The steps of the setup in a real browser, signed in as the owner of a new home."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import User
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from apps.devices.models import Site
from apps.devices.options import home_options, save_home_options

from .conftest import serious_findings, session_of, watched_page

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]

SIZES = ({"width": 1280, "height": 900}, {"width": 360, "height": 740})


@pytest.fixture
def signed_in(filled: Site, settings: LazySettings) -> dict[str, Any]:
    """What a browser has to bring along."""
    settings.DEMO = False
    return session_of(User.objects.create_superuser("anna"))


@contextmanager
def opened(
    chromium: Browser, live_server: LiveServer, state: dict[str, Any], address: str, **options: Any
) -> Iterator[Page]:
    with watched_page(chromium, live_server.url, address, storage_state=state, **options) as page:
        yield page


@pytest.mark.parametrize("step", ["language", "meter", "heat-pump", "house"])
def test_the_steps_fit_and_have_no_serious_findings(
    chromium: Browser, live_server: LiveServer, signed_in: dict[str, Any], step: str
) -> None:
    for size in SIZES:
        address = f"/setup/{step}"
        with opened(chromium, live_server, signed_in, address, viewport=size, color_scheme="dark") as page:
            assert page.evaluate("document.documentElement.scrollWidth") == size["width"]
            assert serious_findings(page) == []


def test_a_town_is_typed_and_picked_by_keyboard(
    chromium: Browser, live_server: LiveServer, signed_in: dict[str, Any], filled: Site
) -> None:
    save_home_options(filled, {"latitude": None, "longitude": None})
    with opened(chromium, live_server, signed_in, "/setup/house") as page:
        town = page.get_by_role("searchbox", name="Town")
        town.press_sequentially("Fuld")
        expect(page.get_by_role("button", name="Fulda, DE 50.55")).to_be_visible()
        assert serious_findings(page) == []
        for _step in range(2):
            page.keyboard.press("Tab")
        expect(page.get_by_role("button", name="Fulda, DE 50.55")).to_be_focused()
        page.keyboard.press("Enter")
        expect(town).to_have_value("Fulda, DE")
        expect(town).to_be_focused()
        page.get_by_label("Price of electricity").fill("0.32")
        page.keyboard.press("Enter")
        page.wait_for_url(f"{live_server.url}/")
    options = home_options(filled)
    assert (options.latitude, options.longitude, options.electricity_price) == (50.55, 9.68, 0.32)


def test_without_javascript_a_town_is_searched_and_picked_with_buttons(
    chromium: Browser, live_server: LiveServer, signed_in: dict[str, Any], filled: Site
) -> None:
    save_home_options(filled, {"latitude": None, "longitude": None})
    plain = {"java_script_enabled": False}
    with opened(chromium, live_server, signed_in, "/setup/house", **plain) as page:
        page.get_by_role("searchbox", name="Town").fill("Fuld")
        page.get_by_role("button", name="Search").click()
        page.get_by_role("button", name="Fulda, DE 50.55").click()
        expect(page.get_by_role("searchbox", name="Town")).to_have_value("Fulda, DE")
        page.get_by_role("button", name="Save and continue").click()
        page.wait_for_url(f"{live_server.url}/")
    assert home_options(filled).latitude == 50.55


def test_a_step_of_the_list_on_the_overview_is_put_off_with_one_click(
    chromium: Browser, live_server: LiveServer, signed_in: dict[str, Any], filled: Site
) -> None:
    save_home_options(filled, {"electricity_price": None})
    with opened(chromium, live_server, signed_in, "/") as page:
        page.get_by_role("button", name="Later (Electricity price)").click()
        expect(page.get_by_role("button", name="Later (Electricity price)")).to_have_count(0)
        assert serious_findings(page) == []
    assert "price" in home_options(filled).setup_later
