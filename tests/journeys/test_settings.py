"""The settings in a real browser, signed in as the owner."""

from __future__ import annotations

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import Browser
from pytest_django.live_server_helper import LiveServer

from apps.accounts.tokens import create_token
from apps.devices.models import Site

from .conftest import NOW, serious_findings, watched_page

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PHONE = {"width": 360, "height": 740}


@pytest.fixture
def owner(filled: Site, settings: LazySettings) -> User:
    settings.DEMO = False
    owner: User = User.objects.create_superuser("anna")
    create_token("Home Assistant", write=False, at=NOW, user=owner)
    return owner


def test_on_a_phone_the_settings_with_an_api_token_are_no_wider_than_the_screen(
    chromium: Browser, owner: User, live_server: LiveServer, client: Client
) -> None:
    client.force_login(owner)
    cookie = {
        "name": "heatmon_session",
        "value": client.cookies["heatmon_session"].value,
        "domain": "localhost",
        "path": "/",
        "expires": -1,
        "httpOnly": True,
        "secure": False,
        "sameSite": "Lax",
    }
    state = {"cookies": [cookie], "origins": []}
    with watched_page(chromium, live_server.url, "/settings", viewport=PHONE, storage_state=state) as page:
        assert page.get_by_role("rowheader", name="Home Assistant").is_visible()
        assert page.evaluate("document.documentElement.scrollWidth") == 360
        assert serious_findings(page) == []
