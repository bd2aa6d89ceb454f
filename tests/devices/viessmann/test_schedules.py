"""The normal form of schedules."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.devices.viessmann.features import normal_schedule

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def entry(start: str, end: str, mode: str, position: Any = 0) -> dict[str, Any]:
    return {"start": start, "end": end, "mode": mode, "position": position}


def test_entries_are_sorted_by_start() -> None:
    day = [entry("22:00", "24:00", "reduced", 0), entry("06:00", "22:00", "normal", 1)]
    assert normal_schedule({"mon": day}) == {
        "mon": [
            {"start": "06:00", "end": "22:00", "mode": "normal"},
            {"start": "22:00", "end": "24:00", "mode": "reduced"},
        ]
    }


def test_positions_with_gaps_are_no_change() -> None:
    plain = [entry("06:00", "08:00", "normal", 0), entry("09:00", "10:00", "normal", 1)]
    gaps = [entry("06:00", "08:00", "normal", 1), entry("09:00", "10:00", "normal", 4)]
    assert normal_schedule({"mon": plain}) == normal_schedule({"mon": gaps})


def test_among_overlapping_entries_the_position_counts() -> None:
    first = [entry("06:00", "22:00", "normal", 0), entry("12:00", "14:00", "top", 1)]
    other = [entry("06:00", "22:00", "normal", 1), entry("12:00", "14:00", "top", 0)]
    assert [one["mode"] for one in normal_schedule({"mon": first})["mon"]] == ["normal", "top"]
    assert [one["mode"] for one in normal_schedule({"mon": other})["mon"]] == ["top", "normal"]


def test_the_order_of_weekdays_is_that_of_the_week() -> None:
    assert list(normal_schedule({day: [] for day in reversed(DAYS)})) == list(DAYS)


def test_a_missing_weekday_stays_missing_and_an_empty_one_empty() -> None:
    assert normal_schedule({"sat": []}) == {"sat": []}


def test_the_same_time_written_otherwise_is_no_change() -> None:
    assert normal_schedule({"mon": [entry("6:00", "07:30:00", "on")]}) == {
        "mon": [{"start": "06:00", "end": "07:30", "mode": "on"}]
    }


@pytest.mark.parametrize(
    "odd",
    [
        entry("25:00", "26:00", "normal"),
        entry("06:60", "07:00", "normal"),
        entry("24:01", "24:02", "normal"),
        entry("six", "07:00", "normal"),
        {"start": "06:00", "mode": "normal"},
        {"start": "06:00", "end": "07:00"},
        {"start": 6, "end": 7, "mode": "normal"},
        "06:00-07:00",
        None,
    ],
)
def test_a_day_with_an_entry_that_cannot_be_read_is_unknown(odd: Any) -> None:
    assert normal_schedule({"mon": [entry("06:00", "22:00", "normal"), odd], "tue": []}) == {"tue": []}


@pytest.mark.parametrize("nothing", [None, [], "x", 5, {}, {"mon": None}, {"mon": "x"}, {"monday": []}])
def test_what_is_no_schedule_is_unknown(nothing: Any) -> None:
    assert normal_schedule(nothing) == {}


times = st.integers(0, 144).map(lambda steps: f"{steps // 6:02d}:{steps % 6}0")
entries = st.lists(st.tuples(times, times, st.sampled_from(["normal", "reduced", "temp-2"])), max_size=8)


def day_of(rows: list[tuple[str, str, str]]) -> list[dict[str, Any]]:
    return [entry(*row, position) for position, row in enumerate(rows)]


@given(entries)
def test_the_normal_form_is_its_own_normal_form(rows: list[tuple[str, str, str]]) -> None:
    normal = normal_schedule({"mon": day_of(rows)})
    assert normal_schedule(normal) == normal


@given(entries, st.randoms(use_true_random=False))
def test_the_order_in_which_the_cloud_lists_entries_does_not_matter(
    rows: list[tuple[str, str, str]], chance: random.Random
) -> None:
    day = day_of(rows)
    shuffled = list(day)
    chance.shuffle(shuffled)
    assert normal_schedule({"mon": day}) == normal_schedule({"mon": shuffled})


@given(entries)
def test_no_entry_is_lost_or_invented(rows: list[tuple[str, str, str]]) -> None:
    normal = normal_schedule({"mon": day_of(rows)})["mon"]
    assert sorted((one["start"], one["end"], one["mode"]) for one in normal) == sorted(rows)


@given(entries, st.randoms(use_true_random=False))
def test_entries_that_do_not_overlap_may_swap_positions(
    rows: list[tuple[str, str, str]], chance: random.Random
) -> None:
    apart = [row for index, row in enumerate(sorted(rows)) if _free(row, sorted(rows)[:index])]
    moved = list(apart)
    chance.shuffle(moved)
    assert normal_schedule({"mon": day_of(apart)}) == normal_schedule({"mon": day_of(moved)})


@given(entries)
def test_overlapping_entries_keep_the_order_of_the_device(rows: list[tuple[str, str, str]]) -> None:
    distinct = list(dict.fromkeys(rows))
    normal = [
        (one["start"], one["end"], one["mode"]) for one in normal_schedule({"mon": day_of(distinct)})["mon"]
    ]
    for index, first in enumerate(distinct):
        for second in distinct[index + 1 :]:
            if first[0] < second[1] and second[0] < first[1]:
                assert normal.index(first) < normal.index(second)


def _free(row: tuple[str, str, str], earlier: list[tuple[str, str, str]]) -> bool:
    return row[0] < row[1] and all(row[0] >= one[1] or one[0] >= row[1] for one in earlier)
