"""A program by hand is an event with begin and end, never a change of settings."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import pytest

from apps.changelog.models import Entry, SettingChange
from apps.changelog.observe import observe
from apps.changelog.timeline import configuration_at, entries, markers
from apps.devices.configuration import HeatPumpConfiguration
from apps.devices.models import Site

from .factories import GATEWAY, minutes, settings

CIRCUIT = "circuits.1"


def poll(
    number: int, by_hand: Mapping[str, str], at: Mapping[str, datetime] | None = None, **changed: object
) -> HeatPumpConfiguration:
    """The poll of every five minutes with that number."""
    return HeatPumpConfiguration(
        observed_at=minutes(5 * number),
        device=GATEWAY,
        settings=settings(**changed),
        changed_at={},
        by_hand=by_hand,
        by_hand_at=at or {},
    )


def poll_programs(site: Site, *programs: str | None) -> None:
    """One poll each five minutes; None: the answer does not tell."""
    for number, program in enumerate(programs):
        observe(site, poll(number, {} if program is None else {CIRCUIT: program}))


def events(site: Site) -> list[tuple[str, datetime | None, datetime | None]]:
    """(program, begin, end), oldest first."""
    known = Entry.objects.filter(site=site).order_by("at", "id")
    assert {entry.kind for entry in known} <= {"event"}
    assert not SettingChange.objects.exists()
    return [(entry.event_details["program"], entry.at, entry.ended_at) for entry in known]


def test_a_program_begins_with_the_first_of_two_polls_and_ends_with_the_first_without_it(site: Site) -> None:
    poll_programs(site, "", "", "comfort", "comfort", "comfort", "", "")
    assert events(site) == [("comfort", minutes(10), minutes(25))]


def test_a_program_still_on_has_no_end(site: Site) -> None:
    poll_programs(site, "", "comfort", "comfort")
    assert events(site) == [("comfort", minutes(5), None)]
    (entry,) = entries(site)
    assert (entry.kind, entry.begin, entry.end, entry.settings) == ("event", minutes(5), None, ())
    assert entry.title == "Heating circuit 1: comfort by hand, still on"
    assert [(mark.begin, mark.end) for mark in markers(site, minutes(0), minutes(60))] == [(minutes(5), None)]


def test_the_device_knows_the_times_better_where_they_fit(site: Site) -> None:
    began, ended = {CIRCUIT: minutes(8.5)}, {CIRCUIT: minutes(16)}
    on, off = {CIRCUIT: "comfort"}, {CIRCUIT: ""}
    for number, state, at in ((0, off, {}), (1, off, {}), (2, on, began), (3, on, began), (4, off, ended)):
        observe(site, poll(number, state, at))
    observe(site, poll(5, off, ended))
    assert events(site) == [("comfort", minutes(8.5), minutes(16))]
    (entry,) = entries(site)
    assert entry.title == "Heating circuit 1: comfort by hand for 8 minutes"


def test_what_is_seen_once_is_no_program(site: Site) -> None:
    poll_programs(site, "", "comfort", "", "")
    assert events(site) == []


def test_an_answer_that_does_not_tell_ends_nothing(site: Site) -> None:
    poll_programs(site, "", "comfort", "comfort", None, None, "comfort", "", "")
    assert events(site) == [("comfort", minutes(5), minutes(30))]


def test_one_program_after_another_ends_the_first(site: Site) -> None:
    poll_programs(site, "", "comfort", "comfort", "eco", "eco", "", "")
    assert events(site) == [("comfort", minutes(5), minutes(15)), ("eco", minutes(15), minutes(25))]


def test_what_ran_before_anybody_looked_has_no_begin_and_is_no_event(site: Site) -> None:
    poll_programs(site, "comfort", "comfort", "", "", "comfort", "comfort")
    assert events(site) == [("comfort", minutes(20), None)]


def test_each_place_has_its_own_program(site: Site) -> None:
    states = [{"dhw": "", "house": ""}, {"dhw": "one_time_charge", "house": ""}]
    both = {"dhw": "one_time_charge", "house": "holiday"}
    for number, state in enumerate(
        [states[0], states[1], states[1], both, both, {"dhw": "", "house": "holiday"}]
    ):
        observe(site, poll(number, state))
    observe(site, poll(6, {"dhw": "", "house": "holiday"}))
    assert events(site) == [("one_time_charge", minutes(5), minutes(25)), ("holiday", minutes(15), None)]


def test_repeated_polls_change_nothing(site: Site) -> None:
    for _ in range(2):
        poll_programs(site, "", "comfort", "comfort", "", "", "comfort", "comfort")
    assert events(site) == [("comfort", minutes(5), minutes(15)), ("comfort", minutes(25), None)]


@pytest.mark.parametrize(
    "key", ["circuits.1.eco", "holiday.start", "circuits.1.holiday.end", "holiday_at_home.end"]
)
def test_what_the_device_writes_down_with_a_program_is_known_but_no_change(site: Site, key: str) -> None:
    for number, value in enumerate(["", "2025-02-01", "2025-02-01"]):
        changed: dict[str, Any] = {key.replace(".", "__"): value}
        observe(site, poll(number, {"house": ""}, None, **changed))
    assert Entry.objects.count() == 0
    assert configuration_at(site, minutes(4))[key] == ""
    assert configuration_at(site, minutes(5))[key] == "2025-02-01"


def test_a_setting_changed_meanwhile_is_an_entry_of_its_own(site: Site) -> None:
    for number, (program, slope) in enumerate([("", 0.6), ("comfort", 0.5), ("comfort", 0.5)]):
        observe(site, poll(number, {CIRCUIT: program}, circuits__1__curve__slope=slope))
    assert [(entry.kind, entry.title) for entry in entries(site)] == [
        ("setting", "Heating curve, circuit 1: slope 0.6 → 0.5"),
        ("event", "Heating circuit 1: comfort by hand, still on"),
    ]


@pytest.mark.parametrize(("words", "found"), [("Comfort", 1), ("by hand", 1), ("holiday", 0)])
def test_it_is_found_by_its_words(site: Site, words: str, found: int) -> None:
    poll_programs(site, "", "comfort", "comfort")
    assert len(entries(site, search=words)) == found
