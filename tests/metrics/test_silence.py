"""Which answers of the cloud are repeats, and how far one answer decides about others."""

from __future__ import annotations

from datetime import date

import pytest

from apps.devices.models import Site
from apps.devices.options import HomeOptions
from apps.metrics.derive import derive_intervals
from apps.metrics.parameters import SiteParameters
from apps.metrics.periods import energy_rows
from apps.metrics.silence import Answer, open_from, open_until, repeats
from apps.metrics.store.sqlite import SqliteStore

from .data import SITE, at, constant, home_of, minutes, polls, snapshot


def answers(*stamps: float | None, step_s: int = 300) -> list[Answer]:
    """One answer every five minutes, in the middle of its interval, with these newest timestamps."""
    return [
        Answer(interval=number * 300, at=number * step_s + 150.0, newest_source_at=stamp)
        for number, stamp in enumerate(stamps)
    ]


def test_half_an_hour_with_one_timestamp_is_no_silence_and_five_minutes_more_are() -> None:
    assert repeats(answers(*[1.0] * 7)) == set()
    assert repeats(answers(*[1.0] * 8)) == {300, 600, 900, 1200, 1500, 1800, 2100}


def test_a_new_timestamp_ends_the_stretch_and_is_a_measurement() -> None:
    assert repeats(answers(*[1.0] * 8, 2.0, 3.0)) == {300 * number for number in range(1, 8)}


def test_answers_without_any_timestamp_say_nothing_of_silence() -> None:
    assert repeats(answers(*[None] * 20)) == set()
    assert repeats(answers(*[1.0] * 5, None, *[1.0] * 5)) == set()


def test_an_hour_without_an_answer_ends_a_stretch() -> None:
    late = [Answer(interval=7200 + 300, at=7200 + 450.0, newest_source_at=1.0)]
    assert repeats([*answers(1.0, 1.0), *late]) == set()
    sooner = [Answer(interval=3600, at=3750.0, newest_source_at=1.0)]
    assert repeats([*answers(1.0, 1.0), *sooner]) == {300, 3600}


@pytest.mark.parametrize(
    ("before", "opens_from"),
    [
        ((), None),
        ((1.0, 2.0), None),  # the first of its stretch is a measurement whatever follows
        ((1.0, 2.0, 2.0, 2.0), 600),
        ((1.0,) * 8, None),  # silent already
    ],
)
def test_what_follows_decides_about_a_stretch_that_is_not_yet_silent(
    before: tuple[float, ...], opens_from: int | None
) -> None:
    assert open_from(answers(*before)) == opens_from


@pytest.mark.parametrize(
    ("after", "opens_until"),
    [
        ((), None),
        ((None, 1.0), None),
        ((1.0, 2.0), 0),
        ((1.0, 1.0, 1.0, 2.0), 600),
        ((1.0,) * 8, 0),  # silent for certain; only its first may be a repeat or not
    ],
)
def test_what_was_before_decides_about_the_begin_of_a_stretch(
    after: tuple[float | None, ...], opens_until: int | None
) -> None:
    assert open_until(answers(*after)) == opens_until


def test_a_cloud_frozen_for_200_answers_adds_no_heat(store: SqliteStore, site: Site) -> None:
    """Two days at 1 kW and 40 % of 12 kW; from 03:20 on 200 answers say 80 % with one timestamp."""
    start = at("2027-01-15")
    end, frozen = start + 2 * 86_400, range(40, 240)
    store.write([*polls(start, end, constant(1000.0)), *minutes(start, end, constant(1000.0))])
    for number, time in enumerate(range(start, end, 300)):
        stamp = float(start + 300 * 40 + 140) if number in frozen else float(time + 140)
        percent = 80.0 if number in frozen else 40.0
        store.write([snapshot(time, modulation_percent=percent, newest_source_at=stamp)])
    derive_intervals(store, SITE, SiteParameters(), start, end)

    options = HomeOptions(time_zone="UTC")
    first, second = energy_rows(home_of(store, options), "day", date(2027, 1, 15), date(2027, 1, 16))
    heat = (first.thermal_energy_modulation_kwh or 0.0) + (second.thermal_energy_modulation_kwh or 0.0)
    assert heat == pytest.approx((576 - 200) * 0.4 + 0.8)
    assert [first.cop, second.cop] == pytest.approx([4.854, 4.8], abs=0.001)
    assert first.heat_coverage == pytest.approx(89 / 288, abs=0.001)
