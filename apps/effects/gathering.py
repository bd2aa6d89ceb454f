"""What a home knows about its days and changes, as the estimators of effects take it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from apps.changelog.glossary import BY_HAND
from apps.changelog.models import Entry
from apps.metrics.climate import Harmonic, harmonic, harmonic_of_days
from apps.metrics.cop import heat_weighted_flow_c
from apps.metrics.days import LocalDay, local_days
from apps.metrics.home import Home
from apps.metrics.kept import kept
from apps.metrics.models import MeterEvent
from apps.metrics.normals import normals_of
from apps.metrics.windows import day_edges, days, local_date

from .models import AlternatingTest
from .samples import EffectDay
from .season import YEAR_DAYS, cold_from
from .spans import covers, span_of

FLOW_LOSS_PER_K = 0.0055
"""Output falls by this share per kelvin of flow; source: metrics §1, hplib."""
FLOW_C = 35.0
MAX_UNCLASSIFIED = 0.10
DAY = timedelta(days=1)
LONG_PROGRAM = timedelta(hours=12)
SOURCE = "primary_supply_temperature_c"
LEAST_SOURCE_VALUES = 240
"""Five-minute values of a day."""
PUMP_REPLACED = "heat_pump_replaced"
METER_CHANGES = (MeterEvent.Kind.METER_REPLACED, MeterEvent.Kind.PROFILE_CHANGED, PUMP_REPLACED)
"""Events from which on something else is measured."""
LEAST_OWN_DAYS = 300
"""From then on a home's own days show the course of its year."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Settings that changed, or a note that is asked about, on a local day."""

    id: int
    at: datetime
    day: date
    keys: tuple[str, ...]


TestSpan = tuple[AlternatingTest, tuple[date, date]]
"""An alternating test, and its first and last local day."""


def test_spans(home: Home) -> list[TestSpan]:
    """Return the span of each alternating test, but for those stopped before they began."""
    tests = AlternatingTest.objects.filter(site_id=home.id)
    spans = [(test, span_of(test, home.today)) for test in tests]
    return [(test, (first, last)) for test, (first, last) in spans if first <= last]


def setting_changes(home: Home) -> list[Change]:
    """Return all changes of settings, in order of time."""
    entries = Entry.objects.filter(site_id=home.id, kind=Entry.Kind.SETTING).order_by("at", "id")
    return [change_of(home, entry) for entry in entries.prefetch_related("setting_changes")]


def outside_tests(changes: Sequence[Change], tests: Sequence[TestSpan]) -> list[Change]:
    """Return the ``changes`` but those of alternating ``tests``."""
    return [
        change
        for change in changes
        if not any(change.keys == (each[0].key,) and is_switch(change, each) for each in tests)
    ]


def is_switch(change: Change, tested: TestSpan) -> bool:
    """Return whether a change belongs to a test: one of its setting, since it was planned, on its days."""
    test, span = tested
    return test.key in change.keys and change.at >= test.created_at and covers(span, change.day)


def switched_spans(changes: Sequence[Change], tests: Sequence[TestSpan]) -> list[TestSpan]:
    """Return each test with the first and last local day that it acts on, its first switch being the
    first."""
    found = []
    for each in tests:
        test, (_first, last) = each
        switch = next((change for change in changes if is_switch(change, each)), None)
        found += [(test, (switch.day, last))] if switch is not None else []
    return found


def quiet_changes(home: Home) -> set[date]:
    """Return the local days that no quiet date may lie near: of changes, of the meter, of tests."""
    changes, tests = setting_changes(home), test_spans(home)
    found = {change.day for change in outside_tests(changes, tests)} | set(meter_days(home))
    for _test, (first, last) in switched_spans(changes, tests):
        found.update(days(first, last))
    return found


def change_of(home: Home, entry: Entry) -> Change:
    """Return an entry as a change."""
    return Change(
        id=entry.pk,
        at=entry.at,
        day=local_date(entry.at, home.options.zone),
        keys=tuple(sorted(each.key for each in entry.setting_changes.all())),
    )


