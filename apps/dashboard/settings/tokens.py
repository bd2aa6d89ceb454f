"""The card of the API tokens: made, shown once, revoked."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _

from apps.accounts import audit
from apps.accounts.models import ApiToken
from apps.accounts.tokens import create_token
from apps.devices import clock

from . import rows
from .forms import TokenForm


def new_form() -> TokenForm:
    """Return the empty form of a new token."""
    return TokenForm(auto_id="tokens-%s")


def own(request: HttpRequest) -> Any:
    """Return the tokens that whoever asks may see."""
    tokens = ApiToken.objects.filter(revoked_at__isnull=True).order_by("-created_at", "-pk")
    return tokens if request.user.is_superuser else tokens.filter(user=request.user.pk)


def create(request: HttpRequest) -> tuple[TokenForm, dict[str, str] | None]:
    """Make a token; return its name and text, which is shown this once, or None and the form with errors."""
    form = TokenForm(request.POST, auto_id="tokens-%s")
    if not form.is_valid():
        return form, None
    at = clock.now()
    days = form.cleaned_data["expires"]
    token, plain = create_token(
        form.cleaned_data["name"],
        write=form.cleaned_data["write"],
        at=at,
        expires_at=at + timedelta(days=days) if days else None,
        user=request.user,
    )
    audit.record(audit.TOKEN_CREATED, request=request, detail=token.name)
    return new_form(), {"name": token.name, "plain": plain}


def revoke(request: HttpRequest) -> bool:
    """Revoke the token that was named; return whether there is such a one."""
    return rows.revoke(
        request, own(request), action=audit.TOKEN_REVOKED, unknown=_("There is no such token.")
    )
