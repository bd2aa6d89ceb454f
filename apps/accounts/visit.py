"""Whose visit a request belongs to."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest

from apps.devices import clock

from .links import note_use, valid_link
from .models import ReadOnlyLink

COOKIE = "heatmon_visit"
SALT = "apps.accounts.visit"


def has_visited(request: HttpRequest) -> bool:
    """Return whether this browser once opened a link; it may be over."""
    return bool(_digest(request))


def visit_of(request: HttpRequest) -> ReadOnlyLink | None:
    """Return the link that this browser visits by, if it is still valid and nobody is signed in."""
    hashed = _digest(request)
    if not hashed or request.user.is_authenticated:
        return None
    at = clock.now()
    link = valid_link(hashed, at)
    if link is not None:
        note_use(link, at)
    return link


def _digest(request: HttpRequest) -> str:
    """Return what the cookie names; empty without one, or where it is not of our making."""
    signed = None if settings.DEMO else request.get_signed_cookie(COOKIE, default=None, salt=SALT)
    return signed or ""
