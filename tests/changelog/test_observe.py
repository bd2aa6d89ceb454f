from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from apps.changelog.models import ConfigurationVersion, Entry, PendingConfiguration, SettingChange
from apps.changelog.observe import add_event, observe, telling
from apps.changelog.timeline import configuration_at
from apps.devices.configuration import HeatPumpConfiguration
from apps.devices.models import Site

from .factories import GATEWAY, block, configuration, minutes, poll_all, settings, unhurried, week

COMFORT = "circuits.1.target_temperature.comfort_c"


def changes() -> list[tuple[str, Any, Any]]:
    """(key, before, after) of all entries, oldest first."""
    return [
        (change.key, change.before, change.after)
        for entry in Entry.objects.order_by("at", "id")
        for change in entry.setting_changes.all()
    ]


def test_the_first_poll_is_the_baseline_without_an_entry(site: Site) -> None:
    assert observe(site, configuration(minutes(0), settings())) is None
    assert Entry.objects.count() == 0
    assert configuration_at(site, minutes(0)) == settings()
    assert configuration_at(site, minutes(-1)) == {}


def test_a_change_becomes_an_entry_with_the_second_equal_poll(site: Site) -> None:
    observe(site, configuration(minutes(0), settings()))
    assert observe(site, configuration(minutes(5), settings(circuits__1__curve__slope=0.5))) is None
    entry = observe(site, configuration(minutes(10), settings(circuits__1__curve__slope=0.5)))
    assert entry is not None
    assert changes() == [("circuits.1.curve.slope", 0.6, 0.5)]
    assert entry.at == minutes(5)


def test_a_value_seen_once_is_no_change(site: Site) -> None:
    poll_all(site, settings(), settings(dhw__target_temperature_c=48.0), settings(), settings())
    assert changes() == []


def test_a_setting_that_vanishes_and_returns_is_no_change(site: Site) -> None:
    gone = settings(dhw__schedule=None, circuits__1__curve__slope=None)
    poll_all(site, settings(), gone, gone, gone, settings(), settings())
    assert changes() == []


def test_a_setting_that_becomes_known_is_no_change(site: Site) -> None:
    poll_all(site, settings(dhw__schedule=None), settings(), settings())
    assert changes() == []
    assert configuration_at(site, minutes(10)) == settings()
    assert configuration_at(site, minutes(0)) == settings(dhw__schedule=None)


def test_a_first_answer_without_settings_is_no_baseline_to_compare_with(site: Site) -> None:
    poll_all(site, {}, settings(), settings())
    assert changes() == []
    assert ConfigurationVersion.objects.count() == 1


def test_a_setting_unknown_in_the_second_poll_waits_for_the_third(site: Site) -> None:
    lower = settings(dhw__target_temperature_c=48.0)
    unknown = settings(dhw__target_temperature_c=None)
    poll_all(site, settings(), lower, unknown)
    assert changes() == []
    poll_all(site, lower, first=3)
    assert changes() == [("dhw.target_temperature_c", 50.0, 48.0)]
    assert Entry.objects.get().at == minutes(5)


def test_settings_first_seen_changed_in_the_same_poll_are_one_entry(site: Site) -> None:
    new = settings(dhw__target_temperature_c=48.0, circuits__1__curve__slope=0.5)
    poll_all(site, settings(), new, new)
    assert changes() == [("circuits.1.curve.slope", 0.6, 0.5), ("dhw.target_temperature_c", 50.0, 48.0)]
    assert Entry.objects.count() == 1


def test_a_setting_confirmed_later_joins_the_entry_of_its_poll(site: Site) -> None:
    new = settings(dhw__target_temperature_c=48.0, circuits__1__curve__slope=0.5)
    partly = settings(dhw__target_temperature_c=None, circuits__1__curve__slope=0.5)
    poll_all(site, settings(), new, partly, new)
    assert Entry.objects.count() == 1
    assert changes() == [("circuits.1.curve.slope", 0.6, 0.5), ("dhw.target_temperature_c", 50.0, 48.0)]
    assert configuration_at(site, minutes(5)) == new


