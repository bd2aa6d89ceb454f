"""What the study of effects claims, on answers made up for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.study.claims import Claim
from tools.study.effect_claims import METHODS, effect_claims
from tools.study.effects import DESIGNS, EFFECTS, FORTNIGHTS, MONTHS, Answer, Study
from tools.study.effects_report import write
from tools.study.one_house import OneHouse
from tools.study.watch import SHIFTS, WatchRow

CLASSES = ("tame", "middle", "wild")
KINDS = ("air", "brine")
QUIET = WatchRow(
    held=0.8, alarms_a_year=0.4, found=dict.fromkeys(SHIFTS, 0.5), days=dict.fromkeys(SHIFTS, 20.0), dated=1.0
)
HOUSES = {FORTNIGHTS: OneHouse(specified=(6.0, 16.0, 29.0, 17.0), ours=(4.0, 14.0, 22.0, 12.0))}
RMS = dict(zip((MONTHS, FORTNIGHTS, *DESIGNS), (12.0, 11.0, 4.4, 3.9, 5.4), strict=True))


def answers(method: str, effect: float, held: int, found: int = 100) -> list[Answer]:
    """A hundred answers; the intervals of ``held`` hold the truth, and ``found`` of −5 and −10 % leave zero
    out."""
    truth = 100.0 * effect
    edges = [(truth - 3.0, truth - 1.0)] * (100 - held) + [(truth - 2.0, truth + 2.0)] * held
    edges = edges[:found] + [(truth - 20.0, truth + 20.0)] * (100 - found)
    return [
        Answer(method=method, effect=effect, truth=truth, percent=truth, low=low, high=high)
        for low, high in edges
    ]


def study(held: int = 95, rms: dict[str, float] | None = None) -> Study:
    keys = [(name, kind) for name in CLASSES for kind in KINDS]
    made = [each for method in METHODS for effect in EFFECTS for each in answers(method, effect, held)]
    placebos = {method: [percent, -percent] for method, percent in (rms or RMS).items()}
    return Study(asked=100, answers=dict.fromkeys(keys, made), placebos=dict.fromkeys(keys, placebos))


def with_found(name: str, method: str, found: int) -> Study:
    """A study in which so many of a hundred true −5 and −10 % are found by one method in one class."""
    made = study()
    for key, each in made.answers.items():
        if key[0] == name:
            others = [answer for answer in each if answer.method != method]
            made.answers[key] = others + [
                answer for effect in EFFECTS for answer in answers(method, effect, 95, found)
            ]
    return made


def failing(found: Study, row: WatchRow = QUIET) -> list[tuple[str, Claim]]:
    watched = {(name, kind): row for name in CLASSES for kind in KINDS}
    return [each for each in effect_claims(found, watched) if not each[1].holds]


def test_intervals_that_hold_in_95_percent_of_answers_are_as_claimed() -> None:
    assert failing(study()) == []


@pytest.mark.parametrize("held", [92, 99, 100])
def test_too_narrow_and_too_wide_both_fail_in_each_class_and_with_each_pump(held: int) -> None:
    failed = failing(study(held))
    assert len(failed) == len(METHODS) * len(CLASSES) * len(KINDS)
    assert failed[0][0] == "tame, air"
    assert failed[0][1].worst == f"{held:.1f} / {held:.1f} / {held:.1f} %"


def test_wild_homes_that_are_calmer_than_the_real_pump_fail() -> None:
    ((about, claim),) = failing(study(rms=RMS | {FORTNIGHTS: 9.9}))
    assert (about, claim.worst) == ("wild", "9.9 %")


def test_finding_less_than_specified_fails_where_chance_does_not_explain_it() -> None:
    # 33 of a hundred are specified for −10 %
    assert failing(with_found("tame", FORTNIGHTS, 26)) == []
    ((about, claim),) = failing(with_found("tame", FORTNIGHTS, 25))
    assert (about, claim.worst) == ("tame", "25.0 ± 4.3 % and 25.0 ± 4.3 %")


def test_finding_less_in_wild_homes_than_on_the_real_pump_fails() -> None:
    # 28 of a hundred were found there
    assert failing(with_found("wild", FORTNIGHTS, 22)) == []
    ((about, claim),) = failing(with_found("wild", FORTNIGHTS, 21))
    assert (about, claim.worst) == ("wild", "21.0 ± 4.1 %")


def test_single_wild_homes_stand_beside_the_real_pump(tmp_path: Path) -> None:
    write(with_found("wild", FORTNIGHTS, 25), HOUSES, {}, tmp_path / "page.md")
    text = (tmp_path / "page.md").read_text(encoding="utf-8")
    assert "| 14 + 14 | 28 % | 25.0 ± 4.3 % | 17 % | 7 to 28 % | 25 % | 13 % |" in text


def test_more_than_one_false_alarm_a_year_fails() -> None:
    restless = WatchRow(held=0.8, alarms_a_year=1.1, found=QUIET.found, days=QUIET.days, dated=None)
    assert [claim.worst for _about, claim in failing(study(), restless)] == ["1.10"] * 6


@pytest.mark.parametrize("held", [0.74, 0.89])
def test_a_band_that_is_too_narrow_or_too_wide_fails(held: float) -> None:
    odd = WatchRow(held=held, alarms_a_year=0.4, found=QUIET.found, days=QUIET.days, dated=None)
    assert [claim.worst for _about, claim in failing(study(), odd)] == [f"{100 * held:.0f} %"] * 6


def test_a_study_without_answers_holds_nothing() -> None:
    empty = Study(asked=0, answers={("tame", "air"): []})
    assert not any(claim.holds for _about, claim in effect_claims(empty, {}))


def test_the_page_says_how_many_claims_hold(tmp_path: Path) -> None:
    page = tmp_path / "study-effects.md"
    claims = write(study(99), HOUSES, {}, page)
    text = page.read_text(encoding="utf-8")
    held = sum(claim.holds for _about, claim in claims)
    assert f"{held} of {len(claims)} claims hold. " in text
    assert text.count("| **NO** |") == len(claims) - held
