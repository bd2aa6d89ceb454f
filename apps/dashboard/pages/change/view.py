"""``/changes/ID``: what was changed, and whether it helped."""

from __future__ import annotations

import logging

from django.http import Http404, HttpRequest, HttpResponseBase

from apps.changelog.glossary import DEVIATION
from apps.changelog.models import Entry
from apps.changelog.timeline import view
from apps.changelog.views import entry_page
from apps.dashboard.pages import piece, this_home
from apps.devices.options import SecretUnreadable, default_site
from apps.effects.effects import Answer, NoChange, effect_of
from apps.metrics.child import ChildFailed
from apps.metrics.home import Home
from apps.metrics.store.base import StoreUnavailable

from .downloads import effect_csv
from .page import effect_context

log = logging.getLogger(__name__)


def change(request: HttpRequest, entry_id: int) -> HttpResponseBase:
    """Show one entry with its effect; the entry alone where there is none to be told. ``format=csv``: the
    days that its charts show."""
    if request.method != "GET" or piece(request):
        return entry_page(request, entry_id)
    entry = Entry.objects.filter(site=default_site(), pk=entry_id).prefetch_related("setting_changes").first()
    if entry is None:
        raise Http404
    found = _effect(request, entry)
    if request.GET.get("format") == "csv":
        if found is None:
            raise Http404
        return effect_csv(*found, entry_id, request.GET.get("dialect", ""))
    effect = None if found is None else effect_context(*found, entry)
    deviation = entry.event_code == DEVIATION
    return entry_page(request, entry_id, entry=view(entry), effect=effect, deviation=deviation)


def _effect(request: HttpRequest, entry: Entry) -> tuple[Home, Answer] | None:
    try:
        home = this_home(request)
        return home, effect_of(home, entry)
    except (NoChange, StoreUnavailable, SecretUnreadable):
        return None
    except ChildFailed as error:
        log.error("The effect of entry %s could not be calculated: %s", entry.pk, error)
        return None
