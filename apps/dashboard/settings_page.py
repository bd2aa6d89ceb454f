"""``/settings``: one card a form, each saved by itself; what failed is shown in place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from apps.accounts import audit
from apps.accounts.middleware import demo_refusal
from apps.accounts.models import ApiToken
from apps.accounts.tokens import create_token
from apps.devices import clock, connection
from apps.devices.budget import CallBudget
from apps.devices.models import Device, Site, SourceState
from apps.devices.options import HomeOptions, SecretUnreadable, default_site, home_options, saved_names
from apps.devices.viessmann.client import ViessmannAccount
from apps.devices.viessmann.oauth import TokenStore

from .settings_forms import (
    HeatPumpForm,
    HouseForm,
    LanguageForm,
    MeasuringForm,
    MeterForm,
    NormalsForm,
    OptionsForm,
    TokenForm,
    zone_names,
)
from .settings_price_forms import CalibrationForm, PriceForm
from .stored_sentences import in_readers_language

CARDS: tuple[type[OptionsForm], ...] = (
    HouseForm,
    HeatPumpForm,
    MeterForm,
    MeasuringForm,
    PriceForm,
    CalibrationForm,
    NormalsForm,
)
# What belongs to accounts and devices is closed in the demo.
CLOSED_IN_DEMO = frozenset({"meter", "heat_pump", "tokens"})
YEAR_S = 365 * 24 * 3600
# Shown read-only; of the secret ones only whether they are set.
SERVER_OPTIONS = (
    "data_dir",
    "bind",
    "allowed_hosts",
    "trusted_origins",
    "trusted_proxy",
    "script_name",
    "lan_http",
    "store",
    "influxdb_url",
    "influxdb_org",
    "influxdb_bucket",
    "language",
    "metrics",
    "allow_loopback_devices",
    "viessmann_api_url",
    "viessmann_iam_url",
    "viessmann_daily_limit",
)
NEW_METER = "new_meter"
SECRET_SERVER_OPTIONS = ("secret_key", "database_url", "influxdb_token", "redis_url", "notify_urls")


@dataclass(frozen=True, slots=True)
class Home:
    """The site with its options, as the forms need them; passwords only where they can be read."""

    site: Site
    house: HomeOptions
    saved: frozenset[str]
    secrets_unreadable: str = ""

    @classmethod
    def load(cls) -> Home:
        site = default_site()
        saved = frozenset(saved_names(site))
        try:
            return cls(site, home_options(site), saved)
        except SecretUnreadable as error:
            return cls(site, home_options(site, with_secrets=False), saved, str(error))

    def form(self, kind: type[OptionsForm], data: Mapping[str, Any] | None = None) -> OptionsForm:
        closed = settings.DEMO and kind.section in CLOSED_IN_DEMO
        return kind(data, site=self.site, house=self.house, saved=self.saved, closed=closed)


@require_http_methods(["GET", "HEAD", "POST"])
def settings_page(request: HttpRequest) -> HttpResponse:
    """All cards; a POST names its ``section``."""
    home = Home.load()
    if request.method != "POST":
        return _page(request, home)
    section = request.POST.get("section", "")
    if settings.DEMO and section in CLOSED_IN_DEMO:
        return demo_refusal(request)
    if section == NEW_METER:
        return _new_meter(request, home)
    if section == TokenForm.section:
        return _tokens(request, home)
    if section == LanguageForm.section:
        return _language(request, home)
    kind = next((card for card in CARDS if card.section == section), None)
    if kind is None:
        messages.error(request, _("There is no such part of the settings."))
        return _page(request, home, status=400)
    form = home.form(kind, request.POST)
    if "test" in request.POST:
        return _tested(request, home, form)
    if not form.is_valid():
        return _page(request, home, bound=form, status=400)
    if save(request, form):
        messages.success(request, _("Saved."))
    else:
        messages.info(request, _("Nothing was changed."))
    return HttpResponseRedirect(f"{reverse('dashboard:settings')}#{section}")


def save(request: HttpRequest, form: OptionsForm) -> list[str]:
    """Save a valid form and write the names of what changed into the audit log."""
    changed = form.save()
    if changed:
        audit.record(audit.SETTINGS_SAVED, request=request, detail=", ".join(changed))
    return changed


def test_of(home: Home, form: OptionsForm) -> connection.ConnectionReport | None:
    """Try out what a valid device form says, without saving it; None for other forms."""
    if isinstance(form, MeterForm):
        url = form.cleaned_data["shelly_url"]
        if not url:
            return connection.ConnectionReport(ok=False, title=_("Enter the meter's address first."))
        return connection.test_meter(
            url,
            form.password_to_test(home.house),
            clock.now,
            restricted=url != settings.HEATMON.shelly_url,
            allow_loopback=settings.HEATMON.allow_loopback_devices or url == settings.HEATMON.shelly_url,
        )
    if isinstance(form, HeatPumpForm):
        return _test_heat_pump(home, form)
    return None


def _test_heat_pump(home: Home, form: HeatPumpForm) -> connection.ConnectionReport:
    client_id = form.cleaned_data["viessmann_client_id"]
    if not client_id:
        return connection.ConnectionReport(ok=False, title=_("Enter the client id first."))
    password = form.password_to_test(home.house)
    options = settings.HEATMON
    account = ViessmannAccount(
        user=form.cleaned_data["viessmann_user"] or None,
        password=password,
        client_id=client_id,
        api_url=options.viessmann_api_url,
        iam_url=options.viessmann_iam_url,
    )
    budget = CallBudget(client_id, limit=options.viessmann_daily_limit, clock=clock.now)
    # With a password the login itself is what we want to see work; without one there is only the stored.
    stored = None if password else TokenStore(Path(settings.TOKEN_PATH))
    return connection.test_heat_pump(
        account,
        budget,
        clock.now,
        token_store=stored,
        device_serial=form.cleaned_data["heat_pump_device"] or None,
    )


def _tested(request: HttpRequest, home: Home, form: OptionsForm) -> HttpResponse:
    report = test_of(home, form) if form.is_valid() else None
    if getattr(request, "htmx", False):
        context = {"report": report, "form": form}
        return render(request, "dashboard/_connection.html", context)
    return _page(request, home, bound=form, report=report, status=200 if report else 400)


def _other_meter(home: Home) -> str:
    """What was said when another meter than the known one answered; empty while none does."""
    state = SourceState.objects.filter(site=home.site, source=SourceState.Source.METER).first()
    return in_readers_language(state.error_message) if state and state.error_code == "other_meter" else ""


def _new_meter(request: HttpRequest, home: Home) -> HttpResponse:
    """The owner says that the other meter is the new one: the known one ends, the next answer counts."""
    if _other_meter(home):
        for device in Device.objects.filter(site=home.site, kind=Device.Kind.METER, active=True):
            device.active = False
            device.save(update_fields=["active"])
            audit.record(audit.SETTINGS_SAVED, request=request, detail=f"meter {device.identifier} replaced")
        messages.success(request, _("The meter that answers now is yours from the next poll on."))
    else:
        messages.info(request, _("No other meter answers."))
    return HttpResponseRedirect(f"{reverse('dashboard:settings')}#meter")


def _tokens(request: HttpRequest, home: Home) -> HttpResponse:
    if "revoke" in request.POST:
        return _revoke(request, home)
    form = TokenForm(request.POST, auto_id="tokens-%s")
    if not form.is_valid():
        return _page(request, home, token_form=form, status=400)
    at = clock.now()
    days = form.cleaned_data["expires"]
    token, plain = create_token(
        form.cleaned_data["name"],
        write=form.cleaned_data["write"],
        at=at,
        expires_at=at + timedelta(days=days) if days else None,
        user=request.user,
    )
    audit.record(audit.TOKEN_CREATED, request=request, detail=token.name)
    # No redirect: the text is in this one answer and nowhere else.
    return _page(request, home, new_token={"name": token.name, "plain": plain})


def _revoke(request: HttpRequest, home: Home) -> HttpResponse:
    pk = request.POST["revoke"]
    token = _own_tokens(request).filter(pk=int(pk)).first() if pk.isascii() and pk.isdigit() else None
    if token is None:
        messages.error(request, _("There is no such token."))
        return _page(request, home, status=404)
    token.revoked_at = clock.now()
    token.save(update_fields=["revoked_at"])
    audit.record(audit.TOKEN_REVOKED, request=request, detail=token.name)
    messages.success(request, _("“%(name)s” can no longer be used.") % {"name": token.name})
    return HttpResponseRedirect(f"{reverse('dashboard:settings')}#tokens")


def _own_tokens(request: HttpRequest) -> Any:
    tokens = ApiToken.objects.filter(revoked_at__isnull=True).order_by("-created_at", "-pk")
    return tokens if request.user.is_superuser else tokens.filter(user=request.user.pk)


def _language(request: HttpRequest, home: Home) -> HttpResponse:
    form = LanguageForm(request.POST, auto_id="language-%s")
    if not form.is_valid():
        return _page(request, home, language_form=form, status=400)
    response = HttpResponseRedirect(f"{reverse('dashboard:settings')}#language")
    set_language(response, form.cleaned_data["language"])
    return response


def set_language(response: HttpResponse, language: str) -> None:
    """Remember the reader's language in a cookie; empty: forget it."""
    if language:
        response.set_cookie(
            settings.LANGUAGE_COOKIE_NAME,
            language,
            max_age=YEAR_S,
            samesite="Lax",
            secure=settings.SESSION_COOKIE_SECURE,
            httponly=True,
        )
    else:
        response.delete_cookie(settings.LANGUAGE_COOKIE_NAME, samesite="Lax")


