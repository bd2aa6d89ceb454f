"""◇ Compare settings: absent is unknown, and unknown never differs. (◇ pure)

A schedule is compared weekday by weekday. For that, and for the observer, settings are taken apart
into *atoms*: one per plain value (``dhw.hysteresis_k``) and one per known weekday of a schedule
(``dhw.schedule#sat``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from apps.devices.configuration import WEEKDAYS

DECIMALS = 3
_SEPARATOR = "#"

AtomValue = float | int | str | bool | list[dict[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingDifference:
    """One setting that differs. Of a schedule ``before`` and ``after`` hold the differing weekdays only."""

    key: str
    before: Any
    after: Any


def atoms(settings: Mapping[str, Any]) -> dict[str, AtomValue]:
    """Take the settings apart; numbers rounded, schedule entries reduced to start, end, mode."""
    found: dict[str, AtomValue] = {}
    for key, value in settings.items():
        if isinstance(value, Mapping):
            for weekday in WEEKDAYS:
                if value.get(weekday) is not None:
                    found[f"{key}{_SEPARATOR}{weekday}"] = [_entry(entry) for entry in value[weekday]]
        elif value is not None:
            found[key] = _rounded(value)
    return found


def settings_of(found: Mapping[str, AtomValue]) -> dict[str, Any]:
    """Invert ``atoms``: put schedules together again, weekdays in their order."""
    settings: dict[str, Any] = {}
    for atom in sorted(found, key=_atom_order):
        key, weekday = split(atom)
        if weekday is None:
            settings[key] = found[atom]
        else:
            settings.setdefault(key, {})[weekday] = found[atom]
    return settings


def split(atom: str) -> tuple[str, str | None]:
    """Return the setting key and weekday of an atom; the weekday of a plain value is None."""
    key, separator, weekday = atom.partition(_SEPARATOR)
    return key, weekday if separator else None


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[SettingDifference]:
    """Return what differs among the settings (and weekdays) known on both sides, ordered by key."""
    old, new = atoms(before), atoms(after)
    changed = [atom for atom in old if atom in new and not same(old[atom], new[atom])]
    olds = settings_of({atom: old[atom] for atom in changed})
    news = settings_of({atom: new[atom] for atom in changed})
    return [SettingDifference(key=key, before=olds[key], after=news[key]) for key in olds]


def same(one: AtomValue, other: AtomValue) -> bool:
    """Return whether two values are equal. A switch is never equal to a number (in Python True == 1)."""
    return isinstance(one, bool) == isinstance(other, bool) and one == other


def _rounded(value: Any) -> Any:
    return round(value, DECIMALS) if isinstance(value, float) else value


def _entry(entry: Mapping[str, Any]) -> dict[str, str]:
    return {name: str(entry.get(name, "")) for name in ("start", "end", "mode")}


def _atom_order(atom: str) -> tuple[str, int]:
    key, weekday = split(atom)
    return key, -1 if weekday is None else WEEKDAYS.index(weekday)
