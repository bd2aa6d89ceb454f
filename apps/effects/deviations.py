"""Lasting deviations as entries of the changes."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from apps.changelog.glossary import DEVIATION
from apps.changelog.models import Entry
from apps.changelog.observe import add_event
from apps.changelog.timeline import EntryView, entries, view
from apps.metrics.home import Home

from .expected import Deviation

NEAR = timedelta(days=7)


def note_deviations(home: Home, found: Iterable[Deviation]) -> None:
    """Record deviations that no change of settings explains; one that is dated anew keeps its entry."""
    for deviation in found:
        if not likely_causes(home, deviation):
            _note(home, deviation)


def likely_causes(home: Home, deviation: Deviation) -> list[EntryView]:
    """Return the changes of settings within a week of its begin."""
    begin = _instant(home, deviation)
    return entries(home.site, start=begin - NEAR, end=begin + NEAR, kind=Entry.Kind.SETTING)


def also_near(home: Home, deviation: Deviation) -> list[EntryView]:
    """Return the notes and events within a week of its begin, newest first."""
    begin = _instant(home, deviation)
    found = Entry.objects.filter(site_id=home.id, at__gte=begin - NEAR, at__lt=begin + NEAR)
    others = found.exclude(kind=Entry.Kind.SETTING).exclude(event_code=DEVIATION)
    return [view(entry) for entry in others.order_by("-at", "-id").prefetch_related("setting_changes")]


def _note(home: Home, deviation: Deviation) -> None:
    begin = _instant(home, deviation)
    end = None
    if deviation.until is not None:
        end = datetime.fromtimestamp(home.day_bounds(deviation.until)[1], UTC)
    details = {"noticed": deviation.noticed.isoformat(), "percent": round(deviation.percent, 1)}
    known = Entry.objects.filter(
        site_id=home.id, event_code=DEVIATION, event_details__noticed=details["noticed"]
    ).first()
    if known is None:
        add_event(home.site, begin, DEVIATION, details, ended_at=end)
    elif (known.at, known.ended_at, known.event_details) != (begin, end, details):
        known.at, known.ended_at, known.event_details = begin, end, details
        known.updated_at = home.at
        known.save(update_fields=["at", "ended_at", "event_details", "updated_at"])


def _instant(home: Home, deviation: Deviation) -> datetime:
    return datetime.fromtimestamp(home.midnight(deviation.since), UTC)
