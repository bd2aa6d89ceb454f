"""``/api/changelog/ID/effect``, ``/api/compare``, ``/api/expected``: numbers at equal weather."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from ninja import Query

from apps.changelog.models import Entry
from apps.changelog.timeline import EntryUnknown
from apps.effects.comparing import LONGEST_DAYS, compare
from apps.effects.effects import Answer, NoChange, effect_of, is_told
from apps.effects.estimator import Estimate
from apps.effects.facts import facts_of
from apps.effects.fortnights import Window
from apps.effects.verdicts import METHOD_VERSION, Side
from apps.metrics.child import ChildFailed

from . import api, schemas
from .answers import ApiError, home_of, json_answer, plain
from .energy import LocalFrom, LocalTo
from .operations import ERRORS, EntryId, SiteId, no_entry
from .times import in_order, local_date, optional_date

EXPECTED_DAYS = 60
Day = Annotated[str, Query(description="local date, inclusive", format="date")]


@api.get(
    "/changelog/{entry_id}/effect",
    response={200: schemas.EffectOut, **ERRORS},
    by_alias=True,
    summary="What a change did at equal weather",
)
def effect(request: HttpRequest, entry_id: EntryId, site: SiteId = None) -> HttpResponse:
    """Return the effect of a change of settings or a note: more (+) or less (−) electricity at equal
    weather, with its 95 % interval, and the same of the pump's heat per kWh. ``reason`` says why there is no
    answer, ``available_from`` when one can be expected."""
    home = home_of(request, site)
    entry = Entry.objects.filter(site_id=home.id, pk=entry_id).prefetch_related("setting_changes").first()
    if entry is None:
        raise no_entry(entry_id)
    if getattr(request, "visit", None) is not None and not is_told(home, entry):
        raise ApiError(403, _("A read-only link does not open this."))
    try:
        with _calculated():
            return json_answer(effect_json(effect_of(home, entry), entry.pk))
    except EntryUnknown as error:
        raise no_entry(entry_id) from error
    except NoChange as error:
        raise ApiError(409, _("This entry is an event, not a change whose effect could be known.")) from error


@api.get("/compare", response={200: schemas.CompareOut, **ERRORS}, summary="Two periods at equal weather")
def compare_periods(
    request: HttpRequest, a_from: Day, a_to: Day, b_from: Day, b_to: Day, site: SiteId = None
) -> HttpResponse:
    """Return both periods as rows of ``/api/energy``, and what b used more (+) or less (−) a day than a: as
    measured, and at equal weather with the 95 % interval."""
    home = home_of(request, site)
    periods = []
    for start, end, name in ((a_from, a_to, "a_to"), (b_from, b_to, "b_to")):
        first, last = local_date(start, name.replace("to", "from")), local_date(end, name)
        if last < first:
            raise ApiError(400, _("The range ends before it starts."), field=name)
        if (last - first).days >= LONGEST_DAYS:
            raise ApiError(400, _("At most %(days)d days per request.") % {"days": LONGEST_DAYS}, field=name)
        periods.append(Window(first=first, last=last))
    with _calculated():
        found = compare(home, *periods)
    return json_answer(
        {
            "a": plain(found.a, home.options.zone),
            "b": plain(found.b, home.options.zone),
            "raw_percent": found.raw_percent,
            **_percent(found.difference, "effect_percent", "low_percent", "high_percent"),
            "reason": found.reason,
        }
    )


@api.get("/expected", response={200: schemas.ExpectedOut, **ERRORS}, summary="Expected use of each day")
def expected(
    request: HttpRequest, start: LocalFrom = None, to: LocalTo = None, site: SiteId = None
) -> HttpResponse:
    """Return what each finished day should have needed at its weather, from the home's own year before it,
    with its 80 % band; by default the last 60 days. ``deviation``: the lasting one of now, if any."""
    home = home_of(request, site)
    last = optional_date(to, "to") or home.today - timedelta(days=1)
    first = optional_date(start, "from") or last - timedelta(days=EXPECTED_DAYS - 1)
    in_order(first, last)
    with _calculated():
        facts = facts_of(home)
    now = next((each for each in facts.deviations if each.until is None), None)
    return json_answer(
        {
            "rows": [
                {
                    "label": day.day.isoformat(),
                    "electrical_energy_kwh": day.energy_kwh,
                    "expected_kwh": day.expected_kwh,
                    "low_kwh": day.low_kwh,
                    "high_kwh": day.high_kwh,
                    "reason": day.reason,
                }
                for day in facts.expected
                if first <= day.day <= last
            ],
            "deviation": None
            if now is None
            else {
                "since": now.since.isoformat(),
                "percent": now.percent,
                "low_percent": now.low_percent,
                "high_percent": now.high_percent,
            },
        }
    )


@contextmanager
def _calculated() -> Iterator[None]:
    """Answer 503 where the calculation in the child process fails."""
    try:
        yield
    except ChildFailed as error:
        raise ApiError(503, _("The effect could not be calculated; details are in the log.")) from error


def effect_json(answer: Answer, entry_id: int) -> dict[str, Any]:
    """Return an answer as the API gives it."""
    found = answer.verdict
    day = found.available_from
    return {
        "state": found.state,
        "reason": found.reason,
        "available_from": None if day is None else day.isoformat(),
        "target": found.target,
        "before": _side(found.before),
        "after": _side(found.after),
        "effect_kwh_per_day": None if found.electricity is None else found.electricity.kwh_per_day,
        **_percent(found.electricity, "effect_percent", "low_percent", "high_percent"),
        **_percent(found.efficiency, "cop_effect_percent", "cop_low_percent", "cop_high_percent"),
        "cop_state": found.efficiency_state,
        "leads": found.leads,
        "own_null_percent": found.null_percent,
        "cost_per_year": answer.cost_per_year,
        "with_changes": [each for each in found.ids if each != entry_id],
        "method_version": METHOD_VERSION,
    }


def _side(side: Side) -> dict[str, Any]:
    return {
        "from": side.first.isoformat(),
        "to": side.last.isoformat(),
        "valid_days": side.valid_days,
        "mean_outside_temperature_c": side.outside_c,
        "energy_kwh_per_day": side.energy_kwh,
    }


def _percent(estimate: Estimate | None, middle: str, low: str, high: str) -> dict[str, float | None]:
    if estimate is None:
        return {middle: None, low: None, high: None}
    return {middle: estimate.percent, low: estimate.low_percent, high: estimate.high_percent}
