"""The meter's step: found on the network or typed, tried out, its channels with their roles."""

from __future__ import annotations

import copy
import gc
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client

from apps.dashboard.settings import setup_meter
from apps.devices.options import default_site, home_options
from apps.devices.shelly.discovery import announced_meters
from tests.devices.shelly.announcing import LOOPBACK, SERVICE, announced, announcement
from tests.devices.shelly.meters import Reply, serving
from tests.devices.shelly.payloads import payload

HTMX = {"HX-Request": "true"}
ROLES = {"role_a": "heat_pump", "role_b": "heat_pump", "role_c": "heat_pump"}


def search_here(monkeypatch: pytest.MonkeyPatch, **limits: Any) -> None:
    here = partial(announced_meters, interfaces=LOOPBACK, service=SERVICE, listen_s=20.0, most=1)
    monkeypatch.setattr(setup_meter, "announced_meters", partial(here, **limits))


@pytest.fixture
def meter(settings: LazySettings) -> Iterator[tuple[str, dict[str, Any]]]:
    """The address of a meter on this machine, which is allowed here, and the values that it shows."""
    values = {**settings.HEATMON.values, "allow_loopback_devices": True}
    settings.HEATMON = replace(settings.HEATMON, values=values)
    status: dict[str, Any] = copy.deepcopy(payload("status_triphase"))

    def script(handler: BaseHTTPRequestHandler) -> None:
        reply = Reply(payload("device_info") if handler.path == "/shelly" else status)
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(reply.content)))
        handler.end_headers()
        handler.wfile.write(reply.content)

    with serving(script) as server:
        yield server.url, status["em:0"]


def test_a_search_lists_the_meters_that_announce_themselves(
    signed_in: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    search_here(monkeypatch)
    with announced([announcement("Heat pump", "192.168.1.50")]):
        piece = signed_in.post("/setup/meter", {"find": "1"}, headers=HTMX).content.decode()
    assert "<b>Heat pump</b>" in piece
    assert "Shelly Pro 3EM · firmware 1.7.5" in piece
    assert '<button class="btn btn--small" name="use" value="192.168.1.50">' in piece
    assert "<html" not in piece


def test_a_search_without_javascript_keeps_what_was_typed(
    signed_in: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    search_here(monkeypatch)
    typed = {"find": "1", "shelly_url": "192.168.1.9", **ROLES, "role_c": "house"}
    with announced([announcement("Heat pump", "192.168.1.50")]):
        page = signed_in.post("/setup/meter", typed).content.decode()
    assert 'value="192.168.1.9"' in page
    assert '<option value="house" selected>' in page
    assert "<b>Heat pump</b>" in page


def test_nothing_is_searched_before_somebody_asks(signed_in: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def search(*_check: object) -> None:
        raise AssertionError("searched")

    monkeypatch.setattr(setup_meter, "announced_meters", search)
    assert signed_in.get("/setup/meter").status_code == 200
    assert signed_in.post("/setup/meter", {"shelly_url": "", **ROLES}).status_code == 302


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_network_that_refuses_is_said_in_a_sentence(
    signed_in: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    search_here(monkeypatch, interfaces=["192.0.2.200"])
    piece = signed_in.post("/setup/meter", {"find": "1"}, headers=HTMX).content.decode()
    assert "This computer cannot search the network for meters." in piece
    gc.collect()  # zeroconf leaves a socket to the collector where it cannot open all of them


def test_in_the_demo_nothing_is_searched(signed_in: Client, settings: LazySettings) -> None:
    settings.DEMO = True
    assert signed_in.post("/setup/meter", {"find": "1"}).headers["Location"] == "/setup"


def test_a_meter_of_the_list_is_filled_in_and_tried_out(
    signed_in: Client, meter: tuple[str, dict[str, Any]]
) -> None:
    url, _values = meter
    address = url.removeprefix("http://")
    page = signed_in.post("/setup/meter", {"use": address, "shelly_url": "", **ROLES}).content.decode()
    assert f'value="{address}"' in page
    assert "Shelly Pro 3EM, triphase, firmware 1.7.0" in page
    assert page.count("uses power") == 2
    assert "231.4\u00a0V · 3.21\u00a0A" in page
    assert home_options(default_site()).shelly_url is None


def test_a_clamp_the_wrong_way_round_is_shown_and_may_be_saved(
    signed_in: Client, meter: tuple[str, dict[str, Any]]
) -> None:
    url, values = meter
    values["b_act_power"] = -698.1
    sent = {"shelly_url": url, **ROLES}
    piece = signed_in.post("/setup/meter", {**sent, "test": "1"}, headers=HTMX).content.decode()
    assert "B counts backwards: turn the clamp around" in piece
    assert piece.count("shows export") == 1
    assert "once all clamps sit the right way" in piece
    assert signed_in.post("/setup/meter", sent).headers["Location"] == "/setup/heat-pump"
    assert home_options(default_site()).shelly_url == url


def test_what_the_house_feeds_back_is_no_fault(signed_in: Client, meter: tuple[str, dict[str, Any]]) -> None:
    url, values = meter
    values["b_act_power"] = -2400.0
    sent = {"shelly_url": url, **ROLES, "role_b": "house", "test": "1"}
    piece = signed_in.post("/setup/meter", sent, headers=HTMX).content.decode()
    assert "counts backwards" not in piece
    assert "feeds back" in piece


def test_while_the_heat_pump_rests_the_direction_is_left_open(
    signed_in: Client, meter: tuple[str, dict[str, Any]]
) -> None:
    url, values = meter
    values.update(a_act_power=9.0, b_act_power=-40.0, c_act_power=2.0)
    piece = signed_in.post("/setup/meter", {"shelly_url": url, **ROLES, "test": "1"}, headers=HTMX)
    assert "only shows while the heat pump runs" in piece.content.decode()
    assert "counts backwards" not in piece.content.decode()


def test_a_phase_without_a_clamp_is_not_connected(
    signed_in: Client, meter: tuple[str, dict[str, Any]]
) -> None:
    url, values = meter
    values.update(c_act_power=0.0, c_voltage=0.0, c_current=0.0)
    piece = signed_in.post("/setup/meter", {"shelly_url": url, **ROLES, "test": "1"}, headers=HTMX)
    assert "not connected" in piece.content.decode()
