"""The audit log: one row for each login, saved settings, export, token and link."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.db.models import Q
from django.dispatch import receiver
from django.http import HttpRequest

from apps.devices import clock

from .guard import client_address, was_closed
from .models import AuditEntry

LOGIN, LOGIN_FAILED, LOGOUT = "login", "login_failed", "logout"
ACCOUNT_CREATED, SETTINGS_SAVED, EXPORT = "account_created", "settings_saved", "export"
ACCOUNT_CHANGED, ACCOUNT_REMOVED = "account_changed", "account_removed"
TOKEN_CREATED, TOKEN_REVOKED = "token_created", "token_revoked"
LINK_CREATED, LINK_REVOKED = "link_created", "link_revoked"
PASSWORD_CHANGED, BACKUP_ASKED = "password_changed", "backup_asked"
LINK_OPENED, LINK_REFUSED = "link_opened", "link_refused"


KEPT = timedelta(days=366)
MOST_OF_AN_ACTION = 5000
"""How many entries of each action are kept: who has many of one written down pushes out no other."""
COUNTED = timedelta(days=1)
"""How long wrong addresses of links are counted, and so kept however many there are."""


def record(
    action: str, *, request: HttpRequest | None = None, actor: str | None = None, detail: str = ""
) -> None:
    """Write one entry. Without ``actor`` it is the request's user or token."""
    if actor is None:
        actor = caller_name(request) or ""
    AuditEntry.objects.create(
        at=clock.now(),
        actor=actor[:150],
        action=action,
        detail=detail,
        address=client_address(request) if request is not None else "",
    )


def forget_old(at: datetime) -> None:
    """Delete entries older than a year, and of each action all but the newest (nightly)."""
    AuditEntry.objects.filter(at__lt=at - KEPT).delete()
    for action in AuditEntry.objects.order_by().values_list("action", flat=True).distinct():
        entries = AuditEntry.objects.filter(action=action)
        newest = entries.order_by("-pk").values_list("pk", flat=True)
        first_kept = newest[MOST_OF_AN_ACTION - 1 : MOST_OF_AN_ACTION].first()
        if first_kept is not None:
            counted = Q(action=LINK_REFUSED, at__gt=at - COUNTED)
            entries.filter(pk__lt=first_kept).exclude(counted).delete()


def caller_name(request: HttpRequest | None) -> str | None:
    """Return who asks: the token's or link's name, else the user's; None for nobody (demo)."""
    key = getattr(request, "api_token", None) or getattr(request, "visit", None)
    if key is not None:
        return str(key.name)
    user = getattr(request, "user", None)
    return user.get_username() if user is not None and user.is_authenticated else None


@receiver(user_logged_in)
def _logged_in(sender: Any, request: HttpRequest | None, user: Any, **_: Any) -> None:
    record(LOGIN, request=request, actor=user.get_username())


@receiver(user_logged_out)
def _logged_out(sender: Any, request: HttpRequest | None, user: Any, **_: Any) -> None:
    if user is not None:
        record(LOGOUT, request=request, actor=user.get_username())


@receiver(user_login_failed)
def _login_failed(
    sender: Any, credentials: dict[str, Any], request: HttpRequest | None = None, **_: Any
) -> None:
    if was_closed(request):
        return  # the failures that closed the door are written down
    record(LOGIN_FAILED, request=request, actor=str(credentials.get("username") or ""))
