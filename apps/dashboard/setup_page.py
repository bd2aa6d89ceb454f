"""The steps after the first account: language, meter, heat pump, house. Each can be skipped and resumed."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_safe

from apps.accounts.steps import step_after, step_bar

from .settings_forms import (
    HeatPumpForm,
    HouseForm,
    LanguageForm,
    MeterForm,
    OptionsForm,
    ZoneForm,
    zone_names,
)
from .settings_page import Home, save, set_language, test_of

FORMS: dict[str, type[OptionsForm]] = {
    "language": ZoneForm,
    "meter": MeterForm,
    "heat-pump": HeatPumpForm,
    "house": HouseForm,
}
QUESTIONS = {
    "language": (_("Which language and time zone?"), _("Days and months begin at this zone's midnight.")),
    "meter": (
        _("Which meter measures the heat pump?"),
        _("heatmon reads a Shelly Pro 3EM on your own network. Nothing leaves your house."),
    ),
    "heat-pump": (
        _("Which heat pump?"),
        _("heatmon asks the Viessmann cloud every five minutes, with your own client id, and only reads."),
    ),
    "house": (_("Where is the house?"), _("The place is only used for its usual weather.")),
}


@require_safe
def resume(request: HttpRequest) -> HttpResponse:
    """On to the first step that is not done."""
    home = Home.load()
    if not home.house.meter_set_up:
        return redirect("dashboard:setup_step", "meter")
    return redirect("dashboard:setup_step", "house" if home.house.heat_pump_set_up else "heat-pump")


@require_http_methods(["GET", "HEAD", "POST"])
def step(request: HttpRequest, name: str) -> HttpResponse:
    """One step: its form, saved or tried out by POST."""
    if settings.DEMO:
        return redirect("accounts:setup")
    if name not in FORMS:
        raise Http404(name)
    home = Home.load()
    if request.method != "POST":
        return _page(request, name, home.form(FORMS[name]))
    form = home.form(FORMS[name], request.POST)
    if "test" in request.POST:
        report = test_of(home, form) if form.is_valid() else None
        if getattr(request, "htmx", False):
            return render(request, "dashboard/_connection.html", {"report": report, "form": form})
        return _page(request, name, form, report=report, status=200 if report else 400)
    if not form.is_valid():
        return _page(request, name, form, status=400)
    save(request, form)
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
    request: HttpRequest, name: str, form: OptionsForm, *, report: Any = None, status: int = 200
) -> HttpResponse:
    question, explanation = QUESTIONS[name]
    chosen = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, "")
    context = {
        "steps": step_bar(name),
        "question": question,
        "explanation": explanation,
        "form": form,
        "report": report,
        "can_test": name in {"meter", "heat-pump"},
        "language_form": LanguageForm(initial={"language": chosen}) if name == "language" else None,
        "zones": zone_names() if "time_zone" in form.fields else [],
        "skip": _next_address(name),
    }
    return render(request, "accounts/setup_step.html", context, status=status)
