"""``import_meter`` and ``import_features``: files of any order and quality, as often as one likes."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import requests
from django.core.management import call_command
from django.core.management.base import CommandError

from apps.changelog.models import ConfigurationVersion, Entry
from apps.devices.models import Device, RawAnswer
from apps.simulator.settings import COMFORT, SLOPE
from apps.simulator.shelly_rpc import MONOPHASE
from tests.factories import JANUARY, METER_MAC, Home

from .conftest import MakeHome

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
OLD_MAC = "0C0D0E0F1011"


def run(*words: object) -> str:
    out = io.StringIO()
    call_command(*(str(word) for word in words), stdout=out, stderr=out)
    return out.getvalue()


def refused(*words: object) -> str:
    """What is said on a wrong use or a bad file, which end with 2."""
    out = io.StringIO()
    with pytest.raises(CommandError) as error:
        call_command(*(str(word) for word in words), stdout=out, stderr=out)
    assert error.value.returncode == 2
    return f"{out.getvalue()}{error.value}"


def export(
    home: Home, name: str, start: datetime, end: datetime, component: str = "emdata/0", keys: str = "true"
) -> Path:
    """A file as the meter's export gives it for minutes in [start, end)."""
    session = requests.Session()
    session.mount("http://", home.world.adapter())
    first, last = int(start.timestamp()), int(end.timestamp()) - 60
    answer = session.get(
        f"{home.world.meter_url}/{component}/data.csv?add_keys={keys}&ts={first}&end_ts={last}"
    )
    path = home.folder / name
    path.write_bytes(answer.content)
    return path


@pytest.fixture
def remembering(make_home: MakeHome) -> Home:
    home = make_home(remembers_h=4)
    home.move(minutes=1)
    return home


def equals_truth(home: Home, start: datetime, end: datetime) -> bool:
    truth = home.world.truth.minute_energies_wh(start, end)
    return home.minute_energies_wh(start, end) == pytest.approx(truth, abs=1e-9)


# -- import_meter ----------------------------------------------------------------------------------------


def test_files_in_any_order_and_overlapping_give_every_minute_once(remembering: Home) -> None:
    home = remembering
    late = export(home, "late.csv", JANUARY - 2 * HOUR, JANUARY)
    early = export(home, "early.csv", JANUARY - 4 * HOUR, JANUARY - 90 * MINUTE, keys="false")
    said = run("import_meter", late, early)
    assert f"{late}: 120 minutes" in said
    assert f"{early}: 150 minutes" in said
    assert equals_truth(home, JANUARY - 4 * HOUR, JANUARY)
    (device,) = Device.objects.all()
    assert (device.identifier, device.active) == ("IMPORTED", False)


def test_importing_again_changes_nothing(remembering: Home) -> None:
    home = remembering
    file = export(home, "a.csv", JANUARY - HOUR, JANUARY)
    run("import_meter", file)
    before = home.rows("meter_minute", JANUARY - HOUR, JANUARY)
    run("import_meter", file, file)
    assert home.rows("meter_minute", JANUARY - HOUR, JANUARY) == before
    assert Device.objects.count() == 1


def test_imported_minutes_are_derived_at_once(remembering: Home) -> None:
    home = remembering
    run("import_meter", export(home, "a.csv", JANUARY - 4 * HOUR, JANUARY - 3 * HOUR))
    rows = home.rows("interval", JANUARY - 4 * HOUR, JANUARY - 3 * HOUR)
    energy = sum(row.values["electrical_energy_wh"] or 0.0 for row in rows)
    assert energy == pytest.approx(
        home.world.truth.energy_wh(JANUARY - 4 * HOUR, JANUARY - 3 * HOUR), abs=1e-3
    )


def test_the_import_belongs_to_the_sites_only_meter(remembering: Home) -> None:
    home = remembering
    home.call("poll_power")
    run("import_meter", export(home, "a.csv", JANUARY - HOUR, JANUARY))
    assert {row.device for row in home.rows("meter_minute", JANUARY - HOUR, JANUARY)} == {METER_MAC}


def test_the_meter_is_polled_as_ever_after_an_import_without_a_name(remembering: Home) -> None:
    home = remembering
    run("import_meter", export(home, "a.csv", JANUARY - HOUR, JANUARY))
    home.call("poll_power")
    assert home.device("meter").identifier == METER_MAC


def test_an_earlier_meter_imported_first_does_not_stand_in_the_way_of_the_first_poll(
    remembering: Home,
) -> None:
    home = remembering
    file = export(home, "a.csv", JANUARY - 4 * HOUR, JANUARY - 3 * HOUR)
    run("import_meter", file, "--device", OLD_MAC)
    assert home.call("poll_power").device == METER_MAC
    assert home.device("meter").identifier == METER_MAC


def test_an_earlier_meter_is_imported_beside_the_one_that_is_polled(remembering: Home) -> None:
    home = remembering
    home.call("poll_power")
    file = export(home, "a.csv", JANUARY - 4 * HOUR, JANUARY - 3 * HOUR)
    run("import_meter", file, "--device", "0c:0d:0e:0f:10:11")
    assert home.device("meter").identifier == METER_MAC
    assert not Device.objects.get(identifier=OLD_MAC).active
    home.restart()
    home.move(seconds=10)
    assert home.call("poll_power").device == METER_MAC


def test_with_two_meters_one_must_be_named(remembering: Home) -> None:
    home = remembering
    home.call("poll_power")
    file = export(home, "a.csv", JANUARY - HOUR, JANUARY)
    run("import_meter", file, "--device", OLD_MAC)
    said = refused("import_meter", file)
    assert f"choose one with --device: {METER_MAC}, {OLD_MAC}" in said


