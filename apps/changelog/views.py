"""The pages of changes and notes. Each works without JavaScript; htmx gets the piece that changes."""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from apps.devices import clock
from apps.devices.models import SavedOption, Site
from apps.devices.options import default_site, environment_values

from . import contexts, notes, timeline
from .contexts import EditContext, EntryContext, Filter, NoteForm, TimelineContext
from .glossary import place_name
from .hiding import notes_hidden
from .models import Entry
from .when import address_time, day_end, day_start, form_time, parse_day, parse_time

PAGE_SIZE = 50
MAXIMUM_SEARCH_LENGTH = 200


@require_GET
def timeline_page(request: HttpRequest) -> HttpResponse:
    """Show everything that happened, newest first; with ``before`` what came before that entry."""
    site = default_site()
    return _timeline(request, site, NoteForm(at=form_time(clock.now(), _zone(site))))


@require_POST
def note_add(request: HttpRequest) -> HttpResponse:
    """Keep a note and go back to the timeline; a wrong one comes back with what is wrong."""
    site = default_site()
    typed = NoteForm(text=request.POST.get("text", ""), at=request.POST.get("at", ""))
    try:
        at = _typed_time(typed.at, _zone(site)) if typed.at else clock.now()
        note = notes.add_note(site, typed.text, at, request.user, now=clock.now())
    except notes.EntryInvalid as error:
        form = NoteForm(text=typed.text, at=typed.at, errors={error.field: error.message})
        return _timeline(request, site, form, status=400)
    messages.success(request, _("Note saved."))
    return redirect(f"{reverse('changelog:timeline')}#entry-{note.id}")


@require_GET
def entry_page(
    request: HttpRequest,
    entry_id: int,
    *,
    entry: timeline.EntryView | None = None,
    effect: object = None,
    deviation: object = None,
    unasked: object = None,
) -> HttpResponse:
    """Show one entry: what changed, its effect where it is known, the comment, its neighbours. Htmx asks for
    the row of the timeline. ``entry``: itself, where it is read already; ``deviation``: what a lasting
    deviation tells; ``unasked``: what a note says whose effect was not asked for."""
    site = default_site()
    entry = entry or _entry_or_404(site, entry_id)
    row = contexts.entry_row(entry, _reader(request), edited_here=_in_row(request))
    if _in_row(request):
        return render(request, "changelog/_entry.html", {"row": row})
    older, newer = timeline.neighbours(site, entry)
    context = EntryContext(
        row=row,
        settings=contexts.changed_settings(entry.settings),
        older=older,
        newer=newer,
        history_query=_history_query(entry, _zone(site)),
        configuration_query=f"?at={address_time(entry.at)}",
    )
    shown = {"page": context, "effect": effect, "deviation": deviation, "unasked": unasked}
    return render(request, "changelog/entry.html", shown)


def _history_query(entry: timeline.EntryView, zone: ZoneInfo) -> str:
    """Return the day of an entry, or all of what lasted longer."""
    end = None if entry.begin is None else entry.end or clock.now()
    if end is not None and end - entry.at > timedelta(days=1):
        span = {"from": entry.at, "to": end.replace(microsecond=0)}
        return "?" + urlencode({name: at.astimezone(zone).isoformat() for name, at in span.items()})
    return f"?range=day&date={entry.at.astimezone(zone):%Y-%m-%d}"


@require_http_methods(["GET", "HEAD", "POST"])
def note_edit(request: HttpRequest, entry_id: int) -> HttpResponse:
    """Edit a note, or title and comment of another entry; a conflict is a 409 that shows both texts."""
    site = default_site()
    entry = _entry_or_404(site, entry_id)
    zone = _zone(site)
    if request.method != "POST":
        return _edit_form(request, entry, contexts.edit_form(entry, zone))
    typed = NoteForm(
        text=request.POST.get("text", ""),
        at=request.POST.get("at", ""),
        title=request.POST.get("title", ""),
    )
    try:
        saved = _save(site, entry, typed, request.POST.get("version", ""), zone)
    except notes.EntryInvalid as error:
        form = NoteForm(text=typed.text, at=typed.at, title=typed.title, errors={error.field: error.message})
        return _edit_form(request, entry, form, status=400, version=request.POST.get("version", ""))
    except notes.VersionConflict as conflict:
        return _edit_form(request, conflict.current, typed, status=409, conflict=True)
    if _in_row(request):
        row = contexts.entry_row(saved, _reader(request), edited_here=True)
        return render(request, "changelog/_entry.html", {"row": row})
    messages.success(request, _("Saved."))
    return redirect("changelog:entry", entry_id)


