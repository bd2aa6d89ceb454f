"""``/settings``: one card a form, each saved by itself; what failed is shown in place."""

from __future__ import annotations

from datetime import timedelta
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
from apps.devices import clock
from apps.devices.connection import ConnectionReport
from apps.devices.models import Device, Site, SourceState
from apps.devices.options import default_site, readable_options
from apps.devices.wording import words

from . import accounts, links
from .accounts import ReaderForm
from .alert_cards import AlertCard
from .cards import Card, HouseCard, MeasuringCard, NormalsCard, cards_of, filled_card, zone_names
from .device_cards import HeatPumpCard, MeterCard
from .forms import LanguageForm, TokenForm
from .links import LinkForm
from .price_cards import CalibrationCard, PriceCard

CARDS: tuple[type[Card], ...] = (
    HouseCard,
    HeatPumpCard,
    MeterCard,
    MeasuringCard,
    PriceCard,
    CalibrationCard,
    NormalsCard,
    AlertCard,
)
NEW_METER = "new_meter"
# What belongs to accounts and devices is closed in the demo.
CLOSED_IN_DEMO = frozenset(
    {
        TokenForm.section,
        ReaderForm.section,
        LinkForm.section,
        *(kind.section for kind in CARDS if kind.device),
    }
)
YEAR_S = 365 * 24 * 3600


@require_http_methods(["GET", "HEAD", "POST"])
def settings_page(request: HttpRequest) -> HttpResponse:
    """Show all cards; a POST names its ``section``."""
    site = default_site()
    if request.method != "POST":
        return _page(request, site)
    section = request.POST.get("section", "")
    if settings.DEMO and section in CLOSED_IN_DEMO:
        return demo_refusal(request)
    others = {
        NEW_METER: _new_meter,
        TokenForm.section: _tokens,
        ReaderForm.section: _accounts,
        LinkForm.section: _links,
        LanguageForm.section: _language,
    }
    if section in others:
        return others[section](request, site)
    kind = next((kind for kind in CARDS if kind.section == section), None)
    if kind is None:
        messages.error(request, _("There is no such part of the settings."))
        return _page(request, site, status=400)
    card = filled_card(site, kind, request.POST)
    if kind.device and "test" in request.POST:
        return _tested(request, site, card)
    if not card.is_valid():
        return _page(request, site, sent=card, status=400)
    if save(request, card):
        messages.success(request, _("Saved."))
    else:
        messages.info(request, _("Nothing was changed."))
    return _back_to(section)


def save(request: HttpRequest, card: Card) -> list[str]:
    """Save a valid card and write the names of what changed into the audit log."""
    changed = card.save()
    if changed:
        audit.record(audit.SETTINGS_SAVED, request=request, detail=", ".join(changed))
    return changed


def connection_piece(request: HttpRequest, card: Card, report: ConnectionReport | None) -> HttpResponse:
    """Answer a test button that swaps only its report."""
    return render(request, "dashboard/settings/_connection.html", {"report": report, "form": card})


def _tested(request: HttpRequest, site: Site, card: Card) -> HttpResponse:
    report = card.test() if card.is_valid() else None
    if getattr(request, "htmx", False):
        return connection_piece(request, card, report)
    return _page(request, site, sent=card, report=report, status=200 if report else 400)


def _other_meter(site: Site) -> str:
    """Return what was said when another meter than the known one answered; empty while none does."""
    state = SourceState.objects.filter(site=site, source=SourceState.Source.METER).first()
    if state is None or state.error_code != "other_meter":
        return ""
    return words(state.error_code, state.error_details).sentence


def _new_meter(request: HttpRequest, site: Site) -> HttpResponse:
    """Adopt the other meter, as its owner has confirmed it: the known one ends, the next response counts."""
    if _other_meter(site):
        for device in Device.objects.filter(site=site, kind=Device.Kind.METER, active=True):
            device.active = False
            device.save(update_fields=["active"])
            audit.record(audit.SETTINGS_SAVED, request=request, detail=f"meter {device.identifier} replaced")
        messages.success(request, _("The new meter will be used from the next reading."))
    else:
        messages.info(request, _("No other meter is responding."))
    return _back_to(MeterCard.section)


