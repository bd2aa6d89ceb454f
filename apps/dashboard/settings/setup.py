"""The steps after the first account: language, meter, heat pump, house. Each can be skipped and resumed."""

from __future__ import annotations

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_safe

from apps.accounts.steps import step_after, step_bar
from apps.devices.connection import ConnectionReport
from apps.devices.options import default_site, home_options

from .cards import Card, PlaceCard, ZoneCard, cards_of, filled_card, zone_names
from .device_cards import HeatPumpCard, MeterCard
from .forms import LanguageForm
from .page import connection_piece, language_form, save, set_language

CARDS: dict[str, type[Card]] = {
    "language": ZoneCard,
    "meter": MeterCard,
    "heat-pump": HeatPumpCard,
    "house": PlaceCard,
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
    "house": (_("Where is the house?"), _("The location is only used to look up its climate.")),
}


@require_safe
def resume(request: HttpRequest) -> HttpResponse:
    """Go to the first step that is not done."""
    options = home_options(default_site(), with_secrets=False)
    if not options.meter_set_up:
        return redirect("dashboard:setup_step", "meter")
    return redirect("dashboard:setup_step", "house" if options.heat_pump_set_up else "heat-pump")


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
    card = filled_card(site, CARDS[name], request.POST)
    if card.device and "test" in request.POST:
        report = card.test() if card.is_valid() else None
        if getattr(request, "htmx", False):
            return connection_piece(request, card, report)
        return _page(request, name, card, report=report, status=200 if report else 400)
    if not card.is_valid():
        return _page(request, name, card, status=400)
    save(request, card)
    response = HttpResponseRedirect(_next_address(name))
    if name == "language":
        language = LanguageForm(request.POST)
        if language.is_valid():
            set_language(response, language.cleaned_data["language"])
    return response


def _next_address(name: str) -> str:
    following = step_after(name)
    return reverse("dashboard:setup_step", args=[following]) if following else reverse("dashboard:overview")


def _page(
    request: HttpRequest,
    name: str,
    card: Card,
    *,
    report: ConnectionReport | None = None,
    status: int = 200,
) -> HttpResponse:
    question, explanation = QUESTIONS[name]
    context = {
        "steps": step_bar(name),
        "question": question,
        "explanation": explanation,
        "form": card,
        "report": report,
        "language_form": language_form(request) if name == "language" else None,
        "zones": zone_names() if "time_zone" in card.fields else [],
        "skip": _next_address(name),
    }
    return render(request, "dashboard/settings/setup_step.html", context, status=status)
