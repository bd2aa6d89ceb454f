"""What a change did, as its page tells it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from apps.changelog.models import Entry
from apps.changelog.timeline import EntryView, entries, view
from apps.dashboard import formatting
from apps.dashboard.contexts import ChartBlock, Fact
from apps.dashboard.pages.links import day_href
from apps.effects.deviations import within
from apps.effects.effects import Answer
from apps.effects.estimator import Estimate
from apps.effects.fortnights import BEING_CALCULATED, WINDOW_DAYS
from apps.effects.gathering import effect_days
from apps.effects.models import Effect
from apps.effects.samples import EffectDay
from apps.effects.targets import DHW, SPACE
from apps.effects.verdicts import (
    FOUND,
    METHOD_VERSION,
    REFUSED,
    TOO_EARLY,
    Side,
    Verdict,
    awaited_until,
)
from apps.metrics.home import Home
from apps.metrics.windows import local_midnight

from . import charts, words
from .settle import Settle, is_schedule, season, settle
from .words import Chip, chip, percent, signed_range

NEARLY_PERCENT = 5.0
"""An interval that lies within ± this says that the pump works as before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Headline:
    """One of the two answers. ``number`` is large, ``unit`` small behind it; ``more``: what it is worth."""

    who: str
    icon: str
    number: str
    unit: str
    between: str
    chip: Chip
    more: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DayRow:
    """One day of the table."""

    label: str
    href: str
    window: str
    outside: str
    energy: str
    heat: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectContext:
    """The effect on the page of a change. ``headlines``: the one that leads first; ``why`` and ``advice``
    where there is no answer; ``is_awaited``: one, or a better one, is to come; ``spans``: the windows before
    and after; ``together``: the other changes judged with it; ``deviations``: lasting ones that the windows
    touch; ``beside``: changes of the hot water that a note about heating is told from; ``settle``: the test
    that would settle it, which a schedule has not; ``test``: where the one stands that it belongs to."""

    state: str
    is_awaited: bool
    chip: Chip
    headlines: Sequence[Headline]
    leads: str
    why: str
    advice: str
    intervals: ChartBlock | None
    own_null: str
    facts: Sequence[Fact]
    spans: tuple[str, str]
    tested: str
    pump: ChartBlock | None
    bill: ChartBlock | None
    bill_title: str
    rows: Sequence[DayRow]
    together: Sequence[EntryView]
    deviations: Sequence[EntryView]
    beside: Sequence[EntryView]
    progress: int | None
    settle: Settle | None
    is_schedule: bool
    test: str
    made_at: datetime
    method_version: int


def effect_context(home: Home, answer: Answer, entry: Entry) -> EffectContext:
    """Return what the page of an entry shows of its effect."""
    found, test = answer.verdict, answer.test
    before, after = days_of(home, found)
    headlines = [_bill(home, answer), *_pump(home, answer)]
    return EffectContext(
        state=found.state,
        is_awaited=awaited_until(found, home.today) is not None,
        chip=chip(found),
        headlines=headlines[::-1] if found.efficiency_leads else headlines,
        leads=_leads(found, entry),
        why=words.explanation(found),
        advice=words.advice(found, season(home, found)),
        intervals=charts.interval_chart(found),
        own_null=_own_null(found),
        facts=_facts(found),
        spans=(_window(found.before), _window(found.after)),
        tested=_tested(home),
        pump=charts.pump_chart(found, before, after),
        bill=charts.bill_chart(found, before, after),
        bill_title=_bill_title(found.target),
        rows=_rows(found, before, after),
        together=_together(home, found, entry.pk),
        deviations=within(home, found.before.first, found.after.last),
        beside=_beside(home, found, entry),
        progress=min(100, round(100 * found.after.valid_days / WINDOW_DAYS))
        if found.state == TOO_EARLY
        else None,
        settle=settle(home, entry, found) if test is None else None,
        is_schedule=is_schedule(entry),
        test="" if test is None else reverse("dashboard:test", args=[test.pk]),
        made_at=answer.made_at,
        method_version=METHOD_VERSION,
    )


