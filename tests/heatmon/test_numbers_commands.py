"""``recalculate`` and ``report`` in the terminal."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from apps.devices.models import Site
from apps.metrics.apps import use_store
from apps.metrics.marks import mark_stale
from apps.metrics.store.sqlite import SqliteStore
from tests.metrics.data import SITE, at, steady_hours

START = at("2026-01-15T12:00+01:00")


@pytest.fixture
def store(tmp_path: Path, db: None) -> Iterator[SqliteStore]:
    Site.objects.create(id=SITE)
    scratch = SqliteStore(tmp_path / "timeseries.sqlite3", synchronous="OFF")
    with use_store(scratch):
        yield scratch
    scratch.close()


def run(*words: str) -> str:
    out = io.StringIO()
    call_command(*words, stdout=out)
    return out.getvalue()


def test_recalculate_derives_what_raw_data_gives(
    store: SqliteStore, capsys: pytest.CaptureFixture[str]
) -> None:
    store.write(steady_hours(START, START + 7200, 3000.0))
    assert "five-minute intervals derived" in run("recalculate")
    sums = store.sums(SITE, ["electrical_energy_wh"], [START, START + 7200])["electrical_energy_wh"]
    assert sums[0].sum == pytest.approx(6000.0)
    assert "recalculate: 100 %" in capsys.readouterr().err


def test_recalculate_of_some_days_leaves_the_others(store: SqliteStore) -> None:
    store.write(steady_hours(START, START + 3600, 3000.0))
    store.write(steady_hours(START + 3 * 86_400, START + 3 * 86_400 + 3600, 3000.0))
    run("recalculate", "--from", "2026-01-18")
    assert store.extent(SITE, "interval") == (START + 3 * 86_400, START + 3 * 86_400 + 3600)


def test_recalculate_resumes_with_what_is_marked(store: SqliteStore) -> None:
    store.write(steady_hours(START, START + 3600, 3000.0))
    mark_stale(SITE, START, START + 600)
    run("recalculate", "--resume")
    assert store.sums(SITE, ["electric_s"], [START, START + 3600])["electric_s"][0].sum == 1200.0


def test_recalculate_without_data_says_so(store: SqliteStore) -> None:
    assert run("recalculate") == "There is no raw data in that period.\n"


@pytest.mark.parametrize(
    "words",
    [
        ("recalculate", "--from", "2026-02-01", "--to", "2026-01-01"),
        ("recalculate", "--from", "yesterday"),
        ("recalculate", "--resume", "--from", "2026-01-01"),
        ("report", "--from", "2026-02-01", "--to", "2026-01-01"),
        ("report", "--period", "decade"),
    ],
)
def test_wrong_use_ends_with_two(store: SqliteStore, words: tuple[str, ...]) -> None:
    with pytest.raises(CommandError) as error:
        run(*words)
    assert error.value.returncode in {1, 2}


def test_report_shows_the_numbers_of_the_api(store: SqliteStore) -> None:
    store.write(steady_hours(START, START + 7200, 3000.0))
    run("recalculate")
    days = ("--from", "2026-01-15", "--to", "2026-01-16")

    table = run("report", *days)
    assert "2026-01-15" in table
    assert "6.00" in table
    assert "4.00" in table
    assert "–" in table

    answer = json.loads(run("report", *days, "--format", "json"))
    assert [row["label"] for row in answer["rows"]] == ["2026-01-15", "2026-01-16"]
    assert answer["rows"][0]["electrical_energy_kwh"] == pytest.approx(6.0)
    assert answer["rows"][0]["start"] == "2026-01-15T00:00:00+01:00"
    assert answer["rows"][1]["electrical_energy_kwh"] is None

    lines = list(csv.DictReader(io.StringIO(run("report", *days, "--format", "csv"))))
    assert float(lines[0]["cop"]) == pytest.approx(4.0)
    assert lines[1]["cop"] == ""


@pytest.mark.parametrize("period", ["day", "week", "month", "year"])
def test_report_of_every_period_works_without_data(store: SqliteStore, period: str) -> None:
    assert "Heat and COP are estimated" in run("report", "--period", period)
