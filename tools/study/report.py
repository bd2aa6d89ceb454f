"""The study in words: tables for ``docs/study.md``, one section for each command."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from textwrap import fill

from .claims import Claim, claims, heat_error, heat_split_error, split_error
from .estimates import DAYS_OF_DATA, Accuracy
from .truth import Findings

FILE = Path(__file__).resolve().parents[2] / "docs" / "study.md"
WIDTH = 124
TITLE = "# heatmon's numbers against the truth"
HEAD = (
    "A simulated house knows what really happened: the electricity and heat of every minute. Its meter "
    "and its cloud tell heatmon only what real ones would, late and rounded. This page compares the two. "
    "Two commands write it, each replacing its own section: `make study` and `.venv/bin/python -m "
    "tools.study estimate`. [How the numbers are made](numbers.md) explains the methods."
)
HOW_YEARS = (
    "Raw rows are written in bulk, as the pollers would have stored them, with gaps in the meter's and "
    "the cloud's data, a stretch of which only the counter survives, and settings that change every nine "
    "days; they are derived by the same code as live data. *nameplate*: the pump delivers exactly "
    "modulation × rated power, so that method A can be right. *bias*: its heat depends on water and brine "
    "temperatures, as with a real pump, the cloud repeats itself for a day, and once a month the heating "
    "rod disinfects the tank. Heat is the pump's; electricity is everything the meter counts, including "
    "the heating rod. Methods A and B and the band are those of the pages; the flow rate is entered "
    "exactly, so that B is nearly right. The band shown to a house without a flow rate is given as well."
)
HOW_ESTIMATE = (
    "Mean absolute error of the electricity of 365 days, predicted from their first days; the 365 days "
    "begin on a random day, and all methods are compared on the homes that the signature can answer (20 "
    "heating days). Daily values are the house model's truth, not what was transmitted. The homes lose "
    "0.12–0.30 kW/K, get little or much sun, use 70 to 240 litres of hot water a day and keep rooms at 20 "
    "to 22 °C; half have a modulating pump, half one that is either on or off; their owners change a "
    "setting about every four months, and after the first days they need 8 % (1σ) more or less of "
    "everything. The normals are 1 ± 0.8 K colder than the ten years before, from which the year itself "
    "differs by 0.8 K (1σ); *shipped normals* are those of the nearest region instead, whose climate is "
    "not that of these houses. The specification's figures come from 300 other homes, air and brine, with "
    "less regular habits. With so few homes, a mean error is itself uncertain by about a fifth, and the "
    "share of bands that held by about ten points. The width of the band was set on 32 other homes (seeds "
    "from 141 on); why it is wider where hot water is not known apart stands in decision 29."
)
SECTIONS = ("years", "estimate")

SPECIFICATION: dict[str, Sequence[str]] = {
    "naive": ("62 %", "61 %", "59 %", "42 %", "12.5 %"),
    "degree-day share": ("20 %", "22 %", "24 %", "17 %", "4.8 %"),
    "signature, total": ("13.6 %", "12.4 %", "12.7 %", "7.1 %", "2.7 %"),
    "**signature, DHW split**": ("10.5 %", "10.5 %", "11.7 %", "7.5 %", "2.7 %"),
}
SPECIFIED_BAND = ("87 % / 19 %", "84 % / 16 %", "77 % / 15 %", "79 % / 10 %", "79 % / 4 %")
SPECIFIED_ANSWERS = ("155", "202", "244", "299", "300")


def write_section(name: str, text: str, path: Path = FILE) -> None:
    """Replace one section of the page and keep the other."""
    kept = _sections(path.read_text(encoding="utf-8")) if path.exists() else {}
    kept[name] = text.strip()
    parts = [f"<!-- {each} -->\n{kept[each]}\n<!-- /{each} -->" for each in SECTIONS if each in kept]
    path.write_text("\n\n".join([TITLE, fill(HEAD, WIDTH), *parts]) + "\n", encoding="utf-8")


def _sections(page: str) -> dict[str, str]:
    found = {}
    for name in SECTIONS:
        _, mark, rest = page.partition(f"<!-- {name} -->\n")
        if mark:
            found[name] = rest.partition(f"\n<!-- /{name} -->")[0]
    return found


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def years(found: Sequence[Findings]) -> str:
    """Return the section of ``make study``."""
    days = found[0].days
    parts = [
        f"## {days} days from {found[0].first}, {len({each.seed for each in found})} houses",
        fill(HOW_YEARS, WIDTH),
        table(
            ("claim", "house", "worst", "holds"),
            [
                (claim.text, f"{each.scenario} {each.seed}", claim.worst, "yes" if claim.holds else "**NO**")
                for each in found
                for claim in claims(each)
            ],
        ),
        _nameplate_months([each for each in found if each.scenario == "nameplate"]),
        _bias_months([each for each in found if each.scenario != "nameplate"]),
        _jaz(found),
        "Made in "
        + ", ".join(f"{each.duration_s:.0f} s ({each.scenario} {each.seed})" for each in found)
        + ", two houses at a time.",
    ]
    return "\n\n".join(part for part in parts if part)


def _nameplate_months(found: Sequence[Findings]) -> str:
    if not found:
        return ""
    rows = [
        [
            month.label,
            *(
                f"{heat_error(each.months[number]):+.1%}, {split_error(each.months[number]):+.1%},"
                f" {heat_split_error(each.months[number]):+.1%}"
                for each in found
            ),
        ]
        for number, month in enumerate(found[0].months)
    ]
    head = ("month", *(f"seed {each.seed}" for each in found))
    return (
        "### Nameplate: errors by month\n\nHeat by method A over intervals in state `full`; electricity, then"
        " heat of hot water where the purpose is known.\n\n" + table(head, rows)
    )


def _bias_months(found: Sequence[Findings]) -> str:
    if not found:
        return ""
    rows = [
        [
            each.months[number].label,
            f"{each.seed}",
            f"{each.months[number].true_heat_kwh:.0f}",
            f"{each.months[number].low_kwh:.0f}–{each.months[number].high_kwh:.0f}",
            f"{each.months[number].low_a_kwh:.0f}–{each.months[number].high_a_kwh:.0f}",
            f"{heat_error(each.months[number]):+.1%}",
            f"{each.months[number].coverage:.1%}",
        ]
        for each in found
        for number in range(len(each.months))
    ]
    head = (
        "month",
        "seed",
        "true heat, kWh",
        "band shown",
        "without a flow rate",
        "error of A",
        "energy coverage",
    )
    return "### Bias: heat by month\n\n" + table(head, rows)


def _jaz(found: Sequence[Findings]) -> str:
    rows = [
        [
            f"{each.scenario} {each.seed}, {year.text}",
            f"{year.true:.3f}",
            f"{year.by_modulation:.3f}",
            "–" if year.by_delta_t is None else f"{year.by_delta_t:.3f}",
            f"{year.low:.2f}–{year.high:.2f}",
            f"{year.low_a:.2f}–{year.high_a:.2f}",
            f"{year.coverage:.1%}",
            year.label,
        ]
        for each in found
        for year in each.years
    ]
    if not rows:
        return ""
    head = ("JAZ", "true", "A", "B", "band", "without a flow rate", "coverage", "label")
    return "### JAZ\n\n" + table(head, rows)


def estimate(found: Mapping[str, Sequence[Accuracy]], homes: int) -> str:
    """Return the section of ``python -m tools.study estimate``."""
    head = ("days of data", *(str(count) for count in DAYS_OF_DATA))
    rows: list[Sequence[str]] = []
    for name, accuracies in found.items():
        rows.append((name, *(_percent(each.error) for each in accuracies)))
        if name in SPECIFICATION:
            rows.append((f"{_plain(name)} (specification)", *SPECIFICATION[name]))
        if all(each.held is None for each in accuracies):
            continue
        rows.append(
            (
                f"{_plain(name)}: band held / half-width",
                *(f"{_percent(each.held, 0)} / {_percent(each.half_width, 0)}" for each in accuracies),
            )
        )
        if name.startswith("**"):
            rows.append((f"{_plain(name)}: band (specification)", *SPECIFIED_BAND))
    answers = next(iter(found.values()))
    rows.append((f"homes answerable of {homes}", *(str(each.answered) for each in answers)))
    rows.append(("homes answerable of 300 (specification)", *SPECIFIED_ANSWERS))
    return "\n\n".join(
        [
            f"## Estimate of a year on {homes} simulated homes",
            fill(HOW_ESTIMATE, WIDTH),
            table(head, rows),
        ]
    )


def _plain(name: str) -> str:
    return name.strip("*")


def _percent(value: float | None, digits: int = 1) -> str:
    return "–" if value is None else f"{100.0 * value:.{digits}f} %"


def failures(found: Sequence[Findings]) -> list[tuple[Findings, Claim]]:
    return [(each, claim) for each in found for claim in claims(each) if not claim.holds]
