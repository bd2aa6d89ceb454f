"""A settings page left open sets nothing back, and saving a section leaves what was typed into others."""

from __future__ import annotations

import json
import re
from html import unescape
from typing import Any

import pytest
from django.test import Client

from apps.accounts.models import AuditEntry
from apps.alerts.watching import quiet_hours
from apps.dashboard.settings import drafts
from apps.dashboard.settings.page import CARDS
from apps.devices.models import Site
from apps.devices.options import home_options, save_home_options, saved_names

FIRST = {"from": "2025-03-01", "price": 0.334}


class Tab:
    """The settings as a browser has them open: what it sends for a card that was not touched."""

    def __init__(self, owner: Client) -> None:
        self.owner = owner
        response = owner.get("/settings")
        self.cards = {card["form"].section: card["form"].made_from for card in response.context["cards"]}

    def send(self, section: str, **typed: Any) -> Any:
        headers = {"HX-Request": "true"} if typed.pop("swap", False) else {}
        untouched = json.loads(self.cards[section])
        data = {"section": section, "made_from": self.cards[section], **untouched, **typed}
        return self.owner.post("/settings", data, headers=headers)


def errors(response: Any) -> dict[str, list[str]]:
    return {
        name: list(said) for card in response.context["cards"] for name, said in card["form"].errors.items()
    }


def test_each_card_says_what_it_was_made_from(owner: Client) -> None:
    page = owner.get("/settings").content.decode()
    said = [json.loads(unescape(one)) for one in re.findall(r'name="made_from" value="([^"]*)"', page)]
    assert len(said) == len(CARDS)
    assert said[0] == {
        "name": ["Home"], "time_zone": ["Europe/Berlin"],
        "latitude": [""], "longitude": [""], "altitude": [""], "currency": ["EUR"],
    }  # fmt: skip


@pytest.mark.parametrize("section", [kind.section for kind in CARDS])
def test_a_card_that_nobody_touched_saves_nothing(owner: Client, site: Site, section: str) -> None:
    saved = {"base_fee_per_day": 0.3333, "tariffs": [FIRST], "quiet_hours": [], "estimated_flow_rate": 1.4}
    save_home_options(site, saved)
    before = home_options(site)
    assert Tab(owner).send(section).status_code == 302
    assert home_options(site) == before
    assert not AuditEntry.objects.filter(action="settings_saved").exists()


def test_a_stale_tab_does_not_set_an_old_price_back(owner: Client, site: Site) -> None:
    save_home_options(site, {"electricity_price": 0.30})
    stale = Tab(owner)
    save_home_options(site, {"electricity_price": 0.36})
    assert stale.send("price", base_fee_per_month="12.175").status_code == 302
    assert (home_options(site).electricity_price, home_options(site).base_fee_per_day) == (0.36, 0.4)


def test_a_price_changed_in_two_tabs_is_told_with_both_values_and_saved_by_the_second_save(
    owner: Client, site: Site
) -> None:
    save_home_options(site, {"electricity_price": 0.30})
    stale = Tab(owner)
    save_home_options(site, {"electricity_price": 0.36})
    response = stale.send("price", electricity_price="0.31")
    assert response.status_code == 409
    told = "Changed elsewhere since this page was opened; it is now 0.36. Save again to replace it."
    assert errors(response) == {"electricity_price": [told]}
    page = response.content.decode()
    assert told in page
    assert 'value="0.31"' in page
    assert home_options(site).electricity_price == 0.36
    [shown] = [card["form"] for card in response.context["cards"] if card["form"].section == "price"]
    stale.cards["price"] = shown.made_from
    assert stale.send("price", electricity_price="0.31").status_code == 302
    assert home_options(site).electricity_price == 0.31


def test_the_same_change_in_two_tabs_is_no_conflict(owner: Client, site: Site) -> None:
    stale = Tab(owner)
    save_home_options(site, {"electricity_price": 0.36})
    assert stale.send("price", electricity_price="0.36").status_code == 302
    assert home_options(site).electricity_price == 0.36


def test_a_tariff_added_elsewhere_survives_a_stale_tab(owner: Client, site: Site) -> None:
    save_home_options(site, {"tariffs": [FIRST]})
    stale = Tab(owner)
    added = {"from": "2026-01-01", "price": 0.32}
    save_home_options(site, {"tariffs": [FIRST, added]})
    stale.send("price", **{"price_2025-03-01": "0.35"})
    assert [dict(one) for one in home_options(site).tariffs] == [{**FIRST, "price": 0.35}, added]


def test_two_tariffs_from_one_day_added_in_two_tabs_are_told_unless_they_are_the_same(
    owner: Client, site: Site
) -> None:
    stale = Tab(owner)
    Tab(owner).send("price", new_from="2025-03-01", new_price="0.334")
    assert stale.send("price", new_from="2025-03-01", new_price="0.334").status_code == 302
    response = stale.send("price", new_from="2025-03-01", new_price="0.35")
    assert response.status_code == 409
    told = "Another tariff from this day was added elsewhere meanwhile. Save again to replace it."
    assert errors(response) == {"new_from": [told]}
    [shown] = [card["form"] for card in response.context["cards"] if card["form"].section == "price"]
    stale.cards["price"] = shown.made_from
    stale.send("price", new_from="2025-03-01", new_price="0.35")
    assert [dict(one) for one in home_options(site).tariffs] == [{**FIRST, "price": 0.35}]


