"""Changes and notes in a real browser."""

from __future__ import annotations

from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from apps.changelog.models import ConfigurationVersion, Entry
from apps.changelog.observe import observe
from apps.devices.configuration import HeatPumpConfiguration
from apps.devices.models import Site

from .conftest import NOW, Open, serious_findings, wait_until_it_fits

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]


def schedule(end: str) -> dict[str, list[dict[str, str]]]:
    block = {"start": "06:00", "end": end, "mode": "top"}
    return {day: [block] for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")}


@pytest.fixture
def changed(filled: Site) -> Entry:
    """The hot-water schedule became shorter, and the slope smaller."""
    entry = None
    for number, (end, slope) in enumerate([("22:00", 0.6), ("20:00", 0.5), ("20:00", 0.5)]):
        poll = HeatPumpConfiguration(
            observed_at=NOW - timedelta(hours=5) + timedelta(minutes=5 * number),
            device="7571381573112225",
            settings={"dhw.schedule": schedule(end), "circuits.1.curve.slope": slope},
            changed_at={},
        )
        entry = observe(filled, poll)
    assert entry is not None
    return entry


def write_note(page: Page, text: str) -> None:
    page.get_by_label("What happened?").fill(text)
    page.get_by_role("button", name="Save note").click()
    expect(page.get_by_text("Note saved.")).to_be_visible()


def test_a_note_is_written_edited_in_place_and_deleted(visit: Open) -> None:
    with visit("/changes") as page:
        write_note(page, "Bled the radiators")
        page.get_by_role("link", name="Edit “Bled the radiators”").click()
        field = page.locator(".timeline").get_by_label("What happened?")
        expect(field).to_be_focused()
        field.fill("something else")
        page.keyboard.press("Escape")
        expect(page.get_by_role("heading", name="Bled the radiators")).to_be_visible()
        page.get_by_role("link", name="Edit “Bled the radiators”").click()
        field.fill("Bled all radiators\nTwo litres added")
        page.get_by_role("button", name="Save", exact=True).click()
        expect(page.get_by_role("heading", name="Bled all radiators")).to_be_visible()
        expect(page.get_by_text("Two litres added")).to_be_visible()
        page.get_by_role("link", name="Delete “Bled all radiators”").click()
        page.get_by_role("button", name="Delete note").click()
        expect(page.locator(".timeline")).to_contain_text("Note deleted.")
    assert Entry.objects.count() == 0


def test_notes_are_written_and_deleted_without_scripts(visit: Open) -> None:
    with visit("/changes", java_script_enabled=False) as page:
        write_note(page, "Guests for a week")
        page.get_by_role("link", name="Delete “Guests for a week”").click()
        page.get_by_role("button", name="Delete note").click()
        expect(page.get_by_text("Note deleted.")).to_be_visible()


@pytest.mark.parametrize(
    "address", ["/changes", "/changes/{id}", "/changes/{id}/edit", "/changes/configuration"]
)
@pytest.mark.parametrize("width", [360, 1280])
def test_the_pages_are_accessible_and_fit(visit: Open, changed: Entry, address: str, width: int) -> None:
    with visit(address.format(id=changed.pk), viewport={"width": width, "height": 900}) as page:
        assert serious_findings(page) == []
        wait_until_it_fits(page)


def test_on_a_phone_the_note_comes_first_and_what_changed_before_its_verdict(
    visit: Open, changed: Entry
) -> None:
    with visit("/changes", viewport={"width": 360, "height": 740}) as page:
        opener = page.get_by_role("link", name="Add a note").bounding_box()
        choice = page.get_by_role("navigation", name="Show").bounding_box()
        assert opener is not None
        assert choice is not None
        assert opener["y"] + opener["height"] <= choice["y"]
        row = page.locator(f"#entry-{changed.pk}")
        parts = [row.locator("h3"), row.get_by_text("Heating curve, circuit 1"), row.locator(".entry__side")]
        boxes = [part.first.bounding_box() for part in [*parts, row.get_by_text("Show the week")]]
        tops = [box["y"] for box in boxes if box is not None]
        assert len(tops) == 4
        assert tops == sorted(tops)


def test_on_a_phone_a_button_opens_the_note_and_the_weeks_are_folded(visit: Open, changed: Entry) -> None:
    with visit("/changes", viewport={"width": 360, "height": 740}) as page:
        field = page.get_by_label("What happened?")
        expect(field).to_be_hidden()
        expect(page.locator(".strip").first).to_be_hidden()
        page.get_by_text("Show the week").first.click()
        expect(page.locator(".strip").first).to_be_visible()
        page.get_by_role("link", name="Add a note").click()
        expect(field).to_be_in_viewport()
        write_note(page, "Two litres added")


def test_on_a_phone_edit_and_delete_are_easy_to_hit_apart(visit: Open, changed: Entry) -> None:
    with visit("/changes", viewport={"width": 360, "height": 740}) as page:
        page.get_by_role("link", name="Add a note").click()
        write_note(page, "Two litres added")
        links = page.locator(".edits").first.locator("a")
        boxes = [box for link in links.all() if (box := link.bounding_box()) is not None]
        assert len(boxes) == 2
        assert all(box["height"] >= 44 and box["width"] >= 44 for box in boxes)
        assert boxes[1]["x"] > boxes[0]["x"] + boxes[0]["width"]


def test_choosing_a_setting_of_a_test_shows_its_figures_at_once(filled: Site, visit: Open) -> None:
    settings = {"circuits.1.curve.slope": 0.6, "dhw.hysteresis_k": 5}
    ConfigurationVersion.objects.create(
        site=filled, device="7571381573112225", at=NOW - timedelta(days=2), settings=settings
    )
    with visit("/changes/test") as page:
        expect(page.get_by_text("For heating blocks of 3 days are recommended")).to_be_visible()
        page.get_by_label("Setting", exact=True).select_option("dhw.hysteresis_k")
        expect(page.get_by_text("For hot water short blocks are recommended")).to_be_visible()
        expect(page.locator('input[name="key"][type="hidden"]')).to_have_value("dhw.hysteresis_k")
