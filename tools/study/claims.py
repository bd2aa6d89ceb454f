"""What heatmon claims of its numbers, judged on one simulated home."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from .truth import Findings, MonthFinding

DAY_TOLERANCE_WH = 1.0
HEAT_TOLERANCE = 0.02
SPLIT_TOLERANCE = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """``worst`` says how near the truth it came, in words."""

    text: str
    holds: bool
    worst: str


def claims(found: Findings) -> list[Claim]:
    """Return the claims that this kind of house can be asked for."""
    result = [
        Claim(
            text=f"electrical energy of each local day within {DAY_TOLERANCE_WH:.0f} Wh",
            holds=found.max_day_error_wh <= DAY_TOLERANCE_WH,
            worst=f"{found.max_day_error_wh:.4f} Wh",
        )
    ]
    if found.scenario == "nameplate":
        return [*result, *_of_nameplate(found)]
    return [*result, *_of_bands(found)]


def heat_error(month: MonthFinding) -> float:
    """Return method A over the truth, less one, over intervals in state full."""
    return month.heat_kwh / month.true_full_heat_kwh - 1.0


def split_error(month: MonthFinding) -> float:
    """Return the same of hot water's electricity."""
    return month.dhw_kwh / month.true_dhw_kwh - 1.0


def heat_split_error(month: MonthFinding) -> float:
    """Return the same of hot water's heat."""
    return month.dhw_heat_kwh / month.true_dhw_heat_kwh - 1.0


def _of_nameplate(found: Findings) -> Iterator[Claim]:
    for text, errors, tolerance in (
        ("heat by method A of each month", [heat_error(month) for month in found.months], HEAT_TOLERANCE),
        (
            "hot water's electricity of each month",
            [split_error(month) for month in found.months],
            SPLIT_TOLERANCE,
        ),
        (
            "hot water's heat of each month",
            [heat_split_error(month) for month in found.months],
            SPLIT_TOLERANCE,
        ),
    ):
        worst = max(errors, key=abs)
        yield Claim(
            text=f"{text} within {tolerance:.0%} of the truth",
            holds=abs(worst) <= tolerance,
            worst=f"{worst:+.1%}",
        )


def _of_bands(found: Findings) -> Iterator[Claim]:
    months, years = found.months, found.years
    for who, bands, jaz_bands in (
        (
            "shown band",
            [(month.low_kwh, month.high_kwh) for month in months],
            [(year.low, year.high) for year in years],
        ),
        (
            "band without a flow rate",
            [(month.low_a_kwh, month.high_a_kwh) for month in months],
            [(year.low_a, year.high_a) for year in years],
        ),
    ):
        truths = [month.true_heat_kwh for month in months]
        yield _inside(f"true heat of each month inside the {who}", truths, bands)
        if years:
            yield _inside(f"true JAZ inside the {who}", [year.true for year in years], jaz_bands)


def _inside(text: str, truths: list[float], bands: list[tuple[float, float]]) -> Claim:
    """Claim that the truths lie inside. ``worst``: the smallest room between the truth and an edge, as a
    share of the truth."""
    room = min(
        min(truth - low, high - truth) / truth for truth, (low, high) in zip(truths, bands, strict=True)
    )
    return Claim(text=text, holds=room >= 0.0, worst=f"{room:+.1%} to the nearer edge")
