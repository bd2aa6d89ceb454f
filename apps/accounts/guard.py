"""The login guard: django-axes counts failures by account *and* address; here is how long it refuses.

Five failures of one account from one address close the door for a minute, five more for four, then
sixteen, then an hour; never for good, and never for the owner at another address. A success, and a reset on
the server, forgets the failures.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from hashlib import sha256
from typing import Any

from axes.attempts import get_cool_off_threshold
from axes.handlers.database import AxesDatabaseHandler
from django.contrib.auth.forms import UsernameField
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from apps.devices import storage

FAILURES_BEFORE_DELAY = 5
LONGEST_DELAY = timedelta(hours=1)
REMEMBERED = timedelta(days=30)


class Guard(AxesDatabaseHandler):  # type: ignore[misc]
    """Axes' own, but what is known of one account is neither kept nor forgotten because of another."""

    def clean_expired_user_attempts(
        self, request: HttpRequest | None = None, credentials: dict[str, Any] | None = None
    ) -> int:
        """Forget the attempts of this account whose delay is over, and of all what nobody asks for."""
        from axes.models import AccessAttempt, AccessFailureLog

        if storage.damage():
            return 0  # nothing is changed in a damaged database
        old = timezone.now() - REMEMBERED
        AccessFailureLog.objects.filter(attempt_time__lt=old).delete()
        count: int = AccessAttempt.objects.filter(attempt_time__lt=old).delete()[0]
        over = get_cool_off_threshold(request)
        for attempts in self.filter_user_attempts(request, credentials):
            count += attempts.filter(attempt_time__lte=over).delete()[0]
        return count

    def user_logged_in(self, sender: Any, request: HttpRequest, user: Any, **kwargs: Any) -> None:
        super().user_logged_in(sender, request, user, **kwargs)
        _forget_failures(username=user.get_username(), ip_address=client_address(request) or None)

    def user_login_failed(
        self, sender: Any, credentials: dict[str, Any], request: HttpRequest | None = None, **kwargs: Any
    ) -> None:
        if request is not None:  # the failure that closes the door says afterwards that it is closed, too
            request.was_closed = request.axes_locked_out  # type: ignore[attr-defined]
        super().user_login_failed(sender, credentials, request, **kwargs)

    def reset_attempts(
        self, *, ip_address: str | None = None, username: str | None = None, ip_or_username: bool = False
    ) -> int:
        given = {"ip_address": ip_address, "username": username}
        wanted = {name: value for name, value in given.items() if value}
        for part in [{name: value} for name, value in wanted.items()] if ip_or_username else [wanted]:
            _forget_failures(**part)
        count: int = super().reset_attempts(**given, ip_or_username=ip_or_username)
        return count


def _forget_failures(**of: Any) -> None:
    from axes.models import AccessFailureLog

    AccessFailureLog.objects.filter(**of).delete()


def was_closed(request: HttpRequest | None) -> bool:
    """Return whether the door was closed already when this failure came, so that nobody looked at it."""
    return bool(getattr(request, "was_closed", False))


def note_unwritten(request: HttpRequest, door: str = "login") -> None:
    """Count, in memory, a failure that the database did not take."""
    cache.add(_unwritten(request, door), 0, LONGEST_DELAY.total_seconds())
    cache.incr(_unwritten(request, door))


def has_failed_unwritten(request: HttpRequest, door: str = "login") -> bool:
    """Return whether there were so many of them that nobody may try again for the longest delay."""
    return int(cache.get(_unwritten(request, door), 0)) >= FAILURES_BEFORE_DELAY


def _unwritten(request: HttpRequest, door: str) -> str:
    asked = f"{account_name(request)}\n{client_address(request)}"
    return f"{door}-unwritten-{sha256(asked.encode()).hexdigest()}"


def account_name(request: HttpRequest, credentials: Mapping[str, Any] | None = None) -> str:
    """Return the account that is asked for, as the login form reads what was typed."""
    typed = (credentials or request.POST).get("username")
    return str(UsernameField(required=False).to_python(typed))


def client_address(request: HttpRequest) -> str:
    """Return the address that asks; behind the trusted proxy it is what that says (``heatmon/wsgi.py``)."""
    return str(request.META.get("REMOTE_ADDR", ""))


def delay(request: HttpRequest | None) -> timedelta:
    """Return how long the account that ``request`` names is refused from its address."""
    from axes.models import AccessFailureLog

    if request is None:
        return LONGEST_DELAY
    failures = AccessFailureLog.objects.filter(
        username=account_name(request), ip_address=client_address(request) or None
    ).count()
    return delay_after(failures)


def delay_after(failures: int) -> timedelta:
    """Return how long the door stays closed after so many failures."""
    rounds = max(0, failures // FAILURES_BEFORE_DELAY - 1)
    return min(timedelta(minutes=4 ** min(rounds, 5)), LONGEST_DELAY)


def locked_out(request: HttpRequest, original: HttpResponse | None, credentials: object) -> HttpResponse:
    """Return the login page after too many failures, whether or not the account exists."""
    wait = LONGEST_DELAY if has_failed_unwritten(request) else delay(request)
    return too_many(request, "accounts/login.html", wait, form=None, refusal=None)


def too_many(request: HttpRequest, template: str, wait: timedelta, **context: Any) -> HttpResponse:
    """Return 429 with how long to wait, in full minutes."""
    minutes = max(1, round(wait.total_seconds() / 60))
    response = render(request, template, {"wait_minutes": minutes, **context}, status=429)
    response["Retry-After"] = str(minutes * 60)
    return response
