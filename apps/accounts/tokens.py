"""API tokens: 256 random bits, stored hashed, found by their hash."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import Any

from django.http import HttpRequest

from apps.devices import storage

from .models import ApiToken

PREFIX = "hm_"
USE_RESOLUTION = timedelta(minutes=1)


def digest(plain: str) -> str:
    return hashlib.sha256(plain.encode("utf-8", "surrogateescape")).hexdigest()


def create_token(
    name: str, *, write: bool, at: datetime, expires_at: datetime | None = None, user: Any = None
) -> tuple[ApiToken, str]:
    """Return a new token and its text, which cannot be shown again."""
    plain = PREFIX + secrets.token_urlsafe(32)
    token = ApiToken.objects.create(
        name=name,
        digest=digest(plain),
        prefix=plain[: len(PREFIX) + 6],
        write=write,
        user=user,
        created_at=at,
        expires_at=expires_at,
    )
    return token, plain


def bearer(request: HttpRequest) -> str | None:
    """Return the text of the token that a request carries; None where it carries none."""
    scheme, _blank, plain = request.headers.get("Authorization", "").partition(" ")
    return plain.strip() if scheme.lower() == "bearer" else None


def find_token(plain: str, at: datetime) -> ApiToken | None:
    """Return the valid token with that text, or None: unknown, expired, revoked, or of an inactive user.

    Its use is noted, at most once a minute.
    """
    token = (
        ApiToken.objects.select_related("user").filter(digest=digest(plain), revoked_at__isnull=True).first()
    )
    if token is None or (token.expires_at is not None and token.expires_at <= at):
        return None
    if token.user is not None and not token.user.is_active:
        return None
    if token.last_used_at is None or token.last_used_at < at - USE_RESOLUTION:
        with storage.where_possible():
            ApiToken.objects.filter(pk=token.pk).update(last_used_at=at)
    return token
