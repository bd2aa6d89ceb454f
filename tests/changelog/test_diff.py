from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from apps.changelog.diff import SettingDifference, atoms, differences, settings_of

from .factories import block, settings, unhurried, week

scalar = st.one_of(st.booleans(), st.integers(-50, 90), st.sampled_from(["heating", "standby"]))
day = st.lists(st.sampled_from([block("06:00", "22:00"), block("07:00", "21:00", "reduced")]), max_size=2)
schedule = st.dictionaries(st.sampled_from(["mon", "sat", "sun"]), day, min_size=1)
configurations = st.dictionaries(st.sampled_from("abcde"), st.one_of(scalar, schedule))


def test_a_changed_number_differs() -> None:
    assert differences({"a": 22.0, "b": 1}, {"a": 21.0, "b": 1}) == [
        SettingDifference(key="a", before=22.0, after=21.0)
    ]


def test_a_setting_absent_on_one_side_does_not_differ() -> None:
    assert differences({"a": 1, "b": 2}, {"b": 2, "c": 3}) == []
    assert differences({"a": 1}, {"a": None}) == []


def test_noise_behind_the_third_decimal_does_not_differ() -> None:
    assert differences({"a": 0.3}, {"a": 0.1 + 0.2}) == []
    assert differences({"a": 21}, {"a": 21.0}) == []


def test_a_switch_differs_from_the_number_one() -> None:
    assert differences({"a": True}, {"a": 1}) == [SettingDifference(key="a", before=True, after=1)]


def test_only_the_changed_weekdays_of_a_schedule_are_reported() -> None:
    before = {"dhw.schedule": week(block("06:00", "22:00"))}
    after = {"dhw.schedule": week(block("06:00", "22:00"), sat=[block("07:00", "21:00")], sun=[])}
    assert differences(before, after) == [
        SettingDifference(
            key="dhw.schedule",
            before={"sat": [block("06:00", "22:00")], "sun": [block("06:00", "22:00")]},
            after={"sat": [block("07:00", "21:00")], "sun": []},
        )
    ]


def test_an_unknown_weekday_does_not_differ() -> None:
    whole = week(block("06:00", "22:00"))
    without_monday = {day: entries for day, entries in whole.items() if day != "mon"}
    assert differences({"dhw.schedule": whole}, {"dhw.schedule": without_monday}) == []


def test_positions_of_schedule_entries_do_not_count() -> None:
    one = {"mon": [{**block("06:00", "22:00"), "position": "0"}]}
    other = {"mon": [{**block("06:00", "22:00"), "position": "4"}]}
    assert differences({"dhw.schedule": one}, {"dhw.schedule": other}) == []


def test_settings_survive_being_taken_apart() -> None:
    assert settings_of(atoms(settings())) == settings()


@unhurried
@given(configurations)
def test_nothing_differs_from_itself(values: dict[str, object]) -> None:
    assert differences(values, values) == []


@unhurried
@given(configurations, configurations)
def test_a_difference_read_backwards_is_the_difference_of_the_way_back(
    one: dict[str, object], other: dict[str, object]
) -> None:
    forth = differences(one, other)
    back = differences(other, one)
    assert [(d.key, d.before, d.after) for d in forth] == [(d.key, d.after, d.before) for d in back]
