"""What is looked at, in a simulated home."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from apps.alerts import facts as facts_module
from apps.alerts import rules
from apps.alerts.facts import facts_of
from apps.alerts.rules import Fact
from apps.alerts.watching import active, look
from apps.alerts.words import hint, sentence
from apps.backups import folder
from apps.changelog.observe import add_event
from apps.changelog.timeline import configuration_at
from apps.devices import storage
from apps.devices.models import SourceState
from apps.effects.alternating import EVENING
from apps.effects.models import AlternatingTest
from apps.metrics.apps import use_store
from apps.metrics.store.base import Row, StoreRefused
from apps.metrics.store.front import Store
from apps.metrics.windows import local_date
from tests.factories import Home
from tests.heatmon.conftest import home, make_home, scratch_store  # noqa: F401  (fixtures)

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.fixture
def lived(home: Home, tmp_path: Path, settings: Any) -> Iterator[Home]:  # noqa: F811
    settings.BACKUP_DIR = Path(settings.DATA_DIR) / f"backups-{tmp_path.name}"
    home.run("poll_power", "poll_heat_pump", "derive", minutes=11)
    yield home
    folder.forget_failure()


def fact(lived: Home, kind: str, key: str = "") -> Fact:
    (found,) = (one for one in facts_of(lived.site, lived.at) if (one.kind, one.key) == (kind, key))
    return found


def said(lived: Home, one: Fact) -> str:
    return sentence(one.kind, one.key, one.details, lived.collection.options.zone)


def test_a_home_in_which_all_is_well_has_a_good_value_of_each_kind(lived: Home) -> None:
    values = {(one.kind, one.key): one.value for one in facts_of(lived.site, lived.at)}
    assert {kind for kind, _key in values} == {rule.kind for rule in rules.RULES}
    assert values[rules.SILENT, "meter"] == pytest.approx(10 / 60)
    assert values[rules.SILENT, "heat_pump"] == pytest.approx(3.5)
    assert values[rules.QUOTA, ""] == pytest.approx(100 * fact(lived, rules.QUOTA).details["used"] / 1305)
    assert values[rules.LOGIN, ""] == pytest.approx(180, abs=0.1)
    assert values[rules.CYCLING, ""] in {0.0, 1.0}
    for kind in (rules.STORE, rules.DEVICE, rules.OTHER_METER, rules.DEVIATION, rules.SWITCH):
        assert values[kind, ""] == 0.0


def test_a_source_that_is_away_is_silent_since_its_last_value_with_its_cause(lived: Home) -> None:
    SourceState.objects.filter(source="meter").update(
        error_code="no_route", error_details={"host": "192.168.1.50"}
    )
    lived.move(minutes=30)
    silent = fact(lived, rules.SILENT, "meter")
    assert silent.value == pytest.approx(30 + 10 / 60)
    assert said(lived, silent) == "Meter: no new values since 12 Jan 2026, 07:10"
    assert hint(silent.kind, silent.key, silent.details, lived.collection.options.zone)


def test_a_cloud_that_repeats_itself_is_silent_since_its_newest_value(lived: Home) -> None:
    at = int(lived.at.timestamp()) // 300 * 300
    since = lived.at - timedelta(hours=5)
    values = {"requested_at": float(lived.at.timestamp()), "newest_source_at": since.timestamp()}
    lived.store.write([Row(site=lived.site.pk, measurement="heat_pump", device="D", at=at, values=values)])
    assert fact(lived, rules.SILENT, "heat_pump").value == pytest.approx(300)


def test_while_the_store_is_away_only_that_is_known(lived: Home) -> None:
    with use_store(Store.refused(StoreRefused("damaged", "it cannot be read"))):
        found = {one.kind: one.value for one in facts_of(lived.site, lived.at)}
    assert found[rules.STORE] == 1.0
    assert rules.SILENT not in found


def test_a_disk_that_is_full_is_a_fault_of_the_store(lived: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage, "fault", lambda: "disk_full")
    assert said(lived, fact(lived, rules.STORE)).startswith("The disk is full")


def test_the_newest_backup_counts_and_a_failed_one_at_once(lived: Home) -> None:
    lived.site.created_at = lived.at - timedelta(hours=2)
    assert fact(lived, rules.BACKUP).value == pytest.approx(2)
    assert said(lived, fact(lived, rules.BACKUP)) == "There is no backup yet"
    (folder.folder() / folder.name_at(lived.at - timedelta(hours=40))).write_text("x")
    assert fact(lived, rules.BACKUP).value == pytest.approx(40, abs=0.01)
    folder.note_failure(lived.at, "no_room")
    failed = fact(lived, rules.BACKUP)
    assert failed.value == facts_module.FAILED_H
    assert said(lived, failed) == "The last backup failed. There is not enough free disk space for a backup"


def test_messages_of_both_devices_and_a_wrong_clock_are_causes_each(lived: Home) -> None:
    SourceState.objects.filter(source="heat_pump").update(report={"errors": ["F.1100", "P.8"]})
    SourceState.objects.filter(source="meter").update(
        report={"errors": ["power_meter_failure"], "clock_offset_s": 3600}
    )
    found = {one.key: said(lived, one) for one in facts_of(lived.site, lived.at) if one.key.count(":") == 1}
    assert found == {
        "heat_pump:F.1100": "The heat pump reports: F.1100",
        "heat_pump:P.8": "The heat pump reports: P.8",
        "meter:power_meter_failure": "The meter reports: failure of its measuring unit",
        "meter:clock": "The meter's clock is 60 min ahead",
    }


def test_another_meter_at_the_address_is_one(lived: Home) -> None:
    SourceState.objects.filter(source="meter").update(
        error_code="other_meter", error_details={"found": "AAAAAAAAAAAA", "known": "BBBBBBBBBBBB"}
    )
    assert fact(lived, rules.OTHER_METER).value == 1.0
    assert "AAAAAAAAAAAA" in said(lived, fact(lived, rules.OTHER_METER))


def test_a_heating_rod_that_ran_counts_its_minutes_of_a_day(lived: Home) -> None:
    at = int(lived.at.timestamp()) // 300 * 300
    for ago_s, runtime_s in ((7200, 1000.0), (3600, 1900.0), (300, 2800.0)):
        row = Row(
            site=lived.site.pk,
            measurement="heat_pump",
            device="D",
            at=at - ago_s,
            values={"heating_rod_level_one_s": runtime_s},
        )
        lived.store.write([row])
    ran = fact(lived, rules.ROD)
    assert said(lived, ran).startswith("The heating rod ran for ")
    assert ran.value is not None and ran.value >= 30


def test_starts_within_an_hour_are_counted(lived: Home) -> None:
    end = int(lived.at.timestamp()) // 300 * 300 - 300
    lived.store.write(
        [
            Row(
                site=lived.site.pk,
                measurement="interval",
                device="heatmon",
                at=end - 300 * n,
                values={"compressor_starts": float(n % 2), "compressor_known_s": 300.0},
            )
            for n in range(1, 13)
        ]
    )
    assert said(lived, fact(lived, rules.CYCLING)) == (
        "Short cycling: 6 starts of the compressor within an hour"
    )


def test_an_open_deviation_counts_by_its_size(lived: Home) -> None:
    add_event(lived.site, lived.at, "lasting_deviation", {"noticed": "2026-01-12", "percent": -12.4})
    deviation = fact(lived, rules.DEVIATION)
    assert deviation.value == 12.4
    assert said(lived, deviation) == ("12 % less electricity than expected at this weather since 12 Jan 2026")


def test_on_the_evening_of_a_switch_the_hour_counts_until_the_value_is_set(lived: Home) -> None:
    key = "circuits.1.curve.slope"
    now = configuration_at(lived.site, lived.at)[key]
    today = local_date(lived.at, BERLIN)
    test = AlternatingTest.objects.create(
        site=lived.site, key=key, old=now, new=0.5, first_day=today - timedelta(days=2), blocks=18, length=3,
        created_at=lived.at,
    )  # fmt: skip
    local = lived.at.astimezone(BERLIN)
    due = fact(lived, rules.SWITCH)
    assert due.value == pytest.approx(local.hour + local.minute / 60)
    assert said(lived, due) == "Alternating test: set Heating curve, circuit 1: slope to 0.5"
    test.first_day = today - timedelta(days=4)
    test.save()
    missed = fact(lived, rules.SWITCH)
    assert missed.value == pytest.approx(24 + local.hour + local.minute / 60)
    test.new = now
    test.save()
    assert fact(lived, rules.SWITCH).value == 0.0


def test_a_reminder_is_raised_from_the_hour_chosen_on_and_over_once_the_value_is_set(lived: Home) -> None:
    at = lived.at
    for value, raised in ((17.9, 0), (18.0, 1), (25.0, 1), (0.0, 0)):
        look(lived.site, [Fact(kind=rules.SWITCH, value=value, details={"key": "x", "value": 1})], at)
        assert len(active(lived.site)) == raised
        at += timedelta(minutes=1)


def test_no_reminder_comes_before_the_hour_from_which_on_a_switch_costs_no_day() -> None:
    rule = rules.RULE[rules.SWITCH]
    assert rule.low == EVENING.hour
    assert rule.threshold is not None and rule.threshold >= rule.low


def test_the_jobs_turn_raises_what_it_sees_and_stays_whole_without_a_target(lived: Home) -> None:
    lived.move(minutes=30)
    lived.call("watch")
    assert {(alert.kind, alert.key) for alert in active(lived.site)} >= {
        (rules.SILENT, "meter"),
        (rules.SILENT, "heat_pump"),
    }
