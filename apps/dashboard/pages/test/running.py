"""A test that runs or is over: what to set tonight, what was set, what it shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.changelog.sentences import label_of, shown
from apps.changelog.timeline import configuration_at
from apps.dashboard import formatting
from apps.dashboard.contexts import ChartBlock, Fact
from apps.dashboard.pages.change.charts import signed_intervals
from apps.dashboard.pages.change.words import Chip, signed_range
from apps.dashboard.pages.links import day_href
from apps.effects.alternating import Block, LivedDay
from apps.effects.models import AlternatingTest
from apps.effects.spans import blocks_of, is_paused
from apps.effects.testing import Progress, Switch, switch_due
from apps.metrics.home import Home

from .verdict import verdict_chip, what_next, worth

MOST_STEPS = 10
UNTOLD = ("not_measured", "other_meter")
"""Reasons that say nothing about the switch."""
REASONS = {
    "switched": gettext_lazy("switched during the day"),
    "other_value": gettext_lazy("another value was set"),
    "unknown": gettext_lazy("the value is not known"),
    "paused": gettext_lazy("paused"),
    "other_change": gettext_lazy("something else was changed"),
    "other_meter": gettext_lazy("measured by another meter"),
    "not_measured": gettext_lazy("not fully measured, or a program was switched on by hand"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockView:
    """One block of the calendar. ``state``: done, late, missed, now, or next where no day of it was lived."""

    number: int
    value: str
    first: date
    last: date
    is_new: bool
    state: str
    counted: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Dropped:
    """A day that does not count, and why."""

    label: str
    href: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TestContext:
    """The page of a test. ``chip``: the verdict of a test that is over, ``worth`` its money, ``next`` what to
    do then; ``so_far``: the interval while it runs, which is no verdict; ``leave``: what is set during a
    pause."""

    id: int
    title: str
    old: str
    new: str
    is_over: bool
    stopped: bool
    is_paused: bool
    leave: str
    todo: Switch | None
    percent_done: int
    facts: Sequence[Fact]
    blocks: Sequence[BlockView]
    steps: ChartBlock | None
    chip: Chip | None
    worth: str
    next: str
    so_far: str
    dropped: Sequence[Dropped]


def running_context(home: Home, test: AlternatingTest, found: Progress) -> TestContext:
    """Return what the page shows. Raises ChildFailed."""
    old, new = shown(test.key, test.old), shown(test.key, test.new)
    is_over = test.ended_on is not None
    return TestContext(
        id=test.pk,
        title=label_of(test.key),
        old=old,
        new=new,
        is_over=is_over,
        stopped=test.stopped,
        is_paused=found.is_paused,
        leave=shown(test.key, configuration_at(home.site, home.at).get(test.key, test.old)),
        todo=todo_tonight(home, test),
        percent_done=min(100, round(100 * found.of_blocks / max(1, test.blocks * test.length))),
        facts=_facts(test, found),
        blocks=[_block(home, test, found, block) for block in found.blocks if _was_lived(test, block)],
        steps=_steps_chart(found),
        chip=verdict_chip(test) if is_over else None,
        worth=worth(home, test, found.target) if is_over else "",
        next=what_next(home, test) if is_over else "",
        so_far="" if found.estimate is None else signed_range(found.estimate),
        dropped=[
            Dropped(
                label=formatting.local_date(day.day, "weekday_day"),
                href=day_href(day.day),
                reason=str(REASONS[day.reason]),
            )
            for day in found.lived
            if day.side is None
        ],
    )


def todo_tonight(home: Home, test: AlternatingTest) -> Switch | None:
    """Return what is to be set tonight, or was missed, its value in words."""
    due = switch_due(home, test)
    return None if due is None else replace(due, value=shown(test.key, due.value))


def line_of(test: AlternatingTest, today: date) -> str:
    """Return which test there is and how it stands, in a line."""
    values = {
        "setting": label_of(test.key),
        "old": shown(test.key, test.old),
        "new": shown(test.key, test.new),
        "day": formatting.local_date(test.first_day, "day"),
    }
    if is_paused(test):
        return _("%(setting)s, %(old)s or %(new)s: paused") % values
    if test.first_day > today:
        return _("%(setting)s, %(old)s or %(new)s: starts on %(day)s") % values
    last = blocks_of(test, today)[-1].last
    if last < today:
        return _("%(setting)s, %(old)s or %(new)s: over") % values
    values["day"] = formatting.local_date(last, "day")
    return _("%(setting)s, %(old)s or %(new)s: runs until %(day)s") % values


def _facts(test: AlternatingTest, found: Progress) -> list[Fact]:
    return [
        Fact(
            name=_("Days lived"),
            value=_("%(days)s of %(all)s")
            % {
                "days": formatting.number(found.of_blocks),
                "all": formatting.number(test.blocks * test.length),
            },
        ),
        Fact(name=_("Days that count"), value=formatting.number(found.counted)),
        Fact(
            name=f"{shown(test.key, test.old)} · {shown(test.key, test.new)}",
            value=" · ".join(formatting.number(found.days_with(new=new)) for new in (False, True)),
        ),
        *_days(found.blocks[0].first, test.ended_on or found.blocks[-1].last),
    ]


def _days(first: date, last: date) -> list[Fact]:
    if last < first:
        return [Fact(name=_("Stopped"), value=formatting.local_date(last, "date"))]
    return [
        Fact(name=_("First day"), value=formatting.local_date(first, "date")),
        Fact(name=_("Last day"), value=formatting.local_date(last, "date")),
    ]


def _was_lived(test: AlternatingTest, block: Block) -> bool:
    """Return whether a block is one of the test's: those after a stop are not."""
    return test.ended_on is None or block.first <= test.ended_on


def _block(home: Home, test: AlternatingTest, found: Progress, block: Block) -> BlockView:
    lived = [day for day in found.lived if block.first <= day.day <= block.last]
    side = 1.0 if block.is_new else 0.0
    right = sum(day.side == side for day in lived)
    return BlockView(
        number=block.number,
        value=shown(test.key, test.new if block.is_new else test.old),
        first=block.first,
        last=block.last,
        is_new=block.is_new,
        state=_state(test, home.today, block, lived, right),
        counted=f"{right}/{len(lived)}" if lived else "",
    )


def _state(test: AlternatingTest, today: date, block: Block, lived: Sequence[LivedDay], right: int) -> str:
    if test.ended_on is None and block.first <= today <= block.last:
        return "now"
    if not lived:
        return "next"
    if right == len(lived):
        return "done"
    is_known = all(day.reason not in UNTOLD for day in lived)
    return "missed" if right == 0 and is_known else "late"


def _steps_chart(found: Progress) -> ChartBlock | None:
    """Draw how the interval narrows, after each pair of blocks."""
    every = max(1, -(-len(found.steps) // MOST_STEPS))
    shown_steps = list(found.steps)[::-1][::every][::-1]
    rows = [(formatting.local_date(step.day, "day"), step.estimate, "accent") for step in shown_steps]
    return signed_intervals("steps-data", rows)
