from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser, User

from apps.changelog.models import Entry
from apps.changelog.notes import EntryInvalid, VersionConflict, add_note, delete_note, edit_entry
from apps.changelog.timeline import EntryUnknown, EntryView, entries
from apps.devices.models import Site

from .factories import minutes, poll_all, settings

NOW = minutes(1000)


def note(
    site: Site, text: str = "Bled the radiators", at: datetime | None = None, **kwargs: Any
) -> EntryView:
    author = kwargs.pop("author", "tester")
    return add_note(site, text, at if at is not None else minutes(0), author, **{"now": NOW, **kwargs})


def change(site: Site) -> EntryView:
    slope = settings(circuits__1__curve__slope=0.5)
    poll_all(site, settings(), slope, slope)
    return entries(site, kind="setting")[0]


def test_a_note_keeps_its_text_time_and_author(site: Site) -> None:
    anna = User.objects.create_user("anna")
    made = note(site, " Bled the radiators\r\nTwo litres ", author=anna)
    assert (made.title, made.text, made.at, made.author, made.version, made.kind) == (
        "Bled the radiators",
        "Bled the radiators\nTwo litres",
        minutes(0),
        "anna",
        1,
        "note",
    )
    anna.delete()
    assert entries(site)[0].author == "anna"


@pytest.mark.parametrize(("author", "shown"), [("backup script", "backup script"), (None, None)])
def test_a_note_by_a_token_or_nobody_says_so(site: Site, author: str | None, shown: str | None) -> None:
    assert note(site, author=author).author == shown


def test_a_note_in_the_demo_has_no_author(site: Site) -> None:
    assert note(site, author=AnonymousUser()).author is None


@pytest.mark.parametrize(
    ("text", "field"),
    [("", "text"), (" \n ", "text"), ("x" * 10_001, "text"), ("a\x00b", "text"), ("half \ud83d", "text")],
)
def test_a_text_that_cannot_be_kept_is_refused(site: Site, text: str, field: str) -> None:
    with pytest.raises(EntryInvalid) as refused:
        note(site, text)
    assert refused.value.field == field
    assert Entry.objects.count() == 0


def test_the_longest_text_is_kept_whole(site: Site) -> None:
    assert len(note(site, "x" * 10_000).text) == 10_000


@pytest.mark.parametrize(
    "at",
    [
        minutes(0).replace(tzinfo=None),
        datetime.fromisoformat("1999-12-31T23:59:59Z"),
        NOW + timedelta(days=2),
    ],
)
def test_a_time_out_of_range_is_refused(site: Site, at: datetime) -> None:
    with pytest.raises(EntryInvalid) as refused:
        note(site, at=at)
    assert refused.value.field == "at"


def test_a_double_click_gives_one_note(site: Site) -> None:
    first = note(site)
    second = note(site, at=minutes(0.5), now=NOW + timedelta(seconds=30))
    assert first.id == second.id
    assert Entry.objects.count() == 1


def test_the_same_words_later_for_another_time_or_by_another_are_new_notes(site: Site) -> None:
    note(site)
    note(site, now=NOW + timedelta(seconds=61))
    note(site, at=minutes(30))
    note(site, author="another")
    assert Entry.objects.count() == 4


def test_an_edit_raises_the_version(site: Site) -> None:
    made = note(site)
    edited = edit_entry(made.id, 1, text="Bled all radiators", at=minutes(-5), now=NOW)
    assert (edited.text, edited.at, edited.version) == ("Bled all radiators", minutes(-5), 2)


def test_an_edit_that_changes_nothing_keeps_the_version(site: Site) -> None:
    made = note(site)
    assert edit_entry(made.id, 1, text=made.text, title=made.title, at=made.at, now=NOW).version == 1


def test_an_edit_of_a_stale_version_is_a_conflict_that_shows_the_current_text(site: Site) -> None:
    made = note(site)
    edit_entry(made.id, 1, text="first tab", now=NOW)
    with pytest.raises(VersionConflict) as conflict:
        edit_entry(made.id, 1, text="second tab", now=NOW)
    assert (conflict.value.current.text, conflict.value.current.version) == ("first tab", 2)
    assert entries(site)[0].text == "first tab"


def test_the_title_of_a_note_is_its_first_line_and_not_set(site: Site) -> None:
    with pytest.raises(EntryInvalid) as refused:
        edit_entry(note(site).id, 1, title="Other", now=NOW)
    assert refused.value.field == "title"


def test_of_a_change_title_and_text_can_be_edited(site: Site) -> None:
    entry = change(site)
    edited = edit_entry(entry.id, 1, title=" Cooler\ncurve ", text="Let us see", now=NOW)
    assert (edited.title, edited.text, edited.settings) == ("Cooler curve", "Let us see", entry.settings)
    back = edit_entry(entry.id, 2, title="", text="", now=NOW)
    assert (back.title, back.text) == ("Heating curve, circuit 1: slope 0.6 → 0.5", "")


def test_the_time_of_a_change_cannot_be_edited(site: Site) -> None:
    with pytest.raises(EntryInvalid) as refused:
        edit_entry(change(site).id, 1, at=minutes(1), now=NOW)
    assert refused.value.field == "at"


def test_a_title_that_is_too_long_is_refused(site: Site) -> None:
    with pytest.raises(EntryInvalid) as refused:
        edit_entry(change(site).id, 1, title="x" * 201, now=NOW)
    assert refused.value.field == "title"


def test_a_deleted_note_is_gone(site: Site) -> None:
    made = note(site)
    delete_note(made.id)
    assert entries(site) == []
    with pytest.raises(EntryUnknown):
        edit_entry(made.id, 1, text="x", now=NOW)


def test_a_note_edited_meanwhile_is_not_deleted(site: Site) -> None:
    made = note(site)
    edit_entry(made.id, 1, text="more", now=NOW)
    with pytest.raises(VersionConflict):
        delete_note(made.id, version=1)
    assert len(entries(site)) == 1


def test_a_change_cannot_be_deleted(site: Site) -> None:
    with pytest.raises(EntryInvalid) as refused:
        delete_note(change(site).id)
    assert refused.value.field == "kind"


def test_another_homes_note_is_unknown(site: Site) -> None:
    other = Site.objects.create(name="Other")
    with pytest.raises(EntryUnknown):
        delete_note(note(site).id, site=other)
