"""Protections that a setting or a header makes, each seen from outside."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import LazySettings, settings
from django.contrib.auth.models import User
from django.test import Client

from apps.accounts.models import AuditEntry
from apps.devices.options import default_site
from apps.metrics.store.sqlite import SqliteStore
from tests.dashboard.house import fill, set_up
from tests.heatmon.test_start import ROOT, environment

from .conftest import NOW, PASSWORD

SHOW = """
import json
from django.conf import settings
wanted = [name for name in dir(settings) if name.startswith(("SESSION_COOKIE", "CSRF_COOKIE", "SECURE_"))]
print(json.dumps({name: getattr(settings, name) for name in wanted}, default=str))
"""


def settings_with(data_dir: Path, **given: str) -> dict[str, object]:
    """The settings of a start with that environment."""
    done = subprocess.run(
        [sys.executable, "manage.py", "shell", "--no-imports", "-c", SHOW],
        cwd=ROOT,
        env=environment(HEATMON_DATA_DIR=str(data_dir), **given),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return dict(json.loads(done.stdout))


def test_cookies_are_for_the_server_and_this_site_only(client: Client, owner: User) -> None:
    client.get("/login")
    client.post("/login", {"username": "anna", "password": PASSWORD})
    session, csrf = client.cookies["heatmon_session"], client.cookies["csrftoken"]
    assert (session["httponly"], session["samesite"], csrf["samesite"]) == (True, "Lax", "Lax")


@pytest.mark.parametrize(
    ("given", "secure"),
    [
        ({}, False),
        ({"HEATMON_BIND": "0.0.0.0:8000"}, True),
        ({"HEATMON_TRUSTED_PROXY": "127.0.0.1"}, True),
        ({"HEATMON_BIND": "0.0.0.0:8000", "HEATMON_LAN_HTTP": "on"}, False),
    ],
    ids=["loopback", "network", "behind a proxy", "network, allowed"],
)
def test_cookies_travel_by_tls_only_unless_the_owner_chose_otherwise(
    tmp_path: Path, given: dict[str, str], secure: bool
) -> None:
    found = settings_with(tmp_path, **given)
    assert (found["SESSION_COOKIE_SECURE"], found["CSRF_COOKIE_SECURE"]) == (secure, secure)
    assert (int(str(found["SECURE_HSTS_SECONDS"])) > 0) is secure


def test_hsts_is_said_over_tls_only(client: Client, owner: User, settings: LazySettings) -> None:
    settings.SECURE_HSTS_SECONDS = 30 * 24 * 3600
    fresh = Client()
    assert fresh.get("/login", secure=True)["Strict-Transport-Security"] == "max-age=2592000"
    assert not fresh.get("/login").has_header("Strict-Transport-Security")


def test_where_one_was_is_told_to_this_site_only(client: Client, owner: User) -> None:
    response = client.get("/login")
    assert response["Referrer-Policy"] == "same-origin"
    assert response["Cross-Origin-Opener-Policy"] == "same-origin"


def test_htmx_runs_nothing_that_a_page_contains(client: Client, owner: User) -> None:
    page = client.get("/login").content.decode()
    found = re.search(r"<meta name=\"htmx-config\" content='([^']+)'>", page)
    assert found is not None
    config = json.loads(found[1])
    assert (config["allowEval"], config["allowScriptTags"], config["includeIndicatorStyles"]) == (False,) * 3
    assert (config["historyCacheSize"], config["selfRequestsOnly"]) == (0, True)


def test_no_template_has_a_script_or_a_style_of_its_own() -> None:
    wrong = re.compile(
        r"\s(hx-on|style|on[a-z]+)[:\w-]*=|<script(?![^>]*(src=|json))|hx-(vals|trigger)=\"[^\"]*(js:|\[)"
    )
    found = [
        f"{path.name}: {match[0]}"
        for path in Path(settings.BASE_DIR, "templates").rglob("*.html")
        for match in wrong.finditer(path.read_text(encoding="utf-8"))
    ]
    assert found == []


@pytest.mark.parametrize(
    ("site", "status"), [("cross-site", 403), ("same-site", 403), ("same-origin", 201), ("none", 201)]
)
def test_in_the_demo_no_other_site_writes_notes(
    db: None, settings: LazySettings, site: str, status: int
) -> None:
    settings.DEMO = True
    answer = Client().post(
        "/api/changelog", {"text": "x"}, content_type="application/json", headers={"Sec-Fetch-Site": site}
    )
    assert answer.status_code == status


def test_in_the_demo_a_page_of_another_site_sends_no_form(db: None, settings: LazySettings) -> None:
    settings.DEMO = True
    assert Client(enforce_csrf_checks=True).post("/changes/add", {"text": "x"}).status_code == 403


@pytest.mark.parametrize(
    "address",
    [
        "/energy?format=csv",
        "/efficiency?format=csv",
        "/api/history?series=power_w&from=2026-11-24T06:00:00Z&to=2026-11-24T12:00:00Z&format=csv",
    ],
)
def test_every_export_is_written_down(signed_in: Client, store: SqliteStore, address: str) -> None:
    site = default_site()
    set_up(site)
    fill(store, site, NOW - timedelta(hours=6), NOW)
    response = signed_in.get(address)
    assert response.status_code == 200
    assert response["Content-Disposition"].startswith("attachment")
    (entry,) = AuditEntry.objects.filter(action="export")
    assert (entry.actor, entry.detail) == ("anna", address)
