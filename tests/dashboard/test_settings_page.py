"""The settings page: what it saves, what it refuses, what it never shows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.test import Client

from apps.accounts.models import AuditEntry
from apps.devices.models import SavedOption, Site
from apps.devices.options import home_options, save_home_options, saved_names
from apps.metrics.store.sqlite import SqliteStore
from tests.devices.shelly.meters import Reply, Server, serving
from tests.devices.shelly.payloads import payload

from .house import fill, set_up

pytestmark = pytest.mark.usefixtures("store", "now")

HOUSE = {"section": "house", "name": "Home", "time_zone": "Europe/Berlin", "currency": "EUR"}
MEASURING = {
    "section": "measuring",
    "compressor_on_w": "400",
    "compressor_off_w": "250",
    "metered": ["compressor", "source_pump"],
}
METER = {"section": "meter", "role_a": "heat_pump", "role_b": "heat_pump", "role_c": "heat_pump"}
HEAT_PUMP = {"section": "heat_pump", "viessmann_client_id": "client", "viessmann_user": "owner@example.test"}


@pytest.fixture
def owner(client: Client, site: Site, tmp_path: Path, settings: LazySettings) -> Client:
    settings.DATA_DIR = tmp_path
    client.force_login(User.objects.create_superuser("anna"))
    return client


def fields_with_errors(response) -> set[str]:  # type: ignore[no-untyped-def]
    assert response.status_code == 400
    return {name for card in response.context["cards"] for name in card["form"].errors}


def test_only_what_was_changed_is_saved(owner: Client, site: Site) -> None:
    response = owner.post(
        "/settings", {**HOUSE, "name": "Lindenweg 7", "latitude": "50,55", "longitude": "9.68"}
    )
    assert (response.status_code, response["Location"]) == (302, "/settings#house")
    assert saved_names(site) == {"latitude", "longitude"}
    assert home_options(site).latitude == 50.55
    site.refresh_from_db()
    assert site.name == "Lindenweg 7"


def test_an_emptied_field_gives_the_default_its_place_back(owner: Client, site: Site) -> None:
    save_home_options(site, {"estimated_flow_rate": 1.4})
    owner.post("/settings", {**MEASURING, "estimated_flow_rate": ""})
    assert saved_names(site) == set()


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({**HOUSE, "time_zone": "Berlin"}, "time_zone"),
        ({**HOUSE, "time_zone": "../../etc/passwd"}, "time_zone"),
        ({**HOUSE, "currency": "EURO"}, "currency"),
        ({**HOUSE, "latitude": "91", "longitude": "9"}, "latitude"),
        ({**HOUSE, "latitude": "50"}, "longitude"),
        ({**HOUSE, "name": ""}, "name"),
        ({**MEASURING, "estimated_flow_rate": "1,4o"}, "estimated_flow_rate"),
        ({**MEASURING, "estimated_flow_rate": "nan"}, "estimated_flow_rate"),
        ({**MEASURING, "estimated_flow_rate": "1e3"}, "estimated_flow_rate"),
        ({**MEASURING, "compressor_off_w": "400"}, "compressor_off_w"),
        ({**MEASURING, "metered": ["source_pump"]}, "metered"),
        ({**METER, "shelly_url": "http://169.254.1.1"}, "shelly_url"),
        ({**METER, "shelly_url": "http://127.0.0.1:6379"}, "shelly_url"),
        ({**METER, "shelly_url": "file:///etc/passwd"}, "shelly_url"),
        ({**METER, "shelly_url": "http://user:secret@192.168.1.50"}, "shelly_url"),
        ({**METER, "role_a": "house", "role_b": "house", "role_c": "unused"}, "role_a"),
        ({**METER, "role_a": "dog"}, "role_a"),
        ({"section": "price", "electricity_price": "-1"}, "electricity_price"),
        ({"section": "price", "new_from": "2026-07-01"}, "new_price"),
        ({"section": "price", "new_price": "0.3"}, "new_from"),
        ({"section": "price", "new_from": "1.7.26", "new_price": "0.3"}, "new_from"),
        ({"section": "normals", "month_1": "0.5"}, "month_2"),
    ],
)
def test_nonsense_is_refused_at_its_field_and_nothing_is_saved(
    owner: Client, site: Site, data: dict[str, object], field: str
) -> None:
    response = owner.post("/settings", data)
    assert fields_with_errors(response) == {field}
    assert saved_names(site) == set()
    page = response.content.decode()
    assert 'aria-invalid="true"' in page or field == "metered"
    assert "Nothing was saved. Check the marked fields." in page


def test_a_typed_password_is_not_shown_again_after_an_error(owner: Client) -> None:
    response = owner.post("/settings", {**METER, "shelly_url": "http://", "shelly_password": "canary-secret"})
    assert response.status_code == 400
    assert "canary-secret" not in response.content.decode()


def test_passwords_are_saved_encrypted_and_never_shown(owner: Client, site: Site) -> None:
    owner.post("/settings", {**HEAT_PUMP, "viessmann_password": "canary-secret"})
    assert home_options(site).viessmann_password == "canary-secret"
    assert "canary-secret" not in SavedOption.objects.get(name="viessmann_password").value
    assert "canary-secret" not in owner.get("/settings").content.decode()
    assert "canary-secret" not in " ".join(entry.detail for entry in AuditEntry.objects.all())
    owner.post("/settings", {**HEAT_PUMP, "viessmann_password": ""})
    assert home_options(site).viessmann_password == "canary-secret", "left empty, the saved one stays"


def test_a_password_that_can_no_longer_be_decrypted_is_asked_for_anew(
    owner: Client, site: Site, tmp_path: Path
) -> None:
    owner.post("/settings", {**HEAT_PUMP, "viessmann_password": "canary-secret"})
    (tmp_path / "device-secrets.key").unlink()
    page = owner.get("/settings")
    assert page.status_code == 200
    assert "A saved password can no longer be read" in page.content.decode()
    owner.post("/settings", {**HEAT_PUMP, "viessmann_password": "entered-again"})
    assert home_options(site).viessmann_password == "entered-again"


def test_what_the_environment_says_stands_beside_the_saved_value_that_overrides_it(
    owner: Client, site: Site, settings: LazySettings
) -> None:
    values = {**settings.HEATMON.values, "electricity_price": 0.28}
    settings.HEATMON = replace(settings.HEATMON, values=values, given=frozenset({"electricity_price"}))
    hint = "The environment says 0.28; the value saved here takes precedence."
    assert hint not in owner.get("/settings").content.decode()
    owner.post("/settings", {"section": "price", "electricity_price": "0.31"})
    assert hint in owner.get("/settings").content.decode()
    assert home_options(site).electricity_price == 0.31


def test_the_role_that_the_environment_gives_a_channel_stands_beside_the_saved_one(
    owner: Client, site: Site, settings: LazySettings
) -> None:
    roles = {"a": "heat_pump", "b": "house", "c": "house"}
    values = {**settings.HEATMON.values, "channel_roles": roles}
    settings.HEATMON = replace(settings.HEATMON, values=values, given=frozenset({"channel_roles"}))
    owner.post("/settings", {**METER, "role_c": "unused"})
    page = owner.get("/settings").content.decode()
    assert page.count("The environment says House; the value saved here takes precedence.") == 2
    assert page.count("The environment says Heat pump; the value saved here takes precedence.") == 1


def test_twelve_monthly_normals_are_saved_and_emptied(owner: Client, site: Site) -> None:
    months = {f"month_{month}": str(month) for month in range(1, 13)}
    owner.post("/settings", {"section": "normals", **months})
    assert home_options(site).monthly_normals_c == tuple(float(month) for month in range(1, 13))
    owner.post("/settings", {"section": "normals", **dict.fromkeys(months, "")})
    assert home_options(site).monthly_normals_c == ()


def test_numbers_are_shown_with_the_languages_own_comma(owner: Client, site: Site) -> None:
    save_home_options(site, {"estimated_flow_rate": 1.4})
    owner.cookies["django_language"] = "de"
    assert 'value="1,4"' in owner.get("/settings").content.decode()
    owner.cookies["django_language"] = "en"
    assert 'value="1.4"' in owner.get("/settings").content.decode()


def test_the_language_is_remembered_in_a_cookie_and_forgotten(owner: Client) -> None:
    response = owner.post("/settings", {"section": "language", "language": "de"})
    assert response.cookies["django_language"].value == "de"
    assert '<html lang="de">' in owner.get("/settings").content.decode()
    owner.post("/settings", {"section": "language", "language": ""})
    assert '<html lang="en">' in owner.get("/settings", headers={"Accept-Language": "en"}).content.decode()
    assert owner.post("/settings", {"section": "language", "language": "fr"}).status_code == 400


def test_an_unknown_section_saves_nothing(owner: Client, site: Site) -> None:
    assert owner.post("/settings", {"section": "nothing"}).status_code == 400
    assert owner.post("/settings", {}).status_code == 400


def test_saving_is_written_down_with_the_names_only(owner: Client) -> None:
    owner.post("/settings", {**HOUSE, "currency": "CHF"})
    entry = AuditEntry.objects.get(action="settings_saved")
    assert (entry.actor, entry.detail) == ("anna", "currency")


def test_secrets_of_the_server_are_only_said_to_be_set(owner: Client, settings: LazySettings) -> None:
    values = {
        **settings.HEATMON.values,
        "secret_key": "canary-" * 8,
        "redis_url": "redis://:canary@127.0.0.1",
        "database_url": None,
    }
    settings.HEATMON = replace(settings.HEATMON, values=values)
    page = owner.get("/settings").content.decode()
    assert "canary" not in page
    assert page.count("set, not shown") == 2


def test_the_address_that_is_served_is_shown_as_the_command_line_says_it(
    owner: Client, settings: LazySettings
) -> None:
    row = '<tr><th scope="row"><code>HEATMON_BIND</code></th><td>{}</td><td>{}</td></tr>'
    assert row.format("127.0.0.1:8000", "default") in owner.get("/settings").content.decode()
    settings.BIND = "192.168.1.5:8080"
    assert row.format("192.168.1.5:8080", "command line") in owner.get("/settings").content.decode()


def test_a_hostile_name_is_inert(owner: Client) -> None:
    owner.post("/settings", {**HOUSE, "name": '"><script>alert(1)</script>{{7*7}}'})
    page = owner.get("/settings").content.decode()
    assert "<script>alert(1)" not in page
    assert "{{7*7}}" in page


@contextmanager
def a_meter() -> Iterator[Server]:
    def script(handler: BaseHTTPRequestHandler) -> None:
        name = "device_info" if handler.path == "/shelly" else "status_triphase"
        reply = Reply(payload(name))
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(reply.content)))
        handler.end_headers()
        handler.wfile.write(reply.content)

    with serving(script) as server:
        yield server


def allow_loopback(settings: LazySettings) -> None:
    values = {**settings.HEATMON.values, "allow_loopback_devices": True}
    settings.HEATMON = replace(settings.HEATMON, values=values)


def test_the_test_button_says_what_it_found_and_saves_nothing(
    owner: Client, site: Site, settings: LazySettings
) -> None:
    allow_loopback(settings)
    with a_meter() as meter:
        data = {**METER, "shelly_url": meter.url, "test": "1"}
        page = owner.post("/settings", data)
        piece = owner.post("/settings", data, headers={"HX-Request": "true"})
    found = "Shelly Pro 3EM, triphase, firmware 1.7.0; 1,388 W now"
    assert found in page.content.decode()
    assert "<html" in page.content.decode()
    assert found in piece.content.decode()
    assert "<html" not in piece.content.decode()
    assert saved_names(site) == set()


def test_a_saved_password_is_not_sent_to_another_address(
    owner: Client, site: Site, settings: LazySettings
) -> None:
    allow_loopback(settings)
    save_home_options(site, {"shelly_url": "http://192.168.1.50", "shelly_password": "canary-secret"})
    seen: list[str] = []

    def script(handler: BaseHTTPRequestHandler) -> None:
        seen.append(handler.headers.get("Authorization", ""))
        handler.send_response(401)
        handler.send_header("WWW-Authenticate", 'Digest realm="a", nonce="b", qop="auth", algorithm=SHA-256')
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    with serving(script) as server:
        owner.post("/settings", {**METER, "shelly_url": server.url, "test": "1"})
    assert seen
    assert set(seen) == {""}


def test_the_test_button_names_the_wrong_field(owner: Client) -> None:
    data = {**METER, "shelly_url": "http://", "test": "1"}
    piece = owner.post("/settings", data, headers={"HX-Request": "true"}).content.decode()
    assert "<b>Address:</b>" in piece
    assert (
        "Enter the client ID first."
        in owner.post("/settings", {"section": "heat_pump", "test": "1"}).content.decode()
    )


def test_in_the_demo_device_fields_are_shown_but_closed(reader: Client, site: Site) -> None:
    page = reader.get("/settings").content.decode()
    assert page.count("In the demo this is simulated and cannot be changed.") == 3
    assert "API tokens" not in page
    assert reader.post("/settings", {**HOUSE, "currency": "CHF"}).status_code == 302


CALIBRATION = {"section": "calibration", "first": "2026-11-21", "last": "2026-11-22"}


def test_one_external_reading_calibrates_the_heat(
    owner: Client, site: Site, store: SqliteStore, now: datetime
) -> None:
    set_up(site)
    fill(store, site, now - timedelta(days=4), now, polls=False)
    # Two days of 16 runs with 6 intervals of 1 kWh each: 192 kWh by modulation.
    owner.post("/settings", {**CALIBRATION, "heat_kwh": "172.8"})
    assert home_options(site).heat_reference_factor == pytest.approx(0.9)
    page = owner.get("/settings").content.decode()
    assert "heat by modulation × 0.900" in page
    owner.post("/settings", {"section": "calibration", "reset": "on"})
    assert home_options(site).heat_reference_factor is None


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"heat_kwh": "20"}, "heat_kwh"),
        ({"heat_kwh": ""}, "heat_kwh"),
        ({"heat_kwh": "190", "last": "2026-11-20"}, "last"),
        ({"heat_kwh": "190", "last": "2026-11-23"}, "last"),
        ({"heat_kwh": "190", "first": "2026-11-01"}, "first"),
    ],
)
def test_a_reading_that_cannot_be_right_calibrates_nothing(
    owner: Client, site: Site, store: SqliteStore, now: datetime, change: dict[str, str], field: str
) -> None:
    set_up(site)
    gap = (now - timedelta(days=20), now - timedelta(days=3))
    fill(store, site, now - timedelta(days=20), now, polls=False, cloud_gap=gap)
    response = owner.post("/settings", {**CALIBRATION, **change})
    assert fields_with_errors(response) == {field}
    assert home_options(site).heat_reference_factor is None


def test_an_empty_password_field_promises_to_keep_only_what_is_saved(owner: Client, site: Site) -> None:
    keep = "Leave it empty to keep the saved one."
    assert keep not in owner.get("/settings").content.decode()
    owner.post("/settings", {**HEAT_PUMP, "viessmann_password": "canary-secret"})
    assert owner.get("/settings").content.decode().count(keep) == 1


def test_a_currency_that_is_none_is_refused_in_plain_words(owner: Client) -> None:
    page = owner.post("/settings", {**HOUSE, "currency": "EURO"}).content.decode()
    assert "Enter a code of three letters, like EUR." in page


@pytest.mark.parametrize(
    ("place", "hint"),
    [
        ({}, "The year&#x27;s forecast needs either the location of the house"),
        ({"latitude": 50.55, "longitude": 9.68}, "Not required: climate data for this location is built in."),
        ({"latitude": -33.9, "longitude": 18.4}, "heatmon has no climate data for this location"),
    ],
)
def test_the_climate_card_says_whether_it_is_needed(
    owner: Client, site: Site, place: dict[str, float], hint: str
) -> None:
    save_home_options(site, place)
    assert hint in owner.get("/settings").content.decode()
