"""What heatmon claims of effects, judged on simulated homes. The bounds are those of metrics §5.

A share found is held against its bound with the study's own error; no bound is lowered.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from statistics import fmean

from .claims import Claim
from .effects import DESIGNS, EFFECTS, FORTNIGHTS, KINDS, MONTHS, PUMP, WITH_NULL, Answer, Study
from .watch import WatchRow

METHODS = (FORTNIGHTS, WITH_NULL, *DESIGNS, PUMP)
HELD = (93.0, 98.0)
EIGHTEEN, TWENTY_EIGHT, EIGHT = DESIGNS
REAL_PUMP_RMS = {MONTHS: 12.0, FORTNIGHTS: 11.0, EIGHT: 5.4, EIGHTEEN: 4.4, TWENTY_EIGHT: 3.9}
"""Root mean square of the apparent effects of nothing on a real pump [%]."""
RMS_TOLERANCE = 1.0
FOUND_TAME = {FORTNIGHTS: (10, 33), EIGHT: (36, 87), EIGHTEEN: (50, 97), PUMP: (32, 87)}
"""[%] of true −5 and −10 % that the specification found on its simulated homes."""
FOUND_WILD = {FORTNIGHTS: 28, EIGHT: 43, EIGHTEEN: 72, TWENTY_EIGHT: 75}
"""[%] of true −10 % found on the real pump."""
SURE_Z = 1.645
"""A share is called lower than a bound where that would be chance in one of twenty studies."""
MOST_ALARMS_A_YEAR = 1.0
BAND_HELD = (75.0, 88.0)
"""[%] of the days inside the band of 80 %; the bounds are those of the year's estimate (metrics §4)."""


def effect_claims(found: Study, watched: Mapping[tuple[str, str], WatchRow]) -> list[tuple[str, Claim]]:
    """Return all claims, each with the homes it is about."""
    return [*_coverage(found), *_placebos(found), *_power(found), *_watch(watched)]


def wild_answers(found: Study, method: str) -> list[Answer]:
    """Return the answers about a true −10 % in wild homes."""
    return chosen(_answers_of(found, "wild"), method, EFFECTS[2])


def chosen(answers: Sequence[Answer], method: str, effect: float) -> list[Answer]:
    return [each for each in answers if each.method == method and each.effect == effect]


def held_percent(answers: Sequence[Answer]) -> float:
    """Return how often the interval holds the truth [%]; nan without answers."""
    return 100.0 * fmean(each.holds for each in answers) if answers else math.nan


def found_percent(answers: Sequence[Answer]) -> float:
    return 100.0 * fmean(each.is_found for each in answers) if answers else math.nan


def _coverage(found: Study) -> Iterator[tuple[str, Claim]]:
    low, high = HELD
    for method in METHODS:
        for (name, kind), answers in found.answers.items():
            held = [held_percent(chosen(answers, method, effect)) for effect in EFFECTS]
            yield (
                f"{name}, {kind}",
                Claim(
                    text=f"{method}: holds the truth in {low:.0f} to {high:.0f} % at true 0, −5 and −10 %",
                    holds=all(low <= each <= high for each in held),
                    worst=" / ".join(f"{each:.1f}" for each in held) + " %",
                ),
            )


def _placebos(found: Study) -> Iterator[tuple[str, Claim]]:
    for method, real in REAL_PUMP_RMS.items():
        percents = [
            percent
            for (name, _kind), designs in found.placebos.items()
            if name == "wild"
            for percent in designs.get(method, [])
        ]
        rms = math.sqrt(fmean(percent**2 for percent in percents)) if percents else math.nan
        yield (
            "wild",
            Claim(
                text=f"{method}: rms of nothing within ±{RMS_TOLERANCE:g} of the real pump's {real:g} %",
                holds=abs(rms - real) <= RMS_TOLERANCE,
                worst=f"{rms:.1f} %",
            ),
        )


def error_points(answers: Sequence[Answer]) -> float:
    """Return the standard error of the share found, in points. The homes of a seed with either pump share
    weather and habits, and count once."""
    share, homes = found_percent(answers) / 100.0, len(answers) / len(KINDS)
    return 100.0 * math.sqrt(share * (1.0 - share) / homes) if homes else math.nan


def _answers_of(found: Study, wanted: str) -> list[Answer]:
    return [each for (name, _kind), answers in found.answers.items() if name == wanted for each in answers]


def _power(found: Study) -> Iterator[tuple[str, Claim]]:
    tame = _answers_of(found, "tame")
    for method, bounds in FOUND_TAME.items():
        text = f"{method}: finds −5 and −10 % as often as specified ({bounds[0]} and {bounds[1]} %)"
        yield "tame", _reaches([chosen(tame, method, effect) for effect in EFFECTS[1:]], bounds, text)
    for method, real in FOUND_WILD.items():
        text = f"{method}: finds −10 % as often as on the real pump ({real} %)"
        yield "wild", _reaches([wild_answers(found, method)], [real], text)


def _reaches(asked: Sequence[Sequence[Answer]], bounds: Sequence[int], text: str) -> Claim:
    shares, errors = [found_percent(each) for each in asked], [error_points(each) for each in asked]
    return Claim(
        text=text,
        holds=all(
            share + SURE_Z * error >= bound
            for share, error, bound in zip(shares, errors, bounds, strict=True)
        ),
        worst=" and ".join(
            f"{share:.1f} ± {error:.1f} %" for share, error in zip(shares, errors, strict=True)
        ),
    )


def _watch(watched: Mapping[tuple[str, str], WatchRow]) -> Iterator[tuple[str, Claim]]:
    low, high = BAND_HELD
    for (name, kind), row in watched.items():
        about = f"{name}, {kind}"
        yield (
            about,
            Claim(
                text=f"watch: at most {MOST_ALARMS_A_YEAR:.0f} false alarm a year",
                holds=row.alarms_a_year <= MOST_ALARMS_A_YEAR,
                worst=f"{row.alarms_a_year:.2f}",
            ),
        )
        yield (
            about,
            Claim(
                text=f"expected use: {low:.0f} to {high:.0f} % of the days lie inside the band of 80 %",
                holds=low <= 100.0 * row.held <= high,
                worst=f"{100.0 * row.held:.0f} %",
            ),
        )
