"""The history in order: entries for pages and API, markers for charts, the settings at any time."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet

from apps.devices.models import Site
from apps.devices.sql import first_row

from .demo_notes import in_readers_language
from .glossary import BY_HAND, DEVIATION, OTHER, PROGRAMS, place_of, setting_name
from .hiding import notes_hidden
from .models import ConfigurationVersion, Entry, SettingChange
from .sentences import EVENT_SENTENCES, entry_title, event_title, note_title

MARKER_LIMIT = 500
_STATE = """
    SELECT COUNT(id), MAX(id), SUM(version), COUNT(ended_at),
           (SELECT MAX(id) FROM changelog_configurationversion WHERE site_id = %s)
      FROM changelog_entry WHERE site_id = %s
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingView:
    key: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryView:
    """One entry as pages and API show it; ``title`` is in the language in force. ``author`` is None for
    what heatmon saw itself. ``begin`` and ``end`` are of an event that lasts or lasted, ``end`` None while it
    does; None for everything else."""

    id: int
    at: datetime
    kind: str
    title: str
    text: str
    author: str | None
    version: int
    settings: tuple[SettingView, ...]
    begin: datetime | None = None
    end: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Marker:
    """An entry in a chart; ``number`` counts from 1 in the order of time. ``begin`` and ``end`` as in
    ``EntryView``."""

    id: int
    at: datetime
    number: int
    title: str
    kind: str
    begin: datetime | None = None
    end: datetime | None = None


class EntryUnknown(Exception):
    """No entry of this site has that id."""


def entries(
    site: Site,
    *,
    start: datetime | None = None,
    end: datetime | None = None,
    kind: str | None = None,
    limit: int = 50,
    before: int | None = None,
    search: str = "",
    place: str = "",
) -> list[EntryView]:
    """Return the entries, newest first by (at, id), within start ≤ at < end. ``before``: only what comes
    after that entry in this order; raises EntryUnknown if there is none with that id. ``place``: only what
    was set there, such as circuits.1 or dhw."""
    found = _within(Entry.objects.filter(site=site), start, end)
    if kind is not None:
        found = found.filter(kind=kind)
    if place:
        found = found.filter(_at_place(site, place))
    if search.strip():
        found = found.filter(_matching(site, search.strip()))
    if before is not None:
        last = Entry.objects.filter(site=site, id=before).values_list("at", "id").first()
        if last is None:
            raise EntryUnknown(before)
        found = found.filter(Q(at__lt=last[0]) | Q(at=last[0], id__lt=last[1]))
    ordered = found.order_by("-at", "-id").prefetch_related("setting_changes")
    return [view(entry) for entry in ordered[:limit]]


def entry_view(site: Site, entry_id: int) -> EntryView:
    """Return one entry. Raises EntryUnknown."""
    entry = Entry.objects.filter(site=site, id=entry_id).prefetch_related("setting_changes").first()
    if entry is None:
        raise EntryUnknown(entry_id)
    return view(entry)


def view(entry: Entry) -> EntryView:
    """Return the entry with its title in the language in force; where notes are hidden, without what people
    wrote about it."""
    hidden = notes_hidden()
    changes = [
        SettingView(key=change.key, before=change.before, after=change.after)
        for change in sorted(entry.setting_changes.all(), key=lambda change: change.key)
    ]
    return EntryView(
        id=entry.pk,
        at=entry.at,
        kind=entry.kind,
        title=(not hidden and entry.title) or made_title(entry, changes),
        text="" if hidden else in_readers_language(entry.text),
        author=entry.author_name or None,
        version=entry.version,
        settings=tuple(changes),
        begin=entry.at if entry.ended_at is not None or entry.event_code in (BY_HAND, DEVIATION) else None,
        end=entry.ended_at,
    )


def made_title(entry: Entry, changes: list[SettingView]) -> str:
    """Return the title that heatmon gives the entry where its owner gave none."""
    if entry.kind == Entry.Kind.NOTE:
        return note_title(in_readers_language(entry.text))
    if entry.kind == Entry.Kind.EVENT:
        lasted = entry.ended_at - entry.at if entry.ended_at is not None else None
        return event_title(entry.event_code, entry.event_details, lasted)
    return entry_title([(change.key, change.before, change.after) for change in changes])


def markers(site: Site, start: datetime, end: datetime) -> list[Marker]:
    """Return the entries of [start, end) for a chart, oldest first, and the events that began earlier and
    last into it; at most the newest MARKER_LIMIT."""
    lasting = Q(event_code=BY_HAND, ended_at=None) | Q(ended_at__gt=start)
    found = Entry.objects.filter(Q(at__gte=start) | lasting, site=site, at__lt=end)
    newest = found.order_by("-at", "-id").prefetch_related("setting_changes")[:MARKER_LIMIT]
    return [
        Marker(
            id=entry.id,
            at=entry.at,
            begin=entry.begin,
            end=entry.end,
            number=number,
            title=entry.title,
            kind=entry.kind,
        )
        for number, entry in enumerate(map(view, reversed(newest)), start=1)
    ]


