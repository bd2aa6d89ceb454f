"""The login guard: django-axes counts failures by account *and* address; here is how long it refuses.

Five failures of one account from one address close the door for a minute, five more for four, then
sixteen, then an hour; never for good, and never for the owner at another address.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from ipaddress import ip_address

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

FAILURES_BEFORE_DELAY = 5
LONGEST_DELAY = timedelta(hours=1)


def client_address(request: HttpRequest) -> str:
    """Return the address that asks; what a proxy forwards counts only if it comes from the configured one."""
    address = str(request.META.get("REMOTE_ADDR", ""))
    forwarded = str(request.META.get("HTTP_X_FORWARDED_FOR", ""))
    if forwarded and settings.HEATMON.trusted_proxy and address == settings.HEATMON.trusted_proxy:
        nearest = forwarded.rpartition(",")[2].strip()
        with suppress(ValueError):
            return str(ip_address(nearest))
    return address


def delay(request: HttpRequest | None) -> timedelta:
    """Return how long the account that ``request`` names is refused from its address."""
    from axes.models import AccessFailureLog

    if request is None:
        return LONGEST_DELAY
    failures = AccessFailureLog.objects.filter(
        username=request.POST.get("username", ""), ip_address=client_address(request) or None
    ).count()
    rounds = max(0, failures // FAILURES_BEFORE_DELAY - 1)
    return min(timedelta(minutes=4 ** min(rounds, 5)), LONGEST_DELAY)


def locked_out(request: HttpRequest, original: HttpResponse | None, credentials: object) -> HttpResponse:
    """Return the login page after too many failures, whether or not the account exists."""
    minutes = max(1, round(delay(request).total_seconds() / 60))
    response = render(
        request, "accounts/login.html", {"form": None, "wait_minutes": minutes, "refusal": None}, status=429
    )
    response["Retry-After"] = str(minutes * 60)
    return response
