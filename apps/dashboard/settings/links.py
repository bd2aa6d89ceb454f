"""The card of the read-only links: the owner makes them, sees when each was last opened, revokes them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.accounts import audit
from apps.accounts.links import create_link
from apps.accounts.models import ReadOnlyLink
from apps.devices import clock

from .fields import SelectField, TextField
from .rows import revoke


class LinkForm(forms.Form):
    """A new link."""

    section = "links"

    name = TextField(label=gettext_lazy("For whom?"), max_length=100, required=True)
    days = SelectField(
        label=gettext_lazy("Ends after"),
        choices=[
            ("1", gettext_lazy("1 day")),
            ("7", gettext_lazy("1 week")),
            ("30", gettext_lazy("1 month")),
            ("365", gettext_lazy("1 year")),
        ],
        initial="30",
    )
    notes = forms.BooleanField(label=gettext_lazy("Show notes too"), required=False)


def rows() -> list[dict[str, Any]]:
    """Return the links that are not revoked, the newest first; those that are over stay until removed."""
    at = clock.now()
    links = ReadOnlyLink.objects.filter(revoked_at=None).order_by("-created_at", "-pk")
    return [
        {
            "pk": link.pk,
            "name": link.name,
            "notes": link.notes,
            "expires_at": link.expires_at,
            "is_over": link.expires_at <= at,
            "last_used_at": link.last_used_at,
        }
        for link in links
    ]


def change(request: HttpRequest) -> dict[str, Any]:
    """Do what the card asks for; return what the page then shows: a new link, once, or a wrong form. Empty
    where there is nothing to show."""
    if "revoke" in request.POST:
        known = ReadOnlyLink.objects.filter(revoked_at=None)
        revoke(request, known, action=audit.LINK_REVOKED, unknown=_("There is no such link."))
        return {}
    form = LinkForm(request.POST, auto_id="links-%s")
    if not form.is_valid():
        return {"link_form": form}
    at = clock.now()
    link, secret = create_link(
        form.cleaned_data["name"],
        notes=form.cleaned_data["notes"],
        at=at,
        expires_at=at + timedelta(days=int(form.cleaned_data["days"])),
        user=request.user,
    )
    audit.record(audit.LINK_CREATED, request=request, detail=link.name)
    address = request.build_absolute_uri(reverse("accounts:open_link", args=[secret]))
    return {"new_link": {"name": link.name, "address": address}}
