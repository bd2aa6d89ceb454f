"""The card of the accounts: the owner adds readers, allows them notes, and removes them."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth import get_user_model
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.accounts import audit
from apps.accounts.first_account import AccountRefused
from apps.accounts.forms import new_password
from apps.accounts.roles import allow_notes, create_reader, may_write_notes

from .fields import TextField
from .rows import row_of


class ReaderForm(forms.Form):
    """A new reader."""

    section = "accounts"

    username = TextField(label=gettext_lazy("User name"), max_length=150, required=True)
    password = new_password(gettext_lazy("Password"))
    notes = forms.BooleanField(label=gettext_lazy("May write notes"), required=False)


def rows() -> list[dict[str, Any]]:
    """Return the accounts as the card shows them, the owner first."""
    return [
        {
            "pk": user.pk,
            "name": user.get_username(),
            "is_owner": user.is_superuser,
            "notes": user.is_superuser or may_write_notes(user),
            "last_login": user.last_login,
        }
        for user in get_user_model().objects.order_by("-is_superuser", "pk")
    ]


def change(request: HttpRequest) -> ReaderForm | None:
    """Do what the card asks for; return the form if something in it is wrong."""
    for name in ("remove", "allow", "forbid"):
        if name in request.POST:
            _change_reader(request, name, request.POST[name])
            return None
    form = ReaderForm(request.POST, auto_id="accounts-%s")
    if not form.is_valid():
        return form
    data = form.cleaned_data
    try:
        user = create_reader(data["username"], data["password"], notes=data["notes"])
    except AccountRefused as error:
        form.add_error(None, error.messages)
        return form
    audit.record(audit.ACCOUNT_CREATED, request=request, detail=user.get_username())
    messages.success(request, _("“%(name)s” can sign in now.") % {"name": user.get_username()})
    return None


def _change_reader(request: HttpRequest, name: str, pk: str) -> None:
    user = row_of(_readers(), pk)
    if user is None:
        messages.error(request, _("There is no such account."))
        return
    if name == "remove":
        audit.record(audit.ACCOUNT_REMOVED, request=request, detail=user.get_username())
        user.delete()
        messages.success(request, _("“%(name)s” can no longer sign in.") % {"name": user.get_username()})
        return
    allow_notes(user, name == "allow")
    audit.record(audit.ACCOUNT_CHANGED, request=request, detail=f"{user.get_username()}: {name} notes")
    messages.success(request, _("Saved."))


def _readers() -> QuerySet[Any]:
    """Return the accounts that this card may change: never an owner's, so that nobody locks everybody out."""
    return get_user_model().objects.filter(is_superuser=False)
