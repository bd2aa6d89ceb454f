"""What the templates of this app know, one dataclass per page or piece, and how it is made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext

from .glossary import CIRCULATION, HEATING_CIRCUIT, HOT_WATER, OTHER, VENTILATION, setting_name
from .sentences import change_sentence, value_text
from .strips import WeekDrawing, draw_change, draw_week
from .timeline import EntryView, SettingView
from .when import address_time, form_time

_GROUPS = (HEATING_CIRCUIT, HOT_WATER, CIRCULATION, VENTILATION, OTHER)
_ICONS = {HEATING_CIRCUIT: "radiator", HOT_WATER: "drop", CIRCULATION: "ret", VENTILATION: "flow"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Detail:
    """What the title leaves out of one changed setting; ``sentence`` is empty where the title says it."""

    sentence: str
    drawing: WeekDrawing | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryRow:
    """One entry of the timeline. ``anchor`` is its id in the page; ``body`` and ``details`` are what the
    title leaves out."""

    entry: EntryView
    anchor: str
    icon: str
    url: str
    edit_url: str
    delete_url: str
    deletable: bool
    own: bool
    body: str
    details: tuple[Detail, ...]
    edited_here: bool = False

    @property
    def sentences(self) -> list[str]:
        return [detail.sentence for detail in self.details if detail.sentence]

    @property
    def drawn(self) -> list[Detail]:
        """The changed schedules, whose weeks are drawn together."""
        return [detail for detail in self.details if detail.drawing is not None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Month:
    """Entries of one month of the house's calendar. ``at`` lies in it; a month that goes on from the piece
    before has no heading."""

    at: datetime
    heading: bool
    rows: tuple[EntryRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteForm:
    """A note or a comment as typed. ``at`` as the browser's field has it; ``errors`` by field."""

    text: str = ""
    at: str = ""
    title: str = ""
    errors: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """What the address asks to see. ``place`` as in ``timeline.entries``; ``since`` and ``until`` are local
    dates as typed."""

    kind: str = ""
    place: str = ""
    search: str = ""
    since: str = ""
    until: str = ""
    errors: Mapping[str, str] = field(default_factory=dict)

    @property
    def any(self) -> bool:
        return bool(self.kind or self.place or self.search or self.since or self.until)

    def query(self, **changed: str) -> str:
        values = {"kind": self.kind, "place": self.place, "q": self.search}
        values |= {"from": self.since, "to": self.until} | changed
        return "?" + urlencode({name: value for name, value in values.items() if value})


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    label: str
    href: str
    current: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineContext:
    at: datetime
    filter: Filter
    choices: tuple[Choice, ...]
    places: tuple[Choice, ...]
    months: tuple[Month, ...]
    older: str
    newest: str
    form: NoteForm
    counts: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EditContext:
    """The form in place of an entry. ``current`` is the entry as someone else left it (a conflict)."""

    row: EntryRow
    form: NoteForm
    version: str
    is_note: bool
    current: EntryView | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingRow:
    """One setting, named within its group. ``before`` is empty where nothing is compared."""

    label: str
    before: str
    after: str
    drawing: WeekDrawing | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryContext:
    row: EntryRow
    settings: tuple[SettingRow, ...]
    older: EntryView | None
    newer: EntryView | None
    history_query: str
    configuration_query: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingGroup:
    heading: str
    icon: str
    anchor: str
    values: tuple[SettingRow, ...]
    schedules: tuple[SettingRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigurationContext:
    shown_at: datetime
    form_at: str
    error: str
    groups: tuple[SettingGroup, ...]
    earlier: Choice | None
    later: Choice | None


def entry_row(entry: EntryView, reader: str | None, *, edited_here: bool = False) -> EntryRow:
    """Return the row of an entry. ``reader``: who is looking, so that their own notes say so."""
    note = entry.kind == "note"
    return EntryRow(
        entry=entry,
        anchor=f"entry-{entry.id:d}",
        icon=_icon(entry),
        url=reverse("changelog:entry", args=[entry.id]),
        edit_url=reverse("changelog:note_edit", args=[entry.id]),
        delete_url=reverse("changelog:note_delete", args=[entry.id]),
        deletable=note,
        own=note and entry.author is not None and entry.author == reader,
        body=_body(entry),
        details=_details(entry),
        edited_here=edited_here,
    )


def months(
    entries: Iterable[EntryView], zone: tzinfo, reader: str | None, after: datetime | None = None
) -> tuple[Month, ...]:
    """Group entries by local month, in their order. ``after``: the entry before them on the page."""
    found: list[tuple[datetime, list[EntryRow]]] = []
    for entry in entries:
        local = entry.at.astimezone(zone)
        if not found or (found[-1][0].year, found[-1][0].month) != (local.year, local.month):
            found.append((local, []))
        found[-1][1].append(entry_row(entry, reader))
    last = after.astimezone(zone) if after is not None else None
    return tuple(
        Month(
            at=local,
            heading=last is None or (last.year, last.month) != (local.year, local.month),
            rows=tuple(rows),
        )
        for local, rows in found
    )


def edit_form(entry: EntryView, zone: tzinfo) -> NoteForm:
    return NoteForm(text=entry.text, at=form_time(entry.at, zone), title=entry.title)


def changed_settings(settings: Sequence[SettingView]) -> tuple[SettingRow, ...]:
    """Return the old and new values of an entry, with full names."""
    return tuple(_changed(setting) for setting in settings)


def setting_groups(settings: Mapping[str, Any]) -> tuple[SettingGroup, ...]:
    """Group all settings by what they belong to: each circuit, hot water, circulation, the rest."""
    grouped: dict[tuple[int, str], list[str]] = {}
    for key in sorted(settings, key=lambda key: (setting_name(key).place, key)):
        name = setting_name(key)
        grouped.setdefault((_GROUPS.index(name.group), name.circuit), []).append(key)
    return tuple(
        _group(position, circuit, keys, settings) for (position, circuit), keys in sorted(grouped.items())
    )


def change_link(entry: EntryView | None) -> Choice | None:
    """Return the link to the configuration as it was with that change."""
    if entry is None:
        return None
    return Choice(label=entry.title, href=f"?{urlencode({'at': address_time(entry.at)})}", current=False)


def _group(position: int, circuit: str, keys: Sequence[str], settings: Mapping[str, Any]) -> SettingGroup:
    kind = _GROUPS[position]
    headings = {
        HEATING_CIRCUIT: gettext("Heating circuit %(circuit)s") % {"circuit": circuit},
        HOT_WATER: gettext("Hot water"),
        CIRCULATION: gettext("Circulation pump"),
        VENTILATION: gettext("Ventilation"),
        OTHER: gettext("Further settings"),
    }
    rows = [(key, _shown(key, settings[key])) for key in keys]
    return SettingGroup(
        heading=headings[kind],
        icon=_ICONS.get(kind, "settings"),
        anchor=f"group-{position:d}{f'-{circuit}' if circuit else ''}",
        values=tuple(row for _key, row in rows if row.drawing is None),
        schedules=tuple(row for _key, row in rows if row.drawing is not None),
    )


def _shown(key: str, value: Any) -> SettingRow:
    label = setting_name(key).label
    if isinstance(value, Mapping):
        return SettingRow(label=label, before="", after="", drawing=draw_week(key, value))
    return SettingRow(label=label, before="", after=value_text(key, value), drawing=None)


def _changed(setting: SettingView) -> SettingRow:
    name = setting_name(setting.key)
    label = f"{name.heading}: {name.part}" if name.part else name.heading
    if _is_schedule(setting):
        return SettingRow(label=label, before="", after="", drawing=_drawing(setting))
    before, after = value_text(setting.key, setting.before), value_text(setting.key, setting.after)
    return SettingRow(label=label, before=before, after=after, drawing=None)


def _details(entry: EntryView) -> tuple[Detail, ...]:
    found = []
    for setting in entry.settings:
        sentence = change_sentence(setting.key, setting.before, setting.after)
        if entry.title.startswith(sentence):
            sentence = ""
        drawing = _drawing(setting) if _is_schedule(setting) else None
        if sentence or drawing is not None:
            found.append(Detail(sentence=sentence, drawing=drawing))
    return tuple(found)


def _is_schedule(setting: SettingView) -> bool:
    return isinstance(setting.before, Mapping) and isinstance(setting.after, Mapping)


def _drawing(setting: SettingView) -> WeekDrawing:
    return draw_change(setting.key, setting.before, setting.after)


def _icon(entry: EntryView) -> str:
    if entry.kind == "note":
        return "pencil"
    if entry.kind == "event":
        return "info"
    groups = {setting_name(setting.key).group for setting in entry.settings}
    return _ICONS.get(groups.pop(), "changes") if len(groups) == 1 else "changes"


def _body(entry: EntryView) -> str:
    """Return a note without the line that is its title; another entry's comment."""
    if entry.kind != "note" or entry.title.endswith("…"):
        return entry.text
    return entry.text.partition("\n")[2].strip()
