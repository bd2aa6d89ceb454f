"""The first account and the steps after it."""

from __future__ import annotations

import sqlite3
from io import StringIO
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client

from apps.accounts import first_account, restart
from apps.accounts.setup_code import current_code
from apps.devices.options import default_site, home_options, save_home_options, saved_names

from .conftest import PASSWORD

FIELDS = {"username": "anna", "password": PASSWORD, "password_again": PASSWORD}


def test_the_code_makes_the_first_account_logs_it_in_and_goes_on(
    client: Client, db: None, home: Path
) -> None:
    response = client.post("/setup", {**FIELDS, "code": current_code(home)})
    assert (response.status_code, response["Location"]) == (302, "/setup/language")
    owner = User.objects.get()
    assert (owner.username, owner.is_superuser) == ("anna", True)
    assert client.get("/setup/language").status_code == 200


def test_setup_closes_with_the_first_account_and_its_code_ends(client: Client, db: None, home: Path) -> None:
    code = current_code(home)
    client.post("/setup", {**FIELDS, "code": code})
    other = Client()
    response = other.post("/setup", {**FIELDS, "username": "eve", "code": code})
    assert (response.status_code, response["Location"]) == (302, "/login")
    assert User.objects.count() == 1
    assert list(home.glob("setup-code*")) == []


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"code": "AAAA-BBBB-CCCC"}, "This is not the code that heatmon printed when it started."),
        ({"code": ""}, "This field is required."),
        ({"password": "short", "password_again": "short"}, "This password is too short."),
        (
            {"password": "qwerty123456", "password_again": "qwerty123456"},
            "This password is too common.",
        ),
        (
            {"username": "johanna", "password": "johannajohanna1", "password_again": "johannajohanna1"},
            "The password is too similar to the user name.",
        ),
        (
            {"password": "abcdabcdabcd", "password_again": "abcdabcdabcd"},
            "The password repeats too few different characters.",
        ),
        ({"password_again": "something-else-1"}, "The two passwords do not match."),
        ({"username": ""}, "This field is required."),
    ],
)
def test_what_will_not_do_is_said_and_makes_no_account(
    client: Client, db: None, home: Path, change: dict[str, str], sentence: str
) -> None:
    response = client.post("/setup", {**FIELDS, "code": current_code(home), **change})
    assert response.status_code == 400
    assert sentence in response.content.decode()
    assert not User.objects.exists()


def test_all_that_is_wrong_is_said_at_once_and_beside_its_field(client: Client, db: None, home: Path) -> None:
    wrong = {"code": "WRONG", "username": "an na", "password": "12345", "password_again": "123456"}
    form = client.post("/setup", wrong).context["form"]
    assert form.errors == {
        "code": ["This is not the code that heatmon printed when it started."],
        "username": [
            "Enter a valid username. This value may contain only letters, numbers, and @/./+/-/_ characters."
        ],
        "password": [
            "This password is too short. It must contain at least 12 characters.",
            "This password is too common.",
            "This password is entirely numeric.",
        ],
        "password_again": ["The two passwords do not match."],
    }


def test_a_right_code_is_no_help_with_a_password_that_will_not_do(
    client: Client, db: None, home: Path
) -> None:
    weak = {"code": current_code(home), "password": "short", "password_again": "short"}
    response = client.post("/setup", {**FIELDS, **weak})
    assert set(response.context["form"].errors) == {"password"}
    assert not User.objects.exists()


def test_after_five_wrong_codes_the_right_one_has_to_wait(client: Client, db: None, home: Path) -> None:
    for _ in range(5):
        client.post("/setup", {**FIELDS, "code": "WRONG"})
    response = client.post("/setup", {**FIELDS, "code": current_code(home)})
    assert "Too many wrong codes. Try again in 1 min." in response.content.decode()
    assert not User.objects.exists()


def test_each_step_can_be_skipped_and_resumed(signed_in: Client) -> None:
    page = signed_in.get("/setup/meter").content.decode()
    assert 'href="/setup/heat-pump"' in page
    assert signed_in.get("/setup/continue")["Location"] == "/setup/language"
    signed_in.post("/setup/language", {"time_zone": "Europe/Berlin", "language": "en"})
    assert signed_in.get("/setup/continue")["Location"] == "/setup/meter"
    assert signed_in.get("/setup/nonsense").status_code == 404


def test_a_step_that_is_done_is_not_shown_again_on_the_way(signed_in: Client) -> None:
    house = {
        "latitude": 52.5,
        "longitude": 13.4,
        "electricity_price": 0.28,
        "estimated_flow_rate": 1.1,
        "time_zone": "Europe/Berlin",
    }
    save_home_options(default_site(), {"shelly_url": "http://192.168.1.50", **house})
    assert signed_in.get("/setup/continue")["Location"] == "/setup/heat-pump"
    pump = {"viessmann_client_id": "a" * 32, "viessmann_user": "anna@example.org", "viessmann_password": "x"}
    assert signed_in.post("/setup/heat-pump", pump)["Location"] == "/"
    assert signed_in.get("/setup/continue")["Location"] == "/"


def test_the_setup_goes_on_after_the_login(signed_in: Client) -> None:
    stranger = Client()
    login = stranger.get("/setup")["Location"]
    assert login == "/login?next=%2Fsetup"
    came = stranger.post(login, {"username": "anna", "password": PASSWORD, "next": "/setup"})
    assert came["Location"] == "/setup"
    assert stranger.get("/setup")["Location"] == "/setup/continue"


