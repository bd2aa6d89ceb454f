"""What is missing of the setup stands on the overview, each to be done or put off."""

from __future__ import annotations

import re

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.test import Client

from apps.devices.models import Site
from apps.devices.options import home_options, save_home_options

THERE = {
    "shelly_url": "http://192.168.1.50",
    "viessmann_client_id": "client",
    "latitude": 50.55,
    "longitude": 9.68,
    "electricity_price": 0.32,
    "estimated_flow_rate": 1.4,
}


def asked(page: str) -> list[str]:
    return re.findall(r'action="/setup/later/(\w+)"', page)


@pytest.fixture
def owner(site: Site, settings: LazySettings) -> Client:
    settings.DEMO = False
    client = Client()
    client.force_login(User.objects.create_superuser("anna"))
    save_home_options(site, {"shelly_url": "http://192.168.1.50", "estimated_flow_rate": None})
    return client


def test_the_overview_names_what_is_missing_and_leads_there(owner: Client) -> None:
    page = owner.get("/").content.decode()
    assert asked(page) == ["heat_pump", "place", "price", "flow_rate"]
    assert "4 steps of the setup are left" in page
    assert "1 of 5 done" in page
    assert 'href="/setup/heat-pump"' in page
    assert 'href="/setup/house#price-of"' in page


def test_a_step_that_is_put_off_is_no_longer_named(owner: Client, site: Site) -> None:
    assert owner.post("/setup/later/price").headers["Location"] == "/"
    assert asked(owner.get("/").content.decode()) == ["heat_pump", "place", "flow_rate"]
    assert home_options(site).setup_later == ("price",)
    assert owner.post("/setup/later/nonsense").status_code == 404
    assert owner.get("/setup/later/price").status_code == 405


def test_once_all_is_there_the_list_is_gone(owner: Client, site: Site) -> None:
    save_home_options(site, THERE)
    assert 'aria-labelledby="setup"' not in owner.get("/").content.decode()


def test_a_reader_and_the_demo_are_not_asked(owner: Client, settings: LazySettings) -> None:
    reading = Client()
    reading.force_login(User.objects.create_user("lisa"))
    assert asked(reading.get("/").content.decode()) == []
    settings.DEMO = True
    assert asked(owner.get("/").content.decode()) == []
    assert owner.post("/setup/later/price").status_code == 404
