"""What is normal, and entries of lasting deviations: pages and API."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from django.test import Client

from apps.changelog.models import Entry
from apps.changelog.timeline import entries
from apps.dashboard import formatting
from apps.devices.models import Site
from apps.effects.effects import judge_all
from apps.effects.facts import facts_of
from apps.metrics.store.sqlite import SqliteStore
from tests.dashboard.house import set_up
from tests.dashboard.test_pages_overview import text_of

from .known import house_days
from .lived import change, local, note, write_days
from .years import FIRST, here, lived, more

pytestmark = pytest.mark.django_db

SINCE = date(2026, 10, 20)


@pytest.fixture
def home(site: Site, now: datetime) -> Iterator[Site]:
    set_up(site)
    yield site


@pytest.mark.slow
def test_what_is_normal_shows_changes_and_notes_that_lead_back(
    reader: Client, store: SqliteStore, home: Site
) -> None:
    lived(store, home, date(2027, 1, 1), 1.0)
    written = note(home, date(2026, 11, 10), "Attic insulated")
    response = reader.get("/normal")
    assert [marker.text for marker in response.context["page"].spec.markers] == ["Attic insulated"]
    assert f'href="/changes/{written.pk}" title="Attic insulated"' in response.content.decode()


@pytest.mark.slow
def test_a_quiet_year_is_as_expected(reader: Client, store: SqliteStore, home: Site) -> None:
    lived(store, home, date(2027, 1, 1), 1.0)
    body = reader.get("/api/expected").json()
    assert (len(body["rows"]), body["deviation"]) == (60, None)
    assert list(body["rows"][0]) == [
        "label", "electrical_energy_kwh", "expected_kwh", "low_kwh", "high_kwh", "reason",
    ]  # fmt: skip
    assert body["rows"][-1]["label"] == "2026-11-22"
    held = [row["low_kwh"] <= row["electrical_energy_kwh"] <= row["high_kwh"] for row in body["rows"]]
    assert sum(held) > 40
    assert "as expected" in text_of(reader.get("/normal").content.decode())


@pytest.mark.slow
def test_a_lasting_deviation_is_an_entry_with_since_when_and_by_how_much(
    reader: Client, store: SqliteStore, home: Site
) -> None:
    lived(store, home, SINCE, 1.35)
    judge_all(here(home, store))
    (entry,) = entries(home, kind=Entry.Kind.EVENT)
    assert abs((entry.at.date() - SINCE).days) <= 7
    assert entry.title.startswith("Consumption 3") and entry.title.endswith("% above expected")
    deviation = reader.get("/api/expected").json()["deviation"]
    assert deviation["low_percent"] < 35 < deviation["high_percent"]
    text = text_of(reader.get("/normal").content.decode())
    assert "No setting was changed near its beginning." in text


@pytest.mark.slow
def test_the_page_of_a_deviation_says_how_much_and_what_moved_and_asks_for_the_reason(
    reader: Client, store: SqliteStore, home: Site
) -> None:
    lived(store, home, SINCE, 1.35)
    judge_all(here(home, store))
    (entry,) = entries(home, kind=Entry.Kind.EVENT)
    page = text_of(reader.get(f"/changes/{entry.id}").content.decode())
    assert "more electricity than expected" in page
    assert "a day, noticed on" in page
    assert "What to check" in page
    assert "Do you know the reason? Nothing has been noted yet." in page
    normal = reader.get("/normal").content.decode()
    assert f'<a href="/changes/{entry.id}">I know why' in normal


@pytest.mark.slow
def test_a_deviation_is_noted_once_however_often_it_is_looked_for(store: SqliteStore, home: Site) -> None:
    lived(store, home, SINCE, 1.35)
    for number in range(3):
        judge_all(replace(here(home, store), at=here(home, store).at + timedelta(days=number)))
    assert Entry.objects.filter(event_code="lasting_deviation").count() == 1


@pytest.mark.slow
def test_a_known_change_is_the_likely_cause_and_no_alarm(
    reader: Client, store: SqliteStore, home: Site
) -> None:
    lived(store, home, SINCE, 1.35)
    change(home, SINCE - timedelta(days=1), dhw__target_temperature_c=(45, 60))
    judge_all(here(home, store))
    assert not Entry.objects.filter(event_code="lasting_deviation").exists()
    assert "Likely cause: Hot water: target temperature" in text_of(reader.get("/normal").content.decode())


@pytest.mark.slow
def test_what_moved_with_a_deviation_is_shown_with_what_did_not(
    reader: Client, store: SqliteStore, home: Site
) -> None:
    """All that is used more is used while the compressor stands."""
    lived(store, home, SINCE, 1.35)
    note(home, SINCE - timedelta(days=2), "Guests for a month")
    text = text_of(reader.get("/normal").content.decode())
    assert "Also near its beginning: Guests for a month" in text
    assert "more electricity than expected" in text
    assert "look here Standby, a day" in text
    assert "not it Hot water, a day" in text
    assert "not known Heating rod, hours a day" in text


@pytest.mark.slow
def test_of_a_deviation_that_is_over_only_what_pointed_is_named(
    reader: Client, store: SqliteStore, home: Site
) -> None:
    days = house_days(FIRST, 418, noise=0.03).values()
    until = SINCE - timedelta(days=15)
    since = until - timedelta(days=40)
    write_days(store, home, [more(day, 1.5) if since <= day.day < until else day for day in days])
    text = text_of(reader.get("/normal").content.decode())
    assert "moved with it: Standby, a day" in text
    assert "(part of it, a sign of where to look)" in text
    assert "Hot water, a day" not in text
    assert "What to check" not in text
    assert "Days of the deviation below, and those still judged by it, are left out." in text
    judge_all(here(home, store))
    (entry,) = entries(home, kind=Entry.Kind.EVENT)
    page = reader.get(f"/changes/{entry.id}").content.decode()
    assert 'href="/normal"' in page
    # the last day of it, the same on each page
    (over,) = facts_of(here(home, store)).deviations
    assert over.until is not None
    shown = f"{formatting.local_date(over.since)} – {formatting.local_date(over.until)}"
    assert f"{shown} (begin and end ± a week)" in text
    around = f"from={over.since - timedelta(days=14)}&amp;to={over.until + timedelta(days=14)}"
    normal = reader.get("/normal").content.decode()
    assert f'href="?{around}#expected">show in the chart' in normal
    chart = reader.get(f"/normal?{around.replace('&amp;', '&')}").context["page"]
    assert (chart.first, chart.is_latest) == (over.since - timedelta(days=14), False)
    (band,) = chart.spec.markers
    assert (band.at, band.until) == tuple(
        int(local(day, 0).timestamp()) for day in (over.since, over.until + timedelta(days=1))
    )
    assert f"{shown} · " in text_of(page)
    assert f"{shown} · " in text_of(reader.get("/changes").content.decode())


def test_a_day_that_comes_late_is_known_on_the_same_day(
    reader: Client, store: SqliteStore, home: Site
) -> None:
    days = list(house_days(date(2026, 9, 1), 83, noise=0.03).values())
    write_days(store, home, days[:-3] + days[-2:])
    assert reader.get("/api/expected").json()["rows"][-3]["reason"] == "not_measured"
    assert judge_all(here(home, store)) == 0
    write_days(store, home, days[-3:])
    late = reader.get("/api/expected").json()["rows"][-3]
    assert (late["label"], late["reason"]) == ("2026-11-20", None)
    assert late["electrical_energy_kwh"] == pytest.approx(days[-3].energy_kwh)


@pytest.mark.slow
def test_numbers_derived_anew_change_what_is_expected(reader: Client, store: SqliteStore, home: Site) -> None:
    """As when another channel of the meter was chosen."""
    days = list(house_days(date(2026, 9, 1), 83, noise=0.03).values())
    write_days(store, home, days)
    before = reader.get("/api/expected").json()["rows"][-1]["expected_kwh"]
    write_days(store, home, [more(day, 0.5) for day in days])
    assert reader.get("/api/expected").json()["rows"][-1]["expected_kwh"] == pytest.approx(
        before / 2, rel=0.02
    )


@pytest.mark.slow
def test_without_a_deviation_the_page_says_how_far_it_is_from_one(
    reader: Client, store: SqliteStore, home: Site
) -> None:
    lived(store, home, date(2026, 11, 1), 1.06)
    facts = facts_of(here(home, store))
    assert facts.level is not None
    assert (round(facts.level.limit_percent), 4 < facts.level.percent < 6) == (10, True)
    text = text_of(reader.get("/normal").content.decode())
    assert "The last 28 days together: +6 %. This house would have to differ by more than 10 %." in text
    assert "days count, from 24 Sep to 22 Nov;" in text


@pytest.mark.slow
def test_many_days_outside_of_the_band_are_not_called_as_expected(
    reader: Client, store: SqliteStore, home: Site
) -> None:
    """As many far above as far below: in all, as expected."""
    days = house_days(FIRST, 418, noise=0.03).values()
    odd = date(2026, 10, 1)
    write_days(
        store, home, [more(day, 1.3 if day.day.day % 2 else 0.7) if day.day >= odd else day for day in days]
    )
    text = text_of(reader.get("/normal").content.decode())
    assert "There is no lasting deviation." in text
    assert "no alarm, but fewer days than usual lie inside the band" in text
    assert "as expected" not in text


def test_wrong_days_for_the_chart_are_named(reader: Client, store: SqliteStore, home: Site) -> None:
    lived(store, home, date(2027, 1, 1), 1.0, first=date(2026, 9, 1), count=83)
    for query in ("from=yesterday", "from=2026-11-01&to=2026-10-01"):
        refused = reader.get(f"/normal?{query}")
        assert (refused.status_code, 'role="alert"' in refused.content.decode()) == (400, True)


def test_pages_that_belong_to_another_mark_it_in_the_menu(
    reader: Client, store: SqliteStore, home: Site
) -> None:
    for address in ("/normal", "/compare"):
        assert '<a href="/energy" aria-current="page">' in reader.get(address).content.decode()


def test_before_sixty_days_nothing_is_said(reader: Client, store: SqliteStore, home: Site) -> None:
    lived(store, home, date(2027, 1, 1), 1.0, first=date(2026, 11, 1), count=20)
    assert "heatmon learns your house from 60 measured days" in text_of(
        reader.get("/normal").content.decode()
    )
