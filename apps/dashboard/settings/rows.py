"""Rows of a card's table that a button names: found, revoked."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _

from apps.accounts import audit
from apps.devices import clock


def row_of(rows: QuerySet[Any], pk: str) -> Any:
    """Return the row with the number that was sent; None where there is no such one."""
    return rows.filter(pk=int(pk)).first() if pk.isascii() and pk.isdigit() and len(pk) < 19 else None


def revoke(request: HttpRequest, rows: QuerySet[Any], *, action: str, unknown: str) -> bool:
    """Revoke the token or link that was named; return whether there is such a one."""
    found = row_of(rows, request.POST["revoke"])
    if found is None:
        messages.error(request, unknown)
        return False
    found.revoked_at = clock.now()
    found.save(update_fields=["revoked_at"])
    audit.record(action, request=request, detail=found.name)
    messages.success(request, _("“%(name)s” can no longer be used.") % {"name": found.name})
    return True
