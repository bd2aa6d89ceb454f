"""Write notes; edit what may be edited. Every refusal is typed and names its field."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db import transaction
from django.utils.translation import gettext

from apps.devices import clock
from apps.devices.models import Site

from .models import MAXIMUM_TEXT_LENGTH, MAXIMUM_TITLE_LENGTH, Entry
from .sentences import number_text
from .timeline import EntryUnknown, EntryView, view

DOUBLE_SUBMIT_WITHIN = timedelta(minutes=1)
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
LATEST_AHEAD = timedelta(days=1)

Author = AbstractBaseUser | AnonymousUser | str | None
"""A user, the name of an API token, or nobody (the demo)."""


class EntryInvalid(Exception):
    """What was given cannot be kept. ``field`` is text, title, at or kind; ``message`` is for people."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field
        self.message = message


class VersionConflict(Exception):
    """Someone else edited the entry meanwhile. ``current`` is the entry as it is now."""

    def __init__(self, current: EntryView) -> None:
        super().__init__(f"entry {current.id} is at version {current.version}")
        self.current = current


def add_note(
    site: Site, text: str, at: datetime, author: Author, *, now: datetime | None = None
) -> EntryView:
    """Return a new note; ``now`` is the present. The same text by the same author for the same minute, sent
    twice within a minute, makes one note. Raises EntryInvalid."""
    now = now if now is not None else clock.now()
    text = checked_text(text)
    at = checked_time(at, now)
    user, name = _author(author)
    with transaction.atomic():
        Site.objects.select_for_update().get(pk=site.pk)  # a double click waits here for the first
        twin = Entry.objects.filter(
            site=site,
            kind=Entry.Kind.NOTE,
            text=text,
            author_user=user,
            author_name=name,
            created_at__gt=now - DOUBLE_SUBMIT_WITHIN,
            at__gte=at - DOUBLE_SUBMIT_WITHIN,
            at__lte=at + DOUBLE_SUBMIT_WITHIN,
        ).first()
        if twin is not None:
            return view(twin)
        entry = Entry.objects.create(
            site=site,
            kind=Entry.Kind.NOTE,
            at=at,
            text=text,
            author_user=user,
            author_name=name,
            created_at=now,
            updated_at=now,
        )
    return view(entry)


def edit_entry(
    entry_id: int,
    version: int,
    *,
    text: str | None = None,
    title: str | None = None,
    at: datetime | None = None,
    site: Site | None = None,
    now: datetime | None = None,
) -> EntryView:
    """Edit what is not None. Of a setting or event only title and text can be edited, of a note text and
    time; an empty title restores heatmon's own. Raises EntryUnknown, EntryInvalid, VersionConflict."""
    now = now if now is not None else clock.now()
    with transaction.atomic():
        entry = _locked(entry_id, site)
        if entry.version != version:
            raise VersionConflict(view(entry))
        wanted = _wanted(entry, text=text, title=title, at=at, now=now)
        changed = [field for field, value in wanted.items() if getattr(entry, field) != value]
        if changed:
            for field in changed:
                setattr(entry, field, wanted[field])
            entry.version += 1
            entry.updated_at = now
            entry.save(update_fields=[*changed, "version", "updated_at"])
    return view(entry)


def delete_note(entry_id: int, *, version: int | None = None, site: Site | None = None) -> None:
    """Delete a note; with ``version`` only if nobody edited it since. Raises EntryUnknown, VersionConflict,
    and EntryInvalid (field kind) for an entry that is not a note."""
    with transaction.atomic():
        entry = _locked(entry_id, site)
        if entry.kind != Entry.Kind.NOTE:
            raise EntryInvalid("kind", gettext("Only notes can be deleted."))
        if version is not None and entry.version != version:
            raise VersionConflict(view(entry))
        entry.delete()


def _locked(entry_id: int, site: Site | None) -> Entry:
    found = Entry.objects.select_for_update().filter(pk=entry_id)
    entry = (found if site is None else found.filter(site=site)).first()
    if entry is None:
        raise EntryUnknown(entry_id)
    return entry


def _wanted(
    entry: Entry, *, text: str | None, title: str | None, at: datetime | None, now: datetime
) -> dict[str, Any]:
    """Return field → new value, checked."""
    note = entry.kind == Entry.Kind.NOTE
    wanted: dict[str, Any] = {}
    if text is not None:
        wanted["text"] = checked_text(text, may_be_empty=not note)
    if title is not None and not (note and title.strip() == view(entry).title):
        if note:
            raise EntryInvalid("title", gettext("The title of a note is its first line."))
        wanted["title"] = _checked_title(title)
    if at is not None and at != entry.at:
        if not note:
            raise EntryInvalid("at", gettext("The time of an entry made by heatmon cannot be changed."))
        wanted["at"] = checked_time(at, now)
    return wanted


def checked_text(text: str, *, may_be_empty: bool = False) -> str:
    """Return the text as it is kept: trimmed, with plain line ends. Raises EntryInvalid."""
    text = _storable("text", text).replace("\r\n", "\n").replace("\r", "\n").strip()
    if not text and not may_be_empty:
        raise EntryInvalid("text", gettext("Describe what happened."))
    if len(text) > MAXIMUM_TEXT_LENGTH:
        raise EntryInvalid(
            "text",
            gettext("A note may have up to %(n)s characters.") % {"n": number_text(MAXIMUM_TEXT_LENGTH)},
        )
    return text


def _checked_title(title: str) -> str:
    title = " ".join(_storable("title", title).split())
    if len(title) > MAXIMUM_TITLE_LENGTH:
        raise EntryInvalid(
            "title",
            gettext("A title may have up to %(n)s characters.") % {"n": number_text(MAXIMUM_TITLE_LENGTH)},
        )
    return title


def _storable(field: str, text: str) -> str:
    """Return whether databases can keep the text: neither NUL nor half a surrogate pair."""
    if "\x00" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise EntryInvalid(field, gettext("The text contains characters that cannot be stored."))
    return text


def checked_time(at: datetime, now: datetime) -> datetime:
    """Return the time in UTC. Raises EntryInvalid."""
    if at.tzinfo is None:
        raise EntryInvalid("at", gettext("The time needs a time zone."))
    if at < EARLIEST:
        raise EntryInvalid("at", gettext("The time is before the year 2000."))
    if at > now + LATEST_AHEAD:
        raise EntryInvalid("at", gettext("The time is in the future."))
    return at.astimezone(UTC)


def _author(author: Author) -> tuple[Any, str]:
    """Return the user (or None) and the name that stays even when the user is deleted."""
    if isinstance(author, str):
        return None, author[:150]
    if author is None or not author.is_authenticated:
        return None, ""
    return author, author.get_username()[:150]
