"""A week of a simulated house (``HEATMON_STUDY_DAYS=30``: a month, as in .ci/run) against the truth.

Raw rows come in bulk; from there on everything is done as with real ones. ``make study`` does 400 days.
"""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import date, timedelta

import pytest
from django.db import transaction
from pytest_django.plugin import DjangoDbBlocker

from apps.devices.models import Site
from apps.metrics.store.sqlite import SqliteStore
from tools.study.claims import claims, heat_error, heat_split_error, split_error
from tools.study.truth import Findings, MonthFinding, studied

pytestmark = pytest.mark.django_db  # tells pytest-django to make the database

DAYS = int(os.environ.get("HEATMON_STUDY_DAYS", "7"))
LAST = date(2026, 3, 31)  # clocks change on the 29th
SEED = 1


@pytest.fixture(scope="module")
def found(
    tmp_path_factory: pytest.TempPathFactory, django_db_setup: None, django_db_blocker: DjangoDbBlocker
) -> Findings:
    """One run for all tests; what it wrote into the ORM is taken back."""
    store = SqliteStore(tmp_path_factory.mktemp("study") / "timeseries.sqlite3", synchronous="OFF")
    first = LAST - timedelta(days=DAYS - 1)
    with django_db_blocker.unblock(), transaction.atomic():
        site = Site.objects.create(name="studied")
        result = studied(
            store, site, SEED, "nameplate", first, DAYS, with_gaps=DAYS > 14, month_days=min(DAYS, 31)
        )
        transaction.set_rollback(True)
    store.close()
    return result


@pytest.fixture
def stretch(found: Findings) -> MonthFinding:
    """All days as one."""
    (only,) = found.months
    return only


def test_a_house_in_march_heats(stretch: MonthFinding) -> None:
    assert stretch.true_full_heat_kwh > 15.0 * DAYS
    assert stretch.true_dhw_kwh > 0.5 * DAYS
    assert stretch.coverage > 0.9


def test_electricity_of_each_local_day_is_within_one_watt_hour(found: Findings) -> None:
    assert found.max_day_error_wh <= 1.0
    assert found.energy_kwh == pytest.approx(found.true_energy_kwh, abs=0.001 * DAYS)


def test_heat_by_method_a_is_within_two_per_cent(stretch: MonthFinding) -> None:
    assert abs(heat_error(stretch)) <= 0.02


def test_hot_waters_electricity_and_heat_are_within_five_per_cent(stretch: MonthFinding) -> None:
    assert abs(split_error(stretch)) <= 0.05
    assert abs(heat_split_error(stretch)) <= 0.05


def test_a_claim_that_does_not_hold_is_told(found: Findings, stretch: MonthFinding) -> None:
    assert [claim.holds for claim in claims(found)] == [True, True, True, True]
    wrong = replace(
        found,
        max_day_error_wh=1.01,
        months=(replace(stretch, heat_kwh=stretch.true_full_heat_kwh * 1.021),),
    )
    assert [claim.holds for claim in claims(wrong)] == [False, False, True, True]


def test_a_true_heat_outside_the_band_is_told(found: Findings, stretch: MonthFinding) -> None:
    biased = replace(found, scenario="bias")
    assert [claim.holds for claim in claims(biased)] == [True, True, True]
    wrong = replace(biased, months=(replace(stretch, true_heat_kwh=stretch.high_kwh + 1.0),))
    assert [claim.holds for claim in claims(wrong)] == [True, False, False]
