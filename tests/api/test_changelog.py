"""``/api/changelog`` and ``/api/configuration``."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.test import Client

from apps.changelog.models import ConfigurationVersion, Entry
from apps.devices.models import Site

pytestmark = pytest.mark.usefixtures("store", "now")


def post(client: Client, **body: object):  # type: ignore[no-untyped-def]
    return client.post("/api/changelog", body, content_type="application/json")


def test_a_note_is_written_with_its_first_line_as_title(reader: Client, site: Site) -> None:
    response = post(reader, text="Filter cleaned\nIt was dirty", at="2026-11-23T10:00:00+01:00")
    assert response.status_code == 201
    entry = response.json()
    fields = ["id", "at", "kind", "title", "text", "author", "version", "settings", "begin", "end"]
    assert list(entry) == fields
    assert (entry["kind"], entry["title"], entry["author"]) == ("note", "Filter cleaned", None)
    assert entry["at"] == "2026-11-23T10:00:00+01:00"
    assert reader.get("/api/changelog").json() == {"entries": [entry]}


def test_a_note_without_a_time_is_of_now(reader: Client, site: Site) -> None:
    assert post(reader, text="Now").json()["at"] == "2026-11-23T14:05:08+01:00"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "text"),
        ({"text": ""}, "text"),
        ({"text": "   "}, "text"),
        ({"text": 5}, "text"),
        ({"text": "x" * 10_001}, "text"),
        ({"text": "a\x00b"}, "text"),
        ({"text": "x", "at": "2026-11-23T10:00:00"}, "at"),
        ({"text": "x", "at": "2030-01-01T00:00:00Z"}, "at"),
        ({"text": "x", "color": "red"}, "color"),
    ],
)
def test_a_note_that_cannot_be_kept_names_its_field(
    reader: Client, site: Site, body: dict[str, object], field: str
) -> None:
    response = post(reader, **body)
    assert (response.status_code, response.json()["error"]["field"]) == (400, field)
    assert not Entry.objects.exists()


def test_an_edit_of_a_stale_version_is_answered_with_both_texts(reader: Client, site: Site) -> None:
    entry = post(reader, text="First").json()
    address = f"/api/changelog/{entry['id']}"
    edited = reader.patch(address, {"version": 1, "text": "Second"}, content_type="application/json")
    assert (edited.status_code, edited.json()["version"]) == (200, 2)
    stale = reader.patch(address, {"version": 1, "text": "Third"}, content_type="application/json")
    assert stale.status_code == 409
    error = stale.json()["error"]
    assert (error["code"], error["field"]) == ("conflict", "version")
    assert (error["yours"], error["current"]["text"]) == ("Third", "Second")


def test_a_note_is_deleted_and_then_gone(reader: Client, site: Site) -> None:
    entry = post(reader, text="First").json()
    assert reader.delete(f"/api/changelog/{entry['id']}").status_code == 204
    response = reader.delete(f"/api/changelog/{entry['id']}")
    assert (response.status_code, response.json()["error"]["code"]) == (404, "not_found")


def test_of_a_settings_entry_only_title_and_text_can_be_edited(
    reader: Client, site: Site, now: datetime
) -> None:
    entry = Entry.objects.create(site=site, at=now, kind="setting")
    address = f"/api/changelog/{entry.pk}"
    assert reader.delete(address).status_code == 400
    moved = {"version": 1, "at": "2026-11-01T00:00:00Z"}
    response = reader.patch(address, moved, content_type="application/json")
    assert (response.status_code, response.json()["error"]["field"]) == (400, "at")
    renamed = {"version": 1, "title": "By the installer", "text": "Mr. Huber"}
    response = reader.patch(address, renamed, content_type="application/json")
    assert (response.status_code, response.json()["title"]) == (200, "By the installer")


def test_entries_come_newest_first_and_page_by_the_last_id(reader: Client, site: Site, now: datetime) -> None:
    for minutes in range(5):
        Entry.objects.create(site=site, at=now - timedelta(minutes=minutes), kind="note", text=f"{minutes}")
    first = reader.get("/api/changelog?limit=3").json()["entries"]
    assert [entry["text"] for entry in first] == ["0", "1", "2"]
    rest = reader.get(f"/api/changelog?limit=3&before={first[-1]['id']}").json()["entries"]
    assert [entry["text"] for entry in rest] == ["3", "4"]


def test_entries_are_filtered_by_time_and_kind(reader: Client, site: Site, now: datetime) -> None:
    Entry.objects.create(site=site, at=now - timedelta(days=2), kind="note", text="old")
    Entry.objects.create(site=site, at=now, kind="note", text="new")
    Entry.objects.create(site=site, at=now, kind="event", event_code="counter_reset")
    found = reader.get("/api/changelog?kind=note&from=2026-11-22T00:00:00Z").json()["entries"]
    assert [entry["text"] for entry in found] == ["new"]
    assert reader.get("/api/changelog?kind=other").json()["error"]["field"] == "kind"
    assert reader.get("/api/changelog?before=999").status_code == 404


def test_the_configuration_is_that_of_the_time_asked_for(reader: Client, site: Site, now: datetime) -> None:
    for days, slope in ((10, 0.6), (2, 0.5)):
        ConfigurationVersion.objects.create(
            site=site,
            device="7571",
            at=now - timedelta(days=days),
            settings={"circuits.1.curve.slope": slope},
        )
    asked = reader.get("/api/configuration?at=2026-11-18T12:00:00%2B01:00").json()
    assert asked == {"at": "2026-11-18T12:00:00+01:00", "settings": {"circuits.1.curve.slope": 0.6}}
    assert reader.get("/api/configuration").json()["settings"] == {"circuits.1.curve.slope": 0.5}
    assert reader.get("/api/configuration?at=2020-01-01T00:00:00Z").json()["settings"] == {}