@pytest.mark.parametrize("mac", ["A0B1C2", "A0B1C2D3E4FX", "", "A0B1C2D3E4F5F6"])
def test_a_wrong_mac_is_refused_before_anything_is_read(remembering: Home, mac: str) -> None:
    file = export(remembering, "a.csv", JANUARY - HOUR, JANUARY)
    assert "a MAC has twelve hex digits" in refused("import_meter", file, "--device", mac)
    assert Device.objects.count() == 0


def test_a_missing_file_is_named_before_anything_is_read(remembering: Home) -> None:
    file = export(remembering, "a.csv", JANUARY - HOUR, JANUARY)
    said = refused("import_meter", file, remembering.folder / "none.csv")
    assert "No such file" in said
    assert "none.csv" in said
    assert remembering.minute_energies_wh(JANUARY - HOUR, JANUARY) == []


@pytest.mark.parametrize(
    "line, complaint",
    [
        (b"1768190400,1.0,2.0", "Line 32 has 3 columns instead of 52."),
        (b"yesterday", "Line 32 has 1 columns instead of 52."),
        (b"x" + b",0" * 51, "Line 32 does not start with a time."),
        (b"1768190400,one" + b",0" * 50, "Line 32 has a value that is not a number."),
        (b"4102444800" + b",0" * 51, "Line 32 lies in the future."),
    ],
)
def test_a_broken_line_ends_its_file_there_and_keeps_what_was_before(
    remembering: Home, line: bytes, complaint: str
) -> None:
    home = remembering
    good = export(home, "good.csv", JANUARY - 4 * HOUR, JANUARY - 3 * HOUR)
    broken = export(home, "broken.csv", JANUARY - HOUR, JANUARY)
    lines = broken.read_bytes().split(b"\r\n")
    broken.write_bytes(b"\r\n".join([*lines[:31], line, *lines[31:]]))
    said = refused("import_meter", broken, good)
    assert f"{broken}: {complaint}" in said
    assert f"{broken}: 30 minutes" in said
    assert "Rows before the named lines were kept; mend the files and repeat." in said
    assert equals_truth(home, JANUARY - 4 * HOUR, JANUARY - 3 * HOUR)
    assert len(home.minute_energies_wh(JANUARY - HOUR, JANUARY)) == 30
    broken.write_bytes(b"\r\n".join(lines))
    run("import_meter", broken, good)
    assert equals_truth(home, JANUARY - HOUR, JANUARY)


def test_a_file_that_is_no_export_is_refused(remembering: Home) -> None:
    picture = remembering.folder / "picture.png"
    picture.write_bytes(b"\x89PNG\r\n\x1a\n\x00\xff\xfe")
    assert f"{picture}: no text at byte 0; is it the meter's CSV?" in refused("import_meter", picture)
    letter = remembering.folder / "letter.txt"
    letter.write_text("Dear meter,\n")
    assert "Line 1 is not a row of the meter's export." in refused("import_meter", letter)


def test_the_exports_of_single_channels_come_together(make_home: MakeHome) -> None:
    home = make_home(remembers_h=1, profile=MONOPHASE)
    home.move(minutes=1)
    for channel in (2, 0, 1):
        file = export(home, f"{channel}.csv", JANUARY - HOUR, JANUARY, component=f"em1data/{channel}")
        run("import_meter", file, "--channel", channel)
    stored = home.rows("meter_minute", JANUARY - HOUR, JANUARY)
    phases = [sum(row.values[f"energy_{phase}_wh"] or 0.0 for phase in "abc") for row in stored]
    assert phases == pytest.approx(home.world.truth.minute_energies_wh(JANUARY - HOUR, JANUARY), abs=1e-9)


def test_the_export_of_a_channel_needs_its_number(make_home: MakeHome) -> None:
    home = make_home(remembers_h=1, profile=MONOPHASE)
    file = export(home, "0.csv", JANUARY - HOUR, JANUARY, component="em1data/0")
    assert "These are the rows of one channel; say which." in refused("import_meter", file)


# -- import_features -------------------------------------------------------------------------------------


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
    assert run("import_features", path) == f"{path}: 1 answers\n"
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
    assert run("import_features", path) == f"{path}: 20 answers\n"
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
        ("{", "line 3 is no JSON"),
        ("[" * 100_000, "line 3 is no JSON"),
        ("[1]", 'line 3 must be an object with "at" and "payload"'),
        ('{"at": "2026-01-12T06:00:00+00:00"}', 'line 3 must be an object with "at" and "payload"'),
        ('{"at": "noon", "payload": {"data": []}}', "line 3: at: 'noon' is no time"),
        (
            '{"at": "2026-01-12T06:10:00", "payload": {"data": []}}',
            "line 3: at: '2026-01-12T06:10:00' has no",
        ),
        (
            '{"at": "2026-01-12T06:10:00Z", "payload": {"data": 1}}',
            "line 3: the features answer has no list of data points",
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
    assert f"{path}: 2 answers" in said
    assert "Answers before it were kept; mend the file and repeat." in said
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
    assert f"{path}: line 41 is no JSON" in refused("import_features", path)


@pytest.mark.parametrize("content", ["", "\n\n"])
def test_an_empty_file_has_no_answers(home: Home, content: str) -> None:
    path = home.folder / "empty.json"
    path.write_text(content)
    assert "is no JSON" in refused("import_features", path)


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
    assert "give one file" in refused("import_features", path, path, "--at", "2026-01-12T06:00:00Z")


def test_a_missing_file_of_answers_is_named(home: Home) -> None:
    assert "none.json" in refused("import_features", home.folder / "none.json")
