"""Verdicts from the store, kept and made again; the API."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from apps.changelog.models import Entry
from apps.changelog.observe import add_event
from apps.changelog.timeline import EntryUnknown
from apps.devices.models import Site
from apps.devices.options import home_options, save_home_options
from apps.effects.effects import Answer, NoChange, effect_of, judge_all
from apps.effects.models import AlternatingTest, Effect
from apps.effects.samples import EffectDay
from apps.metrics.home import Home
from apps.metrics.models import MeterEvent, StaleRange
from apps.metrics.store.sqlite import SqliteStore
from tests.dashboard.house import set_up

from .known import house_days
from .lived import change, local, note, write_days

FIRST = date(2026, 10, 1)
CHANGE = date(2026, 10, 31)
EFFECT = [
    "state", "reason", "available_from", "target", "before", "after", "effect_kwh_per_day", "effect_percent",
    "low_percent", "high_percent", "cop_effect_percent", "cop_low_percent", "cop_high_percent", "cop_state",
    "leads", "own_null_percent", "cost_per_year", "with_changes", "method_version",
]  # fmt: skip
ROOM = "circuits__1__target_temperature__normal_c"


@pytest.fixture
def here(store: SqliteStore, site: Site) -> Callable[[], Home]:
    set_up(site)

    def home() -> Home:
        at = datetime(2026, 11, 23, 13, tzinfo=UTC)
        return Home(site=site, options=home_options(site), store=store, at=at)

    return home


def days(
    count: int = 53, *, times: float = 1.0, after: date = CHANGE, first: date = FIRST
) -> list[EffectDay]:
    """A calm house since October; from the day after the change all electricity is ``times`` as much."""
    found = house_days(first, count, noise=0.02, mean_c=4.0).values()
    return [_times(day, times) if day.day > after else day for day in found]


def _times(day: EffectDay, times: float) -> EffectDay:
    return replace(
        day,
        energy_kwh=(day.energy_kwh or 0.0) * times,
        space_kwh=(day.space_kwh or 0.0) * times,
        dhw_kwh=(day.dhw_kwh or 0.0) * times,
    )


def test_a_change_that_saves_a_quarter_is_found(
    here: Callable[[], Home], store: SqliteStore, site: Site
) -> None:
    write_days(store, site, days(times=0.75))
    found = effect_of(here(), change(site, CHANGE, **{ROOM: (21, 20)})).verdict
    assert (found.state, found.target, found.leads) == ("found", "space", "electricity")
    assert found.electricity is not None
    assert found.electricity.percent == pytest.approx(-25.0, abs=3.0)
    assert (found.before.valid_days, found.after.valid_days) == (14, 14)
    assert (found.after.first, found.after.last) == (date(2026, 11, 1), date(2026, 11, 14))


def test_a_change_without_effect_is_not_provable(
    here: Callable[[], Home], store: SqliteStore, site: Site
) -> None:
    write_days(store, site, days())
    assert effect_of(here(), change(site, CHANGE, **{ROOM: (21, 20)})).verdict.state == "not_provable"


def test_a_note_is_asked_like_a_change(here: Callable[[], Home], store: SqliteStore, site: Site) -> None:
    write_days(store, site, days(times=0.75))
    found = effect_of(here(), note(site, CHANGE)).verdict
    assert (found.state, found.target) == ("found", "total")


def test_a_note_deleted_while_its_effect_is_worked_out_leaves_none(
    here: Callable[[], Home], store: SqliteStore, site: Site
) -> None:
    write_days(store, site, days(times=0.75))
    asked = note(site, CHANGE)
    Entry.objects.get(pk=asked.pk).delete()
    with pytest.raises(EntryUnknown):
        effect_of(here(), asked)
    assert not Effect.objects.exists()


def test_notes_neither_cut_nor_join_the_windows_of_a_change(
    here: Callable[[], Home], store: SqliteStore, site: Site
) -> None:
    write_days(store, site, days(times=0.75))
    note(site, CHANGE + timedelta(days=2), "Guests")
    found = effect_of(here(), change(site, CHANGE, **{ROOM: (21, 20)})).verdict
    assert len(found.ids) == 1
    assert found.after.valid_days == 14


def test_two_changes_three_days_apart_have_one_joint_effect(
    here: Callable[[], Home], store: SqliteStore, site: Site
) -> None:
    write_days(store, site, days(times=0.75))
    first = change(site, CHANGE, **{ROOM: (21, 20)})
    second = change(site, CHANGE + timedelta(days=3), dhw__schedule=({}, {}))
    found = effect_of(here(), first).verdict
    assert found.ids == (first.pk, second.pk)
    assert found.target == "total"
    assert (found.before.last, found.after.first) == (date(2026, 10, 30), date(2026, 11, 4))


def test_a_new_meter_in_between_refuses_an_answer(
    here: Callable[[], Home], store: SqliteStore, site: Site
) -> None:
    write_days(store, site, days(times=0.75))
    MeterEvent.objects.create(
        site=site, device="m", at=datetime(2026, 11, 3, 8, tzinfo=UTC), kind="meter_replaced"
    )
    found = effect_of(here(), change(site, CHANGE, **{ROOM: (21, 20)})).verdict
    assert (found.state, found.reason) == ("refused", "meter_changed")


def test_days_of_a_holiday_by_hand_are_left_out(
    here: Callable[[], Home], store: SqliteStore, site: Site
) -> None:
    write_days(store, site, days())
    begin = datetime(2026, 11, 3, 8, tzinfo=UTC)
    details = {"place": "circuits.1", "program": "holiday"}
    add_event(site, begin, "by_hand", details, ended_at=begin + timedelta(days=2))
    assert effect_of(here(), change(site, CHANGE, **{ROOM: (21, 20)})).verdict.after.valid_days == 11


def test_a_verdict_is_made_once_and_again_when_its_days_change(
    here: Callable[[], Home], store: SqliteStore, site: Site
) -> None:
    write_days(store, site, days())
    entry = change(site, CHANGE, **{ROOM: (21, 20)})
    made_at = effect_of(here(), entry).made_at
    later = replace(here(), at=here().at + timedelta(hours=1))
    assert effect_of(later, entry).made_at == made_at
    write_days(store, site, days(times=0.75))
    found = effect_of(later, entry)
    assert (found.made_at, found.verdict.state) == (later.at, "found")


def test_days_after_the_windows_change_nothing(
    here: Callable[[], Home], store: SqliteStore, site: Site
) -> None:
    write_days(store, site, days())
    entry = change(site, CHANGE, **{ROOM: (21, 20)})
    effect_of(here(), entry)
    before = Effect.objects.get().inputs
    later = [_times(day, 2.0) for day in days() if day.day > CHANGE + timedelta(days=14)]
    write_days(store, site, later)
    effect_of(here(), entry)
    assert Effect.objects.get().inputs == before


def test_a_change_that_arrives_late_makes_the_verdict_anew(
    here: Callable[[], Home], store: SqliteStore, site: Site
) -> None:
    write_days(store, site, days())
    entry = change(site, CHANGE, **{ROOM: (21, 20)})
    assert effect_of(here(), entry).verdict.after.valid_days == 14
    change(site, CHANGE + timedelta(days=12), dhw__target_temperature_c=(50, 48))
    assert effect_of(here(), entry).verdict.after.last == CHANGE + timedelta(days=11)


def test_another_price_changes_what_a_verdict_is_worth(
    here: Callable[[], Home], store: SqliteStore, site: Site
) -> None:
    write_days(store, site, [*days(337, first=date(2025, 10, 29)), *days(times=0.75)])
    entry = change(site, CHANGE, **{ROOM: (21, 20)})
    assert _worth(effect_of(here(), entry)) < 0
    first = _worth(effect_of(here(), entry))
    save_home_options(site, {"electricity_price": 0.60})
    assert _worth(effect_of(here(), entry)) == pytest.approx(2 * first)


def _worth(answer: Answer) -> float:
    assert answer.cost_per_year is not None
    return answer.cost_per_year


def test_once_a_day_all_changes_are_judged_and_notes_that_were_asked_about(
    here: Callable[[], Home], store: SqliteStore, site: Site
) -> None:
    write_days(store, site, days())
    entries = [change(site, CHANGE, **{ROOM: (21, 20)}), note(site, CHANGE - timedelta(days=20))]
    note(site, CHANGE + timedelta(days=15), "Holiday")
    add_event(site, datetime(2026, 11, 3, 8, tzinfo=UTC), "long_outage")
    assert judge_all(here()) == 1
    effect_of(here(), entries[1])
    assert judge_all(here()) == 0
    assert judge_all(replace(here(), at=here().at + timedelta(days=1))) == 2
    assert {effect.entry for effect in Effect.objects.all()} == set(entries)


def test_what_waits_for_days_to_be_calculated_is_judged_once_they_are_though_they_be_as_they_were(
    here: Callable[[], Home], store: SqliteStore, site: Site
) -> None:
    entry = change(site, CHANGE, **{ROOM: (21, 20)})
    mark = StaleRange.objects.create(site=site, start=local(CHANGE, 0), end=local(CHANGE, 1))

    def reason() -> Any:
        return Effect.objects.get(entry=entry).verdict["reason"]

    assert (judge_all(here()), reason()) == (1, "being_calculated")
    assert (judge_all(here()), reason()) == (0, "being_calculated")
    mark.delete()
    assert (judge_all(here()), reason()) == (1, "few_days_before")
    assert judge_all(here()) == 0


def test_a_note_beside_a_change_has_its_verdict_and_keeps_none(
    here: Callable[[], Home], store: SqliteStore, site: Site
) -> None:
    write_days(store, site, days(times=0.75))
    beside = note(site, CHANGE + timedelta(days=2), "Guests")
    assert effect_of(here(), beside).verdict.ids == (beside.pk,)
    entry = change(site, CHANGE, **{ROOM: (21, 20)})
    assert effect_of(here(), beside) == effect_of(here(), entry)
    assert judge_all(here()) == 1
    assert [effect.entry for effect in Effect.objects.all()] == [entry]


def test_a_note_eleven_days_from_a_change_is_a_question_of_its_own(
    here: Callable[[], Home], store: SqliteStore, site: Site
) -> None:
    write_days(store, site, days())
    change(site, CHANGE, **{ROOM: (21, 20)})
    beside = note(site, CHANGE + timedelta(days=11), "Guests")
    assert effect_of(here(), beside).verdict.ids == (beside.pk,)


def test_a_note_beside_a_change_of_the_hot_water_is_judged_for_heating(
    here: Callable[[], Home], reader: Client, store: SqliteStore, site: Site
) -> None:
    write_days(store, site, days(times=0.75))
    water = change(site, CHANGE + timedelta(days=2), dhw__target_temperature_c=(50, 48))
    beside = note(site, CHANGE)
    found = effect_of(here(), beside).verdict
    assert (found.ids, found.state, found.target) == ((beside.pk,), "found", "space")
    assert (found.before.valid_days, found.after.valid_days) == (14, 14)
    page = reader.get(f"/changes/{beside.pk}").content.decode()
    assert "So only the electricity for heating is compared:" in page
    assert f'href="/changes/{water.pk}"' in page


def test_a_note_before_a_test_of_the_hot_water_is_judged_for_heating(
    here: Callable[[], Home], store: SqliteStore, site: Site
) -> None:
    """With the first switch of the test, five days after the note, the days of all electricity end."""
    write_days(store, site, days(times=0.75))
    day = CHANGE + timedelta(days=5)
    test = AlternatingTest.objects.create(
        site=site, key="dhw.target_temperature_c", old=50, new=48, first_day=day - timedelta(days=1),
        blocks=28, length=2, created_at=local(day - timedelta(days=2), 12),
    )  # fmt: skip
    change(site, day, dhw__target_temperature_c=(50, 48))
    beside = note(site, CHANGE)
    found = effect_of(here(), beside).verdict
    assert (found.ids, found.state, found.target) == ((beside.pk,), "found", "space")
    assert (found.before.valid_days, found.after.valid_days) == (14, 14)
    AlternatingTest.objects.filter(pk=test.pk).update(key="circuits.1.curve.shift")
    Entry.objects.exclude(pk=beside.pk).delete()
    change(site, day, circuits__1__curve__shift=(0, -2))
    found = effect_of(here(), beside).verdict
    assert (found.reason, found.after.last) == ("few_days_after", day - timedelta(days=1))


def test_an_event_is_no_change(here: Callable[[], Home], site: Site) -> None:
    with pytest.raises(NoChange):
        effect_of(here(), add_event(site, datetime(2026, 11, 3, 8, tzinfo=UTC), "long_outage"))


def test_before_anything_was_measured_every_answer_is_a_refusal(here: Callable[[], Home], site: Site) -> None:
    found = effect_of(here(), change(site, CHANGE, **{ROOM: (21, 20)})).verdict
    assert (found.state, found.reason) == ("refused", "few_days_before")


def test_the_api_answers_with_exactly_the_fields_of_the_contract(
    reader: Client, store: SqliteStore, site: Site, now: datetime
) -> None:
    set_up(site)
    write_days(store, site, days(times=0.75))
    entry = change(site, CHANGE, **{ROOM: (21, 20)})
    body = reader.get(f"/api/changelog/{entry.pk}/effect").json()
    assert list(body) == EFFECT
    assert list(body["before"]) == [
        "from", "to", "valid_days", "mean_outside_temperature_c", "energy_kwh_per_day",
    ]  # fmt: skip
    assert (body["state"], body["target"], body["leads"]) == ("found", "space", "electricity")
    assert (body["before"]["from"], body["before"]["to"]) == ("2026-10-17", "2026-10-30")
    assert body["low_percent"] < body["effect_percent"] < body["high_percent"] < 0
    assert body["with_changes"] == []
    assert body["cost_per_year"] is None


def test_the_api_says_when_to_come_back(
    reader: Client, store: SqliteStore, site: Site, now: datetime
) -> None:
    set_up(site)
    write_days(store, site, days())
    entry = change(site, date(2026, 11, 17), **{ROOM: (21, 20)})
    body = reader.get(f"/api/changelog/{entry.pk}/effect").json()
    # five days since are over, five more are needed
    assert (body["state"], body["available_from"]) == ("too_early", "2026-11-28")
    assert (body["after"]["valid_days"], body["effect_percent"]) == (5, None)


def test_the_api_refuses_what_is_no_change(reader: Client, store: SqliteStore, site: Site) -> None:
    set_up(site)
    event = add_event(site, datetime(2026, 11, 3, 8, tzinfo=UTC), "long_outage")
    assert reader.get(f"/api/changelog/{event.pk}/effect").status_code == 409
    assert reader.get("/api/changelog/987654/effect").status_code == 404


def test_deleting_a_note_deletes_its_verdict(
    here: Callable[[], Home], store: SqliteStore, site: Site
) -> None:
    write_days(store, site, days())
    entry = note(site, CHANGE)
    effect_of(here(), entry)
    Entry.objects.all().delete()
    assert not Effect.objects.exists()
