"""``import_meter``: the meter's own files, in any order and quality, as often as one likes."""

from __future__ import annotations

import re
import tracemalloc
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import requests

from apps.changelog.models import Entry
from apps.devices.models import Device
from apps.simulator.shelly_rpc import MONOPHASE
from tests.factories import JANUARY, METER_MAC, Home

from .conftest import MakeHome
from .importing import refused, run

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
OLD_MAC = "0C0D0E0F1011"


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


def test_the_meter_that_is_polled_later_has_the_imported_history(remembering: Home) -> None:
    home = remembering
    run("import_meter", export(home, "a.csv", JANUARY - 4 * HOUR, JANUARY))
    home.run("poll_power", minutes=2)
    assert list(Device.objects.values_list("identifier", "active")) == [(METER_MAC, True)]
    rows = home.rows("meter_minute", JANUARY - 4 * HOUR, home.at)
    assert {row.device for row in rows} == {METER_MAC}
    assert equals_truth(home, JANUARY - 4 * HOUR, JANUARY)
    assert Entry.objects.count() == 0, "the meter was not replaced"


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
        (b"4102444800" + b",0" * 51, "Line 32 is in the future."),
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
    assert "Rows before the lines named above were kept; fix the files and run the command again." in said
    assert equals_truth(home, JANUARY - 4 * HOUR, JANUARY - 3 * HOUR)
    assert len(home.minute_energies_wh(JANUARY - HOUR, JANUARY)) == 30
    broken.write_bytes(b"\r\n".join(lines))
    run("import_meter", broken, good)
    assert equals_truth(home, JANUARY - HOUR, JANUARY)


def test_a_file_that_breaks_off_gives_its_whole_rows_and_says_what_to_fetch_again(remembering: Home) -> None:
    home = remembering
    whole = export(home, "whole.csv", JANUARY - HOUR, JANUARY)
    for kept, last in ((31, -1), (40, -100)):  # within the last number of a row, and in the middle of one
        cut = home.folder / f"{kept}.csv"
        cut.write_bytes(b"\r\n".join(whole.read_bytes().split(b"\r\n")[: kept + 1])[:last])
        again = JANUARY - (61 - kept) * MINUTE
        said = run("import_meter", cut)
        assert f"{cut}: {kept - 1} minutes" in said
        assert (
            f"{cut}: the file breaks off in line {kept + 1}, which is left out. "
            f"Fetch again from {again.astimezone(ZoneInfo('Europe/Berlin')):%Y-%m-%d %H:%M} "
            f"(ts={again.timestamp():.0f})."
        ) in said
        assert len(home.minute_energies_wh(JANUARY - HOUR, JANUARY)) == kept - 1
    run("import_meter", whole)
    assert equals_truth(home, JANUARY - HOUR, JANUARY)


def test_the_meter_gives_six_hours_whole_and_breaks_off_longer_ones_as_the_documents_say(
    make_home: MakeHome,
) -> None:
    home = make_home(remembers_h=8)
    home.move(minutes=1)
    document = (Path(__file__).parents[2] / "docs/devices.md").read_text()
    (step,) = re.findall(r"end_ts=\$\(\(ts \+ (\d+)\)\)", document)
    assert "21600 $(date" in document
    six_hours = export(
        home, "whole.csv", JANUARY - 7 * HOUR, JANUARY - 7 * HOUR + timedelta(seconds=int(step) + 60)
    )
    assert "breaks off" not in run("import_meter", six_hours)
    assert equals_truth(home, JANUARY - 7 * HOUR, JANUARY - HOUR)
    with pytest.raises(requests.RequestException):
        export(home, "long.csv", JANUARY - 7 * HOUR, JANUARY - HOUR + MINUTE)


def test_a_file_that_is_no_export_is_refused(remembering: Home) -> None:
    picture = remembering.folder / "picture.png"
    picture.write_bytes(b"\x89PNG\r\n\x1a\n\x00\xff\xfe")
    assert f"{picture}: not valid text at byte 0; is it the meter's CSV?" in refused("import_meter", picture)
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
    assert "These rows are from a single channel; specify which one." in refused("import_meter", file)


def test_progress_is_told_within_one_file(remembering: Home, capsys: pytest.CaptureFixture[str]) -> None:
    day = "".join(f"{1_767_571_200 + 60 * minute},{0.5:.4f}" + ",0" * 50 + "\r\n" for minute in range(11_000))
    path = remembering.folder / "a.csv"
    path.write_text(day)
    run("import_meter", path)
    told = [line for line in capsys.readouterr().err.splitlines() if "import" in line]
    assert told == ["import: 45 %", "import: 90 %", "import: 100 %"]


def test_a_row_that_no_meter_can_measure_is_named_by_its_line(remembering: Home) -> None:
    home = remembering
    path = export(home, "bad.csv", JANUARY - 2 * HOUR, JANUARY)
    lines = path.read_bytes().split(b"\r\n")
    time, _comma, cells = lines[31].partition(b",")
    lines[31] = b",".join([time, b"900000000.0", cells.partition(b",")[2]])
    path.write_bytes(b"\r\n".join(lines))
    said = refused("import_meter", path)
    assert "more energy than can be measured (line 32)" in said
    assert len(home.minute_energies_wh(JANUARY - 2 * HOUR, JANUARY)) == 30


@pytest.mark.parametrize("content", [b"\0", b" "])
def test_a_file_without_lines_is_not_read_into_memory(remembering: Home, content: bytes) -> None:
    path = remembering.folder / "zeros.csv"
    path.write_bytes(content * 20_000_000)
    tracemalloc.start()
    said = refused("import_meter", path)
    _now, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert "Line 1 is not a row of the meter's export." in said
    assert most < 10_000_000
