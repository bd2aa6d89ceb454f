"""Programs that somebody switched on, as the cloud's answer shows them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from apps.devices.viessmann.features import FeatureSnapshot, heat_pump_configuration
from tests.payloads.viessmann.cu401b import CHANGED, cu401b, feature, week

BERLIN = ZoneInfo("Europe/Berlin")
THURSDAY_NOON = datetime(2026, 1, 22, 11, 0, tzinfo=UTC)
PROGRAMS = "heating.circuits.1.operating.programs"


def by_hand(
    at: datetime = THURSDAY_NOON, zone: ZoneInfo | None = BERLIN, /, **changed: Any
) -> dict[str, str]:
    snapshot = FeatureSnapshot(payload=cu401b(**changed), received_at=at, device="7700000000000001")
    return dict(heat_pump_configuration(snapshot, zone).by_hand)


def test_a_heat_pump_that_follows_its_schedules_has_nothing_by_hand() -> None:
    assert by_hand() == {"house": "", "dhw": "", "circuits.1": ""}


@pytest.mark.parametrize("program", ["comfort", "eco"])
def test_comfort_and_eco_are_by_hand_where_no_schedule_has_them(program: str) -> None:
    found = by_hand(
        **{
            f"{PROGRAMS}.active".replace(".", "__"): feature(f"{PROGRAMS}.active", value=program),
            f"{PROGRAMS}.{program}".replace(".", "__"): feature(f"{PROGRAMS}.{program}", active=True),
        }
    )
    assert found == {"house": "", "dhw": "", "circuits.1": program}


@pytest.mark.parametrize(
    ("at", "zone", "program"),
    [
        (datetime(2026, 1, 22, 11, 0, tzinfo=UTC), BERLIN, ""),
        (datetime(2026, 1, 22, 17, 10, tzinfo=UTC), BERLIN, ""),
        (datetime(2026, 1, 22, 17, 20, tzinfo=UTC), BERLIN, "comfort"),
        (datetime(2026, 1, 22, 17, 20, tzinfo=UTC), None, ""),
    ],
    ids=["while scheduled", "just after", "outside", "outside, but who knows the zone"],
)
def test_comfort_of_a_newer_device_is_by_hand_outside_of_its_schedule(
    at: datetime, zone: ZoneInfo | None, program: str
) -> None:
    entries = week(("05:00", "18:00", "comfort"), ("18:00", "22:00", "normal"))
    found = by_hand(
        at,
        zone,
        heating__circuits__1__heating__schedule=feature(
            "heating.circuits.1.heating.schedule", active=True, entries=entries
        ),
        heating__circuits__1__operating__programs__active=feature(
            f"{PROGRAMS}.active", value="comfortHeating"
        ),
        heating__circuits__1__operating__programs__comfort=feature(f"{PROGRAMS}.comfortHeating", active=True),
    )
    assert found["circuits.1"] == program


def test_holiday_and_one_time_heating_are_by_hand() -> None:
    found = by_hand(
        heating__operating__programs__holiday=feature(
            "heating.operating.programs.holiday", active=True, start="2026-01-20", end="2026-01-30"
        ),
        heating__dhw__oneTimeCharge=feature("heating.dhw.oneTimeCharge", active=True),
    )
    assert found == {"house": "holiday", "dhw": "one_time_charge", "circuits.1": ""}


def test_a_place_that_the_answer_does_not_tell_of_is_unknown() -> None:
    found = by_hand(
        heating__operating__programs__holiday=None,
        heating__dhw__oneTimeCharge=feature("heating.dhw.oneTimeCharge", enabled=False, active=True),
    )
    assert found == {"circuits.1": ""}


def test_the_time_is_that_of_the_program_or_of_the_newest_of_those_that_ended() -> None:
    payload = cu401b(
        heating__dhw__oneTimeCharge=feature(
            "heating.dhw.oneTimeCharge", active=True, at="2026-01-22T10:58:00.000Z"
        )
    )
    snapshot = FeatureSnapshot(payload=payload, received_at=THURSDAY_NOON, device="7700000000000001")
    times = heat_pump_configuration(snapshot, BERLIN).by_hand_at
    assert times["dhw"] == datetime(2026, 1, 22, 10, 58, tzinfo=UTC)
    assert times["circuits.1"] == datetime.fromisoformat(CHANGED)
