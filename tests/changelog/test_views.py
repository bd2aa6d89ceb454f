from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from apps.changelog.models import Entry
from apps.changelog.notes import add_note, edit_entry
from apps.changelog.observe import add_event, observe
from apps.changelog.timeline import EntryView, entries
from apps.devices.configuration import HeatPumpConfiguration
from apps.devices.models import SavedOption, Site

from .factories import GATEWAY, block, minutes, poll_all, settings, week

HOSTILE = "<img src=x onerror=alert(1)> </script> {{7*7}}"
ROW = {"HX-Request": "true"}


@pytest.fixture
def client(site: Site) -> Client:
    """A browser in which Anna is logged in."""
    browser = Client(headers={"accept-language": "en"})
    browser.force_login(User.objects.create_superuser("anna"))
    return browser


def note(site: Site, text: str = "Bled the radiators", at: float = 0, author: Any = "anna") -> EntryView:
    return add_note(site, text, minutes(at), author, now=minutes(10_000))


def slope_changed(site: Site) -> EntryView:
    slope = settings(circuits__1__curve__slope=0.5)
    poll_all(site, settings(), slope, slope)
    return entries(site, kind="setting")[0]


def schedule_changed(site: Site) -> EntryView:
    late = settings(dhw__schedule=week(block("06:00", "22:00", "top"), sat=[block("07:00", "21:00", "top")]))
    poll_all(site, settings(), late, late)
    return entries(site, kind="setting")[0]


def row_of(entry: EntryView) -> dict[str, str]:
    return {**ROW, "HX-Target": f"entry-{entry.id}"}


def page(client: Client, address: str, status: int = 200, **kwargs: Any) -> str:
    response = client.get(address, **kwargs)
    assert response.status_code == status, response.content.decode()[:500]
    return response.content.decode()


def test_an_empty_timeline_says_why(client: Client) -> None:
    assert "No changes yet" in page(client, "/changes")


def test_the_timeline_shows_changes_and_notes_by_month(client: Client, site: Site) -> None:
    note(site, "Winter service", at=-20 * 24 * 60)
    slope_changed(site)
    text = page(client, "/changes")
    assert text.index("January 2025") < text.index("slope 0.6 → 0.5") < text.index("December 2024")
    assert text.index("December 2024") < text.index("Winter service")


def test_a_schedule_change_is_drawn_without_inline_style(client: Client, site: Site) -> None:
    schedule_changed(site)
    text = page(client, "/changes")
    assert "Hot water, Saturday: now 07:00–21:00, was 06:00–22:00" in text
    assert '<rect class="cut" x="72" y="3" width="12" height="14" rx="2">' in text
    assert "style=" not in text


def test_a_program_by_hand_is_shown_from_begin_to_end(client: Client, site: Site) -> None:
    for number, program in enumerate(["", "comfort", "comfort", "", ""]):
        observe(
            site,
            HeatPumpConfiguration(
                observed_at=minutes(5 * number),
                device=GATEWAY,
                settings={},
                changed_at={},
                by_hand={"circuits.1": program},
            ),
        )
    entry = Entry.objects.get()
    for address in ("/changes", f"/changes/{entry.pk}"):
        text = page(client, address)
        assert "Heating circuit 1: comfort by hand for 10 minutes" in text
        assert text.index("2025-01-10T13:05:00+01:00") < text.index("2025-01-10T13:15:00+01:00")


def test_every_change_of_an_entry_is_told(client: Client, site: Site) -> None:
    new = settings(circuits__1__curve__slope=0.5, dhw__target_temperature_c=48.0)
    poll_all(site, settings(), new, new)
    text = page(client, "/changes")
    assert "slope 0.6 → 0.5, and 1 more</a>" in text
    assert "<p>Hot water: target temperature 50 → 48\u00a0°C</p>" in text
    assert text.count("slope 0.6 → 0.5") == text.count("slope 0.6 → 0.5, and 1 more")


def test_own_notes_are_told_from_those_of_others(client: Client, site: Site) -> None:
    note(site, "mine")
    note(site, "theirs", author="installer")
    text = page(client, "/changes")
    assert "your note" in text
    assert "note by installer" in text


