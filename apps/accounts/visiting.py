"""Visits by a read-only link: its address is traded once for a cookie, and each request asks the link anew.

The cookie has the signed digest of the secret, so that it opens nothing once the link is revoked or over, and
a visit leaves no session behind. Wrong addresses are counted in the audit log by who asks: five close the
door for a minute, five more for four, then sixteen, then an hour, as at the login.
"""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from apps.devices import clock, storage

from . import audit
from .first_account import account_exists
from .guard import (
    FAILURES_BEFORE_DELAY,
    LONGEST_DELAY,
    client_address,
    delay_after,
    has_failed_unwritten,
    note_unwritten,
    too_many,
)
from .links import note_use, valid_link
from .middleware import demo_refusal, insecure_transport
from .models import AuditEntry, ReadOnlyLink
from .tokens import digest
from .views import transport_refused
from .visit import COOKIE, SALT

DOOR = "link"


@login_not_required
@require_safe
def open_link(request: HttpRequest, secret: str) -> HttpResponse:
    """Begin a visit and leave the address with its secret; unknown, expired and revoked answer alike."""
    if settings.DEMO:
        return demo_refusal(request)
    if insecure_transport(request):
        return transport_refused(request)
    if not account_exists():
        return HttpResponseRedirect(reverse("accounts:setup"))
    at = clock.now()
    if has_failed_unwritten(request, DOOR):
        return too_many(request, "accounts/link_over.html", LONGEST_DELAY)
    if (until := _closed_until(request, at)) is not None:
        return too_many(request, "accounts/link_over.html", until - at)
    link = valid_link(digest(secret), at)
    if link is None:
        _note_refusal(request)
        response = render(request, "accounts/link_over.html", status=404)
    else:
        response = _begin(request, link, at)
    response["Referrer-Policy"] = "no-referrer"
    return response


def _note_refusal(request: HttpRequest) -> None:
    with storage.where_possible() as refused:
        audit.record(audit.LINK_REFUSED, request=request)
    if refused:
        note_unwritten(request, DOOR)


def _begin(request: HttpRequest, link: ReadOnlyLink, at: datetime) -> HttpResponse:
    response = HttpResponseRedirect(reverse("dashboard:overview"))
    if request.user.is_authenticated:
        messages.info(request, _("The link works. Open it in a private window to see what others see."))
        return response
    if note_use(link, at):
        audit.record(audit.LINK_OPENED, request=request, actor=link.name)
    response.set_signed_cookie(
        COOKIE,
        link.digest,
        salt=SALT,
        max_age=link.expires_at - at,
        httponly=True,
        samesite="Lax",
        secure=settings.SESSION_COOKIE_SECURE,
    )
    return response


def _closed_until(request: HttpRequest, at: datetime) -> datetime | None:
    """Return until when nobody at this address may open a link; None while they may."""
    refused = AuditEntry.objects.filter(
        action=audit.LINK_REFUSED, address=client_address(request), at__gt=at - audit.COUNTED
    )
    rounds = refused.count() // FAILURES_BEFORE_DELAY
    if rounds == 0:
        return None
    last = refused.order_by("at", "pk").values_list("at", flat=True)[rounds * FAILURES_BEFORE_DELAY - 1]
    until = last + delay_after(rounds * FAILURES_BEFORE_DELAY)
    return until if at < until else None
