"""``export``: everything in files that anything can read, and nothing secret."""

from __future__ import annotations

import csv
import json
import stat
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from apps.accounts.models import AuditEntry
from apps.changelog.models import Entry, SettingChange
from apps.changelog.notes import add_note
from apps.metrics.store.base import Row
from tests.factories import Home

CANARY = "canary-password"


@pytest.fixture
def exported(home: Home, tmp_path: Path) -> Path:
    home.save(shelly_password=CANARY, notify_targets=[f"json://{CANARY}@127.0.0.1"], currency="CHF")
    home.run("poll_power", "poll_heat_pump", "derive", minutes=11)
    add_note(home.site, "=Filter cleaned", home.at, "anna")
    said = StringIO()
    call_command("export", str(tmp_path / "out"), stdout=said)
    assert "points in" in said.getvalue()
    return tmp_path / "out"


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_each_device_has_a_file_with_all_its_values(exported: Path, home: Home) -> None:
    rows = rows_of(exported / "meter-A0B1C2D3E4F5.csv")
    assert len(rows) == 66
    assert rows[0]["time"] == "2026-01-12T06:00:00+00:00"
    stored = home.rows("meter", datetime(2026, 1, 12, 6, 0, tzinfo=UTC), home.at)
    assert [float(row["power_w"]) for row in rows] == [row.values["power_w"] for row in stored]
    assert rows[0]["current_a_a"] == f"{stored[0].values['current_a_a']}"


def test_changes_options_and_days_are_there_and_no_secret(exported: Path) -> None:
    (note,) = json.loads((exported / "changes.json").read_text())
    assert (note["kind"], note["text"], note["author"]) == ("note", "=Filter cleaned", "anna")
    options = json.loads((exported / "options.json").read_text())
    assert options["currency"] == "CHF"
    assert "shelly_password" not in options
    assert rows_of(exported / "energy-day.csv")[0]["label"] == "2026-01-12"
    everything = "".join(path.read_text() for path in exported.iterdir())
    assert CANARY not in everything
    assert stat.S_IMODE((exported / "changes.json").stat().st_mode) == 0o600


def test_a_change_of_settings_is_there_with_what_was_and_what_is(home: Home, tmp_path: Path) -> None:
    entry = Entry.objects.create(site=home.site, at=home.at, kind=Entry.Kind.SETTING)
    for key, before, after in (("b", 1.5, 2), ("a", "off", {"x": [1]})):
        SettingChange.objects.create(entry=entry, key=key, before=before, after=after)
    call_command("export", str(tmp_path / "out"), stdout=StringIO())
    (change,) = json.loads((tmp_path / "out" / "changes.json").read_text())
    assert (change["kind"], change["author"], change["end"]) == ("setting", None, None)
    assert change["settings"] == [
        {"key": "a", "before": "off", "after": {"x": [1]}},
        {"key": "b", "before": 1.5, "after": 2},
    ]


def test_an_export_is_in_the_audit_log(exported: Path) -> None:
    assert AuditEntry.objects.get().action == "export"


def test_nothing_is_written_into_a_folder_with_other_files(home: Home, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("kept")
    with pytest.raises(CommandError, match="is not an empty folder") as caught:
        call_command("export", str(tmp_path))
    assert caught.value.returncode == 2


def test_a_device_with_a_name_that_leads_elsewhere_stays_in_the_folder(home: Home, tmp_path: Path) -> None:

    row = Row(site=home.site.pk, measurement="meter", device="../evil", at=0, values={"power_w": 1.0})
    home.store.write([row])
    call_command("export", str(tmp_path / "out"), stdout=StringIO())
    assert (tmp_path / "out" / "meter-.._evil.csv").exists()
