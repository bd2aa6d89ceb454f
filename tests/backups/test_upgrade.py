"""A database of the first released schema comes to this version with everything in it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connections
from pytest_django import DjangoDbBlocker

FIRST = ("devices", "changelog", "accounts")  # the others came when devices had grown already
ROWS = """
INSERT INTO devices_site (id, name, created_at) VALUES (1, 'Lindenweg', '2026-01-01 00:00:00');
INSERT INTO devices_device
  (id, site_id, kind, identifier, model, firmware, profile, first_seen_at, last_seen_at, active)
  VALUES (1, 1, 'meter', 'A8032ABE54DC', 'SPEM-003CEBEU', '', 'triphase', '2026-01-01', '2026-01-02', 1);
INSERT INTO devices_sourcestate (id, site_id, source, error_code, error_message, error_hint)
  VALUES (1, 1, 'meter', 'An old sentence.', 'An old sentence.', '');
INSERT INTO devices_apicall (id, at, account, purpose, host, forced)
  VALUES (1, '2026-01-01', 'client', 'poll', 'api', 0);
INSERT INTO devices_savedoption (id, site_id, name, value, saved_at)
  VALUES (1, 1, 'currency', '"CHF"', '2026-01-01');
INSERT INTO changelog_entry
  (id, site_id, at, kind, title, text, author_name, version, event_code, event_details, created_at,
  updated_at)
  VALUES (1, 1, '2026-01-01', 'note', '', 'Filter cleaned', 'anna', 1, '', '{}', '2026-01-01', '2026-01-01');
"""


@pytest.fixture
def first_schema(tmp_path: Path, django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Path]:
    path = tmp_path / "heatmon.sqlite3"
    with django_db_blocker.unblock():
        yield path


def test_it_is_migrated_with_all_its_rows(first_schema: Path) -> None:
    known = connections.settings
    given = {"ENGINE": "django.db.backends.sqlite3", "NAME": str(first_schema)}
    connections.settings = connections.configure_settings({**known, "first": given})
    try:
        for app in FIRST:
            call_command("migrate", app, "0001", database="first", verbosity=0)
        database = connections["first"].connection
        database.executescript(ROWS)
        call_command("migrate", database="first", verbosity=0)
        answers = {
            statement: database.execute(statement).fetchall()
            for statement in (
                "SELECT name FROM devices_site",
                "SELECT identifier, clock_wrong_since FROM devices_device",
                "SELECT source, error_code, error_details, report FROM devices_sourcestate",
                "SELECT account, purpose FROM devices_apicall",
                "SELECT name, value FROM devices_savedoption",
                "SELECT text, author_name, ended_at FROM changelog_entry",
                "PRAGMA foreign_key_check",
            )
        }
    finally:
        connections["first"].close()
        del connections["first"]
        connections.settings = known
    assert list(answers.values()) == [
        [("Lindenweg",)],
        [("A8032ABE54DC", None)],
        [("meter", "", "{}", "{}")],
        [("client", "poll")],
        [("currency", '"CHF"')],
        [("Filter cleaned", "anna", None)],
        [],
    ]
