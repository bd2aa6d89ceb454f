"""The overview: all well, one source silent, nothing set up; the page and its pieces."""

from __future__ import annotations

import html
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client

from apps.changelog.models import ConfigurationVersion, Entry
from apps.devices import clock
from apps.devices.models import Device, HistoryGap, MemorySearch, Site, SourceState
from apps.devices.options import save_home_options
from apps.metrics.store.base import StoreUnavailable
from apps.metrics.store.sqlite import SqliteStore

from . import house

pytestmark = pytest.mark.django_db


def text_of(markup: str) -> str:
    """What a reader sees, blanks joined."""
    without = re.sub(r"<(script|style)\b.*?</\1>", " ", markup, flags=re.S)
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", without)).replace("\u00a0", " "))


@pytest.fixture
def filled(store: SqliteStore, site: Site, now: datetime) -> Site:
    house.set_up(site)
    house.fill(store, site, now - timedelta(days=2), now)
    return site


def test_the_cost_of_today_says_that_it_includes_the_base_fee(reader: Client, filled: Site) -> None:
    assert "Base fee included" not in text_of(reader.get("/").content.decode())
    save_home_options(filled, {"base_fee_per_day": 0.36})
    assert "Base fee included" in text_of(reader.get("/").content.decode())


def test_the_page_says_that_all_is_well_and_what_the_heat_pump_does(reader: Client, filled: Site) -> None:
    page = reader.get("/")
    text = text_of(page.content.decode())
    assert page.status_code == 200
    assert "All is well" in text
    assert "meter 8 s ago" in text
    assert "Making hot water" not in text
    assert "On standby since 13:30 (35 min)" in text


def test_a_run_is_told_with_its_begin_its_length_and_the_compressor(
    reader: Client, store: SqliteStore, site: Site, now: datetime
) -> None:
    house.set_up(site)
    with_run = datetime(2026, 11, 23, 12, 20, 8, tzinfo=UTC)
    house.fill(store, site, with_run - timedelta(days=1), with_run)
    with clock.fixed(with_run):
        text = text_of(reader.get("/").content.decode())
    assert "Heating the house since 13:00 (20 min) · compressor 100 %" in text
    assert "Electric power 2,400 W L1 800 · L2 800 · L3 800 W" in text
    assert "COP, 30 min estimated 4.97 delta T: 4.55" in text
    assert "1 kWh electricity 4.0 kWh from the surroundings = 5.0 kWh heat" in text


def test_today_tells_energy_cop_starts_and_yesterday_until_now(reader: Client, filled: Site) -> None:
    text = text_of(reader.get("/").content.decode())
    assert "Today until 14:05" in text
    assert "Electricity 11.1 kWh" in text
    assert "(heat known for 100 %)" in text
    assert "Starts and run time 9 starts · 4 h 30 min" in text
    assert "Yesterday until 14:05 11.1 kWh" in text


def test_each_temperature_has_its_card_with_age(reader: Client, filled: Site) -> None:
    ConfigurationVersion.objects.create(
        site=filled,
        device="7571",
        at=datetime(2026, 11, 1, tzinfo=UTC),
        settings={"dhw.target_temperature_c": 50},
    )
    text = text_of(reader.get("/").content.decode())
    assert "Flow 30.0 °C 2 min ago" in text
    assert "Return 28.0 °C 2 min ago" in text
    assert "Hot water 49.7 °C 2 min ago · target 50.0 °C" in text


def test_a_silent_heat_pump_greys_only_its_own_cards(
    reader: Client, store: SqliteStore, site: Site, now: datetime
) -> None:
    house.set_up(site)
    house.fill(store, site, now - timedelta(days=1), now, cloud_gap=(now - timedelta(minutes=45), now))
    page = reader.get("/").content.decode()
    text = text_of(page)
    assert "Heat pump: no new values since 13:22" in text
    assert "All is well" not in text
    assert "stale since 13:22" in text
    assert page.count('data-state="stale"') == 4
    assert '<div class="value" data-state="fresh">' in page


def test_a_silent_meter_keeps_its_last_value_with_its_time(
    reader: Client, store: SqliteStore, site: Site, now: datetime
) -> None:
    house.set_up(site)
    house.fill(store, site, now - timedelta(days=1), now - timedelta(minutes=20))
    text = text_of(reader.get("/").content.decode())
    assert "Meter: no new values since 13:45" in text
    assert "State unknown Electric power" in text
    assert "30 W stale since 13:45" in text


