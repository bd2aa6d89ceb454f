"""The heat pump's step: what is needed is explained; which one is asked only where there are several."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import replace

import pytest
from django.conf import LazySettings
from django.test import Client

from apps.devices.options import default_site, home_options, save_home_options
from tests.devices.viessmann.cloud import CLIENT_ID, PASSWORD, USER, Cloud
from tests.payloads.viessmann.cu401b import installations

HTMX = {"HX-Request": "true"}
LOGIN = {"viessmann_client_id": CLIENT_ID, "viessmann_user": USER, "viessmann_password": PASSWORD}

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def cloud(settings: LazySettings) -> Iterator[Cloud]:
    running = Cloud()
    addresses = {
        "viessmann_api_url": f"{running.base}/iot/v2",
        "viessmann_iam_url": f"{running.base}/idp/v3",
    }
    settings.HEATMON = replace(settings.HEATMON, values={**settings.HEATMON.values, **addresses})
    yield running
    running.close()


def with_two_heat_pumps(cloud: Cloud) -> None:
    account = installations()
    gateway = account["data"][0]["gateways"][0]
    second = copy.deepcopy(gateway)
    second["serial"] = "9999999999999999"
    for device in second["devices"]:
        device["gatewaySerial"] = second["serial"]
    account["data"][0]["gateways"].append(second)
    cloud.installations = account


def test_the_step_says_where_the_client_id_comes_from_and_what_it_needs(signed_in: Client) -> None:
    page = signed_in.get("/setup/heat-pump").content.decode()
    assert "vicare://oauth-callback/everest" in page
    assert "reCAPTCHA off" in page
    assert "app.developer.viessmann-climatesolutions.com" in page
    assert 'type="radio"' not in page


def test_with_one_heat_pump_nothing_is_chosen(signed_in: Client, cloud: Cloud) -> None:
    piece = signed_in.post("/setup/heat-pump", {**LOGIN, "test": "1"}, headers=HTMX).content.decode()
    assert "CU401B" in piece
    assert 'type="radio"' not in piece


def test_of_several_one_is_chosen_tried_out_and_saved(signed_in: Client, cloud: Cloud) -> None:
    with_two_heat_pumps(cloud)
    piece = signed_in.post("/setup/heat-pump", {**LOGIN, "test": "1"}, headers=HTMX).content.decode()
    assert piece.count('type="radio"') == 2
    assert 'value="9999999999999999/0"' in piece
    chosen = {**LOGIN, "heat_pump_device": "9999999999999999/0"}
    tried = signed_in.post("/setup/heat-pump", {**chosen, "test": "1"}, headers=HTMX).content.decode()
    assert '<input type="hidden" name="heat_pump_device" value="9999999999999999/0">' in tried
    assert signed_in.post("/setup/heat-pump", chosen).headers["Location"] == "/setup/house"
    assert home_options(default_site()).heat_pump_device == "9999999999999999/0"


def test_a_heat_pump_that_was_chosen_stays_when_the_step_is_saved_again(signed_in: Client) -> None:
    save_home_options(default_site(), {"heat_pump_device": "7571381573112225"})
    page = signed_in.get("/setup/heat-pump").content.decode()
    assert '<input type="hidden" name="heat_pump_device" value="7571381573112225">' in page


def test_after_a_refusal_only_the_button_asks_again(signed_in: Client, cloud: Cloud) -> None:
    wrong = {**LOGIN, "viessmann_password": "wrong", "test": "1"}
    page = signed_in.post("/setup/heat-pump", wrong)
    assert "rejected the user name or password" in page.content.decode()
    asked = len(cloud.requests)
    saved = signed_in.post("/setup/heat-pump", {**LOGIN, "viessmann_password": "wrong"})
    signed_in.get("/setup/heat-pump")
    assert saved.headers["Location"] == "/setup/house"
    assert len(cloud.requests) == asked
