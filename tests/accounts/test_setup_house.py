"""The house's step: the town is found by name in a list of heatmon's own, with or without JavaScript."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from apps.devices.options import default_site, home_options, save_home_options

HTMX = {"HX-Request": "true"}
HOUSE = {"name": "Home", "latitude": "", "longitude": "", "altitude": "", "currency": "EUR"}
FULDA = "50.55;9.68;Fulda, DE"


def towns(page: str) -> list[str]:
    return re.findall(r'<button name="pick" value="([^"]+)"', page)


def test_typing_lists_towns_with_their_degrees(signed_in: Client) -> None:
    sent = {**HOUSE, "place": "Fuld", "search": "1"}
    piece = signed_in.post("/setup/house", sent, headers=HTMX).content.decode()
    assert [town.rpartition(";")[2] for town in towns(piece)[:2]] == ["Fulda, DE", "Fuldatal, DE"]
    assert towns(piece)[0] == FULDA
    assert "50.55° N, 9.68° E" in piece
    assert "<html" not in piece


def test_a_town_that_is_picked_fills_in_the_degrees_and_keeps_what_was_typed(signed_in: Client) -> None:
    sent = {**HOUSE, "place": "Fuld", "electricity_price": "0.32", "altitude": "260", "pick": FULDA}
    piece = signed_in.post("/setup/house", sent, headers=HTMX).content.decode()
    for field in ('name="latitude" value="50.55"', 'name="longitude" value="9.68"', 'value="Fulda, DE"'):
        assert field in piece
    assert 'value="260"' not in piece
    page = signed_in.post("/setup/house", sent).content.decode()
    assert 'name="electricity_price" value="0.32"' in page
    assert home_options(default_site()).latitude is None


def test_what_was_picked_is_saved_and_shown_again(signed_in: Client) -> None:
    picked = {**HOUSE, "place": "Fulda, DE", "placed": "Fulda, DE", "latitude": "50.55", "longitude": "9.68"}
    assert signed_in.post("/setup/house", picked).headers["Location"] == "/"
    options = home_options(default_site())
    assert (options.latitude, options.longitude) == (50.55, 9.68)
    page = signed_in.get("/setup/house").content.decode()
    assert 'name="place" id="house-place" value="Fulda, DE"' in page


def test_a_town_that_was_typed_and_not_picked_is_not_lost(signed_in: Client) -> None:
    page = signed_in.post("/setup/house", {**HOUSE, "place": "fulda"})
    assert page.status_code == 400
    assert "Choose the town from the list." in page.content.decode()
    assert towns(page.content.decode())[0] == FULDA
    unknown = signed_in.post("/setup/house", {**HOUSE, "place": "Xyzzy"})
    assert "No such town is listed" in unknown.content.decode()


def test_degrees_do_without_a_town(signed_in: Client) -> None:
    typed = {**HOUSE, "latitude": "47,123", "longitude": "11,4"}
    assert signed_in.post("/setup/house", typed).status_code == 302
    assert home_options(default_site()).latitude == 47.123


@pytest.mark.parametrize("pick", ["", ";;", "x;y;z", "91;0;Nowhere", "50.55;9.68"])
def test_a_pick_that_is_no_town_does_no_harm(signed_in: Client, pick: str) -> None:
    assert signed_in.post("/setup/house", {**HOUSE, "place": "a", "pick": pick}).status_code == 200
    assert home_options(default_site()).latitude is None


def test_a_base_fee_that_the_settings_take_is_no_error_here(signed_in: Client) -> None:
    assert signed_in.post("/setup/house", {**HOUSE, "base_fee_per_month": "150"}).status_code == 302
    page = signed_in.get("/setup/house").content.decode()
    assert 'name="base_fee_per_month" value="150"' in page or 'value="150.0"' in page


def test_price_and_base_fee_per_month_are_saved(signed_in: Client) -> None:
    sent = {**HOUSE, "electricity_price": "0,32", "base_fee_per_month": "12.50"}
    assert signed_in.post("/setup/house", sent).status_code == 302
    options = home_options(default_site())
    assert options.electricity_price == 0.32
    assert options.base_fee_per_day == pytest.approx(12.5 * 12 / 365.25)
    assert 'name="base_fee_per_month" value="12.5"' in signed_in.get("/setup/house").content.decode()


def test_a_flow_rate_that_nobody_knows_is_put_off_and_one_that_is_entered_counts(signed_in: Client) -> None:
    site = default_site()
    signed_in.post("/setup/house", {**HOUSE, "flow_unknown": "on"})
    assert home_options(site).setup_later == ("flow_rate",)
    signed_in.post("/setup/house", {**HOUSE, "flow_unknown": "on", "estimated_flow_rate": "1.4"})
    assert home_options(site).estimated_flow_rate == 1.4
    save_home_options(site, {"setup_later": ["price", "flow_rate"]})
    signed_in.post("/setup/house", {**HOUSE, "estimated_flow_rate": "1.4"})
    assert home_options(site).setup_later == ("price",)


def test_saving_the_step_as_it_is_changes_nothing(signed_in: Client) -> None:
    site = default_site()
    known = {"latitude": 50.55, "longitude": 9.68, "electricity_price": 0.3, "base_fee_per_day": 0.41}
    save_home_options(site, known)
    page = signed_in.get("/setup/house").content.decode()
    fields = dict(re.findall(r'name="(\w+)"(?: id="[^"]*")? value="([^"]*)"', page))
    assert fields["place"] == "Fulda, DE"
    del fields["search"]
    before = home_options(site)
    assert signed_in.post("/setup/house", fields).status_code == 302
    assert home_options(site) == before
