"""The effects study in words: ``docs/study-effects.md``."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean
from textwrap import fill

from .claims import Claim
from .effect_claims import (
    FOUND_WILD,
    METHODS,
    chosen,
    effect_claims,
    error_points,
    found_percent,
    held_percent,
    wild_answers,
)
from .effect_homes import FIRST_SEED
from .effects import EFFECTS, TESTED, Answer, Study
from .one_house import EVERY_DAYS, OneHouse
from .report import WIDTH, table
from .watch import SHIFTS, WatchRow

FILE = Path(__file__).resolve().parents[2] / "docs" / "study-effects.md"
COMMAND = ".venv/bin/python -m tools.study effects --homes %d"
HOW = (
    "Simulated homes with an air or a brine pump: 0.12–0.30 kW/K, balance temperature 14.5–17.5 °C, "
    "thermal lag, unseen sun, heating curve, a share of Carnot, hot water ±30 % a day, habits, absences, "
    "5 % of the days missing. The change falls on a day of October to early April of the second season "
    "whose weather allows an answer, and acts on all electricity or on the heating alone. Three classes: "
    "*tame* has only this and stands for the specification's homes; *middle* and *wild* have noise and "
    "slow drift beside it, set so that nothing looks like as much in the wild one as on a real pump. Wild "
    "homes are so for about four months at a time and then as long like tame ones. Heat "
    "is biased by up to 1.5 times the published loss per kelvin, errs by 2.4 % a day and drifts by 3.75 %. "
    "Homes in which the interval would be wider than ±35 % get no answer. The constants of the method were "
    "set on other homes (seeds 10,000 to 13,060 and 30,000 to 30,999; these are {first_seed:,} on; "
    "alternating tests have homes of their own, from {first_test:,} on), the noise of wild homes in part on "
    "these: decisions [32](decisions/0032-the-home-says-how-wide.md) and "
    "[33](decisions/0033-homes-of-the-study.md) say how."
)
HOW_CLAIMED = (
    "Each share of {asked:,} answers is known to about ±{error:.1f} points. ± is one standard error; a share "
    "is below its bound where that would be chance in fewer than one of twenty studies. The bounds are as "
    "specified."
)
HOW_ONE_HOUSE = (
    "What was found on the one real pump that wild homes stand for, and what they show of a true −10 %: "
    "*found* is what the tables below have of it. The other columns are of {homes} wild "
    "homes, each looked at as the real pump was: every {every} days of three winters, from electricity and "
    "outside temperature alone, the days with the new value scaled by 0.9; shares of the dates found by the "
    "specification's own interval (drift of 3 % per 28 days in 14 + 14, of 2 % in alternating tests), the "
    "share of homes that show as much as the real pump, and the same dates by heatmon's interval."
)
HOW_WATCH = (
    "A tenth of the homes. A shift of all electricity begins on a day of the second winter; *found* is "
    "the share of homes in which it was reported within the 3 to 5 months that follow, *after* the median "
    "number of days, *misdated* the median error of the begin. False alarms are counted over the whole "
    "650 days, the first season included, in which the home is still unknown."
)


def write(
    study: Study,
    houses: Mapping[str, OneHouse],
    watched: Mapping[tuple[str, str], WatchRow],
    path: Path = FILE,
) -> list[tuple[str, Claim]]:
    """Write the page; return the claims with the homes they are about."""
    claims = effect_claims(study, watched)
    failed = sum(not claim.holds for _about, claim in claims)
    parts = [
        "# Effects of changes against the truth",
        _filled(
            f"`{COMMAND % study.asked}` writes this page. "
            + HOW.format(first_seed=FIRST_SEED, first_test=FIRST_SEED + TESTED)
        ),
        "## What is claimed",
        _filled(f"{len(claims) - failed} of {len(claims)} claims hold. " + _how_claimed(study.asked)),
        table(
            ("homes", "claim", "measured", "holds"),
            [(about, claim.text, claim.worst, "yes" if claim.holds else "**NO**") for about, claim in claims],
        ),
    ]
    if houses:
        parts += ["## Beside the real pump", _one_house(study, houses)]
    for effect in EFFECTS:
        heading = f"## True effect {effect:.0%}" if effect else "## No effect"
        parts += [heading, _table(study, effect)]
    parts += ["## The watch for lasting deviations", _filled(HOW_WATCH), _watch_table(watched)]
    path.write_text("\n\n".join(parts) + "\n", encoding="utf-8")
    return claims


def _how_claimed(asked: int) -> str:
    share = 0.95  # what an interval should hold
    return HOW_CLAIMED.format(asked=asked, error=100.0 * math.sqrt(share * (1.0 - share) / asked))


def _one_house(study: Study, houses: Mapping[str, OneHouse]) -> str:
    homes = max(len(house.ours) for house in houses.values())
    head = ["method", "real pump", "found", "as specified", "95 % of homes", "as much", "by heatmon"]
    rows = [
        [method, f"{real} %", _share(study, method), *_of_house(houses[method], real)]
        for method, real in FOUND_WILD.items()
        if method in houses
    ]
    return "\n\n".join([_filled(HOW_ONE_HOUSE.format(homes=homes, every=EVERY_DAYS)), table(head, rows)])


def _share(study: Study, method: str) -> str:
    answers = wild_answers(study, method)
    return f"{found_percent(answers):.1f} ± {error_points(answers):.1f} %"


def _of_house(house: OneHouse, real: int) -> list[str]:
    low, high = house.edges
    return [
        f"{fmean(house.specified):.0f} %",
        f"{low:.0f} to {high:.0f} %",
        f"{house.reaching(real):.0f} %",
        f"{fmean(house.ours):.0f} %",
    ]


def _filled(text: str) -> str:
    return fill(text, WIDTH, break_on_hyphens=False)


def _table(study: Study, effect: float) -> str:
    head = ["method", "class", "pump", "answers", "interval holds", "half-width", "rms error", "found"]
    rows = [
        [method, name, kind, *_figures(chosen(answers, method, effect))]
        for method in METHODS
        for (name, kind), answers in study.answers.items()
    ]
    return table(head, rows)


def _figures(answers: Sequence[Answer]) -> list[str]:
    if not answers:
        return ["0", "–", "–", "–", "–"]
    rms = math.sqrt(fmean((each.percent - each.truth) ** 2 for each in answers))
    return [
        f"{len(answers)}",
        f"{held_percent(answers):.1f} %",
        f"{fmean((each.high - each.low) / 2 for each in answers):.1f} %",
        f"{rms:.1f} %",
        f"{found_percent(answers):.0f} %",
    ]


def _watch_table(watched: Mapping[tuple[str, str], WatchRow]) -> str:
    head = ["class", "pump", "80 % band holds", "false alarms a year"]
    head += [f"{shift:+.0%} found, after" for shift in SHIFTS] + ["misdated"]
    rows = [
        [
            name,
            kind,
            f"{100 * row.held:.0f} %",
            f"{row.alarms_a_year:.2f}",
            *(_found(row, shift) for shift in SHIFTS),
            "–" if row.dated is None else f"{row.dated:.0f} days",
        ]
        for (name, kind), row in watched.items()
    ]
    return table(head, rows)


def _found(row: WatchRow, shift: float) -> str:
    days = row.days[shift]
    return f"{100 * row.found[shift]:.0f} %" + ("" if days is None else f", {days:.0f} days")
