"""The settings in a real browser, signed in as the owner."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import User
from playwright.sync_api import Browser, Dialog, Page, expect
from pytest_django.live_server_helper import LiveServer

from apps.accounts.tokens import create_token
from apps.devices.models import Site
from apps.devices.options import default_site, home_options, save_home_options

from .conftest import NOW, serious_findings, session_of, watched_page

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]

PHONE = {"width": 360, "height": 740}


@pytest.fixture
def owner(filled: Site, settings: LazySettings) -> User:
    settings.DEMO = False
    owner: User = User.objects.create_superuser("anna")
    create_token("Home Assistant", write=False, at=NOW, user=owner)
    return owner


@pytest.fixture
def visit_settings(
    chromium: Browser, owner: User, live_server: LiveServer
) -> Callable[..., AbstractContextManager[Page]]:
    """Open the settings as the owner."""
    state = session_of(owner)

    def open_page(**options: Any) -> AbstractContextManager[Page]:
        return watched_page(chromium, live_server.url, "/settings", storage_state=state, **options)

    return open_page


def test_on_a_phone_the_settings_with_tariffs_and_an_api_token_are_no_wider_than_the_screen(
    visit_settings: Callable[..., AbstractContextManager[Page]],
) -> None:
    tariffs = [{"from": "2025-03-01", "price": 0.334, "base_fee_per_day": 0.36}]
    save_home_options(default_site(), {"electricity_price": 0.3, "tariffs": tariffs})
    with visit_settings(viewport=PHONE) as page:
        assert page.get_by_role("rowheader", name="Home Assistant").is_visible()
        assert page.evaluate("document.documentElement.scrollWidth") == 360
        assert page.evaluate("document.querySelector('.tariffs').scrollWidth") <= 360
        for field in page.locator("input[inputmode=decimal]:visible").all():
            field.fill("1")
        assert page.locator(".subnav a.is-unsaved").count() == 6
        assert page.evaluate("document.documentElement.scrollWidth") == 360
        assert serious_findings(page) == []


def test_saving_one_section_keeps_what_was_typed_into_others_and_marks_it(
    visit_settings: Callable[..., AbstractContextManager[Page]],
) -> None:
    with visit_settings() as page:
        price = page.get_by_label("Price of electricity, EUR/kWh")
        price.fill("0.36")
        section = page.locator("#card-price")
        expect(section).to_have_class("card is-unsaved")
        expect(section.get_by_text("not saved")).to_be_visible()
        marked = page.get_by_role("navigation", name="Sections of the settings").locator("a.is-unsaved")
        expect(marked).to_have_text(["Tariffs, not saved"])
        house = page.locator("#card-house")
        house.get_by_label("Currency").fill("CHF")
        house.get_by_role("button", name="Save").click()
        expect(page.get_by_role("status").get_by_text("Saved.")).to_be_visible()
        expect(house).to_have_class("card")
        expect(price).to_have_value("0.36")
        section.get_by_role("button", name="Save").click()
        expect(section).to_have_class("card")
        expect(page.get_by_label("Price of electricity, CHF/kWh")).to_have_value("0.36")
        expect(marked).to_have_count(0)
        assert serious_findings(page) == []
    options = home_options(default_site())
    assert (options.currency, options.electricity_price) == ("CHF", 0.36)


def test_leaving_with_unsaved_changes_asks_and_discarding_them_does_not(
    visit_settings: Callable[..., AbstractContextManager[Page]],
) -> None:
    with visit_settings() as page:
        asked: list[str] = []

        def stay(dialog: Dialog) -> None:
            asked.append(dialog.type)
            dialog.dismiss()

        page.on("dialog", stay)
        page.locator("#card-house").get_by_label("Name").fill("Lindenweg 7")
        page.get_by_role("link", name="Energy").first.click()
        expect(page.locator("#card-house").get_by_label("Name")).to_have_value("Lindenweg 7")
        page.wait_for_function("() => true")
        assert asked == ["beforeunload"]
        page.locator("#card-house").get_by_role("button", name="Discard").click()
        expect(page.locator("#card-house")).to_have_class("card")
        page.get_by_role("link", name="Energy").first.click()
        expect(page).to_have_url(re.compile("/energy$"))
        assert asked == ["beforeunload"]


def test_the_theme_chosen_in_the_settings_holds_and_is_the_one_of_the_top_bar(
    visit_settings: Callable[..., AbstractContextManager[Page]],
) -> None:
    with visit_settings(color_scheme="light") as page:
        look = page.locator("#card-language")
        look.get_by_text("Dark", exact=True).click()
        look.get_by_role("button", name="Save").click()
        expect(page.locator("html")).to_have_attribute("data-theme", "dark")
        expect(look.get_by_label("Dark")).to_be_checked()
        page.get_by_role("button", name="Light or dark").click()
        page.reload()
        expect(page.locator("html")).to_have_attribute("data-theme", "light")
        expect(look.get_by_label("Light", exact=True)).to_be_checked()


def test_without_javascript_a_section_is_saved_by_a_page_of_its_own(
    visit_settings: Callable[..., AbstractContextManager[Page]],
) -> None:
    with visit_settings(java_script_enabled=False) as page:
        page.get_by_label("Price of electricity, EUR/kWh").fill("0.36")
        page.locator("#card-price").get_by_role("button", name="Save").click()
        expect(page).to_have_url(re.compile("/settings#price$"))
        expect(page.get_by_label("Price of electricity, EUR/kWh")).to_have_value("0.36")
        expect(page.get_by_text("not saved").filter(visible=True)).to_have_count(0)


def test_a_card_that_could_not_be_saved_says_so_and_keeps_what_was_typed(
    chromium: Browser, owner: User, live_server: LiveServer
) -> None:
    options: dict[str, Any] = {"storage_state": session_of(owner), "locale": "en-GB"}
    context = chromium.new_context(**options)  # not watched: the browser's console tells of the failure too
    page = context.new_page()
    page.goto(f"{live_server.url}/settings")
    house = page.locator("#card-house")
    house.get_by_label("Name").fill("Lindenweg 7")
    page.route("**/settings", lambda route: route.fulfill(status=503))
    house.get_by_role("button", name="Save").click()
    expect(house.get_by_role("alert")).to_contain_text("What you typed is still here")
    expect(house).to_have_class("card is-unsaved")
    page.unroute("**/settings")
    house.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status").get_by_text("Saved.")).to_be_visible()
    expect(house.get_by_role("alert")).to_have_count(0)
    expect(house.get_by_label("Name")).to_have_value("Lindenweg 7")
    context.close()