def days_of(home: Home, found: Verdict) -> tuple[list[EffectDay], list[EffectDay]]:
    """Return the days before and after the change that are over."""
    last = min(found.after.last, home.today - timedelta(days=1))
    if last < found.before.first:
        return [], []
    known = effect_days(home, found.before.first, last)
    return (
        [day for day in known.values() if day.day <= found.before.last],
        [day for day in known.values() if day.day >= found.after.first],
    )


def _bill(home: Home, answer: Answer) -> Headline:
    found, bill = answer.verdict, answer.verdict.electricity
    who = _bill_title(found.target)
    if bill is None:
        number = _("too early") if found.state == TOO_EARLY else _("no answer")
        if found.reason == BEING_CALCULATED:
            number = _("not yet")
        return Headline(who=who, icon="coin", number=number, unit="", between="", chip=chip(found), more="")
    if found.state != FOUND:
        between = _("electricity %(range)s at equal weather") % {"range": signed_range(bill)}
        more = _("This is not “no effect”: two fortnights cannot tell in this house.")
        return _not_provable(who, "coin", between, words.kwh_range(bill), more)
    less = bill.percent < 0
    return Headline(
        who=who,
        icon="coin",
        number=percent(abs(bill.percent)),
        unit=_("less electricity") if less else _("more electricity"),
        between=_("%(range)s %%, at equal weather") % {"range": words.plain_range(bill)},
        chip=Chip(
            kind="saves" if less else "costs", icon="down" if less else "up", text=words.kwh_range(bill)
        ),
        more=words.a_year(answer.cost_per_year, bill, home.options.currency),
    )


def _pump(home: Home, answer: Answer) -> list[Headline]:
    """Return the efficiency's headline; none where it was not asked or cannot be told."""
    pump, bill = answer.verdict.efficiency, answer.verdict.electricity
    if pump is None:
        return []
    who = _("The heat pump")
    if not pump.is_found:
        between = _("heat per kWh %(range)s, estimated") % {"range": signed_range(pump)}
        return [_not_provable(who, "pump", between, _unproven(pump), "")]
    better = pump.percent > 0
    less = charts.less_electricity(pump)
    worth = ""
    if bill is not None and not bill.is_found and less is not None:
        worth = words.same_heat(answer.cost_per_year, bill, less, home.options.currency)
    estimated = _("There is no heat meter: heat is estimated from modulation and corrected for the flow.")
    return [
        Headline(
            who=who,
            icon="pump",
            number=percent(abs(pump.percent)),
            unit=_("more heat per kWh") if better else _("less heat per kWh"),
            between=_("%(range)s %%, estimated") % {"range": words.plain_range(pump)},
            chip=Chip(
                kind="saves" if better else "costs",
                icon="check" if better else "warn",
                text=_("provable: it works better") if better else _("provable: it works worse"),
            ),
            more=f"{worth} {estimated}".strip(),
        )
    ]


def _not_provable(who: str, icon: str, between: str, chip_text: str, more: str) -> Headline:
    unclear = Chip(kind="unclear", icon="tilde", text=chip_text)
    return Headline(
        who=who, icon=icon, number=_("not provable"), unit="", between=between, chip=unclear, more=more
    )


def _unproven(pump: Estimate) -> str:
    """Return what an efficiency that is not provable says: only a narrow interval tells of little change."""
    if max(abs(pump.low_percent), abs(pump.high_percent)) <= NEARLY_PERCENT:
        return _("works as before, or nearly")
    return _("better or worse: these days cannot tell")


def _leads(found: Verdict, entry: Entry) -> str:
    if found.efficiency is None or found.state in (TOO_EARLY, REFUSED):
        return ""
    if entry.kind == Entry.Kind.NOTE:
        return _("The bill comes first because it holds all that a note may tell of.")
    if found.efficiency_leads:
        return _("The heat pump comes first because this setting acts on the flow temperature.")
    return _("The bill comes first because this setting acts on how much heat is needed.")


def _own_null(found: Verdict) -> str:
    if found.null_percent is None or found.electricity is None:
        return ""
    return _("In this house two fortnights differ by up to ±%(percent)s without any change.") % {
        "percent": percent(found.null_percent)
    }