@pytest.mark.parametrize(
    ("query", "shown", "hidden"),
    [
        ("?kind=note", "Bled the radiators", "slope 0.6"),
        ("?kind=setting", "slope 0.6", "Bled the radiators"),
        ("?q=CURVE", "slope 0.6", "Bled the radiators"),
        ("?from=2025-01-11", "Bled the radiators", "slope 0.6"),
        ("?to=2025-01-10", "slope 0.6", "Bled the radiators"),
        ("?kind=nonsense", "slope 0.6", "Nothing found"),
    ],
)
def test_the_timeline_can_be_narrowed(
    client: Client, site: Site, query: str, shown: str, hidden: str
) -> None:
    slope_changed(site)
    note(site, at=24 * 60)
    text = page(client, f"/changes{query}")
    assert shown in text
    assert hidden not in text


def two_places(site: Site) -> None:
    changed = settings(circuits__1__curve__slope=0.5)
    later = changed | {"dhw.target_temperature_c": 48}
    poll_all(site, settings(), changed, changed, later, later)
    details = {"device": GATEWAY, "place": "circuits.1", "program": "party"}
    add_event(site, minutes(60), "by_hand", details)
    note(site)


def test_the_timeline_can_be_narrowed_to_a_circuit_with_its_programs_by_hand(
    client: Client, site: Site
) -> None:
    two_places(site)
    text = page(client, "/changes")
    assert 'href="?place=circuits.1">Heating circuit 1</a>' in text
    assert 'href="?place=dhw">Hot water</a>' in text
    circuit = page(client, "/changes?place=circuits.1")
    assert "slope 0.6 → 0.5</a></h3>" in circuit
    assert "party by hand" in circuit
    assert "target temperature 50 → 48" not in circuit
    assert "Bled the radiators" not in circuit
    assert 'aria-current="true">Heating circuit 1</a>' in circuit
    assert 'href="?kind=setting&amp;place=circuits.1"' in circuit
    assert '<input type="hidden" name="place" value="circuits.1">' in circuit
    settings_only = page(client, "/changes?kind=setting&place=circuits.1")
    assert "slope 0.6 → 0.5" in settings_only and "party by hand" not in settings_only


def test_a_place_that_is_none_is_ignored_and_one_place_is_no_choice(client: Client, site: Site) -> None:
    slope_changed(site)
    text = page(client, "/changes?place=%25';--")
    assert "slope 0.6 → 0.5" in text
    assert "?place=" not in text


def test_the_last_day_of_a_range_is_the_houses_day(client: Client, site: Site) -> None:
    note(site, "late in the evening", at=10 * 60 + 30)  # 23:30 in Berlin, 10 January
    note(site, "after midnight", at=11 * 60 + 30)
    text = page(client, "/changes?to=2025-01-10")
    assert "late in the evening" in text
    assert "after midnight" not in text


def test_a_date_that_is_none_is_named(client: Client, site: Site) -> None:
    note(site)
    text = page(client, "/changes?from=yesterday", status=400)
    assert "This is not a valid date." in text
    assert "Bled the radiators" in text


def test_older_entries_are_one_click_away_and_none_is_lost(client: Client, site: Site) -> None:
    for number in range(60):
        note(site, f"note number {number:02d}", at=10 * number)
    first = page(client, "/changes?kind=note")
    older = re.search(r'href="(\?kind=note&amp;before=\d+)"', first)
    assert older is not None
    second = page(client, f"/changes{older[1].replace('&amp;', '&')}")
    numbers = [re.findall(r">note number (\d\d)</a>", text) for text in (first, second)]
    assert numbers[0] == [f"{number:02d}" for number in range(59, 9, -1)]
    assert numbers[1] == [f"{number:02d}" for number in range(9, -1, -1)]
    assert "Show older" not in second
    assert "Back to newest" in second
    piece = page(client, f"/changes{older[1].replace('&amp;', '&')}", headers={**ROW, "HX-Target": "older"})
    assert "<html" not in piece
    assert "January 2025" not in piece
    assert re.findall(r">note number (\d\d)</a>", piece) == numbers[1]


