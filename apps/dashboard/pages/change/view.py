"""``/changes/ID``: what was changed, and whether it helped."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from django.http import Http404, HttpRequest, HttpResponseBase

from apps.changelog.glossary import DEVIATION
from apps.changelog.models import Entry
from apps.changelog.timeline import EntryUnknown, EntryView, view
from apps.changelog.views import entry_page
from apps.dashboard.pages import piece, this_home
from apps.dashboard.pages.normal.deviations import DeviationView, deviation_view
from apps.devices.options import SecretUnreadable, default_site
from apps.effects.deviations import deviation_of
from apps.effects.effects import Answer, NoChange, beside_note, effect_of
from apps.effects.facts import facts_of
from apps.metrics.child import ChildFailed
from apps.metrics.home import Home
from apps.metrics.store.base import StoreUnavailable

from .downloads import effect_csv
from .page import effect_context

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unasked:
    """A note whose effect nobody asked for. ``beside``: the change whose verdict speaks for it, too."""

    beside: EntryView | None


def change(request: HttpRequest, entry_id: int) -> HttpResponseBase:
    """Show one entry with its effect; the entry alone where there is none to be told. ``effect=1`` asks
    what a note did, which is kept; ``format=csv``: the days that its charts show."""
    if request.method != "GET" or piece(request):
        return entry_page(request, entry_id)
    entry = Entry.objects.filter(site=default_site(), pk=entry_id).prefetch_related("setting_changes").first()
    if entry is None:
        raise Http404
    unasked = _unasked(request, entry) if entry.kind == Entry.Kind.NOTE else None
    found = _effect(request, entry) if unasked is None else None
    if request.GET.get("format") == "csv":
        if found is None:
            raise Http404
        return effect_csv(*found, entry_id, request.GET.get("dialect", ""))
    effect = None if found is None else effect_context(*found, entry)
    deviation = _deviation(request, entry) if entry.event_code == DEVIATION else None
    shown = view(entry)
    return entry_page(request, entry_id, entry=shown, effect=effect, deviation=deviation, unasked=unasked)


def _deviation(request: HttpRequest, entry: Entry) -> DeviationView | None:
    """Return what an entry of a deviation tells; None while that cannot be worked out, and for one of which
    the days tell otherwise by now."""
    try:
        home = this_home(request)
        found = deviation_of(home, entry, facts_of(home).deviations)
        return None if found is None else deviation_view(home, found)
    except (StoreUnavailable, SecretUnreadable):
        return None
    except ChildFailed as error:
        log.error("The deviation of entry %s could not be calculated: %s", entry.pk, error)
        return None


def _unasked(request: HttpRequest, note: Entry) -> Unasked | None:
    """Return what a note's page has in place of an effect; None where it was asked for, or the store is
    away."""
    try:
        beside = beside_note(this_home(request), note)
    except (StoreUnavailable, SecretUnreadable):
        return None
    if beside is not None:
        return Unasked(beside=view(Entry.objects.get(pk=beside)))
    # What is asked once is judged from then on: a visitor changes nothing.
    asks = "effect" in request.GET and getattr(request, "visit", None) is None
    return None if asks or hasattr(note, "effect") else Unasked(beside=None)


def _effect(request: HttpRequest, entry: Entry) -> tuple[Home, Answer] | None:
    try:
        home = this_home(request)
        return home, effect_of(home, entry)
    except EntryUnknown as error:
        raise Http404 from error
    except (NoChange, StoreUnavailable, SecretUnreadable):
        return None
    except ChildFailed as error:
        log.error("The effect of entry %s could not be calculated: %s", entry.pk, error)
        return None