def test_a_failed_poll_is_not_well_though_its_values_are_fresh(
    reader: Client, filled: Site, now: datetime
) -> None:
    SourceState.objects.create(site=filled, source="heat_pump", error_code="no_answer", last_error_at=now)
    page = reader.get("/").content.decode()
    assert "Heat pump: The Viessmann cloud cannot be reached" in text_of(page)
    assert "All is well" not in page
    assert 'class="dot dot--warn"' in page
    assert "dot--live" not in page


def test_a_meter_that_never_answered_is_not_live(
    reader: Client, store: SqliteStore, site: Site, now: datetime
) -> None:
    house.set_up(site)
    house.fill(store, site, now - timedelta(hours=2), now, polls=False)
    page = reader.get("/").content.decode()
    assert "Meter: no values yet" in text_of(page)
    assert "meter: no values yet · heat pump" in text_of(page), "a dot alone says nothing"
    assert 'class="dot dot--off"' in page


def test_values_without_a_device_are_not_called_well(
    reader: Client, store: SqliteStore, site: Site, now: datetime
) -> None:
    house.fill(store, site, now - timedelta(hours=2), now)
    page = reader.get("/").content.decode()
    assert "No device is connected" in text_of(page)
    assert "All is well" not in page


def test_without_devices_the_page_says_what_to_do(
    client: Client, store: SqliteStore, site: Site, now: datetime, django_user_model: type[User]
) -> None:
    client.force_login(django_user_model.objects.create_superuser("anna", password="a long enough one"))
    page = client.get("/").content.decode()
    assert "No device is connected yet" in text_of(page)
    assert 'href="/settings"' in page
    assert 'href="/setup/continue"' in page
    assert 'http-equiv="refresh"' not in page


def test_a_demo_that_is_just_being_built_renews_its_page(
    reader: Client, store: SqliteStore, site: Site, now: datetime
) -> None:
    page = reader.get("/").content.decode()
    assert "The simulated house is being built" in text_of(page)
    assert '<meta http-equiv="refresh" content="3">' in page


def test_charts_without_data_look_again_soon(
    reader: Client, store: SqliteStore, site: Site, now: datetime
) -> None:
    house.set_up(site)
    assert 'hx-trigger="every 15s"' in reader.get("/").content.decode()


def test_the_last_card_tells_the_season_and_the_month(reader: Client, filled: Site) -> None:
    text = text_of(reader.get("/").content.decode())
    assert "COP over 1 day 4.9 (4.4–5.4), estimated Heat known for 100 % of the electricity" in text
    assert "JAZ from 22 Nov 2027" in text
    assert "November, so far 39 kWh €11.81" in text


def test_the_last_changes_are_listed_and_marked_in_the_chart(
    reader: Client, filled: Site, now: datetime
) -> None:
    Entry.objects.create(
        site=filled, at=now - timedelta(hours=6), kind="note", text="Bled the radiators", author_name="anna"
    )
    response = reader.get("/")
    text = text_of(response.content.decode())
    assert "Bled the radiators 23 Nov 2026, 08:05 · note by anna" in text
    assert "1 23 Nov, 08:05 Bled the radiators" in text
    assert [marker.number for marker in response.context["panel"].spec.markers] == [1]


def test_what_is_typed_into_a_note_stays_text(reader: Client, filled: Site, now: datetime) -> None:
    Entry.objects.create(site=filled, at=now - timedelta(hours=6), kind="note", text="</script><img src=x>")
    markup = reader.get("/").content.decode()
    assert "<img src=x>" not in markup


def test_htmx_gets_the_cards_alone_and_the_alarm_line_out_of_band(reader: Client, filled: Site) -> None:
    page = reader.get("/", headers={"HX-Request": "true", "HX-Target": "live"})
    markup = page.content.decode()
    assert "<html" not in markup
    assert '<span id="alarms" class="row" hx-swap-oob="innerHTML">' in markup
    assert "<canvas" not in markup
    assert len(page.content) < 10_000
    assert "HX-Request" in page["Vary"]


def test_the_cards_tell_the_end_of_the_newest_interval_so_that_charts_know_when_to_ask(
    reader: Client, filled: Site
) -> None:
    page = reader.get("/").content.decode()
    assert 'data-interval="1795439100"' in page  # 14:05 local time
    assert 'hx-trigger="heatmon:interval"' in page


def test_htmx_gets_the_charts_alone_with_their_data(reader: Client, filled: Site) -> None:
    markup = reader.get("/", headers={"HX-Request": "true", "HX-Target": "day"}).content.decode()
    assert markup.lstrip().startswith("<section")
    assert '<script id="day-data" type="application/json">' in markup
    assert markup.count("<canvas") == 3