def test_paging_after_a_deleted_note_is_not_found(client: Client) -> None:
    page(client, "/changes?before=99", status=404)


def test_a_note_is_saved_in_the_houses_time_and_shown(client: Client, site: Site) -> None:
    SavedOption.objects.create(site=site, name="time_zone", value='"America/New_York"')
    response = client.post("/changes/add", {"text": "Guests\nfor a week", "at": "2025-01-10T07:30"})
    saved = Entry.objects.get()
    assert response.status_code == 302
    assert response["Location"] == f"/changes#entry-{saved.pk}"
    assert saved.at == minutes(30)
    assert (saved.author_name, saved.author_user) == ("anna", User.objects.get())
    text = page(client, "/changes")
    assert "Note saved." in text
    assert ">Guests</a>" in text
    assert "<p>for a week</p>" in text


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ({"text": " ", "at": "2025-01-10T12:00"}, "Describe what happened."),
        ({"text": "x" * 10_001, "at": "2025-01-10T12:00"}, "A note may have up to 10,000 characters."),
        ({"text": "kept", "at": "noon"}, "This is not a valid time."),
        ({"text": "kept", "at": "1999-01-01T00:00"}, "The time is before the year 2000."),
        ({"text": "kept", "at": "2150-01-01T00:00"}, "The time is in the future."),
    ],
)
def test_a_wrong_note_comes_back_with_what_is_wrong(
    client: Client, form: dict[str, str], message: str
) -> None:
    response = client.post("/changes/add", form)
    assert response.status_code == 400
    assert message in response.content.decode()
    assert form["text"].strip() in response.content.decode()
    assert Entry.objects.count() == 0


def test_a_double_click_gives_one_note(client: Client) -> None:
    for _click in range(2):
        client.post("/changes/add", {"text": "Filter cleaned", "at": "2025-01-10T12:00"})
    assert Entry.objects.count() == 1


def test_a_note_needs_the_forms_secret(site: Site) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(User.objects.create_superuser("anna"))
    assert browser.post("/changes/add", {"text": "forged"}).status_code == 403


def test_strangers_see_nothing(client: Client) -> None:
    response = Client().get("/changes")
    assert response.status_code == 302
    assert response["Location"].startswith("/login")


@pytest.mark.parametrize(
    "address", ["/changes", "/changes/{id}", "/changes/{id}/edit", "/changes/{id}/delete"]
)
def test_what_people_write_is_inert(client: Client, site: Site, address: str) -> None:
    made = note(site, f"{HOSTILE}\n{HOSTILE}", author=HOSTILE)
    text = page(client, address.format(id=made.id))
    assert "<img src=x" not in text
    assert "&lt;img src=x onerror=alert(1)&gt; &lt;/script&gt; {{7*7}}" in text


@pytest.mark.parametrize(
    "address", ["/changes", "/changes/{id}", "/changes/configuration?at=2025-01-11T12:00"]
)
def test_what_devices_say_is_inert(client: Client, site: Site, address: str) -> None:
    old = settings(**{"circuits.1.mode": "standby"})
    new = settings(**{"circuits.1.mode": HOSTILE, "dhw.schedule": week(block("06:00", "22:00", HOSTILE))})
    poll_all(site, old, new, new)
    text = page(client, address.format(id=entries(site)[0].id))
    assert "<img src=x" not in text
    assert "&lt;img src=x onerror=alert(1)&gt;" in text


def test_search_words_are_inert(client: Client) -> None:
    text = page(client, "/changes", data={"q": '"><img src=x onerror=alert(1)>'})
    assert "<img src=x" not in text


def test_one_change_shows_old_and_new(client: Client, site: Site) -> None:
    note(site, "before", at=-10)
    entry = slope_changed(site)
    note(site, "after", at=20)
    text = page(client, f"/changes/{entry.id}")
    assert re.search(r"<del>0\.6</del>.*<ins>0\.5</ins>", text)
    assert 'rel="next">after</a>' in text
    assert 'rel="prev">before</a>' in text
    assert 'href="/history?range=day&amp;date=2025-01-10"' in text
    assert 'href="/changes/configuration?at=2025-01-10T12:05:00Z"' in text