@require_http_methods(["GET", "HEAD", "POST"])
def note_delete(request: HttpRequest, entry_id: int) -> HttpResponse:
    """Ask first (GET), then delete the note as it was shown; one edited meanwhile is asked for again."""
    site = default_site()
    entry = _entry_or_404(site, entry_id)
    if entry.kind != Entry.Kind.NOTE:
        raise Http404
    if request.method != "POST":
        return _delete_form(request, entry)
    try:
        notes.delete_note(entry_id, version=_version(request.POST.get("version", "")), site=site)
    except notes.VersionConflict as conflict:
        return _delete_form(request, conflict.current, status=409)
    except timeline.EntryUnknown as error:
        raise Http404 from error
    if _in_row(request):
        return render(request, "changelog/_deleted.html")
    messages.success(request, _("Note deleted."))
    return redirect("changelog:timeline")


@require_GET
def configuration_page(request: HttpRequest) -> HttpResponse:
    """Show all settings as they were at ``at`` (default now), with the changes before and after."""
    site = default_site()
    zone = _zone(site)
    asked = request.GET.get("at", "")
    error = ""
    try:
        at = parse_time(asked, zone) if asked else clock.now()
    except ValueError:
        at, error = clock.now(), _("This is not a valid time.")
    context = contexts.ConfigurationContext(
        shown_at=at,
        form_at=form_time(at, zone),
        error=error,
        groups=contexts.setting_groups(timeline.configuration_at(site, at)),
        earlier=contexts.change_link(timeline.previous_change(site, at)),
        later=contexts.change_link(timeline.next_change(site, at)),
    )
    return render(request, "changelog/configuration.html", {"page": context}, status=400 if error else 200)


def _timeline(request: HttpRequest, site: Site, form: NoteForm, *, status: int = 200) -> HttpResponse:
    zone = _zone(site)
    wanted, bounds = _filter(request, zone)
    before = request.GET.get("before", "")
    last = _entry_or_404(site, int(before)) if before.isdecimal() and len(before) < 19 else None
    found = timeline.entries(
        site,
        start=bounds[0],
        end=bounds[1],
        kind=wanted.kind or None,
        search=wanted.search,
        place=wanted.place,
        limit=PAGE_SIZE + 1,
        before=last.id if last is not None else None,
    )
    shown = found[:PAGE_SIZE]
    piece = _is_piece(request)
    context = TimelineContext(
        at=clock.now(),
        filter=wanted,
        choices=_choices(wanted),
        places=() if piece else _places(wanted, site),
        months=contexts.months(
            shown, zone, _reader(request), last.at if piece and last is not None else None
        ),
        older=wanted.query(before=str(shown[-1].id)) if len(found) > PAGE_SIZE else "",
        newest=wanted.query() if last is not None else "",
        form=form,
        counts=() if piece else _counts(site),
    )
    template = "changelog/_months.html" if piece else "changelog/timeline.html"
    bad = status == 200 and wanted.errors
    return render(request, template, {"page": context, "at": context.at}, status=400 if bad else status)


def _filter(request: HttpRequest, zone: ZoneInfo) -> tuple[Filter, tuple[datetime | None, datetime | None]]:
    """Return the filter in the address; an invalid date is reported and ignored."""
    kind = request.GET.get("kind", "")
    typed = {"from": request.GET.get("from", ""), "to": request.GET.get("to", "")}
    days: dict[str, datetime | None] = {"from": None, "to": None}
    errors = {}
    for name, edge in (("from", day_start), ("to", day_end)):
        try:
            days[name] = edge(parse_day(typed[name]), zone) if typed[name] else None
        except ValueError:
            errors[name] = _("This is not a valid date.")
    wanted = Filter(
        kind=kind if kind in Entry.Kind.values else "",
        place=_place(request.GET.get("place", "")),
        search=request.GET.get("q", "").replace("\x00", "").strip()[:MAXIMUM_SEARCH_LENGTH],
        since=typed["from"],
        until=typed["to"],
        errors=errors,
    )
    return wanted, (days["from"], days["to"])


