"""Every table goes over as it is: into a file from a server, and back."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from django.contrib.auth import get_user_model
from django.db import connections
from pytest_django import DjangoDbBlocker

from apps.backups.archive import vacuum_into
from apps.backups.relational import copy_rows, opened_file
from apps.changelog.models import Entry
from apps.devices.models import RawAnswer, SavedOption, Site

AT = datetime(2026, 1, 1, 12, 0, 0, 123_000, tzinfo=UTC)


def fill(alias: str) -> None:
    site = Site(pk=7, name="Lindenweg", created_at=AT)
    user = get_user_model()(pk=3, username="anna", date_joined=AT)
    entry = Entry(
        pk=1,
        site=site,
        at=AT,
        kind="event",
        event_code="long_outage",
        event_details={"s": 1.5},
        author_user=user,
    )
    option = SavedOption(pk=1, site=site, name="currency", value='"CHF"', saved_at=AT)
    answer = RawAnswer(pk=1, site=site, device="D", at=AT, payload=b"\x00\xff")
    for row in (site, user, entry, option, answer):
        row.save_base(raw=True, force_insert=True, using=alias)


def test_rows_with_all_kinds_of_values_arrive_as_they_were_and_nothing_else_stays(
    empty_database: Path, tmp_path: Path, django_db_blocker: DjangoDbBlocker
) -> None:
    for name in ("one", "other"):
        vacuum_into(empty_database, tmp_path / name)
    with (
        django_db_blocker.unblock(),
        opened_file(tmp_path / "one", "one") as one,
        opened_file(tmp_path / "other", "other") as other,
    ):
        fill(one)
        Site(pk=9, name="another", created_at=AT).save_base(raw=True, force_insert=True, using=other)
        copy_rows(one, other)
        assert list(Site.objects.using(other).values_list("pk", "name", "created_at")) == [
            (7, "Lindenweg", AT)
        ]
        entry = Entry.objects.using(other).get()
        assert (entry.event_details, entry.author_user_id, entry.at) == ({"s": 1.5}, 3, AT)
        assert SavedOption.objects.using(other).get().saved_at == AT
        assert bytes(RawAnswer.objects.using(other).get().payload) == b"\x00\xff"
        assert Site.objects.using(other).create(name="next").pk > 7
    assert list(connections) == ["default"]
