"""◇ When is a different value a change? After it was seen in two polls without another between.

Works on the atoms of ``diff``. Per atom: a value unlike the known one becomes a *candidate*; seen again
in the next poll that knows this atom, it is *confirmed*; seen otherwise, it is replaced or dropped. A poll
that does not know the atom changes nothing. An atom never known before is *adopted* at once: unknown
becomes known, which is not a change.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from .diff import AtomValue, same, split


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A value seen first at ``first_seen_at``; at ``old_seen_at`` another one was still there.
    ``source_at``: the device's own time of the change, None where it gave none."""

    value: AtomValue
    first_seen_at: datetime
    old_seen_at: datetime
    source_at: datetime | None

    @property
    def changed_at(self) -> datetime:
        """The device's time if it lies between the last old and the first new poll, else that poll."""
        if self.source_at is not None and self.old_seen_at < self.source_at <= self.first_seen_at:
            return self.source_at
        return self.first_seen_at


@dataclass(frozen=True, slots=True, kw_only=True)
class Tracked:
    """State after the poll at ``last_poll_at``. ``unseen``: when absent atoms were last known."""

    known: Mapping[str, AtomValue]
    candidates: Mapping[str, Candidate]
    unseen: Mapping[str, datetime]
    last_poll_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """``state`` after a poll, atoms ``adopted`` by it, and the candidates it ``confirmed``."""

    state: Tracked
    adopted: Mapping[str, AtomValue]
    confirmed: Mapping[str, Candidate]


def advance(
    state: Tracked, seen: Mapping[str, AtomValue], changed_at: Mapping[str, datetime], at: datetime
) -> Step:
    """Return the step that a poll at ``at`` makes. ``changed_at``: the device's times by setting key."""
    adopted = {atom: value for atom, value in seen.items() if atom not in state.known}
    candidates = {atom: one for atom, one in state.candidates.items() if atom not in seen}
    confirmed: dict[str, Candidate] = {}
    for atom, value in seen.items():
        if atom in adopted or same(state.known[atom], value):
            continue
        waiting = state.candidates.get(atom)
        if waiting is not None and same(waiting.value, value):
            confirmed[atom] = waiting
            continue
        candidates[atom] = Candidate(
            value=value,
            first_seen_at=at,
            old_seen_at=state.unseen.get(atom, state.last_poll_at),
            source_at=changed_at.get(split(atom)[0]),
        )
    known = {**state.known, **adopted, **{atom: one.value for atom, one in confirmed.items()}}
    unseen = {atom: state.unseen.get(atom, state.last_poll_at) for atom in state.known if atom not in seen}
    return Step(
        state=Tracked(known=known, candidates=candidates, unseen=unseen, last_poll_at=at),
        adopted=adopted,
        confirmed=confirmed,
    )
