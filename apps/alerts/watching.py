"""Raises and solves alerts once a minute, and sends what is due. Everything is remembered in the database, so
a restart tells nothing twice and forgets nothing."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from django.conf import settings
from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.devices.home_options import HomeOptions
from apps.devices.models import Site
from apps.devices.options import readable_options

from . import rules, words
from .models import Alert, Message
from .rules import RAISED, RULE, SOLVED, Fact, Rule, State
from .sending import Send, send, target_of

log = logging.getLogger(__name__)

RECENT = timedelta(hours=48)
KEPT = timedelta(days=30)
GIVE_UP_AFTER = timedelta(days=1)
LONGEST_PAUSE_MIN = 60
AT_ONCE = 50
# Each may take half a minute, and the next look is due in a minute.
TARGETS_AT_ONCE = 3
_ACTIVE = (
    "SELECT * FROM alerts_alert WHERE site_id = %s AND raised_at IS NOT NULL ORDER BY raised_at DESC, id DESC"
)
_STATE = ("bad_since", "good_since", "raised_at", "solved_at", "told_at")


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What the owner chose for one rule."""

    rule: Rule
    is_on: bool
    threshold: float | None


def choices(options: HomeOptions) -> dict[str, Choice]:
    """Return the rules as they are in force."""
    found = {}
    for rule in rules.RULES:
        saved: Mapping[str, object] = options.alert_rules.get(rule.kind, {})
        threshold = saved.get("threshold")
        found[rule.kind] = Choice(
            rule=rule,
            is_on=bool(saved.get("on", rule.is_on)),
            threshold=float(threshold) if isinstance(threshold, int | float) else rule.threshold,
        )
    return found


def targets(options: HomeOptions) -> tuple[str, ...]:
    """Return the addresses that messages go to: those saved, else those of the environment. What is simulated
    is told to nobody."""
    if settings.DEMO or settings.SCRATCH:
        return ()
    return tuple(options.notify_targets) or tuple(settings.HEATMON.notify_urls)


def quiet_hours(options: HomeOptions) -> tuple[time, time] | None:
    """Return their begin and end by the clock of the house; None without any."""
    if len(options.quiet_hours) != 2:
        return None
    begin, end = (time.fromisoformat(one) for one in options.quiet_hours)
    return begin, end


def active(site: Site) -> list[Alert]:
    """Return what is raised now, the newest first."""
    return list(Alert.objects.raw(_ACTIVE, [site.pk]))


def lately_solved(site: Site, at: datetime) -> list[Alert]:
    """Return what was solved within the last two days and is not raised again, the newest first."""
    return list(
        Alert.objects.filter(site=site, raised_at=None, solved_at__gt=at - RECENT).order_by(
            "-solved_at", "-pk"
        )
    )


def look(site: Site, facts: Sequence[Fact], at: datetime) -> None:
    """Raise and solve alerts by the facts of now, and make their messages."""
    options, _unreadable = readable_options(site)
    chosen = choices(options)
    known = {(alert.kind, alert.key): alert for alert in Alert.objects.filter(site=site)}
    unknown = {fact.kind for fact in facts if fact.value is None}
    looked_at = {fact.kind for fact in facts}
    given = {(fact.kind, fact.key): fact for fact in facts if fact.value is not None}
    for place in known.keys() | given.keys():
        kind, key = place
        choice, fact, alert = chosen.get(kind), given.get(place), known.get(place)
        if choice is None or (fact is None and (kind in unknown or kind not in looked_at)):
            continue
        if not choice.is_on:
            _forget(alert)
            continue
        if alert is None:
            alert = Alert(site=site, kind=kind, key=key)
        _look_at(alert, choice, fact, options, at)


def _look_at(alert: Alert, choice: Choice, fact: Fact | None, options: HomeOptions, at: datetime) -> None:
    """``fact`` None: the cause is gone."""
    before = State(**{name: getattr(alert, name) for name in _STATE})
    is_raised = before.raised_at is not None
    value = None if fact is None else fact.value
    bad = value is not None and rules.is_bad(choice.rule, choice.threshold, value, raised=is_raised)
    after, event = rules.step(choice.rule, before, bad, at)
    details = dict(fact.details) if bad and fact is not None else alert.details
    if after == before and not (is_raised and details != alert.details):
        return
    if bad:
        alert.value, alert.details = value, details
    for name in _STATE:
        setattr(alert, name, getattr(after, name))
    with transaction.atomic():
        addresses = targets(options) if event == RAISED and rules.may_tell(after, at) else ()
        if addresses:
            alert.told_at = at
        alert.save()
        if event:
            _log(alert, event)
            _write_messages(alert, event, before.raised_at, addresses, options, at)


