"""Entries as sentences in the reader's language; settings are called as the glossary calls them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from django.utils.formats import date_format, number_format
from django.utils.translation import gettext, ngettext, pgettext
from django.utils.translation import gettext_lazy as _

from apps.devices.configuration import WEEKDAYS

from .diff import differences
from .glossary import (
    BY_HAND,
    DEVIATION,
    HEATING_CIRCUIT,
    PROGRAMS,
    WORDS,
    place_name,
    schedule_owner,
    setting_name,
)
from .schedule_days import Day, Segment, day_change, mode_at, segments

ARROW = "→"
DASH = "–"
NO_BREAK = "\u00a0"
MAXIMUM_TITLE_LENGTH = 200
MOST_TIMES = 3

Week = Mapping[str, list[dict[str, str]]]

_LONG_DAYS = {
    "mon": _("Monday"), "tue": _("Tuesday"), "wed": _("Wednesday"), "thu": _("Thursday"),
    "fri": _("Friday"), "sat": _("Saturday"), "sun": _("Sunday"),
}  # fmt: skip
_SHORT_DAYS = {
    "mon": _("Mon"), "tue": _("Tue"), "wed": _("Wed"), "thu": _("Thu"),
    "fri": _("Fri"), "sat": _("Sat"), "sun": _("Sun"),
}  # fmt: skip

EVENT_SENTENCES: Mapping[str, Any] = {
    "counter_reset": _("The meter's energy counter was reset"),
    "meter_replaced": _("The meter was replaced"),
    "heat_pump_replaced": _("The heat pump's gateway was replaced"),
    "long_outage": _("No data for a long time"),
    BY_HAND: _("Program switched on by hand"),
    DEVIATION: _("Lasting deviation"),
}
_OUTAGES: Mapping[str, Any] = {
    "meter": _("No data from the meter for %(duration)s"),
    "heat_pump": _("No data from the heat pump for %(duration)s"),
}


def entry_title(changes: Sequence[tuple[str, Any, Any]]) -> str:
    """Return the title of a setting entry from its (key, before, after): the first, and how many more."""
    sentences = [sentence for change in changes if (sentence := change_sentence(*change))]
    if not sentences:
        return gettext("Settings changed")
    rest = len(sentences) - 1
    if not rest:
        return sentences[0]
    return ngettext("%(first)s, and %(n)s more", "%(first)s, and %(n)s more", rest) % {
        "first": sentences[0],
        "n": rest,
    }


def change_sentence(key: str, before: Any, after: Any) -> str:
    """Return "Heating circuit 1: comfort temperature 22 → 21 °C"; empty where nothing known differs."""
    found = differences({key: before}, {key: after})
    if not found:
        return ""
    name, old, new = setting_name(key), found[0].before, found[0].after
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        return _schedule_change(key, old, new)
    values = f"{value_text(key, old, unit=False)} {ARROW} {value_text(key, new)}"
    return f"{name.heading}: {name.part} {values}" if name.part else f"{name.heading}: {values}"


def event_title(code: str, details: Mapping[str, Any], lasted: timedelta | None = None) -> str:
    """Return an event as a sentence. ``details`` may give ``source``, ``duration_s``, ``before``, ``after``,
    ``place`` and ``program``. ``lasted``: None while it lasts, or where it has no length."""
    if code == BY_HAND and details.get("program"):
        return _by_hand(str(details["place"]), str(details["program"]), lasted)
    if code == DEVIATION and "percent" in details:
        return _deviation(float(details["percent"]))
    if code == "long_outage" and details.get("source") in _OUTAGES and details.get("duration_s"):
        return str(_OUTAGES[details["source"]]) % {"duration": _duration(float(details["duration_s"]))}
    sentence = str(EVENT_SENTENCES.get(code, code.replace("_", " ").capitalize()))
    if details.get("before") and details.get("after"):
        return f"{sentence}: {details['before']} {ARROW} {details['after']}"
    return sentence


def _deviation(percent: float) -> str:
    words = (
        _("Consumption %(percent)s %% above expected")
        if percent > 0
        else _("Consumption %(percent)s %% below expected")
    )
    return str(words) % {"percent": number_text(round(abs(percent)))}


def _by_hand(place: str, program: str, lasted: timedelta | None) -> str:
    names = {"place": place_name(place), "program": str(PROGRAMS.get(program, program))}
    if lasted is None:
        return gettext("%(place)s: %(program)s by hand, still on") % names
    return gettext("%(place)s: %(program)s by hand for %(duration)s") % {
        **names,
        "duration": _duration(lasted.total_seconds()),
    }


def note_title(text: str) -> str:
    """Return a note's first line, cut where it is very long."""
    lines = text.strip().splitlines()
    first = lines[0].strip() if lines else ""
    return first if len(first) <= MAXIMUM_TITLE_LENGTH else f"{first[: MAXIMUM_TITLE_LENGTH - 1]}…"


def value_text(key: str, value: Any, *, unit: bool = True) -> str:
    """Format a plain value as people write it: 21.5 °C, yes, heating. Schedules have ``day_text``."""
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    if isinstance(value, int | float):
        shown = setting_name(key).unit if unit else ""
        return f"{number_text(value)}{NO_BREAK}{shown}" if shown else number_text(value)
    if isinstance(value, str):
        return _word(value)
    return str(value)


def _word(value: str) -> str:
    """Translate the device's word; write a day as readers do and an empty text (no holiday) as a dash."""
    if re.fullmatch(r"\d{4}-\d\d-\d\d", value):
        try:
            return date_format(date.fromisoformat(value), "SHORT_DATE_FORMAT")
        except ValueError:
            return value  # looks like a day and is none: shown as it came
    return str(WORDS.get(value, value)) or DASH