def _page(
    request: HttpRequest,
    home: Home,
    *,
    bound: OptionsForm | None = None,
    report: connection.ConnectionReport | None = None,
    token_form: TokenForm | None = None,
    language_form: LanguageForm | None = None,
    new_token: Mapping[str, str] | None = None,
    status: int = 200,
) -> HttpResponse:
    cards = [
        {
            "form": bound if bound is not None and bound.section == kind.section else home.form(kind),
            "report": report if bound is not None and bound.section == kind.section else None,
            "device": kind.section in CLOSED_IN_DEMO,
        }
        for kind in CARDS
    ]
    chosen = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, "")
    context = {
        "cards": cards,
        "zones": zone_names(),
        "secrets_unreadable": home.secrets_unreadable,
        "other_meter": _other_meter(home),
        "tokens": None if settings.DEMO else _own_tokens(request),
        "token_form": token_form or TokenForm(auto_id="tokens-%s"),
        "new_token": new_token,
        "language_form": language_form or LanguageForm(initial={"language": chosen}, auto_id="language-%s"),
        "server_options": _server_options(),
        "at": clock.now(),
    }
    return render(request, "dashboard/settings.html", context, status=status)


def _server_options() -> list[dict[str, Any]]:
    options = settings.HEATMON
    rows = [
        {
            "name": f"HEATMON_{name.upper()}",
            "value": _shown(getattr(options, name)),
            "given": name in options.given,
        }
        for name in SERVER_OPTIONS
    ]
    return rows + [
        {
            "name": f"HEATMON_{name.upper()}",
            "value": _("set, not shown") if getattr(options, name) else "–",
            "given": name in options.given,
        }
        for name in SECRET_SERVER_OPTIONS
    ]


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return _("on") if value else _("off")
    if isinstance(value, list | tuple):
        value = ", ".join(str(part) for part in value)
    return str(value) if value not in (None, "") else "–"