def meter_days(home: Home) -> tuple[date, ...]:
    """Return the local days on which the meter, or which channels it has, changed."""
    events = MeterEvent.objects.filter(site_id=home.id, kind__in=METER_CHANGES)
    replaced = Entry.objects.filter(site_id=home.id, event_code=PUMP_REPLACED)
    times = [*events.values_list("at", flat=True), *replaced.values_list("at", flat=True)]
    return tuple(sorted({local_date(at, home.options.zone) for at in times}))


def days_by_hand(home: Home) -> set[date]:
    """Return the local days on which a program ran that was switched by hand for more than half a day."""
    found: set[date] = set()
    for entry in Entry.objects.filter(site_id=home.id, event_code=BY_HAND):
        end = entry.ended_at or home.at
        if end - entry.at >= LONG_PROGRAM:
            first, last = (local_date(at, home.options.zone) for at in (entry.at, end))
            found.update(days(first, last))
    return found


@kept
def effect_days(home: Home, first: date, last: date) -> dict[date, EffectDay]:
    """Return the local days ``first`` to ``last`` that have a temperature, programs by hand left out."""
    lived = local_days(home, first, last)
    sources = _sources(home, first, last)
    left_out = days_by_hand(home)
    return {
        each.day: _day(each, source)
        for each, source in zip(lived, sources, strict=True)
        if each.outside_c is not None and each.day not in left_out
    }


def _day(lived: LocalDay, source_c: float | None) -> EffectDay:
    plain = EffectDay(day=lived.day, outside_c=lived.outside_c, before_c=lived.outside_before_c)
    energy_kwh, energy_wh = lived.energy_kwh_per_24h, lived.total.energy_wh
    if not lived.is_valid or energy_kwh is None or not energy_wh:
        return plain
    is_split = (lived.total.unclassified_energy_wh or 0.0) <= MAX_UNCLASSIFIED * energy_wh
    space, dhw = (
        energy_kwh * (lived.total[name] or 0.0) / energy_wh if is_split else None
        for name in ("electrical_energy_heating_wh", "electrical_energy_dhw_wh")
    )
    return EffectDay(
        day=plain.day,
        outside_c=plain.outside_c,
        before_c=plain.before_c,
        energy_kwh=energy_kwh,
        space_kwh=space,
        dhw_kwh=dhw,
        efficiency=_efficiency(lived),
        source_c=source_c,
        dhw_share=_dhw_share(lived),
    )


def _efficiency(lived: LocalDay) -> float | None:
    """Return ln(Q_c/E), heat corrected for what modulation does not see of the flow temperature."""
    total = lived.total
    heat, energy = total["full_thermal_energy_wh"], total["full_electrical_energy_wh"]
    flow_c = heat_weighted_flow_c(total["flow_weighted_wh_c"], total["flow_weight_wh"])
    if not lived.cop_is_valid or not heat or not energy or flow_c is None:
        return None
    corrected = heat * (1.0 - FLOW_LOSS_PER_K * (flow_c - FLOW_C))
    return math.log(corrected / energy) if corrected > 0.0 else None


def _dhw_share(lived: LocalDay) -> float | None:
    heat = lived.total["full_thermal_energy_wh"]
    return (lived.total["full_thermal_energy_dhw_wh"] or 0.0) / heat if heat else None


def _sources(home: Home, first: date, last: date) -> Sequence[float | None]:
    """Return the mean temperature of the source of each day, where it is measured."""
    means = home.store.sums(home.id, [SOURCE], day_edges(first, last, home.options.zone))[SOURCE]
    return [part.mean if part.count >= LEAST_SOURCE_VALUES else None for part in means]


def usually_cold_from(home: Home, length: int) -> date | None:
    """Return the first day from today on whose next ``length`` days are usually cold enough for a comparison
    of heating; None where the home's year is not known."""
    normal = _usual_year(home)
    return None if normal is None else cold_from(normal, home.today, length)


def _usual_year(home: Home) -> Harmonic | None:
    """Return the course of the home's year: its place's, else that of its own last 365 days."""
    normals = normals_of(home.options)
    if normals is not None:
        return harmonic(normals.months_c)
    known = effect_days(home, home.today - YEAR_DAYS * DAY, home.today - DAY)
    own = [(day.day, day.outside_c) for day in known.values() if day.outside_c is not None]
    return harmonic_of_days(own) if len(own) >= LEAST_OWN_DAYS else None
