"""What jobs stored in English is said in the reader's language."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.test import Client
from django.utils import translation

from apps.dashboard.stored_sentences import in_readers_language
from apps.devices.models import HistoryGap, Site, SourceState
from apps.devices.shelly.messages import MESSAGES
from apps.metrics.store.sqlite import SqliteStore

from .house import set_up


@pytest.mark.parametrize(
    ("stored", "german"),
    [
        ("The meter at 192.168.1.50 does not answer.", "Der Zähler unter 192.168.1.50 antwortet nicht."),
        ("The Viessmann account is locked.", "Das Viessmann-Konto ist gesperrt."),
        ("The Viessmann cloud has a fault (502).", "Die Viessmann-Cloud ist gestört (502)."),
        (
            "The meter at pump.lan gives values from the future (em:0).",
            "Der Zähler unter pump.lan liefert Werte aus der Zukunft (em:0).",
        ),
        (
            "Check the internet connection and the address. heatmon tries again at the next poll.",
            "Die Internetverbindung und die Adresse prüfen. "
            "heatmon versucht es bei der nächsten Abfrage wieder.",
        ),
        (
            "It has: 7571, 7572. Choose one on the settings page.",
            "Es gibt: 7571, 7572. Auf der Seite „Einstellungen“ eine auswählen.",
        ),
        ("the meter does not have these minutes", "der Zähler hat diese Minuten nicht"),
        ("Something that no catalogue knows.", "Something that no catalogue knows."),
        ("", ""),
    ],
)
def test_a_stored_sentence_is_said_in_german(stored: str, german: str) -> None:
    with translation.override("de"):
        assert in_readers_language(stored) == german


def test_an_english_reader_sees_it_as_it_was_stored() -> None:
    with translation.override("en"):
        stored = "The meter at 192.168.1.50 does not answer."
        assert in_readers_language(stored) == stored


@pytest.mark.parametrize("code", MESSAGES)
def test_each_fault_of_the_meter_is_found_again(code: str) -> None:
    places = {"host": "192.168.1.50", "detail": "em:0"}
    for template in MESSAGES[code]:
        with translation.override("en"):
            stored = str(template) % places
        with translation.override("de"):
            assert in_readers_language(stored) == str(template) % places
            assert in_readers_language(stored) != stored


def test_the_health_page_tells_a_german_reader_in_german(
    reader: Client, store: SqliteStore, site: Site, now: datetime
) -> None:
    set_up(site)
    SourceState.objects.create(
        site=site,
        source="meter",
        error_message="The meter at 192.168.1.50 refuses the password.",
        error_hint="Enter the meter's password again in the settings; heatmon asks no more until then.",
        last_error_at=now,
    )
    HistoryGap.objects.create(
        site=site,
        device="a0b1c2d3e4f5",
        start=now - timedelta(hours=3),
        missing_minutes=60,
        reason="The meter at 192.168.1.50 does not answer.",
    )
    page = reader.get("/health", headers={"Accept-Language": "de"}).content.decode()
    assert "<b>Der Zähler unter 192.168.1.50 lehnt das Passwort ab.</b> Das Passwort des Zählers" in page
    assert "<td>Der Zähler unter 192.168.1.50 antwortet nicht.</td>" in page
