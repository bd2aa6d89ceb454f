"""The table of tariffs: rows are added, corrected, ended and marked; the base fee is per month."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client

from apps.devices import clock
from apps.devices.models import Site
from apps.devices.options import home_options, save_home_options, saved_names

FIRST = {"from": "2025-03-01", "price": 0.334, "base_fee_per_day": 0.36}
SECOND = {"from": "2026-01-01", "price": 0.32}


def tariffs(site: Site) -> list[dict[str, Any]]:
    return [dict(tariff) for tariff in home_options(site).tariffs]


def post(owner: Client, **changed: str) -> Any:
    return owner.post("/settings", {"section": "price", **changed})


def errors(response: Any) -> dict[str, list[str]]:
    return {
        name: list(said) for card in response.context["cards"] for name, said in card["form"].errors.items()
    }


def test_tariffs_are_added_replaced_and_removed(owner: Client, site: Site) -> None:
    post(owner, new_from="2026-07-01", new_price="0,36", new_fee="12.175")
    post(owner, new_from="2025-03-01", new_price="0.32")
    assert tariffs(site) == [
        {"from": "2025-03-01", "price": 0.32},
        {"from": "2026-07-01", "price": 0.36, "base_fee_per_day": 0.4},
    ]
    post(owner, new_from="2026-07-01", new_price="0.35")
    assert tariffs(site) == [{"from": "2025-03-01", "price": 0.32}, {"from": "2026-07-01", "price": 0.35}]
    post(owner, **{"remove_2025-03-01": "on"})
    assert tariffs(site) == [{"from": "2026-07-01", "price": 0.35}]
    post(owner, **{"remove_2026-07-01": "on"})
    assert saved_names(site) == set()


def test_a_row_is_corrected_in_its_place_and_the_others_stay_to_the_digit(owner: Client, site: Site) -> None:
    save_home_options(site, {"tariffs": [FIRST, SECOND]})
    post(owner, **{"from_2026-01-01": "2026-02-01", "price_2026-01-01": "0,331", "fee_2026-01-01": ""})
    assert tariffs(site) == [FIRST, {"from": "2026-02-01", "price": 0.331}]
    post(owner, **{"from_2025-03-01": "2025-03-01", "price_2025-03-01": "0.334", "fee_2025-03-01": ""})
    assert tariffs(site)[0] == {"from": "2025-03-01", "price": 0.334}, "without a fee of its own: the house's"


def test_a_price_that_nobody_touched_is_not_saved_anew_with_its_rounding(owner: Client, site: Site) -> None:
    save_home_options(site, {"tariffs": [FIRST], "base_fee_per_day": 0.3333})
    page = owner.get("/settings").content.decode()
    assert 'name="base_fee_per_month" value="10.14"' in page
    assert 'name="fee_2025-03-01" value="10.96"' in page
    row = {"from_2025-03-01": "2025-03-01", "price_2025-03-01": "0.334", "fee_2025-03-01": "10.96"}
    post(owner, base_fee_per_month="10.14", electricity_price="0.30", **row)
    assert tariffs(site) == [FIRST]
    assert home_options(site).base_fee_per_day == 0.3333


def test_the_base_fee_is_entered_per_month_and_kept_per_day(owner: Client, site: Site) -> None:
    post(owner, base_fee_per_month="12,175")
    assert home_options(site).base_fee_per_day == 0.4
    post(owner, base_fee_per_month="")
    assert saved_names(site) == set()


@pytest.mark.parametrize(
    ("at", "shown"),
    [
        (datetime(2025, 2, 28, 22, 59, tzinfo=UTC), ["before"]),
        (datetime(2025, 2, 28, 23, 0, tzinfo=UTC), ["2025-03-01"]),
        (datetime(2026, 6, 1, 12, 0, tzinfo=UTC), ["2026-01-01"]),
    ],
)
def test_the_row_of_todays_price_is_marked(owner: Client, site: Site, at: datetime, shown: list[str]) -> None:
    save_home_options(site, {"electricity_price": 0.3, "tariffs": [FIRST, SECOND]})
    with clock.fixed(at):
        page = owner.get("/settings").content.decode()
    marked = re.findall(r'<tr class="is-now"><th scope="row">(.*?)</th>', page)
    assert [re.findall(r"\d{4}-\d\d-\d\d(?=\")|before", row)[0] for row in marked] == shown


@pytest.mark.parametrize(
    ("changed", "field", "told"),
    [
        ({"price_2025-03-01": ""}, "price_2025-03-01", "Enter the price that applies from this day."),
        ({"from_2025-03-01": ""}, "from_2025-03-01", "Enter the day from which it applies."),
        ({"from_2025-03-01": "2026-01-01"}, "from_2025-03-01", "Another tariff is valid from this day."),
        ({"price_2025-03-01": "dear"}, "price_2025-03-01", "Enter a number like 0.3049."),
        ({"new_fee": "5"}, "new_from", "Enter the day from which it applies."),
        ({"base_fee_per_month": "3001"}, "base_fee_per_month", "Enter a number between 0 and 3,000."),
    ],
)
def test_a_row_that_cannot_be_is_refused_at_its_field(
    owner: Client, site: Site, changed: dict[str, str], field: str, told: str
) -> None:
    save_home_options(site, {"tariffs": [FIRST, SECOND]})
    row = {"from_2025-03-01": "2025-03-01", "price_2025-03-01": "0.334", "fee_2025-03-01": "10.96"}
    response = post(owner, **{**row, **changed})
    assert response.status_code == 400
    assert errors(response) == {field: [told]}
    assert told in response.content.decode()
    assert tariffs(site) == [FIRST, SECOND]


def test_two_tariffs_can_change_places_in_one_go(owner: Client, site: Site) -> None:
    save_home_options(site, {"tariffs": [FIRST, SECOND]})
    moved = {"from_2025-03-01": "2026-02-01", "price_2025-03-01": "0.334", "fee_2025-03-01": "10.96"}
    post(owner, **moved)
    assert tariffs(site) == [SECOND, {**FIRST, "from": "2026-02-01"}]
