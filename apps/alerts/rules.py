"""◇ When something is worth an alert, when it is over, and when its message is due.

A *fact* is one number that is looked at each minute; a *rule* says from where on it is bad. Between bad and
good again lies a stretch in which nothing changes, and both have to last: nothing that flickers is told
twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, time, timedelta, tzinfo
from typing import Any

SILENT, QUOTA, STORE, DISK, BACKUP = "source_silent", "quota", "store_away", "disk_full", "backup_old"
CYCLING, ROD, DEVICE = "short_cycling", "heating_rod", "device_message"
OTHER_METER, LOGIN, DEVIATION, SWITCH = "other_meter", "login_ends", "deviation", "switch_due"

RAISED, SOLVED = "raised", "solved"

# The same cause again within this time is shown, but no message is sent.
TELL_AGAIN_AFTER = timedelta(hours=6)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """``threshold``: from there on it is bad; None where a fact is simply so or not. ``low``, ``high``: what
    can be chosen. ``falls``: bad is what lies below. ``good_at``: share of the threshold at which it is good
    again. ``raise_after_s``, ``clear_after_s``: how long either has to last. ``urgent``: its message does not
    wait for the end of the quiet hours. ``is_on``: unless the owner says otherwise.
    """

    kind: str
    threshold: float | None = None
    unit: str = ""
    low: float = 0.0
    high: float = 100.0
    falls: bool = False
    good_at: float = 1.0
    raise_after_s: int = 0
    clear_after_s: int = 300
    urgent: bool = False
    is_on: bool = True


HOUR_S = 3600
RULES: tuple[Rule, ...] = (
    Rule(kind=SILENT, threshold=15, unit="min", low=1, high=1440, good_at=0.7),
    Rule(kind=QUOTA, threshold=85, unit="%", low=10, high=100, good_at=0.9),
    Rule(kind=STORE, raise_after_s=120, urgent=True),
    Rule(kind=DISK, threshold=10, unit="%", low=1, high=90, falls=True, good_at=1.2),
    Rule(kind=BACKUP, threshold=36, unit="h", low=1, high=1000, raise_after_s=HOUR_S),
    Rule(kind=CYCLING, threshold=6, unit="starts", low=2, high=30, good_at=0.7, clear_after_s=6 * HOUR_S),
    Rule(kind=ROD, threshold=10, unit="min", low=1, high=1440, good_at=0.5, urgent=True),
    Rule(kind=DEVICE, raise_after_s=600, clear_after_s=HOUR_S),
    Rule(kind=OTHER_METER, raise_after_s=60),
    Rule(kind=LOGIN, threshold=14, unit="days", low=1, high=170, falls=True),
    Rule(kind=DEVIATION, threshold=10, unit="%", low=5, high=100, clear_after_s=24 * HOUR_S),
    # A day counts for no value if it is set before 18:00: no reminder earlier than that.
    Rule(kind=SWITCH, threshold=18, unit="o'clock", low=18, high=23, clear_after_s=0),
)
RULE = {rule.kind: rule for rule in RULES}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """``value``: see the rule of its kind, 1 or 0 where that has no threshold, None while unknown. ``key``:
    which of several causes of that kind. ``details``: plain JSON for the words."""

    kind: str
    value: float | None
    key: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What is remembered of one cause. ``told_at``: when a message of it was made last."""

    bad_since: datetime | None = None
    good_since: datetime | None = None
    raised_at: datetime | None = None
    solved_at: datetime | None = None
    told_at: datetime | None = None


def is_bad(rule: Rule, threshold: float | None, value: float, *, raised: bool) -> bool:
    """Return whether a value is bad; of an alert that is raised, whether it is not good again."""
    limit = 1.0 if threshold is None else threshold * (rule.good_at if raised else 1.0)
    return value < limit if rule.falls else value >= limit


def step(rule: Rule, state: State, bad: bool | None, at: datetime) -> tuple[State, str]:
    """Return the state after one look, and whether the alert was RAISED or SOLVED by it, else "". ``bad``
    None: nobody knows, so that everything stays as it is."""
    if bad is None:
        return state, ""
    if state.raised_at is None:
        return _not_raised(rule, state, bad, at)
    if bad:
        return replace(state, good_since=None), ""
    since = _not_ahead(state.good_since, at)
    if at - since < timedelta(seconds=rule.clear_after_s):
        return replace(state, good_since=since), ""
    return State(solved_at=at, told_at=state.told_at), SOLVED


def _not_raised(rule: Rule, state: State, bad: bool, at: datetime) -> tuple[State, str]:
    if not bad:
        return replace(state, bad_since=None), ""
    since = _not_ahead(state.bad_since, at)
    if at - since < timedelta(seconds=rule.raise_after_s):
        return replace(state, bad_since=since), ""
    return replace(state, bad_since=since, good_since=None, raised_at=at, solved_at=None), RAISED


def _not_ahead(since: datetime | None, at: datetime) -> datetime:
    """Return ``at`` for no time, and for one that the clock has been set back behind."""
    return at if since is None or since > at else since


def may_tell(state: State, at: datetime) -> bool:
    """Return whether a message may be made of an alert raised now: not soon after the last of its cause."""
    return state.told_at is None or at - state.told_at >= TELL_AGAIN_AFTER or state.told_at > at


def due_at(at: datetime, quiet: tuple[time, time] | None, zone: tzinfo, *, urgent: bool) -> datetime:
    """Return when a message made at ``at`` may be sent: at once, or at the end of the quiet hours, which are
    local times."""
    if quiet is None or urgent or quiet[0] == quiet[1]:
        return at
    begin, end = quiet
    local = at.astimezone(zone)
    clock = local.time()
    is_quiet = begin <= clock < end if begin < end else clock >= begin or clock < end
    if not is_quiet:
        return at
    day = local.date() + timedelta(days=1 if clock >= end else 0)
    return datetime.combine(day, end, zone).astimezone(at.tzinfo)