def state(site: Site) -> tuple[Any, ...]:
    """Return what changes whenever an entry is written, edited, ended or deleted, or a setting is seen
    changed."""
    return first_row(_STATE, site.pk, site.pk) or ()


def shown_state(site: Site) -> tuple[Any, ...]:
    """Return what changes with ``state``, or with whether notes are hidden from whoever asks: the key of what
    is kept with titles or notes in it."""
    return (*state(site), notes_hidden())


def configuration_at(site: Site, at: datetime) -> dict[str, Any]:
    """Return all settings known at that time, key → value; empty before the first poll."""
    version = ConfigurationVersion.objects.filter(site=site, at__lte=at).last()
    return dict(version.settings) if version is not None else {}


def configurations(site: Site, start: datetime, end: datetime) -> list[tuple[datetime, dict[str, Any]]]:
    """Return (time, all settings known) of what was in force at ``start`` and of each change before ``end``.

    Times before ``start`` are given as ``start``.
    """
    versions = ConfigurationVersion.objects.filter(site=site, at__lt=end)
    before = versions.filter(at__lte=start).last()
    later = versions.filter(at__gt=start)
    known = [(start, dict(before.settings))] if before is not None else []
    return known + [(version.at, dict(version.settings)) for version in later]


def previous_change(site: Site, at: datetime) -> EntryView | None:
    """Return the newest change of settings before ``at``."""
    entry = _changes(site).filter(at__lt=at).order_by("-at", "-id").first()
    return view(entry) if entry is not None else None


def next_change(site: Site, at: datetime) -> EntryView | None:
    """Return the oldest change of settings after ``at``."""
    entry = _changes(site).filter(at__gt=at).order_by("at", "id").first()
    return view(entry) if entry is not None else None


def neighbours(site: Site, entry: EntryView) -> tuple[EntryView | None, EntryView | None]:
    """Return the entries before and after this one in time, whatever their kind."""
    others = Entry.objects.filter(site=site).prefetch_related("setting_changes")
    older = others.filter(Q(at__lt=entry.at) | Q(at=entry.at, id__lt=entry.id)).order_by("-at", "-id").first()
    newer = others.filter(Q(at__gt=entry.at) | Q(at=entry.at, id__gt=entry.id)).order_by("at", "id").first()
    return (view(older) if older is not None else None, view(newer) if newer is not None else None)


def _changes(site: Site) -> QuerySet[Entry]:
    changes = Entry.objects.filter(site=site, kind=Entry.Kind.SETTING)
    return changes.prefetch_related("setting_changes")


def _within(found: QuerySet[Entry], start: datetime | None, end: datetime | None) -> QuerySet[Entry]:
    if start is not None:
        found = found.filter(at__gte=start)
    if end is not None:
        found = found.filter(at__lt=end)
    return found


def places(site: Site) -> list[str]:
    """Return where settings were changed: circuits, hot water, circulation, ventilation."""
    keys = SettingChange.objects.filter(entry__site=site).order_by().values_list("key", flat=True).distinct()
    return sorted({place_of(key) for key in keys if setting_name(key).group != OTHER}, key=_place_order)


def _place_order(place: str) -> tuple[int, str]:
    first = place.split(".")[0]
    return ("circuits", "dhw", "circulation", "ventilation").index(first), place


def _at_place(site: Site, place: str) -> Q:
    """Return the changes of settings of a place, and programs switched by hand there."""
    changed = SettingChange.objects.filter(entry__site=site, key__startswith=f"{place}.").values("entry")
    return Q(pk__in=changed) | Q(event_code=BY_HAND, event_details__place=place)


def _matching(site: Site, search: str) -> Q:
    """Return the entries whose own words, or the words heatmon shows for them, contain ``search``."""
    pattern = re.escape(search)  # iregex, as LIKE in SQLite knows no upper and lower case beyond ASCII
    keys = SettingChange.objects.filter(entry__site=site).order_by().values_list("key", flat=True).distinct()
    folded = search.casefold()
    named = [key for key in keys if folded in _words(key).casefold()]
    programs = [name for name, word in PROGRAMS.items() if folded in str(word).casefold()]
    events = [code for code, sentence in EVENT_SENTENCES.items() if folded in str(sentence).casefold()]
    written = Q(text__iregex=pattern) | Q(title__iregex=pattern) | Q(author_name__iregex=pattern)
    if notes_hidden():
        written = Q(pk__in=())
    return (
        written
        | Q(pk__in=SettingChange.objects.filter(entry__site=site, key__in=named).values("entry"))
        | Q(event_code__in=events)
        | Q(event_details__program__in=programs)
    )


def _words(key: str) -> str:
    name = setting_name(key)
    return f"{name.heading} {name.part}"
