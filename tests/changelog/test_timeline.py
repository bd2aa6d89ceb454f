from __future__ import annotations

from typing import Any

import pytest

from apps.changelog.models import Entry
from apps.changelog.notes import add_note
from apps.changelog.observe import add_event
from apps.changelog.timeline import (
    EntryUnknown,
    EntryView,
    SettingView,
    entries,
    entry_view,
    markers,
    neighbours,
    next_change,
    previous_change,
)
from apps.devices.models import Site

from .factories import START, minutes, poll_all, settings

SLOPE = settings(circuits__1__curve__slope=0.5)


def note(site: Site, text: str, at: float) -> EntryView:
    return add_note(site, text, minutes(at), "tester", now=minutes(10_000))


@pytest.fixture
def history(site: Site) -> Site:
    """Oldest first: a note, a change of the slope at minute 5, an event, a note."""
    note(site, "Bled the radiators", -10)
    poll_all(site, settings(), SLOPE, SLOPE)
    add_event(site, minutes(30), "counter_reset", {"device": "AABBCC"})
    note(site, "Gäste im Haus\nDrei Tage", 60)
    return site


def test_entries_come_newest_first(history: Site) -> None:
    assert [(entry.kind, entry.title) for entry in entries(history)] == [
        ("note", "Gäste im Haus"),
        ("event", "The meter's energy counter was reset"),
        ("setting", "Heating curve, circuit 1: slope 0.6 → 0.5"),
        ("note", "Bled the radiators"),
    ]


def test_an_entry_has_the_fields_of_the_api(history: Site) -> None:
    entry = entries(history, kind="setting")[0]
    assert entry == EntryView(
        id=entry.id,
        at=minutes(5),
        kind="setting",
        title="Heating curve, circuit 1: slope 0.6 → 0.5",
        text="",
        author=None,
        version=1,
        settings=(SettingView(key="circuits.1.curve.slope", before=0.6, after=0.5),),
    )


def test_the_range_includes_its_start_and_excludes_its_end(history: Site) -> None:
    assert [entry.at for entry in entries(history, start=minutes(5), end=minutes(60))] == [
        minutes(30),
        minutes(5),
    ]


def test_paging_goes_on_after_the_last_entry_even_at_equal_times(site: Site) -> None:
    ids = [note(site, f"note {number}", 0).id for number in range(5)]
    first = entries(site, limit=2)
    second = entries(site, limit=2, before=first[-1].id)
    third = entries(site, limit=2, before=second[-1].id)
    assert [entry.id for entry in (*first, *second, *third)] == ids[::-1]


def test_paging_after_an_unknown_entry_is_refused(history: Site) -> None:
    with pytest.raises(EntryUnknown):
        entries(history, before=999_999)


@pytest.mark.parametrize(
    ("words", "titles"),
    [
        ("RADIATORS", ["Bled the radiators"]),
        ("drei", ["Gäste im Haus"]),
        ("GÄSTE", ["Gäste im Haus"]),
        ("heating curve", ["Heating curve, circuit 1: slope 0.6 → 0.5"]),
        ("counter", ["The meter's energy counter was reset"]),
        ("100% (nothing)", []),
        (".*", []),
    ],
)
def test_search_finds_the_words_that_a_reader_sees(history: Site, words: str, titles: list[str]) -> None:
    assert [entry.title for entry in entries(history, search=words)] == titles


def test_another_homes_entries_are_not_shown(history: Site) -> None:
    other = Site.objects.create(name="Other")
    assert entries(other) == []
    with pytest.raises(EntryUnknown):
        entry_view(other, entries(history)[0].id)


def test_markers_are_numbered_in_the_order_of_time(history: Site) -> None:
    found = markers(history, START, minutes(61))
    assert [(marker.number, marker.title) for marker in found] == [
        (1, "Heating curve, circuit 1: slope 0.6 → 0.5"),
        (2, "The meter's energy counter was reset"),
        (3, "Gäste im Haus"),
    ]


@pytest.mark.parametrize(
    ("start", "end", "shown"),
    [
        (0, 60, ["lasts", "ended"]),
        (15, 60, ["lasts", "ended"]),
        (20, 60, ["lasts"]),
        (0, 10, ["lasts"]),
        (0, 5, []),
    ],
)
def test_what_began_earlier_and_lasts_into_the_range_is_marked_too(
    site: Site, start: int, end: int, shown: list[str]
) -> None:
    for at, ended_at, program in ((5, None, "lasts"), (10, minutes(20), "ended")):
        Entry.objects.create(
            site=site,
            at=minutes(at),
            ended_at=ended_at,
            kind=Entry.Kind.EVENT,
            event_code="by_hand",
            event_details={"place": program, "program": "comfort"},
            source_key=program,
        )
    ids = [mark.id for mark in markers(site, minutes(start), minutes(end))]
    assert [Entry.objects.get(pk=id_).source_key for id_ in ids] == shown


def test_the_changes_before_and_after_a_time_are_found(history: Site) -> None:
    assert previous_change(history, minutes(5)) is None
    before, after = previous_change(history, minutes(60)), next_change(history, minutes(0))
    assert before is not None
    assert after is not None
    assert before.at == after.at == minutes(5)
    assert next_change(history, minutes(5)) is None


def test_neighbours_are_the_entries_next_in_time(history: Site) -> None:
    newest, event, change, oldest = entries(history)
    assert neighbours(history, change) == (oldest, event)
    assert neighbours(history, newest) == (event, None)
    assert neighbours(history, oldest) == (None, change)


def test_a_page_of_entries_costs_two_queries(history: Site, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(2):
        entries(history)


def test_a_page_further_down_costs_three(history: Site, django_assert_num_queries: Any) -> None:
    newest = entries(history)[0]
    with django_assert_num_queries(3):
        entries(history, before=newest.id)
