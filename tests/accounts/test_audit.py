"""What the audit log keeps."""

from __future__ import annotations

from datetime import timedelta

import pytest

from apps.accounts import audit
from apps.accounts.models import AuditEntry

from .conftest import NOW


@pytest.mark.django_db
def test_a_year_is_kept_and_of_each_action_the_newest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "MOST_OF_AN_ACTION", 3)
    for days in (400, 360):
        AuditEntry.objects.create(at=NOW - timedelta(days=days), action=audit.LOGIN)
    for hours in (30, 28, 26, 24, 5, 4, 3, 2, 1):
        for action in (audit.EXPORT, audit.LINK_REFUSED):
            AuditEntry.objects.create(at=NOW - timedelta(hours=hours), action=action)
    audit.forget_old(NOW)
    kept: dict[str, list[int]] = {}
    for entry in AuditEntry.objects.order_by("at"):
        kept.setdefault(entry.action, []).append((NOW - entry.at) // timedelta(hours=1))
    assert kept == {"login": [360 * 24], "export": [3, 2, 1], "link_refused": [5, 4, 3, 2, 1]}, (
        "wrong addresses of a day are counted by the door of the links"
    )
