"""Lasting deviations as entries of the changes."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta

from django.db.models import Q

from apps.changelog.glossary import DEVIATION
from apps.changelog.models import Entry
from apps.changelog.observe import add_event
from apps.changelog.timeline import EntryView, entries, view
from apps.metrics.home import Home
from apps.metrics.windows import local_midnight

from .expected import Deviation

DAY = timedelta(days=1)
NEAR = timedelta(days=7)


def note_deviations(home: Home, found: Iterable[Deviation]) -> None:
    """Record deviations that no change of settings explains. One that is dated anew keeps its entry; one that
    was said to last and is not found any more, since late days or changes tell otherwise, loses it."""
    known = list(Entry.objects.filter(site_id=home.id, event_code=DEVIATION).order_by("at", "id"))
    for deviation in found:
        if likely_causes(home, deviation):
            continue
        entry = next((each for each in known if _is_of(home, each, deviation)), None)
        if entry is not None:
            known.remove(entry)
        _note(home, deviation, entry)
    for entry in known:
        if entry.ended_at is None:
            _take_back(home, entry)


def likely_causes(home: Home, deviation: Deviation) -> list[EntryView]:
    """Return the changes of settings within a week of its begin."""
    begin = _midnight(home, deviation.since)
    return entries(home.site, start=begin - NEAR, end=begin + NEAR, kind=Entry.Kind.SETTING)


def also_near(home: Home, deviation: Deviation) -> list[EntryView]:
    """Return the notes and events within a week of its begin, newest first."""
    begin = _midnight(home, deviation.since)
    found = Entry.objects.filter(site_id=home.id, at__gte=begin - NEAR, at__lt=begin + NEAR)
    others = found.exclude(kind=Entry.Kind.SETTING).exclude(event_code=DEVIATION)
    return [view(entry) for entry in others.order_by("-at", "-id").prefetch_related("setting_changes")]


def within(home: Home, first: date, last: date) -> list[EntryView]:
    """Return the entries of deviations of the local days ``first`` to ``last``, but for one that lasted all
    of them."""
    start, end = _midnight(home, first), _midnight(home, last + DAY)
    found = Entry.objects.filter(lasting(start, end), site_id=home.id)
    whole = Q(at__lte=start) & (Q(ended_at=None) | Q(ended_at__gte=end))
    return [view(entry) for entry in found.exclude(whole).order_by("at", "id")]


def lasting(start: datetime, end: datetime) -> Q:
    """Return which entries are of deviations that lasted in part of [start, end)."""
    return Q(event_code=DEVIATION, at__lt=end) & (Q(ended_at=None) | Q(ended_at__gt=start))


def entries_of(home: Home, found: Iterable[Deviation]) -> list[EntryView | None]:
    """Return the entry of each deviation; None where a change of settings explains it."""
    known = Entry.objects.filter(site_id=home.id, event_code=DEVIATION).prefetch_related("setting_changes")
    return [next((view(entry) for entry in known if _is_of(home, entry, each)), None) for each in found]


def deviation_of(home: Home, entry: Entry, found: Iterable[Deviation]) -> Deviation | None:
    """Return the deviation that an entry tells of."""
    if entry.event_code != DEVIATION:
        return None
    return next((deviation for deviation in found if _is_of(home, entry, deviation)), None)


def _is_of(home: Home, entry: Entry, deviation: Deviation) -> bool:
    """Return whether an entry tells of this deviation: of the same day on which it was clear, or of the same
    time."""
    if entry.event_details.get("noticed") == deviation.noticed.isoformat():
        return True
    begin, end = _midnight(home, deviation.since), _end(home, deviation)
    return (entry.ended_at is None or begin < entry.ended_at) and (end is None or entry.at < end)


def _note(home: Home, deviation: Deviation, known: Entry | None) -> None:
    begin, end = _midnight(home, deviation.since), _end(home, deviation)
    details = {"noticed": deviation.noticed.isoformat(), "percent": round(deviation.percent, 3)}
    if known is None:
        add_event(home.site, begin, DEVIATION, details, ended_at=end)
    elif (known.at, known.ended_at, known.event_details) != (begin, end, details):
        known.at, known.ended_at, known.event_details = begin, end, details
        known.updated_at = home.at
        known.save(update_fields=["at", "ended_at", "event_details", "updated_at"])


def _take_back(home: Home, entry: Entry) -> None:
    """Delete an entry; what somebody wrote to it stays, with an end."""
    if entry.title or entry.text:
        entry.ended_at = entry.updated_at = home.at
        entry.save(update_fields=["ended_at", "updated_at"])
    else:
        entry.delete()


def _end(home: Home, deviation: Deviation) -> datetime | None:
    return None if deviation.until is None else _midnight(home, deviation.until + DAY)


def _midnight(home: Home, day: date) -> datetime:
    return local_midnight(day, home.options.zone)