def test_a_step_that_was_skipped_is_marked_and_leads_back(signed_in: Client) -> None:
    save_home_options(default_site(), {"shelly_url": "http://192.168.1.50"})
    page = signed_in.get("/setup/house").content.decode()
    assert 'class="is-skipped"><span class="label"><a href="/setup/heat-pump">' in page
    assert 'class="is-done"><span class="label"><a href="/setup/meter">' in page
    assert page.count("is-skipped") == 1


def test_the_overview_of_a_home_without_devices_leads_into_the_setup(signed_in: Client) -> None:
    assert 'href="/setup/continue">Connect devices</a>' in signed_in.get("/").content.decode()


def test_the_steps_save_what_was_entered(signed_in: Client) -> None:
    response = signed_in.post("/setup/language", {"time_zone": "Europe/Vienna", "language": "de"})
    assert response["Location"] == "/setup/meter"
    assert response.cookies["django_language"].value == "de"
    signed_in.cookies.clear()
    options = home_options(default_site())
    assert options.time_zone == "Europe/Vienna"


def test_the_time_zone_is_asked_once(signed_in: Client) -> None:
    assert 'name="time_zone"' in signed_in.get("/setup/language").content.decode()
    assert 'name="time_zone"' not in signed_in.get("/setup/house").content.decode()
    signed_in.post("/setup/language", {"time_zone": "Europe/Vienna", "language": "en"})
    house = {"name": "Lodge", "latitude": "47.1", "longitude": "11.2", "altitude": "", "currency": "EUR"}
    assert signed_in.post("/setup/house", house)["Location"] == "/"
    site = default_site()
    assert (site.name, home_options(site).time_zone) == ("Lodge", "Europe/Vienna")


def test_a_step_names_the_field_that_is_wrong(signed_in: Client) -> None:
    response = signed_in.post("/setup/language", {"time_zone": "Berlin", "language": ""})
    assert response.status_code == 400
    assert "Enter the name of a time zone, like Europe/Berlin." in response.content.decode()
    assert saved_names(default_site()) == set()


def test_trying_out_a_wrong_address_answers_with_a_piece_that_names_the_field(signed_in: Client) -> None:
    data = {"shelly_url": "http://", "role_a": "heat_pump", "test": "1"}
    piece = signed_in.post("/setup/meter", data, headers={"HX-Request": "true"})
    assert piece.status_code == 200
    assert "<b>Address:</b>" in piece.content.decode()
    assert "<html" not in piece.content.decode()
    page = signed_in.post("/setup/meter", data)
    assert page.status_code == 400
    assert "<html" in page.content.decode()


@pytest.mark.slow
def test_the_demo_makes_the_account_in_the_real_data_and_asks_for_a_restart(
    client: Client,
    db: None,
    home: Path,
    settings: LazySettings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings.DEMO = True
    settings.DATA_DIR = home / "demo"
    monkeypatch.setenv("HEATMON_DATA_DIR", str(home))
    monkeypatch.delenv("HEATMON_DATABASE_URL", raising=False)
    restart.restart_requested.clear()
    code = current_code(home)
    response = client.post("/setup", {**FIELDS, "code": code})
    try:
        assert response.status_code == 200, response.content.decode()
        assert "heatmon is restarting with your own data" in response.content.decode()
        assert restart.restart_requested.is_set()
        assert not User.objects.exists(), "nothing may be made in the demo's own database"
        connection = sqlite3.connect(home / "heatmon.sqlite3")
        assert connection.execute("SELECT username, is_superuser FROM auth_user").fetchall() == [("anna", 1)]
        key = response.cookies["heatmon_session"].value
        assert connection.execute("SELECT session_key FROM django_session").fetchall() == [(key,)]
        assert 'data-go-when-ready="/api/status" href="/setup/language"' in response.content.decode()
        connection.close()
        with pytest.raises(first_account.AccountExists):
            first_account.create_in_real_home("eve", PASSWORD)
    finally:
        restart.restart_requested.clear()


def test_the_command_reads_the_password_from_standard_input_and_refuses_a_weak_one(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", StringIO("short\n"))
    with pytest.raises(CommandError) as weak:
        call_command("create_first_account", "anna")
    assert weak.value.returncode == 2
    assert "too short" in str(weak.value)
    monkeypatch.setattr("sys.stdin", StringIO(f"{PASSWORD}\n"))
    call_command("create_first_account", "anna", stdout=StringIO())
    assert User.objects.get().check_password(PASSWORD)
    monkeypatch.setattr("sys.stdin", StringIO(f"{PASSWORD}\n"))
    with pytest.raises(CommandError) as closed:
        call_command("create_first_account", "eve")
    assert closed.value.returncode == 3


def test_the_session_that_the_demo_hands_over_is_signed_in(
    db: None, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", StringIO(f"{PASSWORD}\n"))
    printed = StringIO()
    call_command("create_first_account", "anna", "--session", stdout=printed)
    assert client.get("/setup/language").status_code == 302
    client.cookies["heatmon_session"] = printed.getvalue().strip()
    assert client.get("/setup/language").status_code == 200
