"""The page of a change, and the chips in the timeline and on the overview."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.changelog.observe import add_event
from apps.dashboard.pages.change import words
from apps.devices import clock
from apps.devices.models import Device, HistoryGap, Site
from apps.effects.effects import being_judged
from apps.effects.estimator import Estimate
from apps.effects.models import Effect
from apps.effects.samples import EffectDay
from apps.effects.verdicts import Side, Verdict
from apps.metrics.home import Home
from apps.metrics.models import StaleRange
from apps.metrics.store.base import StoreUnavailable
from apps.metrics.store.sqlite import SqliteStore
from tests.dashboard.house import set_up
from tests.dashboard.test_pages_overview import text_of

from .lived import change, local, note, write_days
from .test_effects import CHANGE, ROOM, days

pytestmark = pytest.mark.django_db


@pytest.fixture
def home(site: Site, now: datetime) -> Iterator[Site]:
    set_up(site)
    yield site


def page(reader: Client, entry: Any) -> str:
    response = reader.get(f"/changes/{entry.pk}")
    assert response.status_code == 200
    return text_of(response.content.decode())


def bill_of(site: Site) -> str:
    """The percentage found, as pages write it."""
    kept = Effect.objects.get(entry__site=site, entry__kind="setting")
    found = Verdict.from_json(kept.verdict).electricity
    assert found is not None
    return f"{abs(found.percent):.0f} %"


def written(store: SqliteStore, site: Site, times: float = 1.0) -> list[EffectDay]:
    found = days(times=times)
    write_days(store, site, found)
    return found


def test_a_found_effect_is_told_in_one_sentence(reader: Client, store: SqliteStore, home: Site) -> None:
    written(store, home, 0.75)
    text = page(reader, change(home, CHANGE, **{ROOM: (21, 20)}))
    assert f"The bill, heating {bill_of(home)} less electricity" in text
    assert "a day less" in text
    assert "The bill comes first because this setting acts on how much heat is needed." in text
    assert "Valid days before · after 14 · 14" in text


def test_an_effect_that_cannot_be_proven_is_never_called_none(
    reader: Client, store: SqliteStore, home: Site
) -> None:
    written(store, home)
    text = page(reader, change(home, CHANGE, **{ROOM: (21, 20)}))
    assert "not provable" in text
    assert "This is not “no effect”: two fortnights cannot tell in this house." in text


def test_the_pump_leads_where_the_flow_was_changed(reader: Client, store: SqliteStore, home: Site) -> None:
    written(store, home)
    response = reader.get(f"/changes/{change(home, CHANGE, circuits__1__curve__shift=(0, -2)).pk}")
    assert [line.who for line in response.context["effect"].headlines] == [
        "The heat pump",
        "The bill, heating",
    ]


def test_too_early_gives_a_date_and_what_to_do(reader: Client, store: SqliteStore, home: Site) -> None:
    written(store, home)
    text = page(reader, change(home, date(2026, 11, 17), **{ROOM: (21, 20)}))
    assert "too early: come back on 28 Nov" in text
    assert "Until then, change nothing else." in text


def test_while_an_answer_is_awaited_a_test_is_offered_with_what_it_costs(
    reader: Client, store: SqliteStore, home: Site
) -> None:
    written(store, home)
    early = page(reader, change(home, date(2026, 11, 17), **{ROOM: (21, 20)}))
    assert "Started now, it replaces the answer that you are waiting for." in early
    assert "It would run from tomorrow" not in early
    known = page(reader, change(home, CHANGE, **{ROOM: (21, 20)}))
    assert "Started now" not in known


def test_a_test_is_said_to_run_from_tomorrow_only_if_the_plan_proposes_that(
    reader: Client, store: SqliteStore, home: Site
) -> None:
    written(store, home)
    entry = change(home, date(2026, 11, 11), **{ROOM: (21, 20)})
    judged = being_judged(Home.of(home, clock.now()))
    assert judged is not None and judged[1] == date(2026, 11, 25)
    found = page(reader, entry)
    assert "What would settle it" in found
    assert "It would run from tomorrow" not in found
    assert "Started now" not in found


def test_a_refusal_says_why_and_whether_waiting_helps(reader: Client, store: SqliteStore, home: Site) -> None:
    text = page(reader, change(home, CHANGE, **{ROOM: (21, 20)}))
    assert (
        "Only 0 days before the change are fully measured and free of other changes; 10 are needed." in text
    )
    assert "Waiting will not help: these days are over." in text


def test_one_day_is_no_days() -> None:
    found = replace(refused(6.0, 6.0, 1, None), reason="few_days_after", alike_days=1)
    assert words.explanation(found).startswith("Only 1 day after the change is fully measured")
    before = replace(found, reason="few_days_before", before=replace(found.before, valid_days=1))
    assert words.explanation(before).startswith("Only 1 day before the change is fully measured")
    alike = words.explanation(replace(found, reason="other_weather"))
    assert alike.startswith("Only 1 day after the change had weather seen before it")


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        (-22.0, 25.0, "better or worse: these days cannot tell"),
        (-2.0, 6.0, "better or worse: these days cannot tell"),
        (-3.0, 5.0, "works as before, or nearly"),
    ],
)
def test_only_a_narrow_interval_says_that_the_pump_works_as_before(
    reader: Client, store: SqliteStore, home: Site, low: float, high: float, said: str
) -> None:
    written(store, home)
    entry = change(home, CHANGE, **{ROOM: (21, 20)})
    page(reader, entry)
    kept = Effect.objects.get(entry=entry)
    kept.verdict["efficiency"] = asdict(Estimate(percent=1.0, low_percent=low, high_percent=high))
    kept.save()
    assert said in page(reader, entry)


@pytest.mark.parametrize("what", ["to be derived", "in the meter's memory", "of the demo"])
def test_days_still_to_be_calculated_are_no_refusal(
    reader: Client, store: SqliteStore, home: Site, settings: Any, tmp_path: Path, what: str
) -> None:
    entry = change(home, CHANGE, **{ROOM: (21, 20)})
    start, end = local(CHANGE - timedelta(days=9), 0), local(CHANGE - timedelta(days=8), 0)
    if what == "to be derived":
        StaleRange.objects.create(site=home, start=start, end=end)
    elif what == "of the demo":
        settings.DATA_DIR, span = tmp_path, {"start": 0, "end": 2**31, "oldest": int(end.timestamp())}
        (tmp_path / "demo.json").write_text(json.dumps(span))
    else:
        HistoryGap.objects.create(site=home, device="meter", start=start, missing_minutes=60)
    text = page(reader, entry)
    assert "Days around the change are still being read or calculated" in text
    assert "being calculated" in text_of(reader.get("/changes").content.decode())
    assert "Waiting will not help" not in text and "Only 0 days" not in text
    StaleRange.objects.all().delete()
    HistoryGap.objects.all().delete()
    (tmp_path / "demo.json").unlink(missing_ok=True)
    assert "Only 0 days before the change are fully measured" in page(reader, entry)


def test_of_a_meter_that_was_replaced_no_days_are_awaited(
    reader: Client, store: SqliteStore, home: Site
) -> None:
    entry = change(home, CHANGE, **{ROOM: (21, 20)})
    start = local(CHANGE - timedelta(days=9), 0)
    old = Device.objects.create(
        site=home, kind=Device.Kind.METER, identifier="old", first_seen_at=start, last_seen_at=start
    )
    HistoryGap.objects.create(site=home, device=old.identifier, start=start, missing_minutes=60)
    assert "being calculated" in page(reader, entry)
    Device.objects.filter(pk=old.pk).update(active=False)
    assert "Only 0 days before the change are fully measured" in page(reader, entry)


def test_what_was_still_to_be_calculated_is_judged_once_it_is(
    reader: Client, store: SqliteStore, home: Site
) -> None:
    entry = change(home, CHANGE, **{ROOM: (21, 20)})
    mark = StaleRange.objects.create(site=home, start=local(CHANGE, 0), end=local(CHANGE, 1))
    assert "being calculated" in page(reader, entry)
    written(store, home, 0.75)
    mark.delete()
    assert "less electricity" in page(reader, entry)


def test_a_lasting_deviation_in_part_of_the_windows_limits_the_answer(
    reader: Client, store: SqliteStore, home: Site
) -> None:
    written(store, home, 0.75)
    entry = change(home, CHANGE, **{ROOM: (21, 20)})
    ends = {-40: -20, -30: -8, -25: 40, 5: None}
    seen = {
        begin: add_event(
            home,
            local(CHANGE + timedelta(days=begin), 0),
            "lasting_deviation",
            {"noticed": "2026-10-01", "percent": 20.0},
            ended_at=None if end is None else local(CHANGE + timedelta(days=end), 0),
        ).pk
        for begin, end in ends.items()
    }
    response = reader.get(f"/changes/{entry.pk}")
    assert [each.id for each in response.context["effect"].deviations] == [seen[-30], seen[5]]
    assert "Limits this answer: a lasting deviation" in text_of(response.content.decode())


def test_a_note_refused_in_summer_leads_to_the_deviation_that_ended_with_it(
    reader: Client, store: SqliteStore, home: Site
) -> None:
    write_days(store, home, [replace(day, outside_c=20.0, before_c=20.0) for day in days()])
    begin, end = local(CHANGE - timedelta(days=30), 0), local(CHANGE, 0)
    details = {"noticed": "2026-10-01", "percent": 20.0}
    deviation = add_event(home, begin, "lasting_deviation", details, ended_at=end)
    response = reader.get(f"/changes/{note(home, CHANGE, 'unplugged it').pk}?effect=1")
    assert response.context["effect"].chip.text == "no answer: hardly any heating"
    assert "What lasted around these days, by how much and until when, is told there:" in text_of(
        response.content.decode()
    )
    assert f'href="/changes/{deviation.pk}"' in response.content.decode()
    whole = reader.get(f"/changes/{deviation.pk}").context["page"].history_query
    assert whole == "?from=2026-10-01T00%3A00%3A00%2B02%3A00&to=2026-10-31T00%3A00%3A00%2B01%3A00"


NEVER = (
    "Waiting will not help: these days are over. A change or a test in weather colder than about 11 °C on "
    "average can tell."
)


@pytest.mark.parametrize(
    ("before_k", "after_k", "after_days", "until", "why", "advice"),
    [
        (2.1, 0.0, 0, None, "days before the change had only 2.1 heating degrees on average; 4", NEVER),
        (2.1, 3.4, 14, None, "before the change had only 2.1 heating degrees on average, those after", NEVER),
        (
            6.0,
            3.4,
            11,
            date(2026, 10, 24),
            "The days after the change had only 3.4 heating degrees on average; 4 are needed.",
            "There may be an answer on 24 Oct 2026, if the days until then are colder.",
        ),
    ],
)
def test_a_mild_october_says_which_days_were_too_mild_and_what_comes_of_it(
    before_k: float, after_k: float, after_days: int, until: date | None, why: str, advice: str
) -> None:
    found = refused(before_k, after_k, after_days, until)
    assert why in words.explanation(found)
    assert words.advice(found) == advice


def test_an_answer_too_wide_before_the_fortnight_is_over_says_that_waiting_helps() -> None:
    found = replace(refused(6.0, 6.0, 11, date(2026, 10, 24)), reason="too_wide")
    assert words.advice(found) == "There may be an answer on 24 Oct 2026: more days make it narrower."
    assert "Waiting will not help" in words.advice(replace(found, available_from=None))


def refused(before_k: float, after_k: float, after_days: int, until: date | None) -> Verdict:
    day = date(2026, 10, 9)

    def side(days: int, degrees_k: float) -> Side:
        return Side(
            first=day, last=day, valid_days=days, outside_c=None, degrees_k=degrees_k, energy_kwh=None
        )

    return Verdict(
        state="refused",
        reason="little_heating",
        available_from=until,
        target="space",
        leads="electricity",
        before=side(14, before_k),
        after=side(after_days, after_k),
        alike_days=0,
        electricity=None,
        efficiency=None,
        efficiency_state="refused",
        null_percent=None,
        null_dates=0,
        ids=(1,),
    )


@pytest.mark.parametrize(
    ("today", "cold", "said"),
    [
        (date(2026, 7, 20), date(2026, 9, 26), "Such weather usually comes from about 26 Sep 2026 on."),
        (date(2026, 11, 29), date(2026, 11, 29), "Now is the season for it."),
        (date(2026, 7, 20), None, ""),
    ],
)
def test_a_refusal_for_mild_weather_names_the_date_from_which_an_answer_can_be_expected(
    today: date, cold: date | None, said: str
) -> None:
    found = words.advice(refused(0.0, 1.6, 14, None), words.season(today, cold))
    assert found == " ".join(
        part
        for part in (
            "Waiting will not help: these days are over. A change or a test in weather colder than about "
            "11 °C on average can tell.",
            said,
        )
        if part
    )


def test_a_refused_summer_names_the_season_of_its_place(
    reader: Client, store: SqliteStore, home: Site
) -> None:
    set_up(home, latitude=52.5, longitude=13.4)
    warm = [replace(day, outside_c=20.0, before_c=20.0) for day in days()]
    write_days(store, home, warm)
    with clock.fixed(local(CHANGE, 12) + timedelta(days=200)):
        text = page(reader, change(home, CHANGE, **{ROOM: (21, 20)}))
    assert "Such weather usually comes from about 24 Sep 2027 on." in text


def test_what_would_settle_it_says_until_when_and_what_it_could_show(
    reader: Client, store: SqliteStore, home: Site
) -> None:
    written(store, home)
    text = page(reader, change(home, CHANGE, **{ROOM: (21, 20)}))
    assert "both values in turn, 3 days each, for eight weeks" in text
    assert "It would run from tomorrow until" in text
    assert "It shows effects from 9 % on in 8 of 10 such tests; interval about ±6 %." in text


def test_the_pumps_money_is_told_where_the_bill_is_not_provable() -> None:
    bill = Estimate(percent=-5.0, low_percent=-19.0, high_percent=8.0, without_kwh=20.0)
    less = Estimate(percent=-5.7, low_percent=-7.4, high_percent=-3.9)
    assert words.same_heat(-50.0, bill, less, "EUR") == (
        "If the house takes as much heat as before, it saves about €57 a year (€39 to €74)."
    )
    assert words.same_heat(None, bill, less, "EUR") == ""


def test_a_report_gives_the_verdict_on_the_bill_too_where_it_is_found() -> None:
    found = replace(
        refused(10.0, 10.0, 14, None),
        state="found",
        reason=None,
        leads="efficiency",
        efficiency_state="found",
        efficiency=Estimate(percent=6.0, low_percent=3.0, high_percent=9.0),
        electricity=Estimate(percent=-8.0, low_percent=-13.0, high_percent=-3.0),
    )
    bill = words.bill_chip(found)
    assert words.chip(found).text == "6\u00a0% more heat per kWh (3–9)"
    assert bill is not None and bill.text == "saves 8\u00a0% (3–13)"
    assert words.bill_chip(replace(found, leads="electricity")) is None
    assert words.bill_chip(replace(found, state="not_provable")) is None


def test_changes_judged_together_link_to_each_other(reader: Client, store: SqliteStore, home: Site) -> None:
    written(store, home, 0.75)
    first = change(home, CHANGE, **{ROOM: (21, 20)})
    second = change(home, CHANGE + timedelta(days=3), dhw__target_temperature_c=(50, 48))
    response = reader.get(f"/changes/{first.pk}")
    assert [entry.id for entry in response.context["effect"].together] == [second.pk]
    assert f'href="/changes/{second.pk}"' in response.content.decode()


def test_the_days_are_listed_and_lead_to_the_history(reader: Client, store: SqliteStore, home: Site) -> None:
    written(store, home)
    response = reader.get(f"/changes/{change(home, CHANGE, **{ROOM: (21, 20)}).pk}")
    rows = response.context["effect"].rows
    assert (len(rows), rows[0].label, rows[0].window) == (28, "Sat 17 Oct", "before")
    assert 'href="/history?range=day&amp;date=2026-10-17"' in response.content.decode()
    (cloud,) = [each for each in response.context["effect"].bill.data["sets"] if each["label"] == "after"]
    assert cloud["links"][0] == "/history?range=day&date=2026-11-01"


def test_the_days_can_be_downloaded(reader: Client, store: SqliteStore, home: Site) -> None:
    written(store, home)
    entry = change(home, CHANGE, **{ROOM: (21, 20)})
    assert 'href="?format=csv"' in reader.get(f"/changes/{entry.pk}").content.decode()
    answer = reader.get(f"/changes/{entry.pk}?format=csv")
    assert answer["Content-Disposition"] == f'attachment; filename="heatmon-change-{entry.pk}-space.csv"'
    head, *rows = b"".join(answer).decode().splitlines()
    assert head == (
        "day,window,mean_outside_temperature_c,mean_outside_temperature_before_c,energy_kwh_per_24h,heat_per_kwh"
    )
    windows = [row.split(",")[1] for row in rows]
    assert (windows.count("before"), windows.count("after")) == (14, 14)
    assert rows[0].startswith("2026-10-17,before,")
    german = b"".join(reader.get(f"/changes/{entry.pk}?format=csv&dialect=excel-de"))
    assert german.decode().splitlines()[1].startswith("2026-10-17;before;")


def test_an_event_has_no_days_to_download(reader: Client, store: SqliteStore, home: Site) -> None:
    event = add_event(home, datetime(2026, 11, 3, 8, tzinfo=UTC), "long_outage")
    assert reader.get(f"/changes/{event.pk}?format=csv").status_code == 404


def test_a_note_has_an_effect_once_it_was_asked_for(reader: Client, store: SqliteStore, home: Site) -> None:
    written(store, home, 0.75)
    entry = note(home, CHANGE)
    assert "Did this help?" in page(reader, entry)
    assert not Effect.objects.exists()
    assert "less electricity" in text_of(reader.get(f"/changes/{entry.pk}?effect=1").content.decode())
    text = page(reader, entry)
    assert "less electricity" in text
    assert "this setting" not in text
    assert "The bill comes first because it holds all that a note may tell of." in text


def test_a_note_beside_a_change_of_settings_leads_to_its_verdict(
    reader: Client, store: SqliteStore, home: Site
) -> None:
    written(store, home, 0.75)
    entry = change(home, CHANGE, **{ROOM: (21, 20)})
    beside = note(home, CHANGE + timedelta(days=10), "Guests")
    text = text_of(reader.get(f"/changes/{beside.pk}?effect=1").content.decode())
    assert "What these days show is told there, and counted once:" in text
    assert "less electricity" not in text
    assert f'href="/changes/{entry.pk}"' in reader.get(f"/changes/{beside.pk}").content.decode()


def test_changes_with_a_joint_effect_count_once(reader: Client, store: SqliteStore, home: Site) -> None:
    written(store, home, 0.75)
    for entry in (
        change(home, CHANGE, **{ROOM: (21, 20)}),
        change(home, CHANGE + timedelta(days=3), dhw__target_temperature_c=(50, 48)),
    ):
        text = page(reader, entry)
    assert Effect.objects.count() == 2
    assert "Of 1 change tested so far, the bill was provable for 1" in text


def test_an_event_has_no_verdict(reader: Client, store: SqliteStore, home: Site) -> None:
    event = add_event(home, datetime(2026, 11, 3, 8, tzinfo=UTC), "long_outage")
    assert "Did it help?" not in page(reader, event)


def test_an_entry_can_be_read_while_the_store_is_away(
    reader: Client, home: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_arguments: object) -> Home:
        raise StoreUnavailable("away")

    monkeypatch.setattr(Home, "of", away)
    assert "Attic insulated" in page(reader, note(home, CHANGE))


def test_chips_stand_in_the_timeline_and_on_the_overview(
    reader: Client, store: SqliteStore, home: Site
) -> None:
    written(store, home, 0.75)
    entries = [change(home, CHANGE, **{ROOM: (21, 20)}), note(home, CHANGE - timedelta(days=11))]
    assert "verdict" not in reader.get("/changes").content.decode()
    for entry in entries:
        reader.get(f"/changes/{entry.pk}?effect=1")
    assert Effect.objects.count() == 2
    for address in ("/changes", "/"):
        assert f"saves {bill_of(home)} (" in text_of(reader.get(address).content.decode())


def test_many_chips_cost_no_more_queries_than_one(reader: Client, home: Site) -> None:
    def queries(count: int) -> int:
        for number in range(count):
            note(home, CHANGE - timedelta(days=number), f"note {number} of {count}")
        with CaptureQueriesContext(
            connection,
        ) as asked:
            reader.get("/changes")
        return len(asked)

    queries(1)
    assert queries(1) == queries(5)