def test_settings_changed_in_different_polls_are_two_entries(site: Site) -> None:
    first = settings(circuits__1__curve__slope=0.5)
    both = settings(circuits__1__curve__slope=0.5, dhw__target_temperature_c=48.0)
    poll_all(site, settings(), first, both, both)
    assert [entry.at for entry in Entry.objects.order_by("at")] == [minutes(5), minutes(10)]


def test_two_schedules_days_confirmed_apart_are_one_change(site: Site) -> None:
    short = [block("07:00", "21:00", "top")]
    weekend = settings(dhw__schedule=week(block("06:00", "22:00", "top"), sat=short, sun=short))
    partly = settings(dhw__schedule={"sat": short})
    poll_all(site, settings(), weekend, partly, weekend)
    assert changes() == [("dhw.schedule", settings()["dhw.schedule"], weekend["dhw.schedule"])]


def test_whether_a_schedule_is_in_use_is_a_setting_of_its_own(site: Site) -> None:
    off = settings(circuits__1__schedule_active=False)
    poll_all(site, settings(), off, off)
    assert changes() == [("circuits.1.schedule_active", True, False)]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (minutes(3), minutes(3)),
        (minutes(5), minutes(5)),
        (minutes(-60), minutes(5)),
        (minutes(0), minutes(5)),
        (minutes(7), minutes(5)),
    ],
)
def test_the_devices_time_counts_only_between_the_last_old_and_the_first_new_poll(
    site: Site, source: Any, expected: Any
) -> None:
    observe(site, configuration(minutes(0), settings(), changed_at={COMFORT: minutes(-60)}))
    warm = settings(**{COMFORT: 23.0})
    for at in (5, 10):
        observe(site, configuration(minutes(at), warm, changed_at={COMFORT: source}))
    assert Entry.objects.get().at == expected


def test_the_last_old_poll_is_known_after_many_equal_polls(site: Site) -> None:
    poll_all(site, *[settings()] * 12)
    warm = settings(**{COMFORT: 23.0})
    for at in (60, 65):
        observe(site, configuration(minutes(at), warm, changed_at={COMFORT: minutes(40)}))
    assert Entry.objects.get().at == minutes(60)


def test_the_last_old_poll_is_the_last_that_knew_the_setting(site: Site) -> None:
    unknown = settings(**{COMFORT: None})
    poll_all(site, settings(), settings(), unknown, unknown)
    warm = settings(**{COMFORT: 23.0})
    for at in (20, 25):
        observe(site, configuration(minutes(at), warm, changed_at={COMFORT: minutes(7)}))
    assert Entry.objects.get().at == minutes(7)


def test_the_newest_of_several_source_times_is_the_entrys_time(site: Site) -> None:
    observe(site, configuration(minutes(0), settings()))
    new = settings(**{COMFORT: 23.0, "circuits.1.curve.slope": 0.5})
    times = {COMFORT: minutes(2), "circuits.1.curve.slope": minutes(4)}
    for at in (5, 10):
        observe(site, configuration(minutes(at), new, changed_at=times))
    assert Entry.objects.get().at == minutes(4)


def test_the_same_poll_twice_confirms_nothing(site: Site) -> None:
    lower = settings(dhw__target_temperature_c=48.0)
    poll_all(site, settings(), lower)
    assert observe(site, configuration(minutes(5), lower)) is None
    assert changes() == []


def test_repeating_the_whole_history_changes_nothing(site: Site) -> None:
    lower = settings(dhw__target_temperature_c=48.0)
    poll_all(site, settings(), lower, lower, lower)
    before = list(ConfigurationVersion.objects.values()), list(Entry.objects.values())
    poll_all(site, settings(), lower, lower, lower)
    assert (list(ConfigurationVersion.objects.values()), list(Entry.objects.values())) == before


