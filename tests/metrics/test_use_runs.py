"""Runs for hot water or heating, and draws from the tank, out of 5-minute steps."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from apps.metrics.use_runs import (
    Draw,
    RodAnswer,
    Running,
    Step,
    draws_of,
    rod_s_of,
    running_for,
    runs_of,
)

START = 1_794_000_000 - 1_794_000_000 % 300


def steps(
    energy_wh: Sequence[float | None], tank_c: Sequence[float | None] | None = None, cop: float = 3.0
) -> list[Step]:
    """Neighbouring steps from START on, all heat known."""
    return [
        Step(
            start=START + 300 * number,
            energy_wh=energy,
            full_energy_wh=energy,
            full_heat_wh=None if energy is None else energy * cop,
            tank_c=tank_c[number] if tank_c else None,
        )
        for number, energy in enumerate(energy_wh)
    ]


def test_a_run_has_its_ends_its_electricity_its_cop_and_the_tank_before_and_after() -> None:
    (run,) = runs_of(steps([0, 150, 200, 100, 0], [44.0, 44.5, 47.0, 50.0, 51.0]))
    assert (run.start - START, run.end - START, run.length_s) == (300, 1200, 900)
    assert (run.energy_wh, run.before_c, run.after_c) == (450, 44.0, 51.0)
    assert run.cop == pytest.approx(3.0)
    assert not run.is_cut


def test_a_pause_of_ten_minutes_belongs_to_the_run_and_a_longer_one_ends_it() -> None:
    assert len(runs_of(steps([100, 0, 0, 100, 0]))) == 1
    assert len(runs_of(steps([100, 0, 0, 0, 100, 0]))) == 2


def test_a_defrost_that_turns_to_the_heating_for_ten_minutes_does_not_end_a_run() -> None:
    """Its electricity is heating's; the run has the hot water's."""
    (run,) = runs_of(steps([0, 150, 150, 0, 0, 150, 0]))
    assert (run.start - START, run.end - START, run.energy_wh) == (300, 1800, 450)
    assert not run.is_at_least


def test_ten_minutes_that_nobody_measured_lie_within_a_run_which_used_at_least_what_is_known() -> None:
    """Whether it ran in them or rested, by the rule of pauses it is one run."""
    (run,) = runs_of(steps([0, 100, None, None, 100, 0, 0]))
    assert (run.length_s, run.energy_wh) == (1200, 200)
    assert (run.is_cut, run.has_hole, run.is_at_least) == (False, True, True)
    assert len(runs_of(steps([0, 100, 0, None, 100, 0]))) == 1


def test_more_time_than_a_pause_that_nobody_measured_ends_a_run_which_says_so() -> None:
    first, second = runs_of(steps([0, 100, None, None, None, 100, 0]))
    assert (first.is_cut, second.is_cut) == (True, True)
    assert (first.has_hole, second.has_hole) == (False, False)
    assert (first.energy_wh, second.energy_wh) == (100, 100)


@pytest.mark.parametrize(
    ("energy_wh", "is_cut"),
    [
        ([0, 0, 100, 0, None], True),  # it may have begun again within a pause
        ([None, 0, 100, 0, 0], True),
        ([0, 0, 100, 0, 0, None], False),
    ],
)
def test_unknown_time_within_a_pause_of_its_ends_leaves_open_how_long_a_run_was(
    energy_wh: list[float | None], is_cut: bool
) -> None:
    (run,) = runs_of(steps(energy_wh))
    assert run.is_cut is is_cut


def rod(*told: tuple[bool, float] | None) -> dict[int, RodAnswer]:
    """Answers from START on: whether hot water is heated, and the rod's counter [s]; None is a missed one."""
    return {
        START + 300 * number: RodAnswer(charging=each[0], rod_s=each[1])
        for number, each in enumerate(told)
        if each is not None
    }


def rod_s(energy_wh: Sequence[float | None], *told: tuple[bool, float] | None) -> float | None:
    (run,) = runs_of(steps(energy_wh))
    return rod_s_of(run, rod(*told))


def test_a_run_that_ends_on_the_rod_has_what_its_counter_rose_until_it_was_over() -> None:
    told = (False, 7000.0), (True, 7000.0), (True, 7200.0), (False, 7440.0), (False, 7440.0)
    assert rod_s([0, 150, 250, 0, 0], *told) == 440.0


def test_a_run_without_the_rod_has_none_of_it() -> None:
    told = (False, 7000.0), (True, 7000.0), (False, 7000.0)
    assert rod_s([0, 150, 0], *told) == 0.0


