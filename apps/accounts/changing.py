"""How somebody who is signed in changes the own password."""

from __future__ import annotations

from axes.handlers.proxy import AxesProxyHandler
from django.contrib.auth import authenticate, update_session_auth_hash
from django.http import HttpRequest

from . import audit
from .guard import client_address


def change_password(request: HttpRequest, present: str, new: str) -> bool:
    """Set a checked new password of whoever is signed in, if ``present`` is theirs; return whether it is.

    A wrong one counts as a failure at the login does. All other sessions of the account end.
    """
    name = request.user.get_username()
    # What the guard counts by is the account that is signed in, whatever was sent.
    sent = request.POST.copy()
    sent["username"] = name
    request.POST = sent  # type: ignore[assignment]
    user = authenticate(request, username=name, password=present)
    if user is None or user.pk != request.user.pk:
        return False
    AxesProxyHandler.reset_attempts(username=name, ip_address=client_address(request) or None)
    user.set_password(new)
    user.save(update_fields=["password"])
    update_session_auth_hash(request, user)
    audit.record(audit.PASSWORD_CHANGED, request=request)
    return True
