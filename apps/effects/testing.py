"""Alternating tests of a home: start, pause, stop, and what one shows so far."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Any

from django.db import IntegrityError, transaction

from apps.changelog.models import SettingChange
from apps.changelog.timeline import configuration_at, configurations
from apps.metrics.child import in_child
from apps.metrics.home import Home
from apps.metrics.kept import kept
from apps.metrics.windows import days, local_date, local_midnight

from .alternating import (
    DESIGNS,
    Block,
    Design,
    LivedDay,
    Power,
    Step,
    lived_days,
    narrowing,
    powers,
    told_days,
)
from .estimator import Estimate
from .gathering import effect_days, meter_days, quiet_changes
from .models import AlternatingTest
from .spans import blocks_of, is_paused, paused_days
from .targets import ELECTRICITY, Target, target_of, told_apart

DAY = timedelta(days=1)
POWER_DAYS = 800


class InvalidTest(Exception):
    """This test cannot be started: ``reason`` is running, unknown, schedule, equal or design."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """A test as of now. ``lived``: its days that are over; ``steps``: the estimate after each pair of blocks;
    ``target``: the electricity that is compared."""

    blocks: tuple[Block, ...]
    lived: tuple[LivedDay, ...]
    steps: tuple[Step, ...]
    is_paused: bool
    target: str

    @property
    def estimate(self) -> Estimate | None:
        return self.steps[-1].estimate if self.steps else None

    @property
    def of_blocks(self) -> int:
        """How many days of the blocks are over: a pause is none of them."""
        return sum(day.reason != "paused" for day in self.lived)

    @property
    def counted(self) -> int:
        return sum(day.side is not None for day in self.lived)

    def days_with(self, *, new: bool) -> int:
        """Return how many days count for the new value, or for the old one."""
        return sum(day.side == (1.0 if new else 0.0) for day in self.lived)


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


@dataclass(frozen=True, slots=True, kw_only=True)
class Switch:
    """The value that the block asks for that begins tomorrow, or that runs and was missed. ``last``: until
    when; ``is_tonight``: before midnight is on time; ``done``: it is set; ``is_final``: no block follows."""

    value: Any
    last: date
    is_tonight: bool
    done: bool
    is_final: bool = False


def running_test(home: Home) -> AlternatingTest | None:
    return AlternatingTest.objects.filter(site_id=home.id, ended_on=None).first()


def start_test(
    home: Home, key: str, new: Any, blocks: int, length: int, first_day: date | None = None
) -> AlternatingTest:
    """Start a test of ``key`` against its present value, tomorrow unless on a later day. Raises
    InvalidTest."""
    present = configuration_at(home.site, home.at)
    if key not in present or is_number(present[key]) != is_number(new):
        raise InvalidTest("unknown")
    if isinstance(present[key], Mapping):
        raise InvalidTest("schedule")
    if present[key] == new:
        raise InvalidTest("equal")
    if Design(blocks=blocks, length=length) not in DESIGNS:
        raise InvalidTest("design")
    try:
        with transaction.atomic():
            return AlternatingTest.objects.create(
                site=home.site,
                key=key,
                old=present[key],
                new=new,
                first_day=first_day or home.today + DAY,
                blocks=blocks,
                length=length,
                created_at=home.at,
            )
    except IntegrityError as error:
        raise InvalidTest("running") from error


def switch_due(home: Home, test: AlternatingTest) -> Switch | None:
    """Return what is to be set now; None where nothing is."""
    if test.ended_on is not None or is_paused(test):
        return None
    blocks = blocks_of(test, home.today)
    tomorrow = next((block for block in blocks if block.first == home.today + DAY), None)
    block = tomorrow or next((block for block in blocks if block.first <= home.today <= block.last), None)
    if block is None:
        return None
    value = test.new if block.is_new else test.old
    done = configuration_at(home.site, home.at).get(test.key) == value
    if done and tomorrow is None:
        return None
    is_final = block.number == test.blocks
    return Switch(value=value, last=block.last, is_tonight=tomorrow is not None, done=done, is_final=is_final)


def pause_test(home: Home, test: AlternatingTest) -> None:
    """Leave out the days from tomorrow on, until the test goes on."""
    if not is_paused(test):
        test.paused = [*test.paused, [(max(home.today, test.first_day - DAY) + DAY).isoformat(), None]]
        test.save(update_fields=["paused"])


def resume_test(home: Home, test: AlternatingTest) -> None:
    """Go on tomorrow."""
    if is_paused(test):
        first = test.paused[-1][0]
        last = max(home.today.isoformat(), first)
        # paused and resumed on one day: nothing was left out
        ended = [] if first > home.today.isoformat() else [[first, last]]
        test.paused = [*test.paused[:-1], *ended]
        test.save(update_fields=["paused"])


def stop_test(home: Home, test: AlternatingTest) -> None:
    """End a test early; what it showed so far is no verdict."""
    test.ended_on, test.stopped = home.today, True
    test.save(update_fields=["ended_on", "stopped"])


def close_test(home: Home, test: AlternatingTest) -> Progress | None:
    """Give the verdict of a test whose last day is over, and again where its days came later. Return how such
    a test stands, None for any other. Raises ChildFailed."""
    last = blocks_of(test, home.today)[-1].last
    if test.stopped or is_paused(test) or last >= home.today:
        return None
    found = progress(home, test)
    verdict = None if found.estimate is None else asdict(found.estimate)
    if (test.ended_on, test.verdict) != (last, verdict):
        test.ended_on, test.verdict = last, verdict
        test.save(update_fields=["ended_on", "verdict"])
    return found


def verdict_of(test: AlternatingTest) -> Estimate | None:
    return None if test.verdict is None else Estimate(**test.verdict)


def progress(home: Home, test: AlternatingTest) -> Progress:
    """Return how a test stands. Raises ChildFailed."""
    blocks = blocks_of(test, home.today)
    last = min(home.today - DAY, test.ended_on or blocks[-1].last)
    lived = tuple(_lived(home, test, last)) if last >= test.first_day else ()
    known = effect_days(home, test.first_day, last) if lived else {}
    target = told_apart(target_of([test.key]), known.values()).energy
    meters = [day for day in meter_days(home) if test.first_day <= day <= last]
    lived = told_days(lived, known, target, max(meters, default=None))
    steps = _steps(home, tuple(known.items()), lived, target, test.length)
    return Progress(
        blocks=tuple(blocks),
        lived=lived,
        steps=steps,
        is_paused=is_paused(test),
        target=target,
    )


@kept
def _steps(
    home: Home, known: tuple[tuple[date, Any], ...], lived: tuple[LivedDay, ...], target: str, length: int
) -> tuple[Step, ...]:
    return tuple(in_child(narrowing, dict(known), lived, target, length)) if known else ()


def _lived(home: Home, test: AlternatingTest, last: date) -> list[LivedDay]:
    zone = home.options.zone
    start, end = local_midnight(test.first_day - 2 * DAY, zone), local_midnight(last + DAY, zone)
    values = [
        (at.astimezone(zone), settings.get(test.key))
        for at, settings in configurations(home.site, start, end)
    ]
    return lived_days(
        list(days(test.first_day, last)),
        values,
        test.old,
        test.new,
        zone,
        paused_days(test, home.today),
        _other_changes(home, test),
    )


def _other_changes(home: Home, test: AlternatingTest) -> set[date]:
    """Return the days on which something else was changed."""
    others = SettingChange.objects.filter(entry__site_id=home.id).exclude(key=test.key)
    times = others.values_list("entry__at", flat=True).distinct()
    return {local_date(at, home.options.zone) for at in times}


@kept
def powers_of(home: Home, target: str, state: tuple[Any, ...]) -> Mapping[Design, Power]:
    """Return what each design could show in this home. ``state`` of the timeline. Raises ChildFailed."""
    first, last = home.first_day(), home.today - DAY
    if first is None or first > last:
        return in_child(powers, {}, (), target)
    known = effect_days(home, max(first, last - POWER_DAYS * DAY), last)
    energy = told_apart(Target(energy=target, leads=ELECTRICITY), known.values()).energy
    return in_child(powers, known, quiet_changes(home), energy)