def _facts(found: Verdict) -> list[Fact]:
    before, after = found.before, found.after

    def both(first: str, second: str) -> str:
        return f"{first} → {second}"

    facts = [
        Fact(
            name=_("Valid days before · after"),
            value=f"{formatting.number(before.valid_days)} · {formatting.number(after.valid_days)}",
        ),
        Fact(name=_("Before"), value=_window(before)),
        Fact(name=_("After"), value=_window(after)),
    ]
    if before.valid_days and after.valid_days:
        facts += [
            Fact(
                name=_("Outdoor, mean"),
                value=both(
                    formatting.number(before.outside_c, 1),
                    formatting.with_unit(after.outside_c, "temperature_c"),
                ),
            ),
            Fact(
                name=_("Heating degrees a day"),
                value=both(
                    formatting.number(before.degrees_k, 1), f"{formatting.number(after.degrees_k, 1)} K"
                ),
            ),
            Fact(
                name=_("Days after in weather seen before"),
                value=_("%(alike)s of %(days)s")
                % {
                    "alike": formatting.number(found.alike_days),
                    "days": formatting.number(after.valid_days),
                },
            ),
            Fact(
                name=_("Electricity a day"),
                value=both(
                    formatting.number(before.energy_kwh, 1),
                    formatting.with_unit(after.energy_kwh, "energy_kwh"),
                ),
                note=_("as measured"),
            ),
        ]
    if found.null_dates:
        facts.append(Fact(name=_("Quiet dates compared"), value=formatting.number(found.null_dates)))
    return facts


def _window(side: Side) -> str:
    return f"{formatting.local_date(side.first, 'day')} – {formatting.local_date(side.last, 'day')}"


def _tested(home: Home) -> str:
    kept = [
        Verdict.from_json(each)
        for each in Effect.objects.filter(entry__site_id=home.id).values_list("verdict", flat=True)
    ]
    # changes close together have one effect
    asked = {each.ids: each for each in kept if each.electricity is not None}.values()
    if not asked:
        return ""
    return ngettext(
        "Of %(tested)s change tested so far, the bill was provable for %(bill)s and the heat pump for "
        "%(pump)s. About 4 of 100 changes without any effect look proven by chance.",
        "Of %(tested)s changes tested so far, the bill was provable for %(bill)s and the heat pump for "
        "%(pump)s. About 4 of 100 changes without any effect look proven by chance.",
        len(asked),
    ) % {
        "tested": formatting.number(len(asked)),
        "bill": formatting.number(sum(each.state == FOUND for each in asked)),
        "pump": formatting.number(sum(each.efficiency_state == FOUND for each in asked)),
    }


def _bill_title(target: str) -> str:
    if target == SPACE:
        return _("The bill, heating")
    return _("The bill, hot water") if target == DHW else _("The bill")


def _rows(found: Verdict, before: Sequence[EffectDay], after: Sequence[EffectDay]) -> list[DayRow]:
    names = (pgettext("effect", "before"), pgettext("effect", "after"))
    return [
        DayRow(
            label=formatting.local_date(day.day, "weekday_day"),
            href=day_href(day.day),
            window=name,
            outside=formatting.number(day.outside_c, 1),
            energy=formatting.number(day.value(found.target), 1),
            heat=formatting.number(None if day.efficiency is None else math.exp(day.efficiency), 2),
        )
        for days, name in zip((before, after), names, strict=True)
        for day in days
    ]


def _together(home: Home, found: Verdict, entry_id: int) -> list[EntryView]:
    others = [each for each in found.ids if each != entry_id]
    joined = Entry.objects.filter(site_id=home.id, pk__in=others).prefetch_related("setting_changes")
    return [view(entry) for entry in joined.order_by("at", "id")]


def _beside(home: Home, found: Verdict, entry: Entry) -> list[EntryView]:
    if entry.kind != Entry.Kind.NOTE or found.target != SPACE:
        return []
    zone = home.options.zone
    start, end = (
        local_midnight(day, zone) for day in (found.before.first, found.after.last + timedelta(days=1))
    )
    return entries(home.site, start=start, end=end, kind=Entry.Kind.SETTING)[::-1]