def number_text(value: float) -> str:
    """Format a setting's number with the language's separators, no idle zeros and a true minus sign."""
    text = f"{abs(value):.3f}".rstrip("0").rstrip(".")
    decimals = len(text.partition(".")[2])
    shown = number_format(text, decimal_pos=decimals, use_l10n=True, force_grouping=True)
    return f"−{shown}" if value < 0 and text != "0" else shown


def day_text(key: str, entries: Sequence[Mapping[str, str]], *, modes: bool = False) -> str:
    """Format one day of a schedule: "06:00–08:00, 17:00–22:00"; with ``modes`` the mode behind each."""
    if not entries:
        return gettext("standby") if setting_name(key).group == HEATING_CIRCUIT else pgettext("mode", "off")
    parts = []
    for entry in entries:
        times = f"{entry['start']}{DASH}{entry['end']}"
        parts.append(f"{times} {value_text(key, entry['mode'])}" if modes and entry["mode"] else times)
    return ", ".join(parts)


def days_text(weekdays: Sequence[str]) -> str:
    """Write one weekday in full, several as "Mon–Fri", "Sat, Sun"; all seven as "every day"."""
    if len(weekdays) == 1:
        return str(_LONG_DAYS[weekdays[0]])
    if len(weekdays) == len(WEEKDAYS):
        return gettext("every day")
    runs: list[list[str]] = []
    for weekday in weekdays:
        if runs and WEEKDAYS.index(weekday) == WEEKDAYS.index(runs[-1][-1]) + 1:
            runs[-1].append(weekday)
        else:
            runs.append([weekday])
    texts = []
    for run in runs:
        names = [str(_SHORT_DAYS[weekday]) for weekday in run]
        texts.append(f"{names[0]}{DASH}{names[-1]}" if len(run) > 2 else ", ".join(names))
    return ", ".join(texts)


def weekday_name(weekday: str) -> str:
    return str(_LONG_DAYS[weekday])


def _schedule_change(key: str, old: Week, new: Week) -> str:
    """Return "Heating circuit 1, Mon–Fri: normal now 05:00–21:00, was 05:30–22:00"; weekdays with the same
    change are listed once, those with another one are only named."""
    groups: dict[str, list[str]] = {}
    modes = {entry["mode"] for days in (old, new) for day in days.values() for entry in day}
    named = len(modes) > 1 or setting_name(key).group == HEATING_CIRCUIT
    for weekday in (day for day in WEEKDAYS if day in old):
        told = _day_change(key, old[weekday], new[weekday], named=named)
        groups.setdefault(told, []).append(weekday)
    first, days = next(iter(groups.items()))
    sentence = f"{schedule_owner(key)}, {days_text(days)}: {first}"
    rest = sorted((day for others in list(groups.values())[1:] for day in others), key=WEEKDAYS.index)
    if not rest:
        return sentence
    return gettext("%(change)s; also changed: %(days)s") % {"change": sentence, "days": days_text(rest)}


def _day_change(key: str, old: Day, new: Day, *, named: bool) -> str:
    """Put one day's change in few words: "normal now also 13:00–15:00"; ``named``: with the mode."""
    change = day_change(old, new)
    if change is None:  # entries that change nothing, since others are in force
        return f"{day_text(key, old, modes=True)} {ARROW} {day_text(key, new, modes=True)}"
    mode = f"{value_text(key, change.mode)} " if named else ""
    times = {"now": _times(change.now), "was": _times(change.was)}
    if not change.has:
        gone = {"now": _instead(key, new, change.was), "was": f"{mode}{times['was']}"}
        return gettext("now %(now)s, was %(was)s") % gone
    if not change.had:
        times["was"] = _instead(key, old, change.now)
    if times["now"] and times["was"]:
        return mode + gettext("now %(now)s, was %(was)s") % times
    return mode + (gettext("now also %(now)s") if times["now"] else gettext("no longer %(was)s")) % times


def _instead(key: str, day: Day, times: Sequence[Segment]) -> str:
    """Return what is in force on ``day`` at these times, as one mode; several are "otherwise"."""
    there = {mode_at(segments(day), minute) for one in times for minute in (one.start_min, one.end_min - 1)}
    if len(there) != 1:
        return gettext("other modes")
    (mode,) = there
    return day_text(key, []) if mode is None else value_text(key, mode)


def _times(found: Sequence[Segment]) -> str:
    """Write the times as people do; of many only the first two."""
    if len(found) <= MOST_TIMES:
        return ", ".join(str(one) for one in found)
    rest = len(found) - 2
    return ngettext("%(times)s and %(n)s more", "%(times)s and %(n)s more", rest) % {
        "times": ", ".join(str(one) for one in found[:2]),
        "n": rest,
    }


def _duration(seconds: float) -> str:
    minutes = round(seconds / 60)
    if minutes < 120:
        return ngettext("%(n)s minute", "%(n)s minutes", minutes) % {"n": number_text(minutes)}
    hours = seconds / 3600
    if hours < 48:
        return ngettext("%(n)s hour", "%(n)s hours", round(hours)) % {"n": number_text(round(hours, 1))}
    days = seconds / 86400
    return ngettext("%(n)s day", "%(n)s days", round(days)) % {"n": number_text(round(days, 1))}


def label_of(key: str) -> str:
    """Return the setting's full name."""
    name = setting_name(key)
    return f"{name.heading}: {name.part}" if name.part else name.heading


def shown(key: str, value: Any) -> str:
    """Return a value in words; a schedule only as such."""
    if value is None:
        return ""
    if isinstance(value, Mapping):
        return gettext("the other schedule")
    return value_text(key, value)
