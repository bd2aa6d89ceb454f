"""Another meter at the address: nothing is stored until the owner says that it is the new one."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.test import Client

from apps.devices.models import Device, Site, SourceState

pytestmark = pytest.mark.usefixtures("db", "store", "now")

SEEN = datetime(2026, 1, 1, tzinfo=UTC)
SENTENCE = "A different meter is responding at this address: 0C0D0E0F1011 instead of A0B1C2D3E4F5."


@pytest.fixture
def known(site: Site) -> Device:
    return Device.objects.create(
        site=site,
        kind=Device.Kind.METER,
        identifier="A0B1C2D3E4F5",
        first_seen_at=SEEN,
        last_seen_at=SEEN,
    )


def answers_otherwise(site: Site) -> None:
    SourceState.objects.create(
        site=site,
        source=SourceState.Source.METER,
        error_code="other_meter",
        error_details={"found": "0C0D0E0F1011", "known": "A0B1C2D3E4F5"},
    )


def test_the_page_asks_whether_the_other_meter_is_the_new_one(
    owner: Client, site: Site, known: Device
) -> None:
    answers_otherwise(site)
    page = owner.get("/settings").content.decode()
    assert SENTENCE in page
    assert "This is my new meter" in page


def test_confirming_ends_the_known_meter_so_that_the_next_answer_counts(
    owner: Client, site: Site, known: Device
) -> None:
    answers_otherwise(site)
    owner.post("/settings", {"section": "new_meter"})
    known.refresh_from_db()
    assert not known.active


def test_without_another_meter_nothing_is_asked_and_nothing_ends(
    owner: Client, site: Site, known: Device
) -> None:
    assert "This is my new meter" not in owner.get("/settings").content.decode()
    owner.post("/settings", {"section": "new_meter"})
    known.refresh_from_db()
    assert known.active
