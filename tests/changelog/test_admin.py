from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client

from apps.changelog.models import ConfigurationVersion, Entry
from apps.changelog.notes import add_note
from apps.changelog.timeline import entries
from apps.devices.models import Site

from .factories import minutes, poll_all, settings


@pytest.fixture
def client(site: Site) -> Client:
    browser = Client(headers={"accept-language": "en"})
    browser.force_login(User.objects.create_superuser("anna"))
    return browser


def change(site: Site) -> int:
    slope = settings(circuits__1__curve__slope=0.5)
    poll_all(site, settings(), slope, slope)
    return entries(site, kind="setting")[0].id


NO_INLINES = {"setting_changes-TOTAL_FORMS": "0", "setting_changes-INITIAL_FORMS": "0"}
TIME = {"at_0": "2025-01-10", "at_1": "12:00:00"}


def test_a_note_is_added_in_the_admin(client: Client, site: Site) -> None:
    form = {"site": site.pk, "text": "Filter cleaned", **TIME, **NO_INLINES}
    assert client.post("/admin/changelog/entry/add/", form).status_code == 302
    made = entries(site)[0]
    assert (made.kind, made.text, made.author, made.at) == ("note", "Filter cleaned", "anna", minutes(0))


def test_an_empty_note_is_refused_in_the_admin_too(client: Client, site: Site) -> None:
    response = client.post(
        "/admin/changelog/entry/add/", {"site": site.pk, "text": " ", **TIME, **NO_INLINES}
    )
    assert response.status_code == 200
    assert "Describe what happened." in response.content.decode()
    assert Entry.objects.count() == 0


def test_an_edit_in_the_admin_raises_the_version(client: Client, site: Site) -> None:
    made = add_note(site, "Filter cleaned", minutes(0), "anna")
    form = {"text": "Filter replaced", **TIME, **NO_INLINES}
    assert client.post(f"/admin/changelog/entry/{made.id}/change/", form).status_code == 302
    edited = entries(site)[0]
    assert (edited.text, edited.version) == ("Filter replaced", 2)


def test_what_heatmon_saw_keeps_its_time_and_values_in_the_admin(client: Client, site: Site) -> None:
    entry_id = change(site)
    text = client.get(f"/admin/changelog/entry/{entry_id}/change/").content.decode()
    assert 'name="at_0"' not in text
    assert 'name="title"' in text
    form = {"title": "Cooler", "text": "", "at_0": "2025-01-01", "at_1": "00:00:00"}
    client.post(
        f"/admin/changelog/entry/{entry_id}/change/",
        form | {"setting_changes-TOTAL_FORMS": "0", "setting_changes-INITIAL_FORMS": "0"},
    )
    entry = entries(site)[0]
    assert (entry.title, entry.at) == ("Cooler", minutes(5))


def test_only_notes_can_be_deleted_in_the_admin(client: Client, site: Site) -> None:
    entry_id = change(site)
    assert client.post(f"/admin/changelog/entry/{entry_id}/delete/", {"post": "yes"}).status_code == 403
    selection = {"action": "delete_selected", "_selected_action": [entry_id], "post": "yes"}
    client.post("/admin/changelog/entry/", selection)
    assert Entry.objects.count() == 1
    made = add_note(site, "Filter cleaned", minutes(0), "anna")
    client.post("/admin/changelog/entry/", selection | {"_selected_action": [made.id]})
    assert [entry.id for entry in entries(site)] == [entry_id]


def test_configurations_are_only_read_in_the_admin(client: Client, site: Site) -> None:
    change(site)
    version = ConfigurationVersion.objects.order_by("at")[0]
    assert client.get(f"/admin/changelog/configurationversion/{version.pk}/change/").status_code == 200
    assert client.post(f"/admin/changelog/configurationversion/{version.pk}/change/", {}).status_code == 403
    assert client.get("/admin/changelog/configurationversion/add/").status_code == 403
    assert client.get("/admin/changelog/entry/").status_code == 200