def test_a_new_gateway_is_a_new_baseline(site: Site) -> None:
    poll_all(site, settings(), settings())
    other = settings(dhw__target_temperature_c=45.0)
    poll_all(site, other, other, device="other", first=2)
    assert changes() == []
    assert configuration_at(site, minutes(10)) == other
    assert configuration_at(site, minutes(9)) == settings()


def test_homes_do_not_mix(site: Site) -> None:
    neighbour = Site.objects.create(name="Neighbour")
    poll_all(site, settings())
    lower = settings(dhw__target_temperature_c=48.0)
    poll_all(neighbour, lower, lower, lower)
    poll_all(site, settings(), first=1)
    assert changes() == []


def test_the_configuration_at_any_time_is_the_one_in_force_then(site: Site) -> None:
    slope = settings(circuits__1__curve__slope=0.5)
    both = settings(circuits__1__curve__slope=0.5, dhw__target_temperature_c=48.0)
    poll_all(site, settings(), slope, slope, both, both)
    assert configuration_at(site, minutes(4)) == settings()
    assert configuration_at(site, minutes(5)) == slope
    assert configuration_at(site, minutes(14)) == slope
    assert configuration_at(site, minutes(15)) == both


def test_a_setting_first_known_beside_a_pending_change_keeps_both(site: Site) -> None:
    known = settings(dhw__target_temperature_c=None)
    slope = settings(circuits__1__curve__slope=0.5)
    observe(site, configuration(minutes(0), known))
    for at in (5, 10):
        observe(site, configuration(minutes(at), slope, changed_at={"circuits.1.curve.slope": minutes(2)}))
    assert configuration_at(site, minutes(3)) == settings(
        circuits__1__curve__slope=0.5, dhw__target_temperature_c=None
    )
    assert configuration_at(site, minutes(10)) == slope


def test_an_equal_poll_costs_one_statement(site: Site, django_assert_num_queries: Any) -> None:
    poll_all(site, settings(), settings())
    with django_assert_num_queries(1):
        observe(site, configuration(minutes(15), settings()))


def test_the_time_of_equal_polls_is_written_once_an_hour(site: Site) -> None:
    poll_all(site, *[settings()] * 12)
    assert PendingConfiguration.objects.get().last_poll_at == minutes(0)
    poll_all(site, settings(), first=12)
    assert PendingConfiguration.objects.get().last_poll_at == minutes(60)


def test_what_another_process_wrote_counts(site: Site) -> None:
    lower = settings(dhw__target_temperature_c=48.0)
    poll_all(site, settings(), settings())
    Site.objects.filter(pk=site.pk).delete()  # as a restore from a backup would
    restored = Site.objects.create(pk=site.pk, name="Home")
    poll_all(restored, lower, lower, lower)
    assert changes() == []
    assert configuration_at(restored, minutes(10)) == lower


def test_an_event_is_recorded_once(site: Site) -> None:
    first = add_event(site, minutes(0), "counter_reset", {"device": "AABBCC"})
    again = add_event(site, minutes(0), "counter_reset", {"device": "AABBCC"})
    other = add_event(site, minutes(1), "counter_reset", {"device": "AABBCC"})
    assert first.pk == again.pk != other.pk
    assert Entry.objects.count() == 2


def test_an_event_repeated_with_more_details_keeps_the_newest(site: Site) -> None:
    add_event(site, minutes(0), "long_outage", {"source": "meter", "duration_s": 7200})
    add_event(site, minutes(0), "long_outage", {"source": "meter", "duration_s": 9000})
    assert Entry.objects.get().event_details == {"source": "meter", "duration_s": 9000}


