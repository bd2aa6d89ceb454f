"""Numbers, times and words as a reader sees them, in English and German."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.template import Context, Template
from django.utils.translation import override

from apps.dashboard import formatting

BERLIN = ZoneInfo("Europe/Berlin")
AT = datetime(2026, 11, 23, 13, 5, tzinfo=UTC)


@pytest.fixture
def german() -> Iterator[None]:
    with override("de"):
        yield


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    with override("en"):
        yield


def render(template: str, **context: object) -> str:
    return Template("{% load ui %}" + template).render(Context(context))


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("power_w", 2566.6, "2,567\u00a0W"),
        ("power_kw", 12.0, "12.00\u00a0kW"),
        ("power_w_as_kw", 2566.6, "2.57\u00a0kW"),
        ("energy_kwh", 12345.64, "12,345.6\u00a0kWh"),
        ("energy_whole_kwh", 491.4, "491\u00a0kWh"),
        ("energy_whole_kwh", 0.465, "0.5\u00a0kWh"),
        ("energy_whole_kwh", 0.0, "0\u00a0kWh"),
        ("temperature_c", -0.25, "−0.3\u00a0°C"),
        ("cop", 4.644, "4.64"),
        ("jaz", 4.35, "4.4"),
        ("percent", 83.0, "83\u00a0%"),
    ],
)
def test_each_kind_of_value_has_its_decimals_and_unit(kind: str, value: float, expected: str) -> None:
    assert formatting.with_unit(value, kind) == expected


def test_german_numbers_have_a_point_for_thousands_and_a_comma_for_decimals(german: None) -> None:
    assert formatting.with_unit(12345.64, "energy_kwh") == "12.345,6\u00a0kWh"


def test_half_is_rounded_up_and_minus_zero_is_zero() -> None:
    assert [formatting.number(value, 1) for value in (0.25, 0.35, -0.04, 0.0)] == ["0.3", "0.4", "0.0", "0.0"]


def test_a_missing_value_is_a_dash_without_unit_and_zero_is_zero() -> None:
    assert formatting.with_unit(None, "power_w") == "–"
    assert formatting.with_unit(0.0, "power_w") == "0\u00a0W"
    assert formatting.number(float("nan")) == "–"


def test_coverage_is_never_rounded_up_to_all() -> None:
    assert formatting.coverage(0.999) == "99\u00a0%"
    assert formatting.coverage(0.29) == "29\u00a0%"
    assert formatting.coverage(1.0) == "100\u00a0%"
    assert formatting.coverage(None) == "–"


def test_a_change_that_rounds_to_nothing_has_no_sign() -> None:
    assert [formatting.signed_percent(value) for value in (8.2, -3.0, 0.2, None)] == [
        "+8\u00a0%",
        "−3\u00a0%",
        "0\u00a0%",
        "–",
    ]


def test_money_stands_where_the_language_puts_it() -> None:
    assert formatting.money(1158.64, "EUR") == "€1,158.64"
    assert formatting.money(-5.0, "CHF") == "−CHF\u00a05.00"
    with override("de"):
        assert formatting.money(1158.64, "EUR") == "1.158,64\u00a0€"
        assert formatting.money(5.1, "CHF") == "5,10\u00a0CHF"


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (45, "45 s"),
        (1800, "30 min"),
        (20400, "5 h 40 min"),
        (7200, "2 h"),
        (262 * 3600, "262 h"),
        (None, "–"),
    ],
)
def test_durations_are_told_in_the_units_a_reader_counts_in(seconds: float | None, expected: str) -> None:
    assert formatting.duration(seconds) == expected


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (4, "4 s ago"),
        (190, "3 min ago"),
        (7300, "2 h ago"),
        (3 * 86400, "3 days ago"),
        (-3, "0 s ago"),
    ],
)
def test_an_age_is_told_in_its_largest_unit(seconds: int, expected: str) -> None:
    assert formatting.age(AT - timedelta(seconds=seconds), AT) == expected


def test_what_was_never_measured_has_no_age() -> None:
    assert formatting.age(None, AT) == "never"


def test_times_are_those_of_the_house_and_not_of_the_server() -> None:
    assert formatting.local_time(AT, BERLIN) == "23 Nov 2026, 14:05"
    assert formatting.local_time(AT, BERLIN, "day_time") == "23 Nov, 14:05"
    with override("de"):
        assert formatting.local_time(AT, BERLIN) == "23.11.2026 14:05"
        assert formatting.local_date(date(2026, 11, 23), "month") == "November 2026"


def test_the_hour_that_comes_twice_is_told_apart_for_machines() -> None:
    first = render(
        '{% local_time at "time" %}', at=datetime(2026, 10, 25, 0, 30, tzinfo=UTC), house_zone=BERLIN
    )
    again = render(
        '{% local_time at "time" %}', at=datetime(2026, 10, 25, 1, 30, tzinfo=UTC), house_zone=BERLIN
    )
    assert first == '<time datetime="2026-10-25T02:30:00+02:00">02:30</time>'
    assert again == '<time datetime="2026-10-25T02:30:00+01:00">02:30</time>'


def test_the_unit_stands_smaller_behind_the_number() -> None:
    assert render('{% quantity value "temperature_c" %}', value=6.43) == '6.4 <span class="unit">°C</span>'
    assert render('{% quantity value "temperature_c" %}', value=None) == "–"
    assert render('{% quantity value "cop" %}', value=4.6) == "4.60"


def test_an_icon_is_taken_from_the_sprite_and_silent_for_readers() -> None:
    assert render('{% icon "sun" %}') == (
        '<svg class="icon" aria-hidden="true"><use href="/static/icons.svg#i-sun"/></svg>'
    )


def test_an_age_on_a_page_is_counted_from_the_page_s_own_time() -> None:
    assert render("{% age seen %}", seen=AT - timedelta(minutes=3), at=AT) == "3 min ago"