def test_a_schedule_change_has_a_table_behind_its_drawing(client: Client, site: Site) -> None:
    text = page(client, f"/changes/{schedule_changed(site).id}")
    assert "<td>06:00–22:00 top</td><td><b>07:00–21:00 top</b></td>" in text
    assert "style=" not in text


def test_an_unknown_entry_is_not_found(client: Client) -> None:
    for address in ("/changes/77", "/changes/77/edit", "/changes/77/delete"):
        page(client, address, status=404)


def test_a_note_is_edited_without_scripts(client: Client, site: Site) -> None:
    made = note(site)
    assert 'value="2025-01-10T13:00"' in page(client, f"/changes/{made.id}/edit")
    response = client.post(
        f"/changes/{made.id}/edit", {"text": "Bled all", "at": "2025-01-10T12:30", "version": "1"}
    )
    assert response["Location"] == f"/changes/{made.id}"
    saved = entries(site)[0]
    assert (saved.text, saved.at, saved.version) == ("Bled all", minutes(-30), 2)


def test_an_untouched_time_keeps_its_seconds(client: Client, site: Site) -> None:
    made = note(site, at=0.5)
    client.post(f"/changes/{made.id}/edit", {"text": "other", "at": "2025-01-10T13:00", "version": "1"})
    assert entries(site)[0].at == minutes(0.5)


def test_a_note_is_edited_in_its_row(client: Client, site: Site) -> None:
    made = note(site)
    form = page(client, f"/changes/{made.id}/edit", headers=row_of(made))
    assert form.startswith(f'<article class="entry entry--note" id="entry-{made.id}" data-cancel-scope>')
    assert f'data-cancel href="/changes/{made.id}" hx-get="/changes/{made.id}"' in form
    row = client.post(
        f"/changes/{made.id}/edit", {"text": "Bled all", "version": "1"}, headers=row_of(made)
    ).content.decode()
    assert row.startswith(f'<article class="entry entry--note" id="entry-{made.id}">')
    assert ">Bled all</a>" in row
    cancelled = page(client, f"/changes/{made.id}", headers=row_of(made))
    assert cancelled.startswith(f'<article class="entry entry--note" id="entry-{made.id}">')


@pytest.mark.parametrize("in_row", [False, True])
def test_an_edit_of_a_changed_note_shows_both_texts_and_can_be_saved_then(
    client: Client, site: Site, in_row: bool
) -> None:
    made = note(site)
    edit_entry(made.id, 1, text="first tab", now=minutes(10_000))
    headers = row_of(made) if in_row else {}
    response = client.post(
        f"/changes/{made.id}/edit", {"text": "second tab", "version": "1"}, headers=headers
    )
    text = response.content.decode()
    assert response.status_code == 409
    assert "first tab" in text
    assert "second tab</textarea>" in text
    assert 'name="version" value="2"' in text
    client.post(f"/changes/{made.id}/edit", {"text": "second tab", "version": "2"})
    assert entries(site)[0].text == "second tab"


def test_a_wrong_edit_comes_back(client: Client, site: Site) -> None:
    made = note(site)
    response = client.post(f"/changes/{made.id}/edit", {"text": "", "version": "1"})
    assert response.status_code == 400
    assert "Describe what happened." in response.content.decode()


def test_a_change_gets_a_comment_and_keeps_its_made_title(client: Client, site: Site) -> None:
    entry = slope_changed(site)
    form = page(client, f"/changes/{entry.id}/edit")
    assert 'value="Heating curve, circuit 1: slope 0.6 → 0.5"' in form
    client.post(
        f"/changes/{entry.id}/edit", {"title": entry.title, "text": "Too warm in March", "version": "1"}
    )
    saved = Entry.objects.get(pk=entry.id)
    assert (saved.title, saved.text) == ("", "Too warm in March")