def lasting_changes(values: list[int | None]) -> list[tuple[int, int]]:
    """What a person reading the polls would call changes: unknown polls struck out, a value that stands
    at least twice in a row and is not the one in force before. The first known value is in force."""
    known = [value for value in values if value is not None]
    found: list[tuple[int, int]] = []
    for index in range(1, len(known)):
        in_force = found[-1][1] if found else known[0]
        if known[index] == known[index - 1] != in_force:
            found.append((in_force, known[index]))
    return found


class EverySequence(TestCase):
    @unhurried
    @given(
        st.lists(st.sampled_from([48, 50, 52, None]), max_size=14),
        st.lists(st.sampled_from(["06:00", "07:00", None]), max_size=14),
    )
    def test_of_polls_gives_one_entry_per_change_that_lasts_two_polls(
        self, targets: list[int | None], starts: list[str | None]
    ) -> None:
        site = Site.objects.create()
        for number in range(max(len(targets), len(starts))):
            target = targets[number] if number < len(targets) else None
            start = starts[number] if number < len(starts) else None
            values: dict[str, Any] = {"dhw.hysteresis_k": 5}
            if target is not None:
                values["dhw.target_temperature_c"] = target
            if start is not None:
                values["dhw.schedule"] = {"mon": [block(start, "22:00")], "tue": []}
            poll = configuration(minutes(5 * number), values)
            observe(site, poll)
            observe(site, poll)
        recorded = SettingChange.objects.filter(entry__site=site).order_by("entry__at", "entry__id")
        found = [
            (change.before, change.after) for change in recorded if change.key == "dhw.target_temperature_c"
        ]
        assert found == lasting_changes(targets)
        schedules = [change for change in recorded if change.key == "dhw.schedule"]
        numbers = [None if start is None else int(start[:2]) for start in starts]
        assert [
            (int(change.before["mon"][0]["start"][:2]), int(change.after["mon"][0]["start"][:2]))
            for change in schedules
        ] == lasting_changes(numbers)
        times = [entry.at for entry in Entry.objects.filter(site=site)]
        assert len(times) == len(set(times))
        if targets and (in_force := [target for target in targets if target is not None]):
            last = found[-1][1] if found else in_force[0]
            assert configuration_at(site, minutes(0) + timedelta(days=1))["dhw.target_temperature_c"] == last
        Site.objects.filter(pk=site.pk).delete()

    @unhurried
    @given(st.lists(st.tuples(st.sampled_from([48, 50, None]), st.integers(1, 6)), max_size=6))
    def test_tells_the_same_without_the_polls_that_repeat(self, runs: list[tuple[int | None, int]]) -> None:
        targets = [target for target, length in runs for _ in range(length)]
        polls = [
            configuration(minutes(5 * number), {"dhw.target_temperature_c": target} if target else {})
            for number, target in enumerate(targets)
        ]
        everything, told = self.told_by(polls), self.told_by(telling(polls))
        assert told == everything

    def told_by(self, polls: Sequence[HeatPumpConfiguration]) -> list[list[Any]]:
        """What a site knows after these polls: changes, configurations, what waits."""
        site = Site.objects.create()
        for poll in polls:
            observe(site, poll)
        changes = SettingChange.objects.filter(entry__site=site).order_by("entry__at", "entry__id")
        return [
            list(changes.values_list("entry__at", "before", "after")),
            list(ConfigurationVersion.objects.filter(site=site).values_list("at", "settings")),
            list(PendingConfiguration.objects.filter(site=site).values_list("candidates", "unseen")),
        ]


def test_a_device_is_told_by_its_serial(site: Site) -> None:
    poll_all(site, settings())
    assert PendingConfiguration.objects.get().device == GATEWAY


def test_of_a_hundred_equal_polls_in_a_row_three_tell_something() -> None:
    polls = [configuration(minutes(5 * number), settings()) for number in range(100)]
    assert [poll.observed_at for poll in telling(polls)] == [minutes(0), minutes(5), minutes(495)]
