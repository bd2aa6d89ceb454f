"""heatmon as an app: what a phone is told, and what it keeps."""

from __future__ import annotations

import json
import re
import struct
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.contrib.staticfiles import finders
from django.templatetags.static import static
from django.test import Client
from django.test.utils import override_script_prefix

from apps.dashboard.pages.app import view

pytestmark = pytest.mark.django_db


def size_of(png: bytes) -> tuple[int, int]:
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", png[16:24])
    return int(width), int(height)


def shell_in(script: str) -> dict[str, object]:
    found = re.match(r"const SHELL = (\{.*\});\n", script)
    assert found is not None
    return dict(json.loads(found[1]))


def test_the_manifest_names_the_app_its_icons_and_its_scope(client: Client) -> None:
    answer = client.get("/manifest.webmanifest", headers={"Accept-Language": "en"})
    assert answer["Content-Type"] == "application/manifest+json"
    said = answer.json()
    assert (said["name"], said["display"], said["lang"]) == ("heatmon", "standalone", "en")
    assert (said["start_url"], said["scope"], said["id"]) == ("/", "/", "/")
    assert {(icon["purpose"], icon["sizes"]) for icon in said["icons"]} == {
        ("any", "192x192"),
        ("any", "512x512"),
        ("maskable", "192x192"),
        ("maskable", "512x512"),
    }
    for icon in said["icons"]:
        path = finders.find(icon["src"].removeprefix("/static/"))
        assert path is not None
        width, height = size_of(Path(path).read_bytes())
        assert f"{width}x{height}" == icon["sizes"]


def test_under_another_path_the_app_begins_and_ends_there(client: Client) -> None:
    static("favicon.svg")  # where static files lie is asked once a process
    with override_script_prefix("/heat/"):
        said = client.get("/manifest.webmanifest").json()
        script = client.get("/service-worker.js").content.decode()
    assert (said["start_url"], said["scope"]) == ("/heat/", "/heat/")
    shell = shell_in(script)
    assert shell["page"] == "/heat/offline"
    assert str(shell["cache"]).startswith("heatmon /heat/ ")


def test_a_phone_keeps_one_page_and_the_files_it_is_made_of(client: Client) -> None:
    answer = client.get("/service-worker.js")
    assert answer["Content-Type"] == "text/javascript; charset=utf-8"
    assert shell_in(answer.content.decode())["files"] == [
        "/offline",
        "/static/css/style.css",
        "/static/js/offline.js",
        "/static/favicon.svg",
    ]
    page = client.get("/offline").content.decode()
    loaded = set(re.findall(r'(?:src|href)="([^"]+)"', page))
    assert loaded == {
        "/static/css/style.css",
        "/static/js/offline.js",
        "/static/favicon.svg",
    }


def test_another_file_version_or_language_is_another_shell(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cache(language: str = "en") -> object:
        script = client.get("/service-worker.js", headers={"Accept-Language": language}).content.decode()
        return shell_in(script)["cache"]

    first = cache()
    assert cache() == first
    assert cache("de") != first
    with monkeypatch.context() as patch:
        patch.setattr(view, "_shell_files", lambda: b"another style")
        assert cache() != first
    with monkeypatch.context() as patch:
        patch.setattr(view, "version", lambda: "9.9.9")
        assert str(cache()).startswith("heatmon / 9.9.9 ")


def test_the_page_without_a_connection_is_the_same_for_everybody(
    client: Client, settings: LazySettings
) -> None:
    anonymous = client.get("/offline").content
    client.force_login(User.objects.create_superuser("anna", password="brine-and-copper-42"))
    assert client.get("/offline").content == anonymous
    settings.DEMO = True
    assert client.get("/offline").content == anonymous


def test_workers_and_manifests_come_from_here_only(client: Client) -> None:
    policy = client.get("/offline")["Content-Security-Policy"]
    assert "worker-src 'self'" in policy
    assert "manifest-src 'self'" in policy


@pytest.mark.parametrize("address", ["/login", "/"])
def test_every_page_leads_to_the_app(client: Client, settings: LazySettings, address: str) -> None:
    settings.DEMO = address == "/"
    User.objects.create_superuser("anna", password="brine-and-copper-42")
    page = client.get(address).content.decode()
    app = '<link rel="manifest" href="/manifest.webmanifest" data-worker="/service-worker.js">'
    assert app in page
    assert "viewport-fit=cover" in page
