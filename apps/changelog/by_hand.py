"""Programs switched by hand as events with begin and end.

They run through the same tracking as settings, as atoms of their own (``by_hand:circuits.1``): seen in two
polls, the time by the device where it fits. A program is never a change of settings, and neither is what
the device writes down with it: the days of a holiday, the switch of the eco program.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime

from apps.devices.configuration import BY_SCHEDULE, HeatPumpConfiguration
from apps.devices.models import Site

from .diff import AtomValue
from .glossary import BY_HAND
from .models import Entry
from .tracking import Candidate

_PREFIX = f"{BY_HAND}:"
_WRITTEN_WITH_A_PROGRAM = re.compile(r"(circuits\.\w+\.)?(eco|holiday(_at_home)?\.(start|end))")


def program_atoms(by_hand: Mapping[str, str]) -> dict[str, AtomValue]:
    """Return the atoms for places and their programs."""
    return {f"{_PREFIX}{place}": program for place, program in by_hand.items()}


def program_times(poll: HeatPumpConfiguration) -> dict[str, datetime]:
    """Return the device's times, by atom."""
    return {f"{_PREFIX}{place}": at for place, at in poll.by_hand_at.items()}


def programs_among(found: Mapping[str, AtomValue]) -> dict[str, str]:
    """Return place → program of those atoms that are programs."""
    return {atom.removeprefix(_PREFIX): str(found[atom]) for atom in found if is_program(atom)}


def is_program(atom: str) -> bool:
    return atom.startswith(_PREFIX)


def goes_with_a_program(key: str) -> bool:
    """Return True for a setting that changes when a program is switched by hand, and then adds nothing."""
    return _WRITTEN_WITH_A_PROGRAM.fullmatch(key) is not None


def record_switch(site: Site, device: str, atom: str, switched: Candidate) -> None:
    """End the program that ran at this place, and begin the one that runs now."""
    place, program, at = atom.removeprefix(_PREFIX), str(switched.value), switched.changed_at
    running = Entry.objects.filter(site=site, event_code=BY_HAND, ended_at=None, at__lte=at)
    for entry in running:
        if entry.event_details["place"] == place:
            entry.ended_at = at
            entry.save(update_fields=["ended_at"])
    if program != BY_SCHEDULE:
        Entry.objects.get_or_create(
            site=site,
            source_key=f"event:{BY_HAND}:{device}:{place}:{switched.first_seen_at.isoformat()}",
            defaults={
                "kind": Entry.Kind.EVENT,
                "at": at,
                "event_code": BY_HAND,
                "event_details": {"device": device, "place": place, "program": program},
            },
        )