def test_a_rod_that_is_not_on_the_meter_goes_on_after_its_run() -> None:
    """Until its counter stands still; what it does for the heating afterwards is none of hot water's."""
    told = (False, 0.0), (True, 0.0), (True, 300.0), (True, 600.0), (True, 700.0), (False, 800.0)
    assert rod_s([0, 150, 0, 0, 0, 0], *told, (False, 1100.0)) == 800.0
    stuck = (False, 0.0), (True, 0.0), (True, 300.0), (True, 300.0), (True, 600.0)
    assert rod_s([0, 150, 0, 0, 0], *stuck) == 300.0


@pytest.mark.parametrize(
    "told",
    [
        (None, (True, 0.0), (False, 300.0)),  # nobody knows what it was before
        ((False, 0.0), (True, 0.0), None, None),  # or after
        ((False, 7000.0), (True, 7200.0), (False, 40.0)),  # another controller
    ],
)
def test_a_counter_that_is_not_known_on_both_sides_tells_nothing(
    told: tuple[tuple[bool, float] | None, ...],
) -> None:
    assert rod_s([0, 150, 0, 0], *told) is None


def test_a_run_that_may_have_been_longer_tells_nothing_of_the_rod() -> None:
    told = (False, 0.0), (False, 0.0), (True, 300.0), (False, 300.0)
    assert rod_s([None, 0, 150, 0], *told) is None


def test_an_answer_missed_within_a_run_leaves_the_rods_counter_known() -> None:
    told = (False, 0.0), (True, 0.0), None, (True, 300.0), (False, 400.0)
    assert rod_s([0, 150, None, 150, 0], *told) == 400.0


def test_a_few_watt_hours_are_no_run_and_their_cop_is_not_shown() -> None:
    assert runs_of(steps([0, 49, 0])) == []
    (run,) = runs_of(steps([0, 60, 0]))
    assert run.cop is None


def test_a_run_at_the_edges_of_what_was_asked_for_is_whole_there() -> None:
    (run,) = runs_of(steps([100, 100]))
    assert (run.before_c, run.is_cut) == (None, False)


def test_a_shower_is_one_draw_with_all_it_took() -> None:
    tank = [50.0, 49.2, 46.0, 45.9, 45.9, 45.8]
    assert draws_of(steps([0] * 6, tank), []) == [Draw(start=START, fall_k=4.0)]


def test_two_showers_with_a_quarter_of_an_hour_between_are_two() -> None:
    tank = [50.0, 48.0, 48.0, 48.0, 48.0, 46.5, 46.5, 46.5]
    found = draws_of(steps([0] * 8, tank), [])
    assert [(draw.start - START, draw.fall_k) for draw in found] == [(0, 2.0), (1200, 1.5)]


def test_circulation_and_standing_losses_are_no_draw() -> None:
    """A circulation pump takes 2 K an hour, in steps of the sensor's tenth."""
    tank = [50.0 - 0.2 * number for number in range(24)]
    assert draws_of(steps([0] * 24, tank), []) == []


def test_washing_hands_is_too_little_to_be_told_from_the_rest() -> None:
    assert draws_of(steps([0] * 4, [50.0, 49.5, 49.5, 49.5]), []) == []


def test_what_happens_while_the_tank_is_heated_or_unknown_is_no_draw() -> None:
    heated = steps([0, 150, 150, 0], [50.0, 48.0, 46.0, 46.0])
    assert draws_of(heated, runs_of(heated)) == []
    assert draws_of(steps([0] * 3, [50.0, None, 45.0]), []) == []


def test_a_draw_that_still_goes_on_counts() -> None:
    assert draws_of(steps([0] * 2, [50.0, 48.0]), []) == [Draw(start=START, fall_k=2.0)]


def test_heating_has_the_hours_and_starts_of_the_steps_that_were_mostly_heating() -> None:
    found = running_for(
        [100, 200, 30, 0, None], [0, 0, 150, 200, None], [200, 300, 300, 300, None], [1, 0, 0, 1, None]
    )
    assert found == Running(run_s=500, starts=1)
    assert found.mean_run_s == 500


def test_heating_of_which_nothing_is_known_is_none_and_not_zero() -> None:
    assert running_for([None], [None], [None], [None]) is None
    assert running_for([0.0], [0.0], [0.0], [0.0]) == Running(run_s=0, starts=0)