def test_a_tariff_removed_elsewhere_and_corrected_here_is_offered_as_a_new_one(
    owner: Client, site: Site
) -> None:
    save_home_options(site, {"tariffs": [FIRST]})
    stale = Tab(owner)
    save_home_options(site, {"tariffs": None})
    response = stale.send("price", **{"price_2025-03-01": "0.35"})
    assert response.status_code == 409
    told = "This tariff was removed elsewhere since this page was opened. Save again to add it."
    assert errors(response) == {"new_from": [told]}
    [shown] = [card["form"] for card in response.context["cards"] if card["form"].section == "price"]
    assert (shown["new_from"].value(), shown["new_price"].value()) == ("2025-03-01", "0.35")
    stale.cards["price"] = shown.made_from
    stale.send("price", new_from="2025-03-01", new_price="0.35")
    assert [dict(one) for one in home_options(site).tariffs] == [{**FIRST, "price": 0.35}]


def test_a_tariff_removed_in_two_tabs_is_gone(owner: Client, site: Site) -> None:
    save_home_options(site, {"tariffs": [FIRST]})
    stale = Tab(owner)
    save_home_options(site, {"tariffs": None})
    assert stale.send("price", **{"remove_2025-03-01": "on"}).status_code == 302
    assert saved_names(site) == set()


def test_values_that_are_saved_together_keep_what_was_changed_elsewhere(owner: Client, site: Site) -> None:
    stale = Tab(owner)
    save_home_options(site, {"channel_roles": {"a": "heat_pump", "b": "house", "c": "heat_pump"}})
    save_home_options(site, {"quiet_hours": ["23:00", "06:00"]})
    stale.send("meter", role_c="unused")
    assert dict(home_options(site).channel_roles) == {"a": "heat_pump", "b": "house", "c": "unused"}
    stale.send("alerts", quiet_from="21:00", swap=False)
    assert home_options(site).quiet_hours == ("23:00", "06:00"), "the begin was changed in both: refused"
    stale.send("alerts", quiet_until="06:00")
    assert [f"{one:%H:%M}" for one in quiet_hours(home_options(site)) or ()] == ["23:00", "06:00"]


def test_a_box_ticked_elsewhere_is_told_in_words(owner: Client, site: Site) -> None:
    save_home_options(site, {"metered": ["compressor"]})
    stale = Tab(owner)
    save_home_options(site, {"metered": ["compressor", "heating_rod"]})
    response = stale.send("measuring", metered=["compressor", "source_pump"])
    [told] = errors(response)["metered"]
    assert "it is now Compressor, Heating rod. Save again to replace it." in told


@pytest.mark.parametrize("said", ["", "nonsense", "[]", "7", "{", "[" * 100_000])
def test_a_form_that_says_nothing_sensible_is_taken_as_it_came(owner: Client, site: Site, said: str) -> None:
    assert drafts.made_from({"made_from": said}) is None
    data = {"section": "house", "name": "Home", "time_zone": "Europe/Berlin", "currency": "CHF"}
    assert owner.post("/settings", {**data, "made_from": said}).status_code == 302
    assert home_options(site).currency == "CHF"


def test_with_htmx_only_the_card_comes_back_and_what_it_changes_elsewhere(owner: Client, site: Site) -> None:
    response = Tab(owner).send("house", currency="CHF", swap=True)
    piece = response.content.decode()
    assert response.status_code == 200
    assert "<html" not in piece
    assert piece.lstrip().startswith('<form class="card" id="card-house"')
    assert 'id="card-price" data-section="price" hx-swap-oob="true"' in piece
    assert "CHF/kWh" in piece
    assert "Saved." in piece
    assert home_options(site).currency == "CHF"


def test_with_htmx_a_refused_card_comes_back_alone_and_marked(owner: Client, site: Site) -> None:
    response = Tab(owner).send("house", currency="EURO", swap=True)
    piece = response.content.decode()
    assert response.status_code == 400
    assert '<form class="card is-unsaved" data-refused id="card-house"' in piece
    assert "card-price" not in piece
    assert 'value="EURO"' in piece


def test_a_token_is_made_without_the_rest_of_the_page(owner: Client) -> None:
    data = {"section": "tokens", "name": "Home Assistant"}
    piece = owner.post("/settings", data, headers={"HX-Request": "true"}).content.decode()
    assert piece.lstrip().startswith('<section class="card" id="card-tokens"')
    assert "Copy it now" in piece


def test_language_and_theme_are_chosen_without_javascript(owner: Client) -> None:
    response = owner.post("/settings", {"section": "language", "language": "de", "theme": "dark"})
    assert response.status_code == 302
    assert '<html lang="de" data-theme="dark">' in owner.get("/settings").content.decode()
    owner.post("/settings", {"section": "language", "language": "en", "theme": ""})
    assert '<html lang="en">' in owner.get("/settings").content.decode()
    assert owner.post("/settings", {"section": "language", "theme": "pink"}).status_code == 400
    owner.cookies["heatmon_theme"] = '"><script>'
    assert '<html lang="en">' in owner.get("/settings").content.decode()
