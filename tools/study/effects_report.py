"""The effects study in words: ``docs/study-effects.md``."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean
from textwrap import fill

from .effects import DESIGNS, EFFECTS, FORTNIGHTS, PUMP, WITH_NULL, Answer, Study
from .report import WIDTH, table
from .watch import SHIFTS, WatchRow

FILE = Path(__file__).resolve().parents[2] / "docs" / "study-effects.md"
HELD = (93.0, 98.0)
HOW = (
    "Simulated homes with an air or a brine pump: 0.12–0.30 kW/K, balance temperature 14.5–17.5 °C, "
    "thermal lag, unseen sun, heating curve, a share of Carnot, hot water ±30 % a day, habits, absences, "
    "5 % of the days missing. The change falls on a day of October to early April of the second season, "
    "and acts on all electricity or on the heating alone. Three classes: *tame* has only this; *middle* "
    "and *wild* have noise and slow drift beside it, set so that quiet dates of the wild one differ as "
    "much as those of a real pump did (rms 11 % for 14 + 14 days, 5.4, 4.4 and 3.9 % for 8 × 7, 18 × 3 "
    "and 28 × 2). Heat is biased by up to 1.5 times the published loss per kelvin, errs by 2.4 % a day "
    "and drifts by 2 %. Homes whose days refuse an answer are left out; *answered* says how many of a "
    "hundred remain."
)
HOW_WATCH = (
    "The same homes. A shift of all electricity begins on a day of the second winter; *found* is the "
    "share of homes in which it was reported within the 3 to 5 months that follow, *after* the median "
    "number of days, *misdated* the median error of the begin. False alarms are counted over the whole "
    "650 days, the first season included, in which the home is still unknown."
)


def write(study: Study, watched: dict[tuple[str, str], WatchRow], path: Path = FILE) -> list[str]:
    """Write the page; return the claims that fail."""
    parts = [
        "# Effects of changes against the truth",
        fill(f"`{COMMAND % study.asked}` writes this page. " + HOW, WIDTH),
    ]
    for effect in EFFECTS:
        heading = f"## True effect {effect:.0%}" if effect else "## No effect"
        parts += [heading, _table(study, effect)]
    parts += ["## The watch for lasting deviations", fill(HOW_WATCH, WIDTH), _watch_table(watched)]
    path.write_text("\n\n".join(parts) + "\n", encoding="utf-8")
    return failures(study)


COMMAND = ".venv/bin/python -m tools.study effects --homes %d"


def failures(study: Study) -> list[str]:
    """Return where the 95 % interval holds the truth in less than 93 or more than 98 % of the answers."""
    found = []
    for (name, kind), answers in study.answers.items():
        for method in _methods():
            for effect in EFFECTS:
                some = [each for each in answers if each.method == method and each.effect == effect]
                held = 100 * fmean(each.holds for each in some) if some else math.nan
                if not HELD[0] <= held <= HELD[1]:
                    found.append(f"{name}, {kind}, {method}, {effect:.0%}: holds in {held:.1f} %")
    return found


def _methods() -> Sequence[str]:
    return (FORTNIGHTS, WITH_NULL, *DESIGNS, PUMP)


def _table(study: Study, effect: float) -> str:
    head = ["method", "class", "pump", "answered", "interval holds", "half-width", "rms error", "found"]
    rows = [
        [method, name, kind, *_figures(answers, method, effect, study.asked)]
        for method in _methods()
        for (name, kind), answers in study.answers.items()
    ]
    return table(head, rows)


def _figures(answers: Sequence[Answer], method: str, effect: float, asked: int) -> list[str]:
    some = [each for each in answers if each.method == method and each.effect == effect]
    if not some:
        return ["0", "–", "–", "–", "–"]
    rms = math.sqrt(fmean((each.percent - each.truth) ** 2 for each in some))
    return [
        f"{100 * len(some) / asked:.0f}",
        f"{100 * fmean(each.holds for each in some):.1f} %",
        f"{fmean((each.high - each.low) / 2 for each in some):.1f} %",
        f"{rms:.1f} %",
        f"{100 * fmean(each.is_found for each in some):.0f} %",
    ]


def _watch_table(watched: dict[tuple[str, str], WatchRow]) -> str:
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
