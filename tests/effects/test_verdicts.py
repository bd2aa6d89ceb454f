"""One question, one verdict: what widens it, what refuses it, and how it is kept."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta

import pytest

from apps.effects.fortnights import Group
from apps.effects.null import OwnNull
from apps.effects.samples import EffectDay
from apps.effects.targets import target_of
from apps.effects.verdicts import Question, Verdict, verdict, verdicts

from .known import house_days

CHANGE = date(2026, 1, 20)


def days(times: float = 1.0, better: float = 0.0) -> dict[date, EffectDay]:
    found = house_days(date(2026, 1, 1), 60, noise=0.03)
    return {
        day: replace(
            each,
            energy_kwh=(each.energy_kwh or 0.0) * times,
            space_kwh=(each.space_kwh or 0.0) * times,
            efficiency=(each.efficiency or 0.0) + better,
        )
        if day > CHANGE
        else each
        for day, each in found.items()
    }


def question(known: dict[date, EffectDay], key: str = "circuits.1.schedule", **more: object) -> Question:
    asked = Question(
        group=Group(ids=(1,), first=CHANGE, last=CHANGE),
        others=(),
        target=target_of([key]),
        days=known,
        today=date(2026, 3, 1),
    )
    return replace(asked, **more)  # type: ignore[arg-type]


def test_what_two_quiet_fortnights_differ_by_proves_nothing() -> None:
    asked = question(days(0.85))
    assert verdict(asked).state == "found"
    restless = verdict(replace(asked, null=OwnNull(percent=20.0, dates=30)))
    assert restless.state == "not_provable"
    assert restless.electricity is not None
    assert restless.electricity.half_width_percent >= 20.0
    assert (restless.null_percent, restless.null_dates) == (20.0, 30)


def test_an_interval_that_is_too_wide_after_ten_days_is_asked_for_again_after_fourteen() -> None:
    known, today = days(), CHANGE + timedelta(days=12)
    over = {day: each for day, each in known.items() if day < today}
    asked = question(known, null=OwnNull(percent=40.0, dates=30))
    found = verdict(replace(asked, days=over, today=today))
    assert (found.state, found.reason, found.after.valid_days) == ("refused", "too_wide", 11)
    assert found.available_from == CHANGE + timedelta(days=15)
    assert verdict(asked).available_from is None


@pytest.mark.parametrize("null", [None, OwnNull(percent=20.0, dates=30)])
def test_no_more_than_all_is_saved(null: OwnNull | None) -> None:
    """Hot water was left to a boiler."""
    known = {day: replace(each, dhw_kwh=0.0) if day > CHANGE else each for day, each in days().items()}
    found = verdict(question(known, "dhw.schedule", null=null)).electricity
    assert found is not None
    assert (round(found.percent), found.low_percent) == (-100, -100.0)
    assert found.kwh_per_day is not None and found.kwh_per_day < 0.0


def test_an_interval_wider_than_35_percent_is_refused_but_the_pump_may_answer() -> None:
    asked = question(days(0.9, better=0.1), "circuits.1.curve.slope", null=OwnNull(percent=40.0, dates=30))
    found = verdict(asked)
    assert (found.state, found.reason, found.electricity) == ("refused", "too_wide", None)
    assert (found.efficiency_state, found.leads) == ("found", "efficiency")


def test_a_refused_question_has_no_efficiency_either() -> None:
    found = verdict(question(days(), meter_days=(CHANGE,)))
    assert (found.state, found.reason, found.efficiency_state) == ("refused", "meter_changed", "refused")


def test_one_switch_of_a_test_is_not_asked() -> None:
    assert verdict(question(days(0.5), in_test=True)).reason == "part_of_test"


@pytest.mark.parametrize("known", [days(0.85), days(), {}])
def test_a_verdict_is_read_as_it_was_kept(known: dict[date, EffectDay]) -> None:
    found = verdict(question(known))
    assert Verdict.from_json(json.loads(json.dumps(found.as_json()))) == found


def test_many_questions_are_answered_in_their_order() -> None:
    asked = [question(days(0.8)), question({}), question(days())]
    assert [found.state for found in verdicts(asked)] == ["found", "refused", "not_provable"]


def test_each_side_tells_its_weather() -> None:
    found = verdict(question(days()))
    assert found.before.last == CHANGE - timedelta(days=1)
    assert found.before.outside_c is not None
    assert found.before.degrees_k == pytest.approx(15 - found.before.outside_c, abs=0.5)