def test_a_note_is_deleted_after_a_question(client: Client, site: Site) -> None:
    made = note(site)
    assert "Delete this note?" in page(client, f"/changes/{made.id}/delete")
    assert Entry.objects.count() == 1
    response = client.post(f"/changes/{made.id}/delete", {"version": "1"})
    assert response["Location"] == "/changes"
    assert Entry.objects.count() == 0
    assert "Note deleted." in page(client, "/changes")


def test_a_note_is_deleted_in_its_row(client: Client, site: Site) -> None:
    made = note(site)
    question = page(client, f"/changes/{made.id}/delete", headers=row_of(made))
    assert question.startswith(f'<article class="entry entry--note" id="entry-{made.id}" data-cancel-scope>')
    answer = client.post(f"/changes/{made.id}/delete", {"version": "1"}, headers=row_of(made))
    assert "Note deleted." in answer.content.decode()
    assert "<html" not in answer.content.decode()


def test_a_note_changed_since_the_question_is_asked_for_again(client: Client, site: Site) -> None:
    made = note(site)
    edit_entry(made.id, 1, text="important addition", now=minutes(10_000))
    response = client.post(f"/changes/{made.id}/delete", {"version": "1"})
    assert response.status_code == 409
    assert "important addition" in response.content.decode()
    assert Entry.objects.count() == 1


def test_a_change_cannot_be_deleted(client: Client, site: Site) -> None:
    entry = slope_changed(site)
    assert client.post(f"/changes/{entry.id}/delete", {"version": "1"}).status_code == 404
    assert Entry.objects.count() == 1


def test_all_settings_are_shown_as_they_were(client: Client, site: Site) -> None:
    slope_changed(site)
    before = page(client, "/changes/configuration?at=2025-01-10T12:04:00Z")
    after = page(client, "/changes/configuration?at=2025-01-10T12:05:00%2B00:00")
    row = "<dt>Heating curve, slope</dt><dd>{}</dd>"
    assert row.format("0.6") in before
    assert row.format("0.5") in after
    assert "Heating circuit 1" in after
    assert "<dt>Target temperature</dt><dd>50\u00a0°C</dd>" in after
    assert '<rect class="same" x="72" y="3" width="192" height="14" rx="2">' in after
    assert "<td>06:00–22:00 normal</td>" in after
    assert 'rel="next" href="?at=2025-01-10T12%3A05%3A00Z"' in before
    assert "style=" not in after


def test_before_the_first_poll_no_settings_are_known(client: Client, site: Site) -> None:
    poll_all(site, settings())
    assert "No settings known for this time" in page(client, "/changes/configuration?at=2024-01-01T00:00")


@pytest.mark.parametrize("at", ["yesterday", "0001-01-01T00:00", "9999-12-31T23:59", "2025-13-01"])
def test_a_time_that_is_none_is_named(client: Client, at: str) -> None:
    text = page(client, f"/changes/configuration?at={at}", status=400)
    assert "This is not a valid time." in text


def test_large_numbers_stay_plain_in_addresses(client: Client, site: Site) -> None:
    made = note(site)
    Entry.objects.filter(pk=made.id).update(id=12_345)
    text = page(client, "/changes")
    assert 'id="entry-12345"' in text
    assert 'href="/changes/12345/edit"' in text


def test_the_timeline_costs_few_queries_however_long_it_is(
    client: Client, site: Site, django_assert_num_queries: Any
) -> None:
    slope_changed(site)
    add_event(site, minutes(30), "counter_reset")
    for number in range(60):
        note(site, f"note {number}", at=number)
    client.get("/changes")
    with django_assert_num_queries(14):  # verdicts one, advice two, the choice of places one, a test one
        client.get("/changes")


def test_a_change_costs_few_queries(client: Client, site: Site, django_assert_num_queries: Any) -> None:
    entry = schedule_changed(site)
    note(site, at=-20)
    client.get(f"/changes/{entry.id}")
    with django_assert_num_queries(31):  # 9 for the entry, 22 for its effect
        client.get(f"/changes/{entry.id}")


def test_the_pages_speak_german_where_it_is_translated(client: Client, site: Site) -> None:
    slope_changed(site)
    text = client.get("/changes", headers={"accept-language": "de"}).content.decode()
    assert '<html lang="de">' in text
    assert "0,6 → 0,5" in text
