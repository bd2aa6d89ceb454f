"""``/changes/ID``: what was changed, and whether it helped."""

from __future__ import annotations

import logging

from django.http import HttpRequest, HttpResponse

from apps.changelog.models import Entry
from apps.changelog.views import entry_page
from apps.dashboard.pages import piece, this_home
from apps.devices.options import SecretUnreadable, default_site
from apps.effects.effects import NoChange, effect_of
from apps.metrics.child import ChildFailed
from apps.metrics.store.base import StoreUnavailable

from .page import EffectContext, effect_context

log = logging.getLogger(__name__)


def change(request: HttpRequest, entry_id: int) -> HttpResponse:
    """Show one entry with its effect; the entry alone where there is none to be told."""
    if request.method != "GET" or piece(request):
        return entry_page(request, entry_id)
    return entry_page(request, entry_id, effect=_effect(request, entry_id))


def _effect(request: HttpRequest, entry_id: int) -> EffectContext | None:
    entry = Entry.objects.filter(site=default_site(), pk=entry_id).prefetch_related("setting_changes").first()
    if entry is None:
        return None
    try:
        home = this_home(request)
        return effect_context(home, effect_of(home, entry), entry)
    except (NoChange, StoreUnavailable, SecretUnreadable):
        return None
    except ChildFailed as error:
        log.error("The effect of entry %s could not be calculated: %s", entry_id, error)
        return None