def _log(alert: Alert, event: str) -> None:
    with translation.override("en"):
        log.warning("alert %s: %s", event, words.sentence(alert.kind, alert.key, alert.details, UTC))


def _write_messages(
    alert: Alert,
    event: str,
    raised_at: datetime | None,
    addresses: Iterable[str],
    options: HomeOptions,
    at: datetime,
) -> None:
    """Write a message for each target. What is solved is told only where the alert was; a message that has
    not been sent by then is not needed any more."""
    told = {target_of(address) for address in addresses}
    if event == SOLVED:
        of_it = alert.messages.filter(is_raise=True, made_at__gte=raised_at or at)
        told = set(of_it.filter(sent_at__isnull=False).values_list("target", flat=True))
        of_it.filter(sent_at=None).delete()
    if not told:
        return
    urgent = RULE[alert.kind].urgent and event == RAISED
    due_at = rules.due_at(at, quiet_hours(options), options.zone, urgent=urgent)
    with translation.override(settings.LANGUAGE_CODE):
        said = words.sentence(alert.kind, alert.key, alert.details, options.zone)
        title = said if event == RAISED else _("Solved: %(what)s") % {"what": said}
        text = words.hint(alert.kind, alert.key, alert.details, options.zone) if event == RAISED else ""
    for target in sorted(told):
        Message.objects.create(
            site=alert.site,
            alert=alert,
            is_raise=event == RAISED,
            target=target,
            title=title[:200],
            text=text,
            made_at=at,
            due_at=due_at,
        )


def _forget(alert: Alert | None) -> None:
    """Take an alert back that is not wanted any more."""
    if alert is not None:
        alert.delete()


def deliver(site: Site, at: datetime, send_one: Send = send) -> None:
    """Send what is due, all for one target in one message. What a service does not take is tried again, at
    growing intervals, for a day."""
    options, _unreadable = readable_options(site)
    addresses = {target_of(address): address for address in targets(options)}
    waiting = Message.objects.filter(site=site, sent_at=None, gave_up=False)
    due: dict[str, list[Message]] = defaultdict(list)
    for message in waiting.filter(due_at__lte=at).order_by("due_at", "pk")[:AT_ONCE]:
        due[message.target].append(message)
    for target, messages in list(due.items())[:TARGETS_AT_ONCE]:
        address = addresses.get(target)
        if address is None:  # taken off the list meanwhile
            waiting.filter(target=target).delete()
            continue
        _note(messages, send_one(address, *_joined(messages)), at)


def _joined(messages: Sequence[Message]) -> tuple[str, str]:
    """Return title and text of one message, or of all in one."""
    if len(messages) == 1:
        return messages[0].title, messages[0].text or messages[0].title
    with translation.override(settings.LANGUAGE_CODE):
        count = len(messages)
        title = ngettext("heatmon: %(n)d message", "heatmon: %(n)d messages", count) % {"n": count}
    return title, "\n\n".join(f"{one.title}\n{one.text}".rstrip() for one in messages)


def _note(messages: Sequence[Message], was_taken: bool, at: datetime) -> None:
    for message in messages:
        message.attempts += 1
        if was_taken:
            message.sent_at = at
        elif at - message.made_at >= GIVE_UP_AFTER:
            message.gave_up = True
        else:
            pause_min = min(2 ** min(message.attempts, 10), LONGEST_PAUSE_MIN)
            message.due_at = at + timedelta(minutes=pause_min)
        message.save(update_fields=["attempts", "sent_at", "gave_up", "due_at"])


def forget_old(at: datetime) -> None:
    """Delete what nobody asks for any more (nightly)."""
    Message.objects.filter(made_at__lt=at - KEPT).delete()
    Alert.objects.filter(raised_at=None, bad_since=None, solved_at__lt=at - KEPT).delete()
