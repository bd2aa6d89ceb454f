"""Planning an alternating test: which setting, which values, how long, and what it could show."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext as _

from apps.changelog.glossary import setting_name
from apps.changelog.models import Entry
from apps.changelog.sentences import label_of, shown, value_text
from apps.changelog.timeline import configuration_at, state, view
from apps.effects.alternating import DESIGNS, Design, Power, recommended
from apps.effects.bounds import bounds_of
from apps.effects.effects import being_judged
from apps.effects.gathering import usually_cold_from
from apps.effects.targets import DHW, target_of
from apps.effects.testing import is_number, powers_of
from apps.metrics.home import Home

SOON_DAYS = 7
LATEST_START_DAYS = 60
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A setting that can be tested, with its present value."""

    key: str
    label: str
    present: str
    current: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DesignChoice:
    """``value`` of the form; ``shows``: the smallest effect that 8 of 10 such tests prove [%]; ``switch``: on
    whose evening the first of the ``switches`` is due."""

    value: str
    blocks: int
    length: int
    weeks: int
    until: date
    switches: int
    switch: date
    shows: float
    half_width: float
    recommended: bool
    current: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Awaited:
    """A change that is still being judged, until ``last``. ``is_kept``: the test starts after it; ``other``:
    the start that does the opposite, and ``href`` where it is planned."""

    id: int
    title: str
    last: date
    is_kept: bool
    other: date
    href: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanContext:
    """``change``: the entry whose two values are tested, None where a number is typed. ``own``: the power
    is this home's own. ``is_schedule``: what changed has no two values to be set in turn. ``cold_from``:
    when it is usually cold enough, None where that is soon."""

    first: date
    awaited: Awaited | None
    key: str
    label: str
    present: str
    other: str
    change: int | None
    choices: Sequence[Choice]
    designs: Sequence[DesignChoice]
    own: bool
    is_hot_water: bool
    cold_from: date | None
    error: str
    is_known: bool
    is_schedule: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is to be tested: ``other`` is None until it is typed; ``change`` the entry it comes from."""

    key: str
    other: Any
    change: int | None


def wanted_of(home: Home, change: str, key: str, typed: str) -> Wanted:
    """Return what an address or a form asks for. Raises ValueError for a value that is not a number."""
    entry = _entry(home, change)
    present = configuration_at(home.site, home.at)
    if entry is not None:
        (setting,) = entry.setting_changes.all()
        other = setting.before if present.get(setting.key) == setting.after else setting.after
        return Wanted(key=setting.key, other=other, change=entry.pk)
    if not typed:
        return Wanted(key=key, other=None, change=None)
    number = float(typed.replace(",", "."))
    if not math.isfinite(number):
        raise ValueError(typed)
    return Wanted(key=key, other=int(number) if number.is_integer() else number, change=None)


def not_taken(home: Home, wanted: Wanted) -> str:
    """Return why the heat pump would not take the number that is to be tested; empty where it would."""
    if wanted.change is not None or not is_number(wanted.other):
        return ""
    known = bounds_of(wanted.key, configuration_at(home.site, home.at))
    if known is None or known.allow(wanted.other):
        return ""
    values = {
        "setting": label_of(wanted.key),
        "low": value_text(wanted.key, known.low, unit=False),
        "high": value_text(wanted.key, known.high),
    }
    if known.step is None:
        return _("%(setting)s: heat pumps take %(low)s to %(high)s.") % values
    values["step"] = value_text(wanted.key, known.step)
    return _("%(setting)s: heat pumps take %(low)s to %(high)s, in steps of %(step)s.") % values


def _entry(home: Home, change: str) -> Entry | None:
    """Return the entry of a change of one setting; None for anything else."""
    if not change.isdecimal() or len(change) > 18:
        return None
    entry = Entry.objects.filter(site_id=home.id, pk=int(change)).prefetch_related("setting_changes").first()
    return entry if entry is not None and len(entry.setting_changes.all()) == 1 else None


def plan_context(home: Home, wanted: Wanted, given: Mapping[str, str], error: str = "") -> PlanContext:
    """Return what the page shows. Raises ChildFailed."""
    present = configuration_at(home.site, home.at)
    ordered = sorted(present, key=lambda each: (setting_name(each).place, each))
    testable = {each: present[each] for each in ordered if is_number(present[each])}
    key = wanted.key if wanted.key in present else next(iter(testable), "")
    target = target_of([key]).energy
    powers = powers_of(home, target, state(home.site))
    judged = being_judged(home)
    first = start_of(home, given.get("start", ""), judged)
    return PlanContext(
        first=first,
        awaited=None if judged is None else _awaited(home, *judged, first, given),
        key=key,
        label=label_of(key) if key else "",
        present=shown(key, present.get(key)),
        other=shown(key, wanted.other)
        if wanted.change is not None
        else given.get("other", "")
        if error
        else _typed(wanted.other),
        change=wanted.change,
        choices=[
            Choice(key=each, label=label_of(each), present=shown(each, value), current=each == key)
            for each, value in testable.items()
        ],
        designs=_designs(first, powers, given.get("design", ""), recommended(target)),
        own=all(power.own for power in powers.values()),
        is_hot_water=target == DHW,
        cold_from=None if target == DHW else mild_until(home, DESIGNS[0].days),
        error=error,
        is_known=key in present,
        is_schedule=isinstance(wanted.other, Mapping),
    )


def start_of(home: Home, typed: str, judged: tuple[Entry, date] | None = None) -> date:
    """Return the first day that an address or a form asks for; else the day after the answer that is awaited,
    or tomorrow."""
    tomorrow = home.today + DAY
    try:
        first = date.fromisoformat(typed)
    except ValueError:
        first = tomorrow if judged is None else judged[1] + DAY
    return min(max(first, tomorrow), home.today + LATEST_START_DAYS * DAY)


def _awaited(home: Home, entry: Entry, last: date, first: date, given: Mapping[str, str]) -> Awaited:
    is_kept = first > last
    other = home.today + DAY if is_kept else last + DAY
    asked = {name: given[name] for name in ("change", "key", "other", "design") if given.get(name)}
    query = urlencode(asked | {"start": other.isoformat()})
    href = f"{reverse('dashboard:test_plan')}?{query}"
    title = view(entry).title
    return Awaited(id=entry.pk, title=title, last=last, is_kept=is_kept, other=other, href=href)


def _typed(value: Any) -> str:
    return "" if value is None else str(value)


def mild_until(home: Home, length: int) -> date | None:
    """Return from when on ``length`` days are usually cold enough for heating to be compared; None where that
    is soon, or not known."""
    cold = usually_cold_from(home, length)
    return None if cold is None or (cold - home.today).days <= SOON_DAYS else cold


def _designs(first: date, powers: Mapping[Design, Power], wanted: str, best: Design) -> list[DesignChoice]:
    names = [design_name(design) for design in DESIGNS]
    current = wanted if wanted in names else design_name(best)
    return [
        DesignChoice(
            value=design_name(design),
            blocks=design.blocks,
            length=design.length,
            weeks=round(design.days / 7),
            until=first + (design.days - 1) * DAY,
            switches=design.blocks - 1,
            switch=first + (design.length - 1) * DAY,
            shows=powers[design].shows_percent,
            half_width=powers[design].half_width,
            recommended=design == best,
            current=design_name(design) == current,
        )
        for design in DESIGNS
    ]


def design_name(design: Design) -> str:
    return f"{design.blocks:d}x{design.length:d}"


def design_of(name: str) -> tuple[int, int]:
    """Return (blocks, length). Raises ValueError for a design that is not offered."""
    found = next((design for design in DESIGNS if design_name(design) == name), None)
    if found is None:
        raise ValueError(name)
    return found.blocks, found.length
