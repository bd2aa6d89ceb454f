"""The jobs on a simulated home: what a poll leaves in store, settings history and states."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from apps.accounts.models import AuditEntry
from apps.changelog.models import ConfigurationVersion, Entry
from apps.changelog.sentences import event_title
from apps.devices.answers import unpack
from apps.devices.errors import (
    BudgetExhausted,
    DeviceRefused,
    DeviceUnreachable,
    WrongDevice,
)
from apps.devices.models import ApiCall, Device, JobRun, QuotaState, RawAnswer, SavedOption, SourceState
from apps.devices.wording import Words, words
from apps.metrics.models import MeterEvent, StaleRange
from apps.simulator.cloud_faults import OFFLINE, answering
from apps.simulator.faults import CLOUD, LOGIN, METER, Fault, refuse
from apps.simulator.settings import SLOPE
from apps.simulator.shelly_rpc import MONOPHASE
from apps.simulator.wire import json_answer
from heatmon import jobs
from tests.factories import JANUARY, METER_MAC, Home, answering_before

from .conftest import MakeHome

OTHER_MAC = "0C0D0E0F1011"


def told(state: SourceState) -> Words:
    return words(state.error_code, state.error_details)


def fault(home: Home, target: str, effect: object, **duration: float) -> None:
    lasts = timedelta(**duration).total_seconds()
    home.world.faults.append(
        Fault(name="made", target=target, start=home.at.timestamp(), duration_s=lasts, effect=effect)  # type: ignore[arg-type]
    )


# -- the meter -------------------------------------------------------------------------------------------


def test_a_poll_of_the_meter_ends_as_a_row_on_the_ten_second_grid(home: Home) -> None:
    home.move(seconds=3)
    reading = home.call("poll_power")
    (row,) = home.rows("meter", JANUARY, home.at)
    assert row.at == int(JANUARY.timestamp())
    assert row.device == METER_MAC
    assert row.values["power_w"] == pytest.approx(reading.power_w, abs=0.06)
    powers = [row.values[f"power_{phase}_w"] or 0.0 for phase in "abc"]
    assert sum(powers) == pytest.approx(row.values["power_w"], abs=0.2)
    assert row.values["energy_counter_wh"] == pytest.approx(reading.energy_counter_wh, abs=0.006)


def test_the_first_poll_writes_down_meter_and_success(home: Home) -> None:
    home.call("poll_power")
    device = home.device("meter")
    assert (device.identifier, device.profile, device.first_seen_at) == (METER_MAC, "triphase", JANUARY)
    assert (home.state("meter").last_success_at, home.state("meter").error_code) == (JANUARY, "")


def test_a_poll_repeated_at_the_same_time_changes_nothing(home: Home) -> None:
    home.call("poll_power")
    before = home.rows("meter", JANUARY, JANUARY + timedelta(minutes=1))
    home.call("poll_power")
    assert home.rows("meter", JANUARY, JANUARY + timedelta(minutes=1)) == before


def test_minutes_are_provisional_until_the_meters_own_rows_replace_them(home: Home) -> None:
    home.run("poll_power", minutes=5, seconds=10)
    provisional = home.rows("meter_minute", JANUARY, home.at)
    assert [row.values["provisional"] for row in provisional] == [1.0] * len(provisional)
    assert len(provisional) >= 4
    home.move(seconds=5)
    home.call("refine_minutes")
    refined = home.rows("meter_minute", JANUARY, JANUARY + timedelta(minutes=5))
    assert [row.values["provisional"] for row in refined] == [0.0] * 5
    assert [row.values["energy_wh"] for row in refined] == pytest.approx(
        home.world.truth.minute_energies_wh(JANUARY, JANUARY + timedelta(minutes=5)), abs=1e-9
    )


def test_a_provisional_minute_is_right_to_the_step_of_the_counter(home: Home) -> None:
    home.run("poll_power", minutes=3)
    truth = home.world.truth.minute_energies_wh(JANUARY, home.at)
    first = int(JANUARY.timestamp())
    for row in home.rows("meter_minute", JANUARY, home.at):
        assert row.values["energy_wh"] == pytest.approx(truth[(row.at - first) // 60], abs=0.04)


def test_of_another_meter_at_the_address_nothing_is_stored_and_the_state_says_so(home: Home) -> None:
    home.call("poll_power")
    home.world.shelly.mac = OTHER_MAC
    home.move(seconds=10)
    with pytest.raises(WrongDevice) as error:
        home.call("poll_power")
    assert error.value.code == "other_meter"
    assert {row.device for row in home.rows("meter", JANUARY, home.at + timedelta(seconds=1))} == {METER_MAC}
    state = home.state("meter")
    assert (
        told(state).sentence
        == f"A different meter is responding at this address: {OTHER_MAC} instead of {METER_MAC}."
    )
    assert "confirm it on the settings page" in told(state).hint
    assert Device.objects.filter(identifier=OTHER_MAC).count() == 0


def test_of_another_meters_memory_nothing_is_stored_either(home: Home) -> None:
    home.run("poll_power", minutes=2)
    stored = home.rows("meter_minute", JANUARY, JANUARY + timedelta(minutes=5))
    home.world.shelly.mac = OTHER_MAC
    home.move(minutes=4)
    with pytest.raises(WrongDevice) as error:
        home.call("refine_minutes")
    assert error.value.code == "another_device"
    assert home.rows("meter_minute", JANUARY, JANUARY + timedelta(minutes=5)) == stored


def test_a_confirmed_new_meter_is_stored_and_no_energy_reaches_across_the_change(home: Home) -> None:
    home.run("poll_power", minutes=3)
    home.world.shelly.mac = OTHER_MAC
    Device.objects.filter(identifier=METER_MAC).update(active=False)
    Device.objects.create(
        site=home.site,
        kind="meter",
        identifier=OTHER_MAC,
        first_seen_at=home.at,
        last_seen_at=home.at,
    )
    home.collection.reload()
    changed_at = home.at
    home.run("poll_power", minutes=3)
    assert home.device("meter").profile == "triphase"
    assert home.state("meter").error_code == ""
    rows = home.rows("meter_minute", changed_at - timedelta(minutes=1), home.at)
    # The minute of the change has one counter of each meter: no difference is taken.
    assert [row.device for row in rows if row.at >= changed_at.timestamp()] == [OTHER_MAC] * 2
    assert max(row.values["energy_wh"] or 0.0 for row in rows) < 200.0


def test_an_unreachable_meter_is_recorded_with_sentence_and_hint_and_cleared_on_recovery(home: Home) -> None:
    home.call("poll_power")
    home.move(seconds=10)
    fault(home, METER, refuse, minutes=1)
    failed_at = home.at
    with pytest.raises(DeviceUnreachable):
        home.call("poll_power")
    state = home.state("meter")
    assert told(state).sentence == "The meter at meter.simulated is not responding."
    assert told(state).hint
    assert (state.error_code, state.last_error_at, state.last_success_at) == (
        "unreachable",
        failed_at,
        JANUARY,
    )
    home.move(minutes=1)
    home.call("poll_power")
    state = home.state("meter")
    assert (state.error_code, state.error_details) == ("", {})
    assert (state.last_success_at, state.last_error_at) == (home.at, failed_at)


def test_an_error_left_by_an_earlier_process_is_cleared_by_the_first_good_poll(home: Home) -> None:
    fault(home, METER, refuse, seconds=5)
    with pytest.raises(DeviceUnreachable):
        home.call("poll_power")
    home.restart()
    home.move(seconds=10)
    home.call("poll_power")
    assert home.state("meter").error_code == ""


def test_a_lasting_fault_is_one_line_in_the_log_and_its_end_another(
    home: Home, caplog: pytest.LogCaptureFixture
) -> None:
    fault(home, METER, refuse, minutes=2)
    with caplog.at_level("INFO", logger="heatmon"):
        home.run("poll_power", minutes=3)
    lines = [record.getMessage() for record in caplog.records]
    assert len(lines) == 2
    assert lines[0].startswith("meter: The meter at meter.simulated is not responding. Check")
    assert lines[1] == "meter is responding again"


def test_what_answers_and_is_no_meter_is_told_apart_at_the_first_poll(home: Home) -> None:
    plug = {"mac": OTHER_MAC, "model": "SNPL-00112EU", "gen": 2, "ver": "1.7.5", "id": "shellyplugs"}
    home.world.meter_handler.handler = answering_before(
        home.world.meter_handler.handler,
        lambda path: json_answer(200, plug if path == "/shelly" else {"sys": {"mac": OTHER_MAC}}),
    )
    with pytest.raises(WrongDevice, match="shelly_without_meter"):
        home.call("poll_power")
    assert home.state("meter").error_code == "shelly_without_meter"


def test_a_meter_in_the_profile_monophase_gives_rows_and_minutes(make_home: MakeHome) -> None:
    home = make_home(profile=MONOPHASE)
    home.run("poll_power", "refine_minutes", minutes=5, seconds=20)
    assert home.device("meter").profile == "monophase"
    assert len(home.rows("meter", JANUARY, home.at)) == 32
    minutes = home.rows("meter_minute", JANUARY, JANUARY + timedelta(minutes=5))
    assert [row.values["provisional"] for row in minutes] == [0.0] * 5
    assert [row.values["energy_wh"] for row in minutes] == pytest.approx(
        home.world.truth.minute_energies_wh(JANUARY, JANUARY + timedelta(minutes=5)), abs=1e-9
    )


def test_a_profile_switched_at_the_device_is_followed(home: Home) -> None:
    home.run("poll_power", "refine_minutes", minutes=10, seconds=20)
    home.world.shelly.switch_profile(home.at.timestamp())
    home.run("poll_power", "refine_minutes", minutes=10)
    assert home.device("meter").profile == "monophase"
    rows = home.rows("meter_minute", home.at - timedelta(minutes=5), home.at)
    assert [row.values["provisional"] for row in rows][:4] == [0.0] * 4


def test_only_the_channels_of_the_heat_pump_count(home: Home) -> None:
    home.save(channel_roles={"a": "heat_pump", "b": "house", "c": "heating_rod"})
    home.run("poll_power", "refine_minutes", minutes=5, seconds=20)
    end = JANUARY + timedelta(minutes=5)
    stored = sum(energy or 0.0 for energy in home.minute_energies_wh(JANUARY, end))
    assert stored == pytest.approx(home.world.truth.energy_wh(JANUARY, end, phases="ac"), abs=1e-6)


# -- options ---------------------------------------------------------------------------------------------


def test_without_devices_the_jobs_do_nothing(home: Home) -> None:
    SavedOption.objects.all().delete()
    home.restart()
    assert home.call("poll_power") is None
    assert home.call("poll_heat_pump") is None
    assert home.call("refine_minutes") == []
    assert home.call("backfill") == 0
    assert home.world.cloud.calls == []


def test_saved_options_count_from_the_next_poll_after_a_reload(home: Home) -> None:
    home.save(shelly_url="http://elsewhere.simulated")
    home.collection.reload()
    with pytest.raises(DeviceUnreachable):
        home.call("poll_power")
    home.save(shelly_url=home.world.meter_url)
    home.collection.reload()
    assert home.call("poll_power").device == METER_MAC


def test_a_corrected_password_is_tried_after_a_reload(make_home: MakeHome) -> None:
    home = make_home(auth="2.0.0")
    home.save(shelly_password="wrong")
    with pytest.raises(DeviceRefused) as error:
        home.call("poll_power")
    assert error.value.code == "wrong_password"
    home.save(shelly_password=home.world.meter_password)
    home.collection.reload()
    assert home.call("poll_power").device == METER_MAC
    assert home.state("meter").error_code == ""


def test_a_reload_that_changes_no_login_keeps_the_session(home: Home) -> None:
    home.call("poll_power")
    client = home.collection.connected().meter
    home.save(electricity_price=0.3)
    home.collection.reload()
    assert home.collection.connected().meter is client
    assert home.collection.options.electricity_price == 0.3


def test_a_saved_password_that_cannot_be_read_any_more_stops_neither_device(home: Home) -> None:
    home.call("poll_heat_pump")
    SavedOption.objects.filter(name="viessmann_password").update(value='"not a token of this key"')
    home.restart()
    home.move(minutes=5)
    assert home.call("poll_power").device == METER_MAC
    assert home.call("poll_heat_pump").reading.device
    assert home.collection.options.viessmann_password is None


# -- the heat pump ---------------------------------------------------------------------------------------


def test_a_poll_of_the_cloud_ends_as_rows_a_raw_answer_and_a_baseline(home: Home) -> None:
    poll = home.call("poll_heat_pump")
    rows = home.rows("heat_pump", JANUARY, JANUARY + timedelta(minutes=5))
    assert [row.at for row in rows] == [int(JANUARY.timestamp())]
    assert rows[0].values["outside_temperature_c"] == poll.reading.outside_temperature_c
    assert rows[0].values["requested_at"] == JANUARY.timestamp()
    first, last = int(JANUARY.timestamp()), int(JANUARY.timestamp()) + 300
    (circuit,) = home.store.rows(home.site.pk, "heat_pump", first, last, circuit="1")
    assert circuit.values["supply_temperature_c"] == poll.reading.supply_temperature_c
    answer = RawAnswer.objects.get()
    assert (answer.at, answer.device) == (JANUARY, poll.reading.device)
    assert len(unpack(answer.payload)["data"]) > 100
    assert ConfigurationVersion.objects.get().settings[SLOPE] == 0.6
    assert Entry.objects.count() == 0
    device = home.device("heat_pump")
    assert (device.identifier, device.model) == (poll.reading.device, "CU401B_G")


def test_of_two_answers_in_five_minutes_the_later_stays_whichever_comes_last(home: Home) -> None:
    source = home.collection.connected().heat_pump
    assert source is not None
    earlier = source.poll()
    home.move(minutes=4)
    later = source.poll()
    for answer in (later, earlier):
        jobs.record_answers(home.site, home.store, [answer])
    (row,) = home.rows("heat_pump", JANUARY, JANUARY + timedelta(minutes=5))
    assert row.values["requested_at"] == (JANUARY + timedelta(minutes=4)).timestamp()


def test_an_earlier_answer_stays_beside_a_later_one_of_another_device(home: Home) -> None:
    source = home.collection.connected().heat_pump
    assert source is not None
    earlier = source.poll()
    home.move(minutes=4)
    later = source.poll()
    for answer in (replace(later, reading=replace(later.reading, device="ANOTHER")), earlier):
        jobs.record_answers(home.site, home.store, [answer])
    rows = home.rows("heat_pump", JANUARY, JANUARY + timedelta(minutes=5))
    assert {row.device for row in rows} == {"ANOTHER", earlier.reading.device}


def test_a_change_seen_in_two_polls_is_one_entry(home: Home) -> None:
    home.run("poll_heat_pump", minutes=10)
    changed_at = home.at
    home.world.house.change_setting(int(changed_at.timestamp()) + 30, SLOPE, 0.7)
    entries = []
    for _ in range(6):
        home.move(minutes=5)
        entries.append(home.call("poll_heat_pump").entry_id)
    made = [entry for entry in entries if entry is not None]
    assert len(made) == 1
    entry = Entry.objects.get()
    assert entry.pk == made[0]
    assert [(one.key, one.before, one.after) for one in entry.setting_changes.all()] == [(SLOPE, 0.6, 0.7)]
    assert changed_at <= entry.at <= changed_at + timedelta(minutes=10)


def test_the_first_poll_costs_the_login_and_a_later_one_a_single_call(home: Home) -> None:
    home.call("poll_heat_pump")
    assert [kind for _, kind in home.world.cloud.calls] == ["authorize", "token", "installations", "features"]
    home.restart()
    home.move(minutes=5)
    home.call("poll_heat_pump")
    assert [kind for _, kind in home.world.cloud.calls][4:] == ["features"]
    assert ApiCall.objects.count() == 5


def test_a_gateway_that_is_offline_is_recorded_and_cleared_on_recovery(home: Home) -> None:
    home.call("poll_heat_pump")
    home.move(minutes=5)
    fault(home, CLOUD, answering(OFFLINE)(), minutes=4)
    with pytest.raises(DeviceUnreachable):
        home.call("poll_heat_pump")
    state = home.state("heat_pump")
    assert told(state).sentence == "The heat pump's gateway is not connected to the Viessmann cloud."
    assert told(state).hint == "Check the Vitoconnect: power, Wi-Fi, status light."
    assert (state.error_code, state.last_success_at) == ("gateway_offline", JANUARY)
    home.move(minutes=5)
    home.call("poll_heat_pump")
    assert home.state("heat_pump").error_code == ""


def test_a_heat_pump_that_was_away_for_hours_stands_in_the_changes_once(home: Home) -> None:
    home.call("poll_heat_pump")
    home.move(hours=5)
    home.call("poll_heat_pump")
    assert Entry.objects.count() == 0
    away_from = home.at
    home.move(hours=7)
    home.restart()
    home.call("poll_heat_pump")
    home.move(minutes=5)
    home.call("poll_heat_pump")
    (entry,) = Entry.objects.filter(kind=Entry.Kind.EVENT)
    assert entry.at == away_from
    assert event_title(entry.event_code, entry.event_details).startswith("No data from the heat pump for 7")


def test_a_failed_cloud_login_does_not_touch_the_meter(home: Home) -> None:
    fault(home, LOGIN, refuse, hours=1)
    home.run("poll_power", "poll_heat_pump", minutes=6)
    assert told(home.state("heat_pump")).sentence == "The Viessmann cloud cannot be reached."
    assert home.state("meter").error_code == ""
    assert len(home.rows("meter", JANUARY, home.at)) == 36


def test_the_clouds_own_limit_is_recorded_with_its_end_and_not_asked_again_before(home: Home) -> None:
    home.world.cloud.daily_limit = 3
    home.call("poll_heat_pump")
    home.run("poll_heat_pump", minutes=10)
    calls = len(home.world.cloud.calls)
    home.run("poll_heat_pump", minutes=30)
    assert len(home.world.cloud.calls) == calls
    state = home.state("heat_pump")
    assert state.blocked_until is not None
    assert state.blocked_until > home.at


def test_a_pause_that_the_cloud_asked_for_calls_nobody_and_is_recorded(home: Home) -> None:
    home.call("poll_heat_pump")
    calls = len(home.world.cloud.calls)
    until = JANUARY + timedelta(hours=3)
    QuotaState.objects.update_or_create(account=home.world.cloud.client_id, defaults={"blocked_until": until})
    home.move(minutes=5)
    with pytest.raises(BudgetExhausted):
        home.call("poll_heat_pump")
    assert len(home.world.cloud.calls) == calls
    assert ApiCall.objects.count() == calls
    state = home.state("heat_pump")
    assert (state.error_code, state.blocked_until) == ("paused", until)
    assert told(state).sentence == "The Viessmann cloud has asked for a pause."
    assert told(state).hint.endswith("Next attempt: 12 Jan 2026, 09:00.")
    home.move(hours=3)
    home.call("poll_heat_pump")
    state = home.state("heat_pump")
    assert (state.error_code, state.blocked_until) == ("", None)


# -- derived numbers and upkeep --------------------------------------------------------------------------


def test_intervals_follow_the_polls(home: Home) -> None:
    home.run(minutes=36)
    first, last = JANUARY + timedelta(minutes=5), JANUARY + timedelta(minutes=30)
    rows = home.rows("interval", first, last)
    assert [row.at for row in rows] == list(range(int(first.timestamp()), int(last.timestamp()), 300))
    energy = sum(row.values["electrical_energy_wh"] or 0.0 for row in rows)
    assert energy == pytest.approx(home.world.truth.energy_wh(first, last), abs=1e-3)
    assert all(row.values["electric_s"] == 300 for row in rows)


def test_deriving_again_changes_nothing(home: Home) -> None:
    home.run(minutes=16)
    before = home.rows("interval", JANUARY, home.at)
    assert home.call("derive") >= 0
    while home.call("derive"):
        pass
    assert home.rows("interval", JANUARY, home.at) == before
    assert not StaleRange.objects.filter(start__lt=home.at - timedelta(minutes=15)).exists()


def test_a_missed_turn_of_deriving_is_made_good_by_the_next(home: Home) -> None:
    home.run("poll_power", "poll_heat_pump", "derive", minutes=6)
    home.run("poll_power", "poll_heat_pump", minutes=40)
    home.run("derive", minutes=5)
    rows = home.rows("interval", JANUARY, JANUARY + timedelta(minutes=45))
    assert len(rows) == 9


def test_after_a_restart_the_stretch_since_the_last_derived_interval_is_made_good(home: Home) -> None:
    home.run("poll_power", "poll_heat_pump", "derive", minutes=6)
    home.run("poll_power", "poll_heat_pump", minutes=40)
    home.restart()
    home.run("derive", minutes=5)
    assert len(home.rows("interval", JANUARY, JANUARY + timedelta(minutes=45))) == 9


def test_a_counter_that_was_reset_stands_in_the_changes_once(home: Home) -> None:
    home.run("poll_power", "refine_minutes", "derive", minutes=11)
    home.world.shelly.meter.reset_counters(home.at.timestamp())
    home.run("poll_power", "refine_minutes", "derive", minutes=15)
    assert [event.kind for event in MeterEvent.objects.all()] == ["counter_reset"]
    home.restart()
    home.run("poll_power", "refine_minutes", "derive", minutes=10)
    assert [entry.event_code for entry in Entry.objects.all()] == ["counter_reset"]


def test_the_nightly_upkeep_forgets_what_is_old_and_nothing_else(home: Home) -> None:
    for days in (1, 400):
        AuditEntry.objects.create(at=home.at - timedelta(days=days), action="login")
    for days in (1, 59, 61, 89, 91):
        at = home.at - timedelta(days=days)
        RawAnswer.objects.create(site=home.site, device="x", at=at, payload=b"")
        ApiCall.objects.create(at=at, account="x", purpose="poll", host="x")
    for hours in (1, 25):
        JobRun.objects.create(site=home.site, job="x", due_at=home.at - timedelta(hours=hours))
    home.call("keep_house")
    home.call("keep_house")
    ages = sorted((home.at - answer.at).days for answer in RawAnswer.objects.all())
    assert ages == [1, 59, 61, 89]
    assert sorted((home.at - call.at).days for call in ApiCall.objects.all()) == [1, 59]
    assert (JobRun.objects.count(), AuditEntry.objects.count()) == (1, 1)
