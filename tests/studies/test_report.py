"""The page that the study writes."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from apps.metrics.estimate import EnergyDay
from tools.study.estimates import Accuracy, accuracies
from tools.study.homes import StudiedHome
from tools.study.report import estimate, write_section

FIRST = date(2025, 1, 1)
NORMALS_C = (0.4, 1.7, 5.2, 9.0, 13.8, 16.9, 18.7, 18.3, 14.4, 9.6, 4.9, 1.5)


def even_home(seed: int) -> StudiedHome:
    """2 kWh a day and 0.8 kWh for each degree below 15; each month as warm as it is normally."""

    def day(number: int) -> EnergyDay:
        on = FIRST + timedelta(days=number)
        outside_c = NORMALS_C[on.month - 1]
        space_kwh = 0.8 * max(0.0, 15.0 - outside_c)
        return EnergyDay(
            day=on,
            energy_kwh=2.0 + space_kwh,
            space_kwh=space_kwh,
            base_kwh=2.0,
            temperature_c=outside_c,
            previous_temperature_c=outside_c,
        )

    days = tuple(day(number) for number in range(365))
    return StudiedHome(seed=seed, kind="bias", days=days, normals_c=NORMALS_C, latitude=50.1, longitude=8.7)


def test_a_house_as_its_signature_is_estimated_far_better_than_by_proportion() -> None:
    found = accuracies([even_home(1)], (30,))
    (naive,), (split,) = found["naive"], found["**signature, DHW split**"]
    # 365 mean days of January, 4993.2 kWh, for a year of 2532.3 kWh
    assert naive.error == pytest.approx(4993.2 / 2532.3 - 1.0, abs=0.001)
    assert naive.held is None
    assert split.error is not None and split.error < 0.08
    assert split.held == 1.0
    assert split.answered == 1


def test_a_house_that_has_not_heated_yet_is_not_answered() -> None:
    summer = even_home(1)
    days = summer.days[150:] + summer.days[:150]
    (split,) = accuracies([replace(summer, days=days)], (30,))["**signature, DHW split**"]
    assert split.answered == 0
    assert split.error is None


def test_the_table_stands_beside_the_specifications() -> None:
    one = Accuracy(error=0.051, held=None, half_width=None, answered=3)
    other = Accuracy(error=0.049, held=0.75, half_width=0.2, answered=3)
    text = estimate({"naive": [one] * 5, "**signature, DHW split**": [other] * 5}, 3)
    assert "| naive | 5.1 % | 5.1 % | 5.1 % | 5.1 % | 5.1 % |" in text
    assert "| naive (specification) | 62 % | 61 % | 59 % | 42 % | 12.5 % |" in text
    assert "band held / half-width | 75 % / 20 % | 75 % / 20 %" in text
    assert "| homes answerable of 3 | 3 | 3 | 3 | 3 | 3 |" in text


def test_each_command_replaces_its_own_section_only(tmp_path: Path) -> None:
    page = tmp_path / "study.md"
    write_section("estimate", "homes, first", page)
    write_section("years", "days", page)
    write_section("estimate", "homes, second", page)
    text = page.read_text(encoding="utf-8")
    assert text.index("days") < text.index("homes, second")
    assert "homes, first" not in text
    assert text.count("# heatmon's numbers") == 1
