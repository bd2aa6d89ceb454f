"""Messages: once for a cause, solved once, kept over restarts, later in quiet hours, never a flood."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from apps.alerts.models import Alert, Message
from apps.alerts.rules import DEVICE, DISK, SILENT, STORE, Fact
from apps.alerts.sending import target_of
from apps.alerts.watching import active, deliver, forget_old, lately_solved
from apps.devices.models import SavedOption

from .conftest import CANARY, NOON, Watched


def disk(percent: float) -> Fact:
    free = round(percent * 1e9)
    return Fact(kind=DISK, value=percent, details={"free_bytes": free, "total_bytes": 100_000_000_000})


def silent(minutes: float, key: str = "meter") -> Fact:
    return Fact(kind=SILENT, key=key, value=minutes, details={"since": "2026-11-28T11:30:00+00:00"})


FULL = "Disk nearly full: 7.5\xa0GB of 93.1\xa0GB free"
NOTHING = Fact(kind=DEVICE, value=0.0)


def message(code: str) -> Fact:
    return Fact(
        kind=DEVICE, key=f"heat_pump:{code}", value=1.0, details={"source": "heat_pump", "message": code}
    )


def test_one_message_when_it_begins_and_one_when_it_is_solved(watched: Watched) -> None:
    watched.minute(disk(8), minutes=90)
    watched.minute(disk(30), minutes=90)
    assert watched.sent == [
        (CANARY, FULL, "Old backups or logs of other programs can go."),
        (CANARY, f"Solved: {FULL}", f"Solved: {FULL}"),
    ]


def test_it_is_shown_while_it_is_raised_and_two_days_after(watched: Watched) -> None:
    watched.minute(disk(8))
    assert [(alert.kind, alert.raised_at) for alert in active(watched.site)] == [(DISK, NOON)]
    watched.minute(disk(30), minutes=10)
    assert active(watched.site) == []
    (solved,) = lately_solved(watched.site, watched.at)
    assert solved.solved_at == NOON + timedelta(minutes=6)
    assert lately_solved(watched.site, watched.at + timedelta(days=2)) == []


def test_what_comes_and_goes_is_told_once_in_six_hours(watched: Watched) -> None:
    for _ in range(20):
        watched.minute(disk(8), minutes=5)
        watched.minute(disk(30), minutes=10)
    assert watched.titles == [FULL, f"Solved: {FULL}"]
    watched.at += timedelta(hours=2)
    watched.minute(disk(8))
    assert watched.titles == [FULL, f"Solved: {FULL}", FULL]


def test_each_source_and_each_message_of_a_device_is_a_cause_of_its_own(watched: Watched) -> None:
    watched.minute(silent(20), silent(20, "heat_pump"), minutes=3)
    watched.minute(NOTHING, message("F.1100"), minutes=12)
    watched.minute(NOTHING, message("F.1100"), message("F.75"), minutes=12)
    watched.minute(NOTHING, message("F.75"), minutes=70)
    assert sorted(watched.titles[:1]) == ["heatmon: 2 messages"]
    assert watched.titles[1:] == [
        "The heat pump reports: F.1100",
        "The heat pump reports: F.75",
        "Solved: The heat pump reports: F.1100",
    ]


def test_while_nobody_can_look_nothing_is_solved(watched: Watched) -> None:
    watched.minute(silent(20))
    watched.minute(Fact(kind=SILENT, key="meter", value=None), minutes=60)
    watched.minute(disk(50), minutes=60)
    assert [alert.kind for alert in active(watched.site)] == [SILENT]


def test_in_quiet_hours_all_waits_for_their_end_and_comes_in_one_message(watched: Watched) -> None:
    watched.save(quiet_hours=["22:00", "07:00"])
    watched.at = NOON + timedelta(hours=11)  # midnight in Berlin
    watched.minute(disk(8), silent(20), minutes=60)
    assert watched.sent == []
    watched.at = NOON + timedelta(hours=18)  # 7:00
    watched.minute(disk(8), silent(20))
    assert watched.titles == ["heatmon: 2 messages"]
    assert FULL in watched.sent[0][2] and "Meter: no new values since" in watched.sent[0][2]


def test_what_began_and_was_solved_in_quiet_hours_is_not_told_at_all(watched: Watched) -> None:
    watched.save(quiet_hours=["22:00", "07:00"])
    watched.at = NOON + timedelta(hours=11)
    watched.minute(disk(8), minutes=10)
    watched.minute(disk(30), minutes=10)
    watched.at = NOON + timedelta(hours=18)
    watched.minute(disk(30), minutes=10)
    assert watched.sent == []


def test_values_that_cannot_be_stored_are_told_at_night_too(watched: Watched) -> None:
    watched.save(quiet_hours=["22:00", "07:00"])
    watched.at = NOON + timedelta(hours=11)
    watched.minute(Fact(kind=STORE, value=1.0, details={"code": "disk_full"}), minutes=4)
    assert watched.titles == ["The disk is full: nothing can be stored until some space is free again"]


def test_a_service_that_fails_is_asked_at_growing_intervals_and_gets_it_once(watched: Watched) -> None:
    watched.works = False
    watched.minute(disk(8), minutes=120)
    assert (watched.tried, watched.sent) == (6, [])
    watched.works = True
    watched.minute(disk(8), minutes=120)
    assert watched.titles == [FULL]


def test_after_a_day_in_vain_it_gives_up(watched: Watched) -> None:
    watched.works = False
    watched.minute(disk(8))
    for _ in range(40):
        watched.at += timedelta(minutes=59)
        watched.minute(disk(8))
    assert Message.objects.get().gave_up
    tried = watched.tried
    watched.minute(disk(8), minutes=120)
    assert watched.tried == tried


def test_one_target_that_fails_keeps_no_other_from_its_message(watched: Watched) -> None:
    watched.save(notify_targets=[CANARY, "json://127.0.0.1/second"])
    taken: list[str] = []

    def send(address: str, _title: str, _text: str) -> bool:
        if address != CANARY:
            taken.append(address)
        return address != CANARY

    watched.works = False
    watched.minute(disk(8))
    for minute in range(60):
        deliver(watched.site, watched.at + timedelta(minutes=minute), send)
    assert taken == ["json://127.0.0.1/second"]


def test_nothing_is_told_of_what_was_solved_before_anybody_was_told(watched: Watched) -> None:
    watched.works = False
    watched.minute(disk(8), minutes=10)
    watched.minute(disk(30), minutes=10)
    watched.works = True
    watched.minute(disk(30), minutes=120)
    assert watched.sent == []


def test_a_switch_turns_an_alert_off_and_takes_a_raised_one_back(watched: Watched) -> None:
    watched.minute(disk(8))
    watched.save(alert_rules={DISK: {"on": False}})
    watched.minute(disk(8), minutes=10)
    assert active(watched.site) == []
    assert watched.titles == [FULL]


def test_a_threshold_of_the_owner_counts(watched: Watched) -> None:
    watched.save(alert_rules={DISK: {"on": True, "threshold": 5.0}})
    watched.minute(disk(8), minutes=10)
    assert watched.sent == []
    watched.minute(disk(4))
    assert len(watched.sent) == 1


def test_without_a_target_alerts_are_shown_and_nothing_is_kept_for_later(watched: Watched) -> None:
    watched.save(notify_targets=None)
    watched.minute(disk(8), minutes=10)
    assert len(active(watched.site)) == 1
    assert not Message.objects.exists()


def test_the_environments_targets_are_used_until_others_are_saved(watched: Watched, settings: Any) -> None:
    watched.save(notify_targets=None)
    values = {**settings.HEATMON.values, "notify_urls": ("json://127.0.0.1/env",)}
    settings.HEATMON = type(settings.HEATMON)(values=values, given=frozenset())
    watched.minute(disk(8))
    assert [address for address, _title, _text in watched.sent] == ["json://127.0.0.1/env"]


@pytest.mark.parametrize("kind", ["DEMO", "SCRATCH"])
def test_what_is_simulated_is_told_to_nobody(watched: Watched, settings: Any, kind: str) -> None:
    setattr(settings, kind, True)
    watched.minute(disk(8))
    assert watched.sent == []


def test_an_alert_is_in_the_log_too(watched: Watched, caplog: pytest.LogCaptureFixture) -> None:
    watched.minute(disk(8))
    watched.minute(disk(30), minutes=10)
    assert [record.getMessage() for record in caplog.records] == [
        f"alert raised: {FULL}",
        f"alert solved: {FULL}",
    ]


def test_a_target_taken_off_the_list_gets_nothing_that_waited(watched: Watched) -> None:
    watched.works = False
    watched.minute(disk(8))
    watched.save(notify_targets=["json://127.0.0.1/other"])
    watched.works = True
    watched.minute(disk(8), minutes=60)
    assert watched.sent == []


def test_no_address_is_in_the_database_as_text(watched: Watched) -> None:
    watched.minute(disk(8))
    assert Message.objects.get().target == target_of(CANARY) != CANARY
    assert "canary" not in "".join(SavedOption.objects.values_list("value", flat=True))


def test_old_messages_and_alerts_are_forgotten(watched: Watched) -> None:
    watched.minute(disk(8))
    watched.minute(disk(30), minutes=10)
    forget_old(watched.at + timedelta(days=29))
    assert (Alert.objects.count(), Message.objects.count()) == (1, 2)
    forget_old(watched.at + timedelta(days=31))
    assert (Alert.objects.count(), Message.objects.count()) == (0, 0)
