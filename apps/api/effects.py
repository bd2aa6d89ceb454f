"""``/api/changelog/ID/effect``: what a change did."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from apps.changelog.models import Entry
from apps.effects.effects import Answer, NoChange, effect_of
from apps.effects.estimator import Estimate
from apps.effects.verdicts import METHOD_VERSION, Side
from apps.metrics.child import ChildFailed

from . import api, schemas
from .answers import ApiError, home_of, json_answer
from .operations import ERRORS, EntryId, SiteId


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
        raise ApiError(404, _("There is no entry %(id)s.") % {"id": entry_id})
    try:
        return json_answer(effect_json(effect_of(home, entry), entry.pk))
    except NoChange as error:
        raise ApiError(409, _("This entry is an event, not a change whose effect could be known.")) from error
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