def _tokens(request: HttpRequest, site: Site) -> HttpResponse:
    if "revoke" in request.POST:
        return _revoke(request, site)
    form = TokenForm(request.POST, auto_id="tokens-%s")
    if not form.is_valid():
        return _page(request, site, token_form=form, status=400)
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
    return _page(request, site, new_token={"name": token.name, "plain": plain})


def _revoke(request: HttpRequest, site: Site) -> HttpResponse:
    pk = request.POST["revoke"]
    token = _own_tokens(request).filter(pk=int(pk)).first() if pk.isascii() and pk.isdigit() else None
    if token is None:
        messages.error(request, _("There is no such token."))
        return _page(request, site, status=404)
    token.revoked_at = clock.now()
    token.save(update_fields=["revoked_at"])
    audit.record(audit.TOKEN_REVOKED, request=request, detail=token.name)
    messages.success(request, _("“%(name)s” can no longer be used.") % {"name": token.name})
    return _back_to(TokenForm.section)


def _own_tokens(request: HttpRequest) -> Any:
    tokens = ApiToken.objects.filter(revoked_at__isnull=True).order_by("-created_at", "-pk")
    return tokens if request.user.is_superuser else tokens.filter(user=request.user.pk)


def _accounts(request: HttpRequest, site: Site) -> HttpResponse:
    wrong = accounts.change(request)
    if wrong is not None:
        return _page(request, site, reader_form=wrong, status=400)
    return _back_to(ReaderForm.section)


def _links(request: HttpRequest, site: Site) -> HttpResponse:
    # No redirect for a new one: its address is in this one answer and nowhere else.
    shown = links.change(request)
    if not shown:
        return _back_to(LinkForm.section)
    return _page(request, site, status=400 if "link_form" in shown else 200, **shown)


def _language(request: HttpRequest, site: Site) -> HttpResponse:
    form = LanguageForm(request.POST, auto_id="language-%s")
    if not form.is_valid():
        return _page(request, site, language_form=form, status=400)
    response = _back_to(LanguageForm.section)
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


def language_form(request: HttpRequest, **kwargs: Any) -> LanguageForm:
    """Return the form with the language that the reader chose."""
    return LanguageForm(
        initial={"language": request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, "")}, **kwargs
    )


def _back_to(section: str) -> HttpResponseRedirect:
    return HttpResponseRedirect(f"{reverse('dashboard:settings')}#{section}")


def _page(
    request: HttpRequest,
    site: Site,
    *,
    sent: Card | None = None,
    report: ConnectionReport | None = None,
    status: int = 200,
    **changed: Any,
) -> HttpResponse:
    """Render all cards. ``sent``: the one that came by POST; ``changed``: other parts of the context."""
    cards = [
        {"form": sent, "report": report}
        if sent is not None and sent.section == card.section
        else {"form": card, "report": None}
        for card in cards_of(site, CARDS)
    ]
    context = {
        "cards": cards,
        "zones": zone_names(),
        "secrets_unreadable": readable_options(site)[1],
        "other_meter": _other_meter(site),
        "tokens": None if settings.DEMO else _own_tokens(request),
        "token_form": TokenForm(auto_id="tokens-%s"),
        "accounts": None if settings.DEMO else accounts.rows(),
        "reader_form": ReaderForm(auto_id="accounts-%s"),
        "links": None if settings.DEMO else links.rows(),
        "link_form": LinkForm(auto_id="links-%s"),
        "language_form": language_form(request, auto_id="language-%s"),
        "server_options": _server_options(),
        **changed,
    }
    return render(request, "dashboard/settings/page.html", context, status=status)


def _server_options() -> list[dict[str, Any]]:
    """Return what only the environment sets; of secrets only whether they are set."""
    in_force = settings.HEATMON
    return [
        {
            "name": option.variable,
            "value": _shown(in_force.values[option.name], option.secret),
            "given": option.name in in_force.given,
        }
        for option in in_force.of_the_server
    ]


def _shown(value: Any, secret: bool) -> str:
    if isinstance(value, bool):
        return _("on") if value else _("off")
    if value is None or value == "" or value == ():
        return "–"
    if secret:
        return _("set, not shown")
    return ", ".join(str(part) for part in value) if isinstance(value, tuple) else str(value)
