from __future__ import annotations

from datetime import timedelta
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


@pytest.mark.parametrize(
    ("key", "before", "after", "sentence"),
    [
        (
            "circuits.1.schedule",
            [block("05:30", "22:00")],
            [block("05:00", "21:00")],
            "Heating circuit 1, every day: normal now 05:00–21:00, was 05:30–22:00",
        ),
        (
            "circuits.1.schedule",
            [block("00:00", "05:30", "reduced"), block("05:30", "22:00"), block("22:00", "24:00", "reduced")],
            [block("00:00", "05:00", "reduced"), block("05:00", "21:00"), block("21:00", "24:00", "reduced")],
            "Heating circuit 1, every day: normal now 05:00–21:00, was 05:30–22:00",
        ),
        (
            "circuits.1.schedule",
            [block("06:00", "22:00")],
            [block("06:00", "22:00", "reduced")],
            "Heating circuit 1, every day: now reduced, was normal 06:00–22:00",
        ),
        (
            "circuits.1.schedule",
            [block("06:00", "22:00", "reduced")],
            [block("06:00", "22:00")],
            "Heating circuit 1, every day: normal now 06:00–22:00, was reduced",
        ),
        (
            "circuits.1.schedule",
            [block("06:00", "22:00")],
            [],
            "Heating circuit 1, every day: now standby, was normal 06:00–22:00",
        ),
        (
            "dhw.schedule",
            [],
            [block("06:00", "08:00", "top")],
            "Hot water, every day: now 06:00–08:00, was off",
        ),
        (
            "dhw.schedule",
            [block("06:00", "08:00", "top"), block("17:00", "22:00", "top")],
            [block("06:00", "08:00", "top"), block("12:00", "13:00", "top"), block("17:00", "21:00", "top")],
            "Hot water, every day: now 12:00–13:00, 17:00–21:00, was 17:00–22:00",
        ),
        (
            "dhw.schedule",
            [block("06:00", "08:00", "top")],
            [block("06:00", "08:00", "top"), block("12:00", "13:00", "temp-2")],
            "Hot water, every day: second temperature now 12:00–13:00, was off",
        ),
        (
            "dhw.schedule",
            [block("06:00", "08:00", "top")],
            [block("06:00", "08:00", "top"), block("12:00", "13:00", "top")],
            "Hot water, every day: now also 12:00–13:00",
        ),
        (
            "circulation.schedule",
            [block("06:00", "08:00", "on"), block("12:00", "13:00", "on")],
            [block("06:00", "08:00", "on")],
            "Circulation pump, every day: no longer 12:00–13:00",
        ),
        (
            "circulation.schedule",
            [block(f"{hour:02d}:00", f"{hour:02d}:30", "on") for hour in (5, 8, 11, 14, 17)],
            [block(f"{hour:02d}:10", f"{hour:02d}:40", "on") for hour in (5, 8, 11, 14, 17)],
            "Circulation pump, every day: now 05:10–05:40, 08:10–08:40 and 3 more,"
            " was 05:00–05:30, 08:00–08:30 and 3 more",
        ),
        (
            "dhw.schedule",
            [block("06:00", "10:00", "top")],
            [block("06:00", "10:00", "top"), block("07:00", "09:00", "normal")],
            "Hot water, every day: 06:00–10:00 top → 06:00–10:00 top, 07:00–09:00 normal",
        ),
    ],
)
def test_a_schedule_change_is_told_by_what_matters_most_of_it(
    key: str, before: list[dict[str, str]], after: list[dict[str, str]], sentence: str
) -> None:
    assert change_sentence(key, week(*before), week(*after)) == sentence


def test_a_schedule_changed_on_one_day_names_it_in_full() -> None:
    before, after = week(ALL_DAY), week(ALL_DAY, sat=[SHORT])
    assert change_sentence("dhw.schedule", before, after) == (
        "Hot water, Saturday: now 07:00–21:00, was 06:00–22:00"
    )


def test_weekdays_with_the_same_change_are_told_once() -> None:
    working = {day: [SHORT] for day in ("mon", "tue", "wed", "thu", "fri")}
    assert change_sentence("circulation.schedule", week(ALL_DAY), week(ALL_DAY, **working)) == (
        "Circulation pump, Mon–Fri: now 07:00–21:00, was 06:00–22:00"
    )


def test_days_with_another_change_are_named_only() -> None:
    after = week(SHORT, wed=[], sun=[block("10:00", "12:00")])
    assert change_sentence("circuits.1.schedule", week(ALL_DAY), after) == (
        "Heating circuit 1, Mon, Tue, Thu–Sat: normal now 07:00–21:00, was 06:00–22:00;"
        " also changed: Wed, Sun"
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


@pytest.mark.parametrize(
    ("place", "program", "lasted", "title"),
    [
        ("circuits.1", "comfort", None, "Heating circuit 1: comfort by hand, still on"),
        ("circuits.0", "eco", timedelta(minutes=25), "Heating circuit 0: eco by hand for 25 minutes"),
        (
            "dhw",
            "one_time_charge",
            timedelta(hours=2.5),
            "Hot water: one-time heating by hand for 2.5 hours",
        ),
        ("house", "holiday", timedelta(days=14), "Heating: holiday by hand for 14 days"),
    ],
)
def test_a_program_by_hand_is_told_with_how_long_it_lasted(
    place: str, program: str, lasted: timedelta | None, title: str
) -> None:
    assert event_title("by_hand", {"place": place, "program": program}, lasted) == title


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
