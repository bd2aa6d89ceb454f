"""``import_features``: stored answers of the cloud, in any order and quality, as often as one likes."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Iterable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.test import Client
from django.test.utils import override_settings as django_settings

from apps.changelog.models import ConfigurationVersion, Entry
from apps.devices import clock
from apps.devices.models import Device, RawAnswer
from apps.metrics.models import StaleRange
from apps.simulator.settings import COMFORT, SLOPE
from heatmon.answer_files import answers_in
from heatmon.answer_import import AnswerImport
from tests.captures import captures_dir
from tests.factories import JANUARY, Home

from .importing import refused, run

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@pytest.fixture(autouse=True)
def soon_after() -> Iterator[None]:
    """What is imported is young: answers are kept as they came for 90 days."""
    with clock.fixed(JANUARY + 24 * HOUR):
        yield


def answer(home: Home) -> dict[str, object]:
    """What the cloud would answer now."""
    content: dict[str, object] = json.loads(home.world.cloud.features(home.at.timestamp()))
    return content


def lines_file(home: Home, name: str, rows: Iterable[object]) -> Path:
    path = home.folder / name
    path.write_text("".join(f"{row if isinstance(row, str) else json.dumps(row)}\n" for row in rows))
    return path


def polls(home: Home, count: int, **changes: float) -> list[dict[str, object]]:
    """Answers five minutes apart; slope and comfort temperature change on the way."""
    now = int(home.at.timestamp())
    if changes:
        home.world.house.change_setting(now + 900, SLOPE, changes["slope"])
        home.world.house.change_setting(now + 3600, COMFORT, changes["comfort"])
    rows: list[dict[str, object]] = []
    for _ in range(count):
        rows.append({"at": home.at.isoformat(), "payload": answer(home)})
        home.move(minutes=5)
    return rows


def told() -> list[tuple[str, object, object]]:
    return [
        (change.key, change.before, change.after)
        for entry in Entry.objects.order_by("at", "id")
        for change in entry.setting_changes.all()
    ]


def test_one_answer_is_taken_at_its_newest_time_stamp(home: Home) -> None:
    home.move(hours=1)
    path = home.folder / "answer.json"
    path.write_text(json.dumps(answer(home), indent=2))
    assert run("import_features", path) == f"{path}: 1 responses\n"
    kept = RawAnswer.objects.get()
    assert JANUARY < kept.at <= home.at
    assert ConfigurationVersion.objects.get().settings[SLOPE] == 0.6
    (row,) = home.rows("heat_pump", JANUARY, home.at + 5 * MINUTE)
    assert row.values["outside_temperature_c"] is not None


def test_one_answer_is_taken_at_the_time_given(home: Home) -> None:
    path = home.folder / "answer.json"
    path.write_text(json.dumps(answer(home)))
    run("import_features", path, "--at", "2026-01-11T12:02:00+01:00")
    assert RawAnswer.objects.get().at.isoformat() == "2026-01-11T11:02:00+00:00"
    assert len(home.rows("heat_pump", JANUARY - 24 * HOUR, JANUARY)) == 1


def test_answers_of_many_polls_give_readings_and_settings_entries_in_order(home: Home) -> None:
    rows = polls(home, 20, slope=0.7, comfort=23)
    path = lines_file(home, "answers.jsonl", rows)
    assert run("import_features", path) == f"{path}: 20 responses\n"
    assert len(home.rows("heat_pump", JANUARY, home.at)) == 20
    assert told() == [(SLOPE, 0.6, 0.7), (COMFORT, 22, 23)]
    first = Entry.objects.order_by("at")[0]
    assert JANUARY + 15 * MINUTE <= first.at <= JANUARY + 30 * MINUTE
    assert home.device("heat_pump").identifier == "7571381573112225"


def test_files_are_read_in_the_order_of_their_time(home: Home) -> None:
    rows = polls(home, 20, slope=0.7, comfort=23)
    later = lines_file(home, "a-later.jsonl", rows[10:])
    earlier = lines_file(home, "b-earlier.jsonl", rows[:10])
    run("import_features", later, earlier)
    assert told() == [(SLOPE, 0.6, 0.7), (COMFORT, 22, 23)]


def test_an_import_repeated_changes_nothing(home: Home) -> None:
    path = lines_file(home, "answers.jsonl", polls(home, 20, slope=0.7, comfort=23))
    run("import_features", path)
    before = (home.rows("heat_pump", JANUARY, home.at), told(), RawAnswer.objects.count())
    versions = list(ConfigurationVersion.objects.values("at", "settings"))
    run("import_features", path)
    assert (home.rows("heat_pump", JANUARY, home.at), told(), RawAnswer.objects.count()) == before
    assert list(ConfigurationVersion.objects.values("at", "settings")) == versions


@pytest.mark.parametrize(
    "line, complaint",
    [
        ("{", "line 3 is not valid JSON"),
        ("[" * 100_000, "line 3 is not valid JSON"),
        ("[1]", 'line 3 must be an object with "at" and "payload"'),
        ('{"at": "2026-01-12T06:00:00+00:00"}', 'line 3 must be an object with "at" and "payload"'),
        ('{"at": "noon", "payload": {"data": []}}', "line 3: at: 'noon' is not a valid time"),
        (
            '{"at": "2026-01-12T06:10:00", "payload": {"data": []}}',
            "line 3: at: '2026-01-12T06:10:00' has no",
        ),
        (
            '{"at": "2026-01-12T06:10:00Z", "payload": {"data": 1}}',
            "line 3: the response contains no list of data points",
        ),
    ],
)
def test_a_broken_line_is_named_and_the_answers_before_it_are_kept(
    home: Home, line: str, complaint: str
) -> None:
    rows = polls(home, 4)
    path = lines_file(home, "answers.jsonl", [*rows[:2], line, *rows[2:]])
    said = refused("import_features", path)
    assert f"{path}: {complaint}" in said
    assert f"{path}: 2 responses" in said
    assert "Responses before it were kept; fix the file and run the command again." in said
    assert RawAnswer.objects.count() == 2
    run("import_features", lines_file(home, "answers.jsonl", rows))
    assert RawAnswer.objects.count() == 4


def test_answers_of_an_unnamed_gateway_do_not_stand_beside_the_one_that_is_polled(home: Home) -> None:
    content = answer(home)
    assert isinstance(content["data"], list)
    for feature in content["data"]:
        del feature["gatewayId"]
    run("import_features", lines_file(home, "a.json", [content]))
    assert home.device("heat_pump").identifier == "IMPORTED"
    home.move(minutes=5)
    home.call("poll_heat_pump")
    assert home.device("heat_pump").identifier == "7571381573112225"


def test_a_broken_single_answer_is_refused_at_its_line(home: Home) -> None:
    path = home.folder / "answer.json"
    text = json.dumps(answer(home), indent=2).splitlines()
    path.write_text("\n".join([*text[:40], "oops", *text[40:]]))
    assert f"{path}: line 41 is not valid JSON" in refused("import_features", path)


@pytest.mark.parametrize("content", ["", "\n\n"])
def test_an_empty_file_has_no_answers(home: Home, content: str) -> None:
    path = home.folder / "empty.json"
    path.write_text(content)
    assert "is not valid JSON" in refused("import_features", path)


def test_what_is_no_text_is_refused(home: Home) -> None:
    path = home.folder / "picture.png"
    path.write_bytes(b"\x89PNG\xff\xfe")
    assert str(path) in refused("import_features", path)


@pytest.mark.parametrize("at", ["noon", "2026-01-12T06:00:00"])
def test_a_time_without_offset_is_refused(home: Home, at: str) -> None:
    path = lines_file(home, "a.json", [answer(home)])
    assert "--at" in refused("import_features", path, "--at", at)


def test_one_time_for_several_files_is_refused(home: Home) -> None:
    path = lines_file(home, "a.json", [answer(home)])
    assert "use it with one file" in refused("import_features", path, path, "--at", "2026-01-12T06:00:00Z")


def test_a_missing_file_of_answers_is_named(home: Home) -> None:
    assert "none.json" in refused("import_features", home.folder / "none.json")


# -- whose answers ---------------------------------------------------------------------------------------


def renamed(content: dict[str, object], **changes: str | None) -> dict[str, object]:
    """The answer with other ``gatewayId`` or ``deviceId`` at every data point; None leaves it out."""
    features = content["data"]
    assert isinstance(features, list)
    kept = [{name: value for name, value in one.items() if name not in changes} for one in features]
    named = {name: value for name, value in changes.items() if value is not None}
    return {"data": [{**one, **named} for one in kept]}


def devices() -> list[tuple[str, bool]]:
    known = Device.objects.filter(kind=Device.Kind.HEAT_PUMP)
    return sorted(known.values_list("identifier", "active"))


@pytest.mark.parametrize(
    "features",
    [
        ["gateway.devices", "gateway.wifi"],
        ["rooms", "rooms.0", "rooms.0.sensors.temperature"],
        ["device.sensors.temperature", "device.power.battery"],
        ["heating.boiler.ash.level.current", "heating.boiler.sensors.temperature.main", "heating.circuits"],
    ],
    ids=["gateway", "room control", "radiator valve", "pellet boiler"],
)
def test_what_is_no_heat_pump_is_refused(home: Home, features: list[str]) -> None:
    content = {"data": [{"feature": name, "properties": {"value": {"value": 21.5}}} for name in features]}
    path = lines_file(home, "a.jsonl", [{"at": "2026-01-12T06:00:00Z", "payload": content}])
    assert f"{path}: line 1 is not a heat pump's response: it has no compressor" in refused(
        "import_features", path
    )
    assert devices() == []
    assert RawAnswer.objects.count() == 0
    assert home.rows("heat_pump", JANUARY - HOUR, JANUARY + HOUR) == []


def test_answers_of_another_gateway_are_refused(home: Home) -> None:
    home.call("poll_heat_pump")
    row = {"at": home.at.isoformat(), "payload": renamed(answer(home), gatewayId="7000000000000001")}
    said = refused("import_features", lines_file(home, "a.jsonl", [row]))
    assert "line 1 comes from 7000000000000001/0, not from your heat pump 7571381573112225" in said
    assert RawAnswer.objects.count() == 1


def test_answers_of_another_device_of_the_gateway_are_refused(home: Home) -> None:
    Device.objects.create(
        site=home.site,
        kind=Device.Kind.HEAT_PUMP,
        identifier="7571381573112225/0",
        first_seen_at=JANUARY,
        last_seen_at=JANUARY,
    )
    row = {"at": home.at.isoformat(), "payload": renamed(answer(home), deviceId="1")}
    said = refused("import_features", lines_file(home, "a.jsonl", [row]))
    assert "line 1 comes from 7571381573112225/1, not from your heat pump 7571381573112225/0" in said


def test_an_answer_that_mixes_devices_is_refused(home: Home) -> None:
    room, pump = renamed(answer(home), deviceId="RoomControl-1"), answer(home)
    assert isinstance(room["data"], list)
    assert isinstance(pump["data"], list)
    row = {"at": home.at.isoformat(), "payload": {"data": [*room["data"], *pump["data"]]}}
    said = refused("import_features", lines_file(home, "a.jsonl", [row]))
    assert "line 1 mixes several devices (0, RoomControl-1); keep only the heat pump's" in said


@pytest.mark.parametrize("serial", [None, "################"], ids=["absent", "masked"])
def test_the_heat_pump_that_is_polled_later_has_the_imported_history(home: Home, serial: str | None) -> None:
    rows = [
        {**row, "payload": renamed(row["payload"], gatewayId=serial)}  # type: ignore[arg-type]
        for row in polls(home, 4, slope=0.7, comfort=23)
    ]
    run("import_features", lines_file(home, "a.jsonl", rows))
    assert devices() == [("IMPORTED", True)]
    home.run("poll_heat_pump", hours=1)
    assert devices() == [("7571381573112225", True)]
    stored = home.rows("heat_pump", JANUARY, home.at)
    assert {row.device for row in stored} == {"7571381573112225"}
    assert len(stored) == 16
    assert {kept.device for kept in RawAnswer.objects.all()} == {"7571381573112225"}
    assert {version.device for version in ConfigurationVersion.objects.all()} == {"7571381573112225"}
    changes = [(SLOPE, 0.6, 0.7), (COMFORT, 22, 23)]
    assert told() == changes, "a change between the import and the first poll is noticed"


def test_a_gateway_known_from_a_file_is_the_device_behind_it_once_that_is_polled(home: Home) -> None:
    run("import_features", lines_file(home, "a.jsonl", polls(home, 2)))
    home.collection.remember_device(Device.Kind.HEAT_PUMP, "7571381573112225/0", home.at)
    assert devices() == [("7571381573112225/0", True)]
    assert {row.device for row in home.rows("heat_pump", JANUARY, home.at)} == {"7571381573112225/0"}


def test_an_import_keeps_what_is_known_of_the_heat_pump(home: Home) -> None:
    home.call("poll_heat_pump")
    before = Device.objects.values().get(kind=Device.Kind.HEAT_PUMP)
    run("import_features", lines_file(home, "a.jsonl", polls(home, 2)))
    assert Device.objects.values().get(kind=Device.Kind.HEAT_PUMP) == before


# -- which answers ---------------------------------------------------------------------------------------


def test_an_answer_older_than_the_stored_one_of_its_interval_does_not_replace_it(home: Home) -> None:
    early = {"at": home.at.isoformat(), "payload": answer(home)}
    home.move(minutes=4)
    home.call("poll_heat_pump")
    (polled,) = home.rows("heat_pump", JANUARY, JANUARY + 5 * MINUTE)
    run("import_features", lines_file(home, "a.jsonl", [early]))
    assert home.rows("heat_pump", JANUARY, JANUARY + 5 * MINUTE) == [polled]


def test_answers_that_would_be_forgotten_tonight_are_not_kept_as_they_came(home: Home) -> None:
    rows = polls(home, 2)
    with clock.fixed(JANUARY + timedelta(days=90, minutes=3)):
        run("import_features", lines_file(home, "a.jsonl", rows))
    assert len(home.rows("heat_pump", JANUARY, home.at)) == 2
    assert [kept.at for kept in RawAnswer.objects.all()] == [JANUARY + 5 * MINUTE]


def test_empty_answers_of_a_cloud_with_a_fault_are_left_out(home: Home) -> None:
    rows = polls(home, 2)
    empty = {"at": rows[0]["at"], "payload": {"data": []}}
    path = lines_file(home, "a.jsonl", [rows[0], empty, empty, rows[1]])
    assert run("import_features", path) == f"{path}: 2 responses; 2 without data points skipped\n"


def test_an_answer_from_the_future_is_refused(home: Home) -> None:
    row = {"at": (JANUARY + 25 * HOUR).isoformat(), "payload": answer(home)}
    assert "line 1 is in the future" in refused("import_features", lines_file(home, "a.jsonl", [row]))


# -- many answers ----------------------------------------------------------------------------------------


def test_a_long_file_is_read_line_by_line_and_marked_in_one_stretch(home: Home) -> None:
    content = answer(home)
    times = [home.at + number * 5 * MINUTE for number in range(288)] + [home.at + 30 * HOUR]
    path = lines_file(home, "a.jsonl", ({"at": at.isoformat(), "payload": content} for at in times))
    size = path.stat().st_size
    assert size > 20_000_000
    tracemalloc.start()
    try:
        answers = answers_in(path)
        first = next(answers)
        assert first.read < size / 200
        assert [one.line for one in answers] == list(range(2, 290))
        assert tracemalloc.get_traced_memory()[1] < 3_000_000
    finally:
        tracemalloc.stop()
    with clock.fixed(home.at + 31 * HOUR):
        taken = AnswerImport(home.site, home.store)
        for one in answers_in(path):
            taken.take(one, None)
        taken.store_taken()
    reach = 10 * MINUTE
    assert sorted(set(StaleRange.objects.values_list("start", "end"))) == [
        (JANUARY - reach, JANUARY + 24 * HOUR + reach),
        (JANUARY + 30 * HOUR - reach, JANUARY + 30 * HOUR + 5 * MINUTE + reach),
    ]


def test_progress_is_told_within_one_file(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    run("import_features", lines_file(home, "a.jsonl", polls(home, 4)))
    assert [line for line in capsys.readouterr().err.splitlines() if "import" in line] == [
        "import: 20 %",
        "import: 45 %",
        "import: 70 %",
        "import: 100 %",
    ]


# -- programs by hand ------------------------------------------------------------------------------------


@pytest.mark.captures
def test_comfort_by_hand_is_an_event_and_no_change_of_settings(home: Home, client: Client) -> None:
    path = captures_dir("cases") / "08_comfort_by_hand" / "features.jsonl"
    assert run("import_features", path) == f"{path}: 10 responses\n"
    assert told() == []
    with django_settings(DEMO=True):
        (entry,) = client.get("/api/changelog?kind=event").json()["entries"]
    assert entry["title"] == "Heating circuit 1: comfort by hand, still on"
    assert (entry["begin"], entry["end"], entry["settings"]) == ("2025-11-20T08:24:55+01:00", None, [])


def test_an_import_knows_begin_and_end_of_a_program(home: Home) -> None:
    rows = polls(home, 6)
    for row in rows[2:4]:
        payload = row["payload"]
        assert isinstance(payload, dict)
        for feature in payload["data"]:
            if feature["feature"] == "heating.dhw.oneTimeCharge":
                feature["properties"]["active"]["value"] = True
    run("import_features", lines_file(home, "a.jsonl", rows))
    (entry,) = Entry.objects.all()
    assert (entry.at, entry.ended_at) == (JANUARY + 10 * MINUTE, JANUARY + 20 * MINUTE)
    assert entry.event_details["program"] == "one_time_charge"


@pytest.mark.parametrize(
    "at", ["0001-01-01T00:00:00+01:00", "1969-12-31T23:00:00Z", "9999-12-31T23:59:59-05:00"]
)
def test_a_time_that_no_store_keeps_is_named_by_its_line(home: Home, at: str) -> None:
    good, bad = {"at": home.at.isoformat(), "payload": answer(home)}, {"at": at, "payload": answer(home)}
    said = refused("import_features", lines_file(home, "old.jsonl", [good, bad]))
    assert f"line 2: at: '{at}' is not between 2000 and 2099" in said
    single = home.folder / "single.json"
    single.write_text(json.dumps(answer(home)))
    assert f"--at: '{at}' is not between" in refused("import_features", single, "--at", at)