def test_every_chart_has_its_numbers_in_a_table(reader: Client, filled: Site) -> None:
    table = reader.get("/").context["panel"].table
    assert table.columns[:2] == ["From", "Electricity kWh"]
    assert len(table.rows) == 24
    assert (table.rows[-1].head, table.rows[-1].cells[0]) == ("14:10", "1.22")


def test_the_pages_need_neither_inline_script_nor_inline_style(reader: Client, filled: Site) -> None:
    for address in ("/", "/history"):
        markup = reader.get(address).content.decode()
        assert " style=" not in markup
        assert " onclick=" not in markup
        scripts = re.findall(r"<script(?![^>]*\bsrc=)([^>]*)>", markup)
        assert all('type="application/json"' in attributes for attributes in scripts)


def test_a_store_that_does_not_answer_gives_a_sentence_and_503(
    reader: Client, filled: Site, store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_arguments: object, **_named: object) -> None:
        raise StoreUnavailable("disk I/O error")

    monkeypatch.setattr(store, "rows", away)
    page = reader.get("/")
    assert page.status_code == 503
    assert "The time-series store is not responding." in text_of(page.content.decode())


def test_numbers_and_dates_are_german_for_a_german_reader(reader: Client, filled: Site) -> None:
    text = text_of(reader.get("/", headers={"Accept-Language": "de"}).content.decode())
    assert "30,0 °C" in text
    assert "23.11.2026 14:05" in text


def test_the_icon_is_found_without_having_read_a_page(client: Client, db: None) -> None:
    answer = client.get("/favicon.ico")
    assert (answer.status_code, answer["Location"]) == (302, "/static/favicon.svg")


def test_a_silent_heat_pump_that_runs_gives_no_heat_and_no_cop(
    reader: Client, store: SqliteStore, site: Site
) -> None:
    at = datetime(2026, 11, 23, 13, 50, 5, tzinfo=UTC)
    house.set_up(site)
    house.fill(store, site, at - timedelta(hours=6), at)
    start = int(at.timestamp()) // 300 * 300 - 2400
    rows = list(store.rows(site.pk, "heat_pump", start, start + 3000, circuit=""))
    store.write([replace(row, values={"newest_source_at": float(start - 60)}) for row in rows])
    with clock.fixed(at):
        live = reader.get("/").context["live"]
    assert house.running(int(at.timestamp()))
    assert (live.hero.state, live.hero.heat.value, live.hero.cop.value) == ("running", None, None)
    assert live.hero.heat.meta == "nothing new from the heat pump since 14:09"
    assert live.level == "warn"


def test_a_wrong_clock_and_a_sign_in_that_ends_are_told_though_all_values_are_fresh(
    reader: Client, filled: Site, now: datetime
) -> None:
    SourceState.objects.create(
        site=filled, source="meter", last_success_at=now, report={"clock_offset_s": 3660}
    )
    SourceState.objects.create(
        site=filled, source="heat_pump", last_success_at=now, login_ends_at=now + timedelta(days=3)
    )
    text = text_of(reader.get("/").content.decode())
    assert "Meter: The clock of the meter at 192.168.1.50 is 61 min ahead" in text
    assert "Heat pump: The sign-in to the Viessmann cloud ends on 26 Nov 2026" in text
    assert "All well" not in text


def test_how_far_the_meters_own_history_is_stands_among_the_cards(
    reader: Client, filled: Site, now: datetime
) -> None:
    Device.objects.create(
        site=filled, kind="meter", identifier="A0B1C2D3E4F5", first_seen_at=now, last_seen_at=now
    )
    assert "History from the meter" not in text_of(reader.get("/").content.decode())
    begins_at = now - timedelta(days=59)
    MemorySearch.objects.create(
        site=filled, device="A0B1C2D3E4F5", begins_at=begins_at, whole_at=now, hour_s=1.5
    )
    midnight = datetime(2026, 11, 11, 23, 0, tzinfo=UTC)  # of 12 November, at home
    count = (midnight - begins_at) // timedelta(hours=1)
    hours = [midnight - timedelta(hours=number) for number in range(1, count + 1)]
    HistoryGap.objects.bulk_create(
        HistoryGap(site=filled, device="A0B1C2D3E4F5", start=hour, missing_minutes=60) for hour in hours
    )
    for page in (reader.get("/"), reader.get("/", headers={"HX-Request": "true", "HX-Target": "live"})):
        assert "History from the meter newest first, about 28 minutes left 12 of 60 days" in text_of(
            page.content.decode()
        )
    HistoryGap.objects.update(state="filled")
    assert "History from the meter" not in text_of(reader.get("/").content.decode())
