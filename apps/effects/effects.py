"""The verdict on an entry: kept with what it was made from, and made again when that differs."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, timedelta

from django.db import transaction
from django.db.models import Q

from apps.changelog.models import Entry
from apps.changelog.timeline import EntryUnknown
from apps.metrics.child import in_child
from apps.metrics.home import Home
from apps.metrics.tariff import known_tariffs, tariff_on

from .deviations import note_deviations
from .facts import Facts, digest, facts_inputs, facts_of
from .fortnights import (
    BEING_CALCULATED,
    CLOSE_DAYS,
    LONGEST_GROUP_DAYS,
    OF_DAYS,
    WINDOW_DAYS,
    Group,
    group_of,
)
from .gathering import (
    Change,
    TestSpan,
    change_of,
    effect_days,
    is_switch,
    meter_days,
    outside_tests,
    setting_changes,
    switched_spans,
    test_spans,
)
from .models import AlternatingTest, Effect, HomeFacts
from .pending import is_pending
from .targets import DHW, ELECTRICITY, SPACE, Target, target_of, told_apart
from .testing import close_test
from .verdicts import METHOD_VERSION, Question, Verdict, awaited_until, verdicts

log = logging.getLogger(__name__)

DAY = timedelta(days=1)
AT_ONCE = 100
NOT_YET = ""
"""Inputs of what waits for days to be calculated."""


class NoChange(Exception):
    """The entry is not a change whose effect can be asked: an event."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The verdict on an entry, and what it is worth in money a year [currency of the home]; None without a
    year of data or a price. ``test``: the alternating test that it belongs to."""

    verdict: Verdict
    cost_per_year: float | None
    made_at: datetime
    test: AlternatingTest | None


@dataclass(frozen=True, slots=True)
class _Known:
    """What the questions of one turn share."""

    facts: Facts
    changes: Sequence[Change]
    tests: Sequence[TestSpan]
    switched: Sequence[TestSpan]
    meter_days: tuple[date, ...]


def _known(home: Home) -> _Known:
    facts, changes, tests = facts_of(home), setting_changes(home), test_spans(home)
    switched = switched_spans(changes, tests)
    return _Known(facts, outside_tests(changes, tests), tests, switched, meter_days(home))


@dataclass(frozen=True, slots=True)
class _Asked:
    """A question on an entry, and a name of it."""

    entry: Entry
    question: Question
    inputs: str
    test: AlternatingTest | None


def effect_of(home: Home, entry: Entry) -> Answer:
    """Return the effect of a change or a note; of a note beside a change of settings that change's. Raises
    NoChange, ChildFailed, EntryUnknown for an entry that was deleted meanwhile."""
    if entry.kind == Entry.Kind.EVENT:
        raise NoChange(entry.pk)
    known = _known(home)
    if entry.kind == Entry.Kind.NOTE:
        beside = _beside(change_of(home, entry), known.changes)
        if beside is not None:
            entry = Entry.objects.prefetch_related("setting_changes").get(pk=beside)
    asked = _asked(home, entry, known)
    effect = _kept(asked)
    if effect is None:
        _make(home, [asked])
        effect = Effect.objects.filter(entry=entry).first()
    if effect is None:
        raise EntryUnknown(entry.pk)
    kept = Verdict.from_json(effect.verdict)
    return Answer(
        verdict=kept,
        cost_per_year=None
        if kept.electricity is None
        else cost_per_year(home, kept.electricity.percent, kept.target, known.facts),
        made_at=effect.made_at,
        test=asked.test,
    )


def being_judged(home: Home) -> tuple[Entry, date] | None:
    """Return the newest change of which an answer, or a better one, is still to come, and the last day that
    it waits for. Raises ChildFailed."""
    found = Entry.objects.filter(site_id=home.id, kind=Entry.Kind.SETTING, at__lte=home.at)
    entry = found.order_by("-at", "-id").prefetch_related("setting_changes").first()
    until = None if entry is None else awaited_until(effect_of(home, entry).verdict, home.today)
    return None if entry is None or until is None else (entry, until)


def beside_note(home: Home, note: Entry) -> int | None:
    """Return the entry of the change of settings whose verdict speaks for a note, too; None without one."""
    return _beside(change_of(home, note), outside_tests(setting_changes(home), test_spans(home)))


def is_told(home: Home, entry: Entry) -> bool:
    """Return whether an entry is judged without anybody asking: all but a note by itself."""
    return entry.kind != Entry.Kind.NOTE or hasattr(entry, "effect") or beside_note(home, entry) is not None


def _beside(note: Change, changes: Iterable[Change]) -> int | None:
    """Return the nearest of the changes that the days of a note cannot be told from; hot water can."""
    apart = {
        change.id: abs((change.day - note.day).days) for change in changes if not _is_hot_water(change.keys)
    }
    nearest = min(apart, key=apart.__getitem__, default=None)
    return nearest if nearest is not None and apart[nearest] <= CLOSE_DAYS else None


def _asked(home: Home, entry: Entry, known: _Known) -> _Asked:
    change = change_of(home, entry)
    test = _test_of(change, known.tests)
    question = _question(home, change, known, in_test=test is not None)
    return _Asked(entry, question, digest([METHOD_VERSION, asdict(question)]), test)


def _test_of(change: Change, tests: Iterable[TestSpan]) -> AlternatingTest | None:
    """Return the test that a change of its setting belongs to."""
    return next((each[0] for each in tests if is_switch(change, each)), None)


def _kept(asked: _Asked) -> Effect | None:
    """Return the verdict on the same question."""
    return Effect.objects.filter(entry=asked.entry, inputs=asked.inputs).first()


def _make(home: Home, asked: Sequence[_Asked]) -> None:
    """Make verdicts, all by one child process, and keep those of entries that are still there."""
    found = in_child(verdicts, [each.question for each in asked]) if asked else []
    for each, judged in zip(asked, found, strict=True):
        made = _told(home, judged)
        kept = {
            # what is still to be calculated is asked again, though the days known be the same
            "inputs": each.inputs if made is judged else NOT_YET,
            "method_version": METHOD_VERSION,
            "verdict": made.as_json(),
            "made_at": home.at,
        }
        with transaction.atomic():
            if Entry.objects.select_for_update().filter(pk=each.entry.pk).exists():
                Effect.objects.update_or_create(entry=each.entry, defaults=kept)


def _told(home: Home, made: Verdict) -> Verdict:
    """Return a verdict; a refusal for days that are still to be calculated says that instead."""
    if made.reason not in OF_DAYS or not _is_pending(home, made):
        return made
    return replace(made, reason=BEING_CALCULATED, available_from=None)


def _is_pending(home: Home, made: Verdict) -> bool:
    return is_pending(home, made.before.first, made.after.last)


def judge_all(home: Home) -> int:
    """Make the verdicts on all changes of settings, and on notes that were asked about, whose days may have
    changed since the last time, and on those whose days are calculated by now; return how many were looked
    at."""
    inputs = facts_inputs(home)
    if HomeFacts.objects.filter(site_id=home.id, judged=inputs).exists():
        return _judge_calculated(home)
    known = _known(home)
    _drop_joined(home, known)
    judged = Q(kind=Entry.Kind.SETTING) | Q(kind=Entry.Kind.NOTE, effect__isnull=False)
    found = Entry.objects.filter(judged, site_id=home.id, at__lte=home.at)
    entries = list(found.order_by("at", "id").prefetch_related("setting_changes"))
    _judge(home, entries, known)
    for test in AlternatingTest.objects.filter(site_id=home.id, stopped=False):
        close_test(home, test)
    note_deviations(home, known.facts.deviations)
    HomeFacts.objects.filter(site_id=home.id).update(judged=inputs)
    return len(entries)


def _judge_calculated(home: Home) -> int:
    """Judge the entries that waited for days that are calculated by now, though these be as they were."""
    waiting = Effect.objects.filter(entry__site_id=home.id, inputs=NOT_YET).select_related("entry")
    entries = [each.entry for each in waiting if not _is_pending(home, Verdict.from_json(each.verdict))]
    if entries:
        _judge(home, entries, _known(home))
    return len(entries)


def _judge(home: Home, entries: Sequence[Entry], known: _Known) -> None:
    """Make the verdicts that are not kept."""
    for first in range(0, len(entries), AT_ONCE):
        some = entries[first : first + AT_ONCE]
        questions = (_asked(home, entry, known) for entry in some)
        _make(home, [asked for asked in questions if _kept(asked) is None])


def _drop_joined(home: Home, known: _Known) -> None:
    """Drop verdicts on notes beside which settings have changed since: one effect is told once."""
    asked = Effect.objects.filter(entry__site_id=home.id, entry__kind=Entry.Kind.NOTE)
    for effect in asked.select_related("entry"):
        if _beside(change_of(home, effect.entry), known.changes) is not None:
            effect.delete()


def _is_hot_water(keys: Iterable[str]) -> bool:
    return target_of(keys).energy == DHW


def _question(home: Home, asked: Change, known: _Known, *, in_test: bool) -> Question:
    """Return what is asked; of a note near changes or tests of the hot water, what it did to the heating, if
    the heat pump tells the two apart."""
    if not asked.keys and any(abs(day - asked.day) <= WINDOW_DAYS * DAY for day in _hot_water_days(known)):
        heating = Target(energy=SPACE, leads=ELECTRICITY)
        found = _question_among(home, asked, _without_hot_water(known), heating, in_test=in_test)
        if found.target == heating:
            return found
    return _question_among(home, asked, known, None, in_test=in_test)


def _hot_water_days(known: _Known) -> set[date]:
    """Return the days on which settings of the hot water changed, or a test of them began or ended."""
    changed = {change.day for change in known.changes if _is_hot_water(change.keys)}
    return changed | {day for test, span in known.switched if _is_hot_water([test.key]) for day in span}


def _without_hot_water(known: _Known) -> _Known:
    return replace(
        known,
        changes=[change for change in known.changes if not _is_hot_water(change.keys)],
        switched=[each for each in known.switched if not _is_hot_water([each[0].key])],
    )


def _question_among(
    home: Home, asked: Change, known: _Known, of: Target | None, *, in_test: bool
) -> Question:
    changes = {change.id: change for change in known.changes} | {asked.id: asked}
    group = group_of(asked.id, {change.id: change.day for change in changes.values()})
    target = of or target_of(key for each in group.ids for key in changes[each].keys)
    first, last = group.first - WINDOW_DAYS * DAY, group.last + WINDOW_DAYS * DAY
    days = effect_days(home, first, min(last, home.today - DAY)) if _has_days(home, group, first) else {}
    target = told_apart(target, days.values())
    return Question(
        group=group,
        others=_others(changes.values(), known.switched, group),
        target=target,
        days=days,
        # what lies after the windows changes nothing
        today=min(home.today, last + DAY),
        meter_days=tuple(day for day in known.meter_days if first <= day <= last),
        null=known.facts.nulls[target.energy],
        in_test=in_test,
    )


def _has_days(home: Home, group: Group, first: date) -> bool:
    return first < home.today and (group.last - group.first).days <= LONGEST_GROUP_DAYS


def _others(changes: Iterable[Change], switched: Iterable[TestSpan], group: Group) -> tuple[date, ...]:
    """Return the nearest other changes and tests on both sides: those farther away do not matter."""
    days = [change.day for change in changes if change.id not in group.ids]
    days += [day for _test, span in switched for day in span]
    before = [day for day in days if day < group.first]
    after = [day for day in days if day > group.last]
    return (*([max(before)] if before else []), *([min(after)] if after else []))


def cost_per_year(home: Home, percent: float, target: str, facts: Facts) -> float | None:
    """Return what a percentage of a target is worth in money a year; None without a year of data or a
    price."""
    year_kwh = facts.year_kwh[target]
    tariff = tariff_on(known_tariffs(home.options), home.today)
    return None if year_kwh is None or tariff is None else percent / 100.0 * year_kwh * tariff.price_per_kwh
