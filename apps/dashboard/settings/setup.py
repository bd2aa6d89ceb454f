"""The steps after the first account: language, meter, heat pump, house. Each can be skipped and resumed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.accounts import audit
from apps.accounts.steps import STEPS, step_bar, steps_after
from apps.devices.connection import ConnectionReport
from apps.devices.models import Site
from apps.devices.options import (
    HomeOptions,
    default_site,
    home_options,
    options_held,
    save_home_options,
    saved_names,
)

from .cards import Card, ZoneCard, cards_of, filled_card, zone_names
from .device_cards import HeatPumpCard, MeterCard
from .fields import text_option
from .forms import LanguageForm
from .look import language_form, set_language
from .page import save, swaps
from .setup_house import HouseStepCard, with_town
from .setup_meter import FoundMeters, found_meters, measured_now
from .setup_steps import put_off, steps_done


class HeatPumpStepCard(HeatPumpCard):
    """The heat pump's card where the page explains beside each field where to get it."""

    viessmann_client_id = text_option("viessmann_client_id", label=_("Client ID"))
    viessmann_user = text_option("viessmann_user", label=_("User name (e-mail)"))


CARDS: dict[str, type[Card]] = {
    "language": ZoneCard,
    "meter": MeterCard,
    "heat-pump": HeatPumpStepCard,
    "house": HouseStepCard,
}
QUESTIONS = {
    "language": (_("Which language and time zone?"), ""),
    "meter": (
        _("Which meter measures the heat pump?"),
        _("heatmon reads a Shelly energy meter on your own network. No data leaves your home."),
    ),
    "heat-pump": (
        _("Which heat pump?"),
        _(
            "heatmon reads from the Viessmann cloud every five minutes, with your own client ID."
            " It never changes anything there."
        ),
    ),
    "house": (
        _("About the house"),
        _("Everything here can be changed later; past days are then worked out again."),
    ),
}
BODIES = {
    "language": "dashboard/setup/_language.html",
    "meter": "dashboard/setup/_meter.html",
    "heat-pump": "dashboard/setup/_heat_pump.html",
    "house": "dashboard/setup/_house.html",
}
# What a test of the connection swaps.
TESTED = {"meter": "dashboard/setup/_meter_now.html", "heat-pump": "dashboard/setup/_heat_pump_test.html"}


@require_safe
def resume(request: HttpRequest) -> HttpResponse:
    """Go to the first step that is not done, to the overview where all are."""
    return redirect(_next_address(STEPS[0], default_site()))


@require_http_methods(["GET", "HEAD", "POST"])
def step(request: HttpRequest, name: str) -> HttpResponse:
    """Show one step: its card, saved or tried out by POST."""
    if settings.DEMO:
        return redirect("accounts:setup")
    if name not in CARDS:
        raise Http404(name)
    site = default_site()
    if request.method != "POST":
        return _page(request, name, cards_of(site, [CARDS[name]])[0])
    sent = request.POST.dict()
    if name == "meter" and "find" in sent:
        return _found(request, site)
    if name == "house" and ("search" in sent or "pick" in sent):
        return _town(request, site)
    if name == "meter" and "use" in sent:
        sent |= {"shelly_url": sent["use"], "test": "1"}
    if CARDS[name].device and "test" in sent:
        return _tested(request, name, filled_card(site, CARDS[name], sent))
    card, changed = save(request, CARDS[name], sent)
    if changed is None:
        return _page(request, name, card, status=400)
    if name == "language":  # a default that was accepted is an answer, too: it is not asked for again
        save_home_options(site, {"time_zone": card.cleaned_data["time_zone"]})
    response = HttpResponseRedirect(_next_address(name, site))
    if name == "language":
        language = LanguageForm(request.POST)
        if language.is_valid():
            set_language(response, language.cleaned_data["language"])
    return response


def _tested(request: HttpRequest, name: str, card: Card) -> HttpResponse:
    report = card.test() if card.is_valid() else None
    if swaps(request):
        return render(request, TESTED[name], {"form": card, "report": report, **_of_step(card, report)})
    return _page(request, name, card, report=report, status=200 if report else 400)


def _found(request: HttpRequest, site: Site) -> HttpResponse:
    """Answer a search for meters, leaving what has been typed as it is."""
    found = found_meters()
    if swaps(request):
        return render(request, "dashboard/setup/_found.html", {"found": found})
    card = filled_card(site, MeterCard, request.POST.dict())
    return _page(request, "meter", card, found=found)


def _town(request: HttpRequest, site: Site) -> HttpResponse:
    """Answer a search for a town, or fill in the one that was picked; nothing is saved yet."""
    sent = request.POST.dict()
    picked = with_town(sent, sent["pick"]) if "pick" in sent else None
    card = filled_card(site, HouseStepCard, picked or sent)
    if swaps(request):
        piece = "_where.html" if picked else "_places.html"
        return render(request, f"dashboard/setup/{piece}", {"form": card, "picked": bool(picked)})
    return _page(request, "house", card)


@require_POST
def later(request: HttpRequest, name: str) -> HttpResponse:
    """Put a step off: the list on the overview no longer names it."""
    with options_held(default_site()) as site:
        names = put_off(home_options(site, with_secrets=False), name)
        if settings.DEMO or names is None:
            raise Http404(name)
        save_home_options(site, {"setup_later": names})
        audit.record(audit.SETTINGS_SAVED, request=request, detail="setup_later")
    return redirect("dashboard:overview")


def _next_address(name: str, site: Site) -> str:
    """Return the address of the next step that is not done; of the overview where there is none."""
    is_known = "time_zone" in settings.HEATMON.given or "time_zone" in saved_names(site)
    done = steps_done(home_options(site, with_secrets=False), knows_zone=is_known)
    following = next((step for step in steps_after(name) if step not in done), None)
    return reverse("dashboard:setup_step", args=[following]) if following else reverse("dashboard:overview")


def _back_address(name: str) -> str | None:
    before = STEPS[STEPS.index(name) - 1]
    return reverse("dashboard:setup_step", args=[before]) if before in CARDS else None


def _skipped(options: HomeOptions) -> set[str]:
    """Return the steps that were passed without an answer, as far as that shows."""
    return {"meter", "heat-pump"} - steps_done(options, knows_zone=True)


def _of_step(card: Card, report: ConnectionReport | None) -> Mapping[str, Any]:
    return {"now": measured_now(card, report)} if isinstance(card, MeterCard) else {}


def _page(
    request: HttpRequest,
    name: str,
    card: Card,
    *,
    report: ConnectionReport | None = None,
    found: FoundMeters | None = None,
    status: int = 200,
) -> HttpResponse:
    question, explanation = QUESTIONS[name]
    context = {
        "steps": step_bar(name, _skipped(card.options)),
        "question": question,
        "explanation": explanation,
        "body": BODIES[name],
        "form": card,
        "report": report,
        "found": found,
        "language_form": language_form(request) if name == "language" else None,
        "zones": zone_names() if "time_zone" in card.fields else [],
        "skip": _next_address(name, card.site),
        "back": _back_address(name),
        **_of_step(card, report),
    }
    return render(request, "dashboard/setup/step.html", context, status=status)
