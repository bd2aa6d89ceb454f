"""Entries as sentences in the reader's language; settings are called as the glossary calls them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from django.utils.formats import date_format, number_format
from django.utils.translation import gettext, ngettext, pgettext
from django.utils.translation import gettext_lazy as _

from apps.devices.configuration import WEEKDAYS

from .diff import differences
from .glossary import HEATING_CIRCUIT, WORDS, setting_name

ARROW = "→"
DASH = "–"
NO_BREAK = "\u00a0"
MAXIMUM_TITLE_LENGTH = 200

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
}
_OUTAGES: Mapping[str, Any] = {
    "meter": _("No data from the meter for %(duration)s"),
    "heat_pump": _("No data from the heat pump for %(duration)s"),
}


def entry_title(changes: Sequence[tuple[str, Any, Any]]) -> str:
    """Title of a setting entry from its (key, before, after): the first, and how many more."""
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
    """ "Heating circuit 1: comfort temperature 22 → 21 °C"; empty where nothing known differs."""
    found = differences({key: before}, {key: after})
    if not found:
        return ""
    name, old, new = setting_name(key), found[0].before, found[0].after
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        heading = f"{name.heading}: {name.part}" if name.part else name.heading
        return f"{heading}, {_schedule_change(key, old, new)}"
    values = f"{value_text(key, old, unit=False)} {ARROW} {value_text(key, new)}"
    return f"{name.heading}: {name.part} {values}" if name.part else f"{name.heading}: {values}"


def event_title(code: str, details: Mapping[str, Any]) -> str:
    """An event as a sentence. ``details`` may give ``source``, ``duration_s``, ``before``, ``after``."""
    if code == "long_outage" and details.get("source") in _OUTAGES and details.get("duration_s"):
        return str(_OUTAGES[details["source"]]) % {"duration": _duration(float(details["duration_s"]))}
    sentence = str(EVENT_SENTENCES.get(code, code.replace("_", " ").capitalize()))
    if details.get("before") and details.get("after"):
        return f"{sentence}: {details['before']} {ARROW} {details['after']}"
    return sentence


def note_title(text: str) -> str:
    """A note's first line, cut where it is very long."""
    lines = text.strip().splitlines()
    first = lines[0].strip() if lines else ""
    return first if len(first) <= MAXIMUM_TITLE_LENGTH else f"{first[: MAXIMUM_TITLE_LENGTH - 1]}…"


def value_text(key: str, value: Any, *, unit: bool = True) -> str:
    """A plain value as people write it: 21.5 °C, yes, heating. Schedules have ``day_text``."""
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    if isinstance(value, int | float):
        shown = setting_name(key).unit if unit else ""
        return f"{number_text(value)}{NO_BREAK}{shown}" if shown else number_text(value)
    if isinstance(value, str):
        return _word(value)
    return str(value)


def _word(value: str) -> str:
    """The device's word in ours, a day as readers write it, an empty text (no holiday) as a dash."""
    if re.fullmatch(r"\d{4}-\d\d-\d\d", value):
        try:
            return date_format(date.fromisoformat(value), "SHORT_DATE_FORMAT")
        except ValueError:
            return value  # looks like a day and is none: shown as it came
    return str(WORDS.get(value, value)) or DASH


def number_text(value: float) -> str:
    """A setting's number with the language's separators, no idle zeros and a true minus sign."""
    text = f"{abs(value):.3f}".rstrip("0").rstrip(".")
    decimals = len(text.partition(".")[2])
    shown = number_format(text, decimal_pos=decimals, use_l10n=True, force_grouping=True)
    return f"−{shown}" if value < 0 and text != "0" else shown


def day_text(key: str, entries: Sequence[Mapping[str, str]], *, modes: bool = False) -> str:
    """One day of a schedule: "06:00–08:00, 17:00–22:00"; with ``modes`` the mode behind each."""
    if not entries:
        return gettext("standby") if setting_name(key).group == HEATING_CIRCUIT else pgettext("mode", "off")
    parts = []
    for entry in entries:
        times = f"{entry['start']}{DASH}{entry['end']}"
        parts.append(f"{times} {value_text(key, entry['mode'])}" if modes and entry["mode"] else times)
    return ", ".join(parts)


def days_text(weekdays: Sequence[str]) -> str:
    """One weekday in full; several as "Mon–Fri", "Sat, Sun"; all seven as "every day"."""
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


def _schedule_change(
    key: str, old: Mapping[str, list[dict[str, str]]], new: Mapping[str, list[dict[str, str]]]
) -> str:
    """ "Saturday: 06:00–22:00 → 07:00–21:00"; weekdays with the same change are told once."""
    groups: dict[tuple[str, str], list[str]] = {}
    modes = len({entry["mode"] for days in (old, new) for day in days.values() for entry in day}) > 1
    for weekday in (day for day in WEEKDAYS if day in old):
        texts = day_text(key, old[weekday], modes=modes), day_text(key, new[weekday], modes=modes)
        groups.setdefault(texts, []).append(weekday)
    told = [f"{days_text(days)}: {texts[0]} {ARROW} {texts[1]}" for texts, days in groups.items()]
    if len(told) <= 2:
        return "; ".join(told)
    rest = [day for days in list(groups.values())[1:] for day in days]
    return gettext("%(first)s; also changed: %(days)s") % {
        "first": told[0],
        "days": days_text(sorted(rest, key=WEEKDAYS.index)),
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
