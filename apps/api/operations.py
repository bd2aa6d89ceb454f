"""The operations; those of one object lie together."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from ninja import Path, Query

from apps.accounts import audit
from apps.changelog import notes, timeline
from apps.devices import clock
from apps.devices.models import Site
from apps.devices.options import zone_of
from apps.metrics.status import current_status
from apps.metrics.status_words import fault_message

from . import api, schemas
from .answers import ApiError, home_of, json_answer, plain, site_of
from .times import in_order, instant, optional_instant

ERRORS: dict[int, Any] = dict.fromkeys((400, 401, 403, 404, 405, 409, 429, 500, 503), schemas.Error)
SiteId = Annotated[int | None, Query(description="which home, if there are several")]
EntryId = Annotated[int, Path(ge=1, lt=2**63)]
Time = Annotated[str | None, Query(description="ISO 8601 with offset", format="date-time")]
TimeFrom = Annotated[str | None, Query(alias="from", description="ISO 8601 with offset", format="date-time")]


@api.get("/status", response={200: schemas.StatusOut, **ERRORS}, summary="Current state of the house")
def status(request: HttpRequest, site: SiteId = None) -> HttpResponse:
    """Return live values with their age: meter, heat pump, the last 5 minutes, today, the cloud's quota."""
    home = home_of(request, site)
    found = current_status(home)
    answer = plain(found, home.options.zone)
    for name, source in (("meter", found.meter), ("heat_pump", found.heat_pump)):
        del answer[name]["fault"]
        answer[name]["message"] = fault_message(source.fault, home.options.zone)
    return json_answer(answer)


@api.get("/changelog", response={200: schemas.EntriesOut, **ERRORS}, summary="Changes, notes, events")
def changelog(
    request: HttpRequest,
    start: TimeFrom = None,
    to: Time = None,
    kind: Literal["note", "setting", "event"] | None = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    before: Annotated[int | None, Query(ge=1, lt=2**63, description="id of the last entry received")] = None,
    site: SiteId = None,
) -> HttpResponse:
    """Return the entries, newest first by (at, id), within from ≤ at < to."""
    home = site_of(request, site)
    since, until = optional_instant(start, "from"), optional_instant(to, "to")
    in_order(since, until)
    try:
        found = timeline.entries(home, start=since, end=until, kind=kind, limit=limit, before=before)
    except timeline.EntryUnknown as error:
        raise ApiError(404, _("There is no entry %(id)s.") % {"id": before}, field="before") from error
    return json_answer({"entries": [_entry(entry, home) for entry in found]})


@api.post("/changelog", response={201: schemas.EntryOut, **ERRORS}, summary="Write a note")
def add_note(request: HttpRequest, note: schemas.NoteIn, site: SiteId = None) -> HttpResponse:
    """Add a note, dated now unless ``at`` is given. Its title is its first line."""
    home = site_of(request, site)
    present = clock.now()
    at = present if note.at is None else instant(note.at, "at")
    author = audit.caller_name(request)
    try:
        entry = notes.add_note(home, note.text, at, author, now=present)
    except notes.EntryInvalid as error:
        raise ApiError(400, error.message, field=error.field) from error
    return json_answer(_entry(entry, home), status=201)


@api.patch("/changelog/{entry_id}", response={200: schemas.EntryOut, **ERRORS}, summary="Edit an entry")
def edit_entry(
    request: HttpRequest, entry_id: EntryId, edit: schemas.EntryEdit, site: SiteId = None
) -> HttpResponse:
    """Edit an entry; of those made by heatmon only title and text. A stale ``version`` returns 409 with both
    texts."""
    home = site_of(request, site)
    at = optional_instant(edit.at, "at")
    try:
        entry = notes.edit_entry(
            entry_id, edit.version, text=edit.text, title=edit.title, at=at, site=home, now=clock.now()
        )
    except timeline.EntryUnknown as error:
        raise no_entry(entry_id) from error
    except notes.EntryInvalid as error:
        raise ApiError(400, error.message, field=error.field) from error
    except notes.VersionConflict as error:
        raise ApiError(
            409,
            _("The entry has been changed in the meantime."),
            field="version",
            extra={"yours": edit.text, "current": _entry(error.current, home)},
        ) from error
    return json_answer(_entry(entry, home))


@api.delete("/changelog/{entry_id}", response={204: None, **ERRORS}, summary="Delete a note")
def delete_note(request: HttpRequest, entry_id: EntryId, site: SiteId = None) -> HttpResponse:
    """Delete a note; other entries cannot be deleted."""
    home = site_of(request, site)
    try:
        notes.delete_note(entry_id, site=home)
    except timeline.EntryUnknown as error:
        raise no_entry(entry_id) from error
    except notes.EntryInvalid as error:
        raise ApiError(400, error.message, field=error.field) from error
    return HttpResponse(status=204)


@api.get(
    "/configuration",
    response={200: schemas.ConfigurationOut, **ERRORS},
    summary="All settings at a given time",
)
def configuration(request: HttpRequest, at: Time = None, site: SiteId = None) -> HttpResponse:
    """Return all settings of the heat pump that were known at ``at`` (default: now)."""
    home = site_of(request, site)
    when = optional_instant(at, "at") or clock.now()
    zone = zone_of(home)
    return json_answer({"at": plain(when, zone), "settings": timeline.configuration_at(home, when)})


def _entry(entry: timeline.EntryView, home: Site) -> Any:
    return plain(entry, zone_of(home))


def no_entry(entry_id: int) -> ApiError:
    return ApiError(404, _("There is no entry %(id)s.") % {"id": entry_id})
