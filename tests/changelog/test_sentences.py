from __future__ import annotations

from typing import Any

import pytest
from django.utils import translation

from apps.changelog.glossary import TERMS, setting_name
from apps.changelog.sentences import (
    change_sentence,
    day_text,
    days_text,
    entry_title,
    event_title,
    note_title,
    number_text,
    value_text,
)

from .factories import block, week

ALL_DAY = block("06:00", "22:00")
SHORT = block("07:00", "21:00")


@pytest.mark.parametrize(
    ("key", "before", "after", "sentence"),
    [
        (
            "circuits.1.target_temperature.comfort_c",
            22.0,
            21,
            "Heating circuit 1: comfort temperature 22 → 21\u00a0°C",
        ),
        ("circuits.1.curve.slope", 0.6, 0.5, "Heating curve, circuit 1: slope 0.6 → 0.5"),
        ("circuits.0.curve.shift", 2, -1.5, "Heating curve, circuit 0: shift 2 → −1.5\u00a0K"),
        ("circuits.1.schedule_active", True, False, "Heating schedule, circuit 1: in use yes → no"),
        (
            "circuits.1.mode",
            "standby",
            "dhwAndHeating",
            "Heating circuit 1: operating mode standby → heating and hot water",
        ),
        ("dhw.hysteresis_k", 5, 7, "Hot water: hysteresis 5 → 7\u00a0K"),
        ("holiday.start", "2025-02-01", "2025-02-03", "Holiday program: start 1 Feb 2025 → 3 Feb 2025"),
        (
            "circuits.2.room_influence.limit_percent",
            10,
            20,
            "Heating circuit 2: room influence limit 10 → 20\u00a0%",
        ),
        ("solar.pump_speed", "slow", "fast", "Solar: pump speed slow → fast"),
        ("frost_protection", True, False, "Frost protection: yes → no"),
    ],
)
def test_a_change_reads_like_a_sentence(key: str, before: Any, after: Any, sentence: str) -> None:
    assert change_sentence(key, before, after) == sentence


def test_a_schedule_changed_on_one_day_names_it_in_full() -> None:
    before, after = week(ALL_DAY), week(ALL_DAY, sat=[SHORT])
    assert change_sentence("dhw.schedule", before, after) == (
        "Hot-water schedule, Saturday: 06:00–22:00 → 07:00–21:00"
    )


def test_weekdays_with_the_same_change_are_told_once() -> None:
    working = {day: [SHORT] for day in ("mon", "tue", "wed", "thu", "fri")}
    assert change_sentence("circulation.schedule", week(ALL_DAY), week(ALL_DAY, **working)) == (
        "Circulation pump schedule, Mon–Fri: 06:00–22:00 → 07:00–21:00"
    )


def test_two_kinds_of_days_stand_side_by_side() -> None:
    after = week(SHORT, sat=[], sun=[])
    assert change_sentence("circuits.1.schedule", week(ALL_DAY), after) == (
        "Heating schedule, circuit 1, Mon–Fri: 06:00–22:00 → 07:00–21:00; Sat, Sun: 06:00–22:00 → standby"
    )


def test_more_kinds_of_days_are_named_only() -> None:
    after = week(ALL_DAY, mon=[SHORT], wed=[], sun=[block("10:00", "12:00")])
    assert change_sentence("dhw.schedule", week(ALL_DAY), after) == (
        "Hot-water schedule, Monday: 06:00–22:00 → 07:00–21:00; also changed: Wed, Sun"
    )


def test_a_changed_mode_is_told_with_the_times() -> None:
    after = week(ALL_DAY, sun=[block("06:00", "22:00", "reduced")])
    assert change_sentence("circuits.1.schedule", week(ALL_DAY), after) == (
        "Heating schedule, circuit 1, Sunday: 06:00–22:00 normal → 06:00–22:00 reduced"
    )


def test_a_title_tells_the_first_change_and_counts_the_others() -> None:
    changes = [
        ("circuits.1.curve.slope", 0.6, 0.5),
        ("dhw.hysteresis_k", 5, 7),
        ("dhw.target_temperature_c", 50, 48),
    ]
    assert entry_title(changes) == "Heating curve, circuit 1: slope 0.6 → 0.5, and 2 more"
    assert entry_title(changes[:1]) == "Heating curve, circuit 1: slope 0.6 → 0.5"
    assert entry_title([]) == "Settings changed"


def test_german_numbers_have_a_comma() -> None:
    with translation.override("de"):
        assert number_text(0.65) == "0,65"
        assert number_text(1450) == "1.450"
        assert value_text("circuits.1.target_temperature.comfort_c", 21.5) == "21,5\u00a0°C"
        assert value_text("holiday.start", "2025-01-31") == "31.01.2025"


@pytest.mark.parametrize(("value", "text"), [("", "–"), ("2025-02-30", "2025-02-30"), ("soon", "soon")])
def test_a_text_that_is_no_word_of_ours_is_shown_as_it_came(value: str, text: str) -> None:
    assert value_text("holiday.start", value) == text


@pytest.mark.parametrize(
    ("value", "text"), [(22.0, "22"), (0.30000001, "0.3"), (-0.0001, "0"), (0, "0"), (1234.5, "1,234.5")]
)
def test_numbers_have_no_idle_zeros(value: float, text: str) -> None:
    assert number_text(value) == text


@pytest.mark.parametrize(
    ("days", "text"),
    [
        (["sat"], "Saturday"),
        (["sat", "sun"], "Sat, Sun"),
        (["mon", "tue", "wed", "sun"], "Mon–Wed, Sun"),
        (["mon", "tue", "wed", "thu", "fri", "sat", "sun"], "every day"),
    ],
)
def test_days_are_named_briefly(days: list[str], text: str) -> None:
    assert days_text(days) == text


def test_a_day_without_entries_is_off_or_standby() -> None:
    assert day_text("dhw.schedule", []) == "off"
    assert day_text("circuits.1.schedule", []) == "standby"
    assert day_text("dhw.schedule", [block("22:00", "24:00", "top")], modes=True) == "22:00–24:00 top"


def test_events_read_like_sentences() -> None:
    assert event_title("counter_reset", {}) == "The meter's energy counter was reset"
    assert event_title("meter_replaced", {"before": "AA", "after": "BB"}) == "The meter was replaced: AA → BB"
    outage = {"source": "heat_pump", "duration_s": 3 * 86400}
    assert event_title("long_outage", outage) == "No data from the heat pump for 3 days"
    assert event_title("long_outage", {"source": "meter", "duration_s": 9000}) == (
        "No data from the meter for 2.5 hours"
    )
    assert event_title("long_outage", {"source": "meter", "duration_s": 3600}) == (
        "No data from the meter for 60 minutes"
    )
    assert event_title("long_outage", {}) == "No data for a long time"
    assert event_title("clock_jumped", {}) == "Clock jumped"


def test_a_notes_title_is_its_first_line() -> None:
    assert note_title("Bled the radiators\nTwo litres added") == "Bled the radiators"
    assert note_title("x" * 300) == "x" * 199 + "…"


def test_a_setting_without_a_term_has_a_name() -> None:
    name = setting_name("circuits.3.new_thing_k")
    assert (name.group, name.circuit, name.heading, name.part, name.unit) == (
        "circuit",
        "3",
        "Heating circuit 3",
        "new thing",
        "K",
    )


def test_every_term_stands_once() -> None:
    patterns = [term.pattern for term in TERMS]
    assert len(patterns) == len(set(patterns))
