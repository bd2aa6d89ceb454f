"""The card of the alerts: addresses are never shown again; each alert has a switch, a threshold, a test."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from apps.alerts.models import Alert
from apps.alerts.rules import RULES
from apps.alerts.watching import choices, quiet_hours, targets
from apps.dashboard.settings import alert_cards
from apps.devices.models import Site
from apps.devices.options import default_site, home_options, save_home_options, saved_names

SECRET = "json://user:canary@127.0.0.1/topic"
AT = datetime(2026, 1, 12, 12, 0, tzinfo=UTC)
FORM: dict[str, str] = {
    "section": "alerts",
    "quiet_from": "22:00",
    "quiet_until": "07:00",
    **{f"on_{rule.kind}": "on" for rule in RULES},
    **{f"threshold_{rule.kind}": f"{rule.threshold:g}" for rule in RULES if rule.threshold is not None},
}


@pytest.fixture
def site(db: None) -> Site:
    return default_site()


@pytest.fixture
def owner(client: Client, site: Site) -> Client:
    client.force_login(get_user_model().objects.create_superuser("anna", password="a-long-password"))
    return client


@pytest.fixture(autouse=True)
def services(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """No process is started: every address with :// is one."""
    sent: list[tuple[str, str]] = []

    def send(address: str, title: str, _text: str) -> bool:
        sent.append((address, title))
        return "away" not in address

    monkeypatch.setattr(alert_cards, "service_of", lambda address: "JSON" if "://" in address else "")
    monkeypatch.setattr(alert_cards, "send", send)
    return sent


def post(owner: Client, **changed: str) -> Any:
    return owner.post("/settings", {**FORM, **changed})


def test_an_address_is_saved_and_never_shown_again(owner: Client, site: Site) -> None:
    assert post(owner, notify_targets=f"{SECRET}, json://127.0.0.1/two").status_code == 302
    assert targets(home_options(site)) == (SECRET, "json://127.0.0.1/two")
    page = owner.get("/settings").content.decode()
    assert "canary" not in page
    assert "Leave it empty to keep the saved one." in page
    post(owner)
    assert len(targets(home_options(site))) == 2


def test_saved_addresses_can_be_forgotten(owner: Client, site: Site) -> None:
    save_home_options(site, {"notify_targets": [SECRET]})
    post(owner, forget_targets="on")
    assert targets(home_options(site)) == ()


def test_an_address_that_names_no_service_is_refused_without_repeating_it(owner: Client, site: Site) -> None:
    answer = post(owner, notify_targets=f"{SECRET}, canary-without-a-service")
    assert answer.status_code == 400
    page = answer.content.decode()
    assert "heatmon knows no service for address 2." in page
    assert "canary" not in page
    assert targets(home_options(site)) == ()


def test_switches_thresholds_and_quiet_hours_are_saved(owner: Client, site: Site) -> None:
    changed = {name: text for name, text in FORM.items() if name != "on_deviation"}
    owner.post("/settings", {**changed, "threshold_disk_full": "7,5", "quiet_from": "", "quiet_until": ""})
    options = home_options(site)
    chosen = choices(options)
    assert (chosen["deviation"].is_on, chosen["disk_full"].is_on) == (False, True)
    assert chosen["disk_full"].threshold == 7.5
    assert quiet_hours(options) is None


def test_what_was_not_changed_stays_the_default(owner: Client, site: Site) -> None:
    post(owner)
    assert (home_options(site).alert_rules, home_options(site).quiet_hours) == ({}, ("22:00", "07:00"))
    assert saved_names(site) == frozenset()


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"threshold_disk_full": "0"}, "Enter a number between 1 and 90."),
        ({"quiet_until": ""}, "Enter begin and end, or neither."),
    ],
)
def test_what_cannot_be_is_said_in_place(owner: Client, changed: dict[str, str], said: str) -> None:
    answer = post(owner, **changed)
    assert answer.status_code == 400
    assert said in answer.content.decode()


def test_each_alert_has_a_test_button_that_sends_one_message(
    owner: Client, site: Site, services: list[tuple[str, str]]
) -> None:
    save_home_options(site, {"notify_targets": [SECRET]})
    page = owner.get("/settings").content.decode()
    assert all(f'name="test" value="{rule.kind}"' in page for rule in RULES)
    piece = owner.post("/settings", {**FORM, "test": "disk_full"}, headers={"HX-Request": "true"})
    assert "The test message was sent." in piece.content.decode()
    assert services == [(SECRET, "Test: Disk nearly full")]
    assert not Alert.objects.exists()


def test_a_test_says_which_service_did_not_take_it(owner: Client) -> None:
    typed = "json://127.0.0.1/good, json://127.0.0.1/away"
    piece = post(owner, notify_targets=typed, test="quota").content.decode()
    assert "A service did not take the test message." in piece
    assert "JSON: sent" in piece and "JSON: not taken" in piece
    assert "There is no address to send to." in post(owner, test="quota").content.decode()


def test_health_and_overview_tell_an_alert_in_the_same_words(owner: Client, site: Site) -> None:
    details = {"free_bytes": 7_500_000_000, "total_bytes": 100_000_000_000}
    Alert.objects.create(site=site, kind="disk_full", details=details, raised_at=AT)
    Alert.objects.create(site=site, kind="quota", details={"used": 1250, "stops_at": 1305}, solved_at=AT)
    save_home_options(site, {"shelly_url": "http://192.168.1.50"})
    words = "Disk nearly full: 7.0\xa0GB of 93.1\xa0GB free"
    health = owner.get("/health").content.decode()
    assert f"<h3>{words}</h3>" in health
    assert "1 active" in owner.get("/settings").content.decode()
    assert words in owner.get("/").content.decode()
