"""From polls to entries: what the heat pump's owner changed, noticed once it was seen twice."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson
from django.db import transaction

from apps.devices import clock
from apps.devices.configuration import HeatPumpConfiguration
from apps.devices.models import Site
from apps.devices.sql import first_row

from .by_hand import (
    goes_with_a_program,
    is_program,
    program_atoms,
    program_times,
    programs_among,
    record_switch,
)
from .diff import AtomValue, atoms, settings_of, split
from .models import ConfigurationVersion, Entry, PendingConfiguration, SettingChange
from .tracking import Candidate, Step, Tracked, advance


@dataclass(slots=True)
class _Recent:
    """Equal polls that this process has seen since the pending row was last written."""

    token: str
    digest: str
    stored_at: datetime
    last_poll_at: datetime


_recent: dict[tuple[int, str], _Recent] = {}
_PENDING = (
    f"SELECT token, digest FROM {PendingConfiguration._meta.db_table}"  # noqa: S608
    " WHERE site_id = %s AND device = %s"
)
STORE_EQUAL_POLLS_EVERY = timedelta(hours=1)
"""A card in a small computer wears out by writing: the time of equal polls is written this often. After
a restart the last old poll is known that well, and only the time of an entry depends on it."""


def observe(site: Site, configuration: HeatPumpConfiguration) -> Entry | None:
    """Take one poll into the history; the entry that it confirmed (the newest, should there be two).

    The first poll of a device is its baseline and makes no entry. A poll not newer than the last one
    is ignored, so repeating is harmless. Equal polls cost one small question to the database.
    """
    digest = _digest(configuration)
    if _nothing_new(site, configuration, digest):
        return None
    with transaction.atomic():
        pending = (
            PendingConfiguration.objects.select_for_update()
            .filter(site=site, device=configuration.device)
            .first()
        )
        if pending is None:
            _start(site, configuration, digest)
            return None
        pending.last_poll_at = max(pending.last_poll_at, _last_seen_here(pending))
        if configuration.observed_at <= pending.last_poll_at:
            return None
        return _take(site, configuration, pending, digest)


def telling(polls: Sequence[HeatPumpConfiguration]) -> list[HeatPumpConfiguration]:
    """Leave out of polls in a row those between the second and the last of equal ones: what they confirm is
    confirmed already."""
    told = [(poll.settings, poll.by_hand) for poll in polls]
    return [
        poll
        for number, poll in enumerate(polls)
        if number < 2
        or number == len(polls) - 1
        or not told[number - 2] == told[number - 1] == told[number] == told[number + 1]
    ]


def _nothing_new(site: Site, configuration: HeatPumpConfiguration, digest: str) -> bool:
    """Return True for an equal poll, of which only the time is kept. The database is asked each time, as
    another process (an import, a restore) may have been there."""
    recent = _recent.get((site.pk, configuration.device))
    if recent is None or recent.digest != digest:
        return False
    if first_row(_PENDING, site.pk, configuration.device) != (recent.token, digest):
        return False
    recent.last_poll_at = max(recent.last_poll_at, configuration.observed_at)
    if recent.last_poll_at - recent.stored_at >= STORE_EQUAL_POLLS_EVERY:
        PendingConfiguration.objects.filter(token=recent.token).update(last_poll_at=recent.last_poll_at)
        recent.stored_at = recent.last_poll_at
    return True


def _last_seen_here(pending: PendingConfiguration) -> datetime:
    recent = _recent.get((pending.site_id, pending.device))
    if recent is None or (recent.token, recent.digest) != (pending.token, pending.digest):
        return pending.last_poll_at
    return recent.last_poll_at


def _remember(pending: PendingConfiguration) -> None:
    _recent[pending.site_id, pending.device] = _Recent(
        token=pending.token,
        digest=pending.digest,
        stored_at=pending.last_poll_at,
        last_poll_at=pending.last_poll_at,
    )


def forget_recent() -> None:
    """Forget what only this process knows, as its end does."""
    _recent.clear()


def add_event(
    site: Site,
    at: datetime,
    code: str,
    details: Mapping[str, Any] | None = None,
    *,
    ended_at: datetime | None = None,
) -> Entry:
    """Record an event (see ``sentences.EVENT_SENTENCES``). One per site, code, time and
    ``details["device"]``: repeating returns the same entry, with the newest details."""
    details = dict(details or {})
    key = f"event:{code}:{details.get('device', '')}:{int(at.timestamp())}"
    with transaction.atomic():
        entry, created = Entry.objects.get_or_create(
            site=site,
            source_key=key,
            defaults={
                "kind": Entry.Kind.EVENT,
                "at": at,
                "ended_at": ended_at,
                "event_code": code,
                "event_details": details,
            },
        )
        if not created and entry.event_details != details:
            entry.event_details = details
            entry.updated_at = clock.now()
            entry.save(update_fields=["event_details", "updated_at"])
    return entry


def _digest(poll: HeatPumpConfiguration) -> str:
    text = orjson.dumps([dict(poll.settings), dict(poll.by_hand)], option=orjson.OPT_SORT_KEYS)
    return hashlib.blake2b(text, digest_size=16).hexdigest()


def _start(site: Site, configuration: HeatPumpConfiguration, digest: str) -> None:
    """Take everything known as the baseline."""
    pending = PendingConfiguration.objects.create(
        site=site,
        device=configuration.device,
        last_poll_at=configuration.observed_at,
        digest=digest,
        by_hand=dict(configuration.by_hand),
    )
    _remember(pending)
    known = atoms(configuration.settings)
    if known:
        _adopt(site, configuration.device, configuration.observed_at, known)


def _take(
    site: Site, configuration: HeatPumpConfiguration, pending: PendingConfiguration, digest: str
) -> Entry | None:
    at = configuration.observed_at
    seen = {**atoms(configuration.settings), **program_atoms(configuration.by_hand)}
    times = {**configuration.changed_at, **program_times(configuration)}
    step = advance(_tracked(site, pending), seen, times, at)
    adopted = {atom: value for atom, value in step.adopted.items() if not is_program(atom)}
    if adopted:
        _adopt(site, pending.device, at, adopted)
    entry = _confirm(site, pending.device, step)
    pending.last_poll_at = at
    pending.digest = "" if step.state.candidates else digest
    pending.by_hand = programs_among(step.state.known)
    pending.candidates = {atom: _packed(one) for atom, one in step.state.candidates.items()}
    pending.unseen = {atom: time.isoformat() for atom, time in step.state.unseen.items()}
    pending.save()
    _remember(pending)
    return entry


def _tracked(site: Site, pending: PendingConfiguration) -> Tracked:
    newest = ConfigurationVersion.objects.filter(site=site, device=pending.device).last()
    return Tracked(
        known={**atoms(newest.settings if newest else {}), **program_atoms(pending.by_hand)},
        candidates={atom: _unpacked(packed) for atom, packed in pending.candidates.items()},
        unseen={atom: datetime.fromisoformat(text) for atom, text in pending.unseen.items()},
        last_poll_at=pending.last_poll_at,
    )


def _packed(one: Candidate) -> dict[str, Any]:
    return {
        "value": one.value,
        "first_seen_at": one.first_seen_at.isoformat(),
        "old_seen_at": one.old_seen_at.isoformat(),
        "source_at": one.source_at.isoformat() if one.source_at is not None else None,
    }


def _unpacked(packed: Mapping[str, Any]) -> Candidate:
    source_at = packed["source_at"]
    return Candidate(
        value=packed["value"],
        first_seen_at=datetime.fromisoformat(packed["first_seen_at"]),
        old_seen_at=datetime.fromisoformat(packed["old_seen_at"]),
        source_at=datetime.fromisoformat(source_at) if source_at is not None else None,
    )


def _confirm(site: Site, device: str, step: Step) -> Entry | None:
    """Write one entry per first poll: what changed together is reported together."""
    together: dict[datetime, dict[str, Candidate]] = defaultdict(dict)
    silent: dict[str, Candidate] = {}
    for atom, candidate in step.confirmed.items():
        if is_program(atom):
            record_switch(site, device, atom, candidate)
        elif goes_with_a_program(atom):
            silent[atom] = candidate
        else:
            together[candidate.first_seen_at][atom] = candidate
    for atom, candidate in silent.items():
        _adopt(site, device, candidate.changed_at, {atom: candidate.value})
    entry = None
    for first_seen_at in sorted(together):
        entry = _record(site, device, first_seen_at, together[first_seen_at])
    return entry


def _record(site: Site, device: str, first_seen_at: datetime, changed: Mapping[str, Candidate]) -> Entry:
    entry, _created = Entry.objects.get_or_create(
        site=site,
        source_key=f"setting:{device}:{first_seen_at.isoformat()}",
        defaults={
            "kind": Entry.Kind.SETTING,
            "at": max(candidate.changed_at for candidate in changed.values()),
        },
    )
    values = {atom: candidate.value for atom, candidate in changed.items()}
    before = _version_at(site, device, entry.at)
    after = settings_of({**atoms(before), **values})
    for key in sorted({split(atom)[0] for atom in values}):
        # A weekday that was unknown in the second poll joins the entry of the others later.
        SettingChange.objects.update_or_create(
            entry=entry,
            key=key,
            defaults={"after": after[key]},
            create_defaults={"before": before[key], "after": after[key]},
        )
    _adopt(site, device, entry.at, values)
    return entry


def _version_at(site: Site, device: str, at: datetime) -> dict[str, Any]:
    version = ConfigurationVersion.objects.filter(site=site, device=device, at__lte=at).last()
    return dict(version.settings) if version is not None else {}


def _adopt(site: Site, device: str, at: datetime, values: Mapping[str, AtomValue]) -> None:
    """Let these values hold from ``at`` on, in a version at that time and in the later ones."""
    versions = ConfigurationVersion.objects.filter(site=site, device=device)
    settings = settings_of({**atoms(_version_at(site, device, at)), **values})
    versions.update_or_create(site=site, device=device, at=at, defaults={"settings": settings})
    for later in versions.filter(at__gt=at):
        later.settings = settings_of({**atoms(later.settings), **values})
        later.save(update_fields=["settings"])
