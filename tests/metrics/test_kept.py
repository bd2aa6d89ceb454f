"""Answers are kept for as long as what they rest on stays the same, and no longer."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from apps.devices.models import Site
from apps.devices.options import HomeOptions
from apps.metrics.home import Home
from apps.metrics.kept import kept_if
from apps.metrics.models import DerivedState
from apps.metrics.parameters import SiteParameters
from apps.metrics.periods import energy_rows
from apps.metrics.stale import derive_stale, mark_stale
from apps.metrics.store.base import Row, TimeSeriesStore

from .data import SITE, home_of

AT = datetime(2027, 1, 15, 12, 0, 7, tzinfo=UTC)
DAY = date(2027, 1, 15)


def energy(home: Home) -> float | None:
    return energy_rows(home, "day", DAY, DAY)[0].electrical_energy_kwh


def write(store: TimeSeriesStore, wh: float) -> None:
    at = int(AT.timestamp()) // 300 * 300 - 600
    values: dict[str, float | None] = {"electrical_energy_wh": wh, "electric_s": 300.0}
    store.write([Row(site=SITE, measurement="interval", device="heatmon", at=at, values=values)])


@pytest.fixture
def home(store: TimeSeriesStore, site: Site) -> Home:
    write(store, 1000.0)
    return replace(home_of(store, HomeOptions(time_zone="UTC"), AT), version=1)


def test_the_same_question_is_answered_from_memory(home: Home) -> None:
    assert energy(home) == 1.0
    write(home.store, 2000.0)
    assert energy(home) == 1.0


def test_an_answer_that_is_not_final_is_asked_for_again_and_worked_out_once_each_time(home: Home) -> None:
    asked: list[float | None] = []

    def question(home: Home) -> float | None:
        asked.append(energy(replace(home, version=None)))
        return asked[-1]

    def is_final(kwh: float | None) -> bool:
        return kwh == 2.0

    kept_once_two = kept_if(is_final)(question)
    assert kept_once_two(home) == 1.0
    write(home.store, 2000.0)
    assert (kept_once_two(home), kept_once_two(home)) == (2.0, 2.0)
    assert asked == [1.0, 2.0]


@pytest.mark.parametrize(
    "changed",
    [
        {"version": 2},
        {"at": AT + timedelta(minutes=5)},
        {"options": HomeOptions(time_zone="UTC", electricity_price=0.3)},
    ],
)
def test_a_new_derivation_interval_or_option_asks_anew(home: Home, changed: dict[str, object]) -> None:
    assert energy(home) == 1.0
    write(home.store, 2000.0)
    assert energy(replace(home, **changed)) == 2.0  # type: ignore[arg-type]


def test_without_a_version_nothing_is_kept(home: Home) -> None:
    unversioned = replace(home, version=None)
    assert energy(unversioned) == 1.0
    write(home.store, 2000.0)
    assert energy(unversioned) == 2.0


def test_every_derivation_raises_the_version(store: TimeSeriesStore, site: Site) -> None:
    at = int(AT.timestamp()) // 300 * 300 - 3600
    store.write(
        [
            Row(
                site=SITE,
                measurement="meter_minute",
                device="M",
                at=at + 60 * minute,
                values={"energy_a_wh": 10.0, "energy_wh": 10.0, "provisional": 0.0},
            )
            for minute in range(5)
        ]
    )
    versions = []
    for _turn in range(2):
        mark_stale(SITE, at, at + 300)
        derive_stale(store, SITE, SiteParameters, AT)
        versions.append(DerivedState.objects.get(site_id=SITE).version)
    assert versions == [1, 2]
