"""Read-only links: 256 random bits, stored hashed, shown once, valid for a year at most."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Any

from apps.devices import storage

from .models import ReadOnlyLink
from .tokens import USE_RESOLUTION, digest

PREFIX = "hv_"


def create_link(
    name: str, *, notes: bool, at: datetime, expires_at: datetime, user: Any
) -> tuple[ReadOnlyLink, str]:
    """Return a new link and its secret, which cannot be shown again."""
    secret = PREFIX + secrets.token_urlsafe(32)
    link = ReadOnlyLink.objects.create(
        name=name, digest=digest(secret), notes=notes, user=user, created_at=at, expires_at=expires_at
    )
    return link, secret


def valid_link(hashed: str, at: datetime) -> ReadOnlyLink | None:
    """Return the link with that digest, or None: unknown, expired, revoked, or of a user who is no owner any
    more."""
    return (
        ReadOnlyLink.objects.select_related("user")
        .filter(digest=hashed, expires_at__gt=at, revoked_at__isnull=True)
        .filter(user__is_active=True, user__is_superuser=True)
        .first()
    )


def note_use(link: ReadOnlyLink, at: datetime) -> bool:
    """Note that the link is used, at most once a minute; return whether this is the first time."""
    known = link.last_used_at
    if known is not None and known >= at - USE_RESOLUTION:
        return False
    noted = 0
    with storage.where_possible():
        noted = ReadOnlyLink.objects.filter(pk=link.pk, last_used_at=known).update(last_used_at=at)
    return known is None and noted == 1
