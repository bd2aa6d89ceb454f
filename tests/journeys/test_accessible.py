"""axe-core finds nothing serious on any page: owner and reader, light and dark, phone and desk, and a home of
an hour as one of fourteen months."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any, Literal

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Browser, Page
from pytest_django.live_server_helper import LiveServer

from apps.accounts.roles import create_reader
from apps.changelog.models import Entry
from apps.devices import clock
from apps.devices.options import default_site
from apps.metrics.store.sqlite import SqliteStore
from tests.dashboard import house

from .conftest import (
    NOW,
    serious_findings,
    session_of,
    wait_until_all_is_drawn,
    wait_until_it_fits,
    watched_page,
)

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PAGES = (
    "/",
    "/history?range=day",
    "/history?range=year",
    "/energy",
    "/energy?period=year",
    "/efficiency",
    "/hot-water",
    "/changes",
    "/changes/configuration",
    "/compare",
    "/normal",
    "/report",
    "/health",
)
OF_OWNERS = ("/changes/test", "/settings")
UNFOLD = "document.querySelectorAll('details').forEach((each) => { each.open = true; })"


Looks = Sequence[tuple[int, Literal["light", "dark"]]]
DAY: Looks = ((1280, "light"), (360, "dark"))
NIGHT: Looks = ((1280, "dark"), (360, "light"))


def findings(page: Page, root: str, addresses: Iterable[str], looks: Looks) -> list[str]:
    """Return the serious findings of all addresses in each look."""
    found = []
    for address in addresses:
        page.goto(root + address)
        wait_until_all_is_drawn(page)
        page.evaluate(UNFOLD)
        for width, scheme in looks:
            page.set_viewport_size({"width": width, "height": 900})
            page.emulate_media(color_scheme=scheme)
            wait_until_it_fits(page)
            found += [f"{address} {width} {scheme}: {each}" for each in serious_findings(page)]
    return found


def person(role: str) -> Any:
    if role == "owner":
        return User.objects.create_superuser("anna")
    return create_reader("ben", "brine-and-copper-42", notes=True)


@pytest.mark.parametrize(("role", "looks"), [("owner", DAY), ("reader", NIGHT)])
def test_no_page_of_a_home_of_fourteen_months_has_a_serious_finding(
    chromium: Browser, lived_in: str, role: str, looks: Looks
) -> None:
    changes = [f"/changes/{entry.pk}" for entry in Entry.objects.all()]
    with watched_page(chromium, lived_in, "/login", storage_state=session_of(person(role))) as page:
        addresses = (*PAGES, *changes, *(OF_OWNERS if role == "owner" else ()))
        assert findings(page, lived_in, addresses, looks) == []


@pytest.mark.django_db(transaction=True)
def test_no_page_of_a_home_of_an_hour_has_a_serious_finding(
    chromium: Browser, store: SqliteStore, live_server: LiveServer
) -> None:
    site = default_site()
    house.set_up(site)
    house.fill(store, site, NOW - timedelta(hours=1), NOW)
    state = session_of(person("owner"))
    with (
        clock.fixed(NOW),
        watched_page(chromium, live_server.url, "/login", storage_state=state) as page,
    ):
        assert findings(page, live_server.url, (*PAGES, *OF_OWNERS), DAY) == []