def _choices(wanted: Filter) -> tuple[contexts.Choice, ...]:
    labels = (("", _("All")), ("setting", _("Settings")), ("note", _("Notes")), ("event", _("Events")))
    return tuple(
        contexts.Choice(label=label, href=wanted.query(kind=kind), current=wanted.kind == kind)
        for kind, label in labels
        if kind != Entry.Kind.NOTE or not notes_hidden()
    )


def _place(asked: str) -> str:
    return asked if re.fullmatch(r"\w{1,40}(\.\w{1,40})?", asked) else ""


def _places(wanted: Filter, site: Site) -> tuple[contexts.Choice, ...]:
    """Return a link for each part of the heating with changes; none where there is one or none."""
    known = timeline.places(site)
    if len(known) < 2:
        return ()
    labels = [("", _("Everything")), *((place, place_name(place)) for place in known)]
    return tuple(
        contexts.Choice(label=label, href=wanted.query(place=place), current=wanted.place == place)
        for place, label in labels
    )


def _counts(site: Site) -> tuple[tuple[str, int], ...]:
    kinds = Entry.objects.filter(site=site).order_by().values("kind").annotate(count=Count("id"))
    counted = {row["kind"]: int(row["count"]) for row in kinds}
    notes_row = () if notes_hidden() else ((_("Notes"), counted.get("note", 0)),)
    return (
        (_("Setting changes"), counted.get("setting", 0)),
        *notes_row,
        (_("Events"), counted.get("event", 0)),
    )


def _save(
    site: Site, entry: timeline.EntryView, typed: NoteForm, version: str, zone: ZoneInfo
) -> timeline.EntryView:
    note = entry.kind == Entry.Kind.NOTE
    # The field knows minutes only: untouched, the note keeps its seconds.
    moved = note and typed.at not in ("", form_time(entry.at, zone))
    made = not note and typed.title == entry.title
    try:
        return notes.edit_entry(
            entry.id,
            _version(version),
            text=typed.text,
            title=None if note or made else typed.title,
            at=_typed_time(typed.at, zone) if moved else None,
            site=site,
            now=clock.now(),
        )
    except timeline.EntryUnknown as error:
        raise Http404 from error


def _edit_form(
    request: HttpRequest,
    entry: timeline.EntryView,
    form: NoteForm,
    *,
    status: int = 200,
    version: str = "",
    conflict: bool = False,
) -> HttpResponse:
    context = EditContext(
        row=contexts.entry_row(entry, _reader(request)),
        form=form,
        version=version or str(entry.version),
        is_note=entry.kind == Entry.Kind.NOTE,
        current=entry if conflict else None,
    )
    template = "changelog/_edit.html" if _in_row(request) else "changelog/edit.html"
    return render(request, template, {"edit": context}, status=status)


def _delete_form(request: HttpRequest, entry: timeline.EntryView, *, status: int = 200) -> HttpResponse:
    context = {
        "row": contexts.entry_row(entry, _reader(request)),
        "version": str(entry.version),
        "changed_meanwhile": status == 409,
    }
    template = "changelog/_delete.html" if _in_row(request) else "changelog/delete.html"
    return render(request, template, context, status=status)


def _typed_time(text: str, zone: ZoneInfo) -> datetime:
    try:
        return parse_time(text, zone)
    except ValueError as error:
        raise notes.EntryInvalid("at", _("This is not a valid time.")) from error


def _version(text: str) -> int:
    """Return the version that the form was made from; an invalid one matches no entry."""
    return int(text) if text.isdecimal() and len(text) < 10 else 0


def _entry_or_404(site: Site, entry_id: int) -> timeline.EntryView:
    try:
        return timeline.entry_view(site, entry_id)
    except timeline.EntryUnknown as error:
        raise Http404 from error


def _reader(request: HttpRequest) -> str | None:
    return request.user.get_username() if request.user.is_authenticated else None


def _in_row(request: HttpRequest) -> bool:
    """Return whether htmx swaps one row of the timeline."""
    return request.headers.get("HX-Target", "").startswith("entry-")


def _is_piece(request: HttpRequest) -> bool:
    """Return whether htmx asks for the entries that follow."""
    return request.headers.get("HX-Target", "") == "older"


def _zone(site: Site) -> ZoneInfo:
    """Return the house's zone, not through home_options: notes can be written even if a saved password cannot
    be read."""
    saved: Any = SavedOption.objects.filter(site=site, name="time_zone").first()
    return ZoneInfo(json.loads(saved.value) if saved is not None else environment_values()["time_zone"])
