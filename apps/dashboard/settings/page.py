"""``/settings``: one card a form, each saved by itself; what failed is shown in place.

A browser with JavaScript swaps only the card that was sent, so that what was typed into others stays; without
it the whole page comes anew.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from apps.accounts import audit
from apps.accounts.middleware import demo_refusal
from apps.dashboard.backups import backups_at
from apps.devices import clock
from apps.devices.connection import ConnectionReport
from apps.devices.models import Device, Site, SourceState
from apps.devices.options import default_site, options_held, readable_options
from apps.devices.wording import words

from . import accounts, backups, links, server, tokens
from .accounts import ReaderForm
from .alert_cards import AlertCard
from .calibration_card import CalibrationCard
from .cards import Card, HouseCard, MeasuringCard, NormalsCard, cards_of, filled_card, zone_names
from .device_cards import HeatPumpCard, MeterCard
from .forms import LanguageForm, LookForm, TokenForm
from .links import LinkForm
from .look import look_form, set_look
from .price_cards import PriceCard

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
# The sections that are no options of the home, in the order of the page: title, template.
OTHERS: dict[str, tuple[Promise, str]] = {
    backups.SECTION: (gettext_lazy("Backups"), "dashboard/settings/_backups.html"),
    LanguageForm.section: (gettext_lazy("Language and theme"), "dashboard/settings/_look.html"),
    ReaderForm.section: (gettext_lazy("Accounts"), "dashboard/settings/_accounts.html"),
    TokenForm.section: (gettext_lazy("API tokens"), "dashboard/settings/_tokens.html"),
    LinkForm.section: (gettext_lazy("Read-only links"), "dashboard/settings/_links.html"),
    server.SECTION: (gettext_lazy("Server"), "dashboard/settings/_server.html"),
}
NEW_METER = "new_meter"
# What belongs to accounts and devices is closed in the demo.
HIDDEN_IN_DEMO = frozenset({TokenForm.section, ReaderForm.section, LinkForm.section, backups.SECTION})
CLOSED_IN_DEMO = HIDDEN_IN_DEMO | {kind.section for kind in CARDS if kind.device}


@require_http_methods(["GET", "HEAD", "POST"])
def settings_page(request: HttpRequest) -> HttpResponse:
    """Show all cards; a POST names its ``section``."""
    site = default_site()
    if request.method != "POST":
        return _page(request, site, backups.SECTION if request.GET.get("section") == backups.SECTION else "")
    section = request.POST.get("section", "")
    if settings.DEMO and section in CLOSED_IN_DEMO:
        return demo_refusal(request)
    others = {
        NEW_METER: _new_meter,
        TokenForm.section: _tokens,
        ReaderForm.section: _accounts,
        LinkForm.section: _links,
        LanguageForm.section: _look,
        backups.SECTION: _back_up,
    }
    if section in others:
        return others[section](request, site)
    kind = next((kind for kind in CARDS if kind.section == section), None)
    if kind is None:
        messages.error(request, _("There is no such part of the settings."))
        return _page(request, site, status=400)
    if kind.device and "test" in request.POST:
        return _tested(request, site, filled_card(site, kind, request.POST))
    card, changed = save(request, kind, request.POST)
    site = card.site
    if changed is None:
        return _page(request, site, section, sent=card, status=409 if card.conflicts else 400)
    if changed:
        messages.success(request, _("Saved."))
    else:
        messages.info(request, _("Nothing was changed."))
    return _done(request, site, section)


def save(request: HttpRequest, kind: type[Card], data: Mapping[str, Any]) -> tuple[Card, list[str] | None]:
    """Save a card as a person sent it, and write the names of what changed into the audit log.

    Returns them with the card; None, if it is not valid. Checking it may take long and holds nobody up: where
    something else was saved meanwhile, it is filled and checked anew.
    """
    while True:
        site = default_site()
        card = filled_card(site, kind, data)
        if not card.is_valid():
            return card, None
        with options_held(site) as now:
            if now.name != site.name or readable_options(now)[0] != card.options:
                continue
            changed = card.save()
            if changed:
                audit.record(audit.SETTINGS_SAVED, request=request, detail=", ".join(changed))
            return card, changed


def _tested(request: HttpRequest, site: Site, card: Card) -> HttpResponse:
    report = card.test() if card.is_valid() else None
    if swaps(request):
        return render(request, "dashboard/settings/_connection.html", {"report": report, "form": card})
    return _page(request, site, card.section, sent=card, report=report, status=200 if report else 400)


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
    section = TokenForm.section
    if "revoke" in request.POST:
        if tokens.revoke(request):
            return _done(request, site, section)
        return _page(request, site, section, status=400 if swaps(request) else 404)
    form, new = tokens.create(request)
    # No redirect: the text is in this one answer and nowhere else.
    return _page(request, site, section, token_form=form, new_token=new, status=200 if new else 400)


def _back_up(request: HttpRequest, site: Site) -> HttpResponse:
    backups.ask(request)
    return _done(request, site, backups.SECTION)


def _accounts(request: HttpRequest, site: Site) -> HttpResponse:
    wrong = accounts.change(request)
    if wrong is not None:
        return _page(request, site, ReaderForm.section, reader_form=wrong, status=400)
    return _done(request, site, ReaderForm.section)


def _links(request: HttpRequest, site: Site) -> HttpResponse:
    # No redirect for a new one: its address is in this one answer and nowhere else.
    shown = links.change(request)
    if not shown:
        return _done(request, site, LinkForm.section)
    return _page(request, site, LinkForm.section, status=400 if "link_form" in shown else 200, **shown)


def _look(request: HttpRequest, site: Site) -> HttpResponse:
    form = LookForm(request.POST, auto_id="language-%s")
    if not form.is_valid():
        return _page(request, site, LanguageForm.section, look_form=form, status=400)
    messages.success(request, _("Saved."))
    if swaps(request):
        saved = LookForm(initial=form.cleaned_data, auto_id="language-%s")
        response = _page(request, site, LanguageForm.section, look_form=saved, look_saved=True)
        response["HX-Trigger-After-Settle"] = "heatmon:look"  # the page loads anew, if nothing is lost by it
    else:
        response = _back_to(LanguageForm.section)
    set_look(request, response, form)
    return response


def swaps(request: HttpRequest) -> bool:
    """Return whether only a piece of the page is asked for."""
    return bool(getattr(request, "htmx", False))


def _back_to(section: str) -> HttpResponseRedirect:
    return HttpResponseRedirect(f"{reverse('dashboard:settings')}#{section}")


def _done(request: HttpRequest, site: Site, section: str) -> HttpResponse:
    """Show the section as it is now."""
    return _page(request, site, section) if swaps(request) else _back_to(section)


def _cards(site: Site, sent: Card | None, report: ConnectionReport | None) -> list[dict[str, Any]]:
    return [
        {"form": sent, "report": report}
        if sent is not None and sent.section == card.section
        else {"form": card, "report": None}
        for card in cards_of(site, CARDS)
    ]


def _sections() -> list[dict[str, Any]]:
    """Return the sections after the cards."""
    hidden = HIDDEN_IN_DEMO if settings.DEMO else frozenset()
    return [
        {"name": name, "title": title, "template": template}
        for name, (title, template) in OTHERS.items()
        if name not in hidden
    ]


def _page(
    request: HttpRequest,
    site: Site,
    section: str = "",
    *,
    sent: Card | None = None,
    report: ConnectionReport | None = None,
    status: int = 200,
    **changed: Any,
) -> HttpResponse:
    """Render all cards, or for htmx the one of ``section``. ``sent``: the one that came by POST; ``changed``:
    other parts of the context."""
    cards = _cards(site, sent, report)
    context = {
        "cards": cards,
        "sections": _sections(),
        "zones": zone_names(),
        "secrets_unreadable": readable_options(site)[1],
        "other_meter": _other_meter(site),
        "tokens": None if settings.DEMO else tokens.own(request),
        "token_form": tokens.new_form(),
        "accounts": None if settings.DEMO else accounts.rows(),
        "reader_form": ReaderForm(auto_id="accounts-%s"),
        "backups": None if settings.DEMO else backups_at(clock.now(), backups.waited_since(request)),
        "links": None if settings.DEMO else links.rows(),
        "link_form": LinkForm(auto_id="links-%s"),
        "look_form": look_form(request, auto_id="language-%s"),
        "server_options": server.rows(),
        **changed,
    }
    if not (section and swaps(request)):
        return render(request, "dashboard/settings/page.html", context, status=status)
    is_saved = status == 200 and any(section == kind.section for kind in CARDS)
    context["shown"] = [card for card in cards if card["form"].section == section]
    # Another card may show what was saved here (currency, place); one with unsaved changes stays as it is.
    context["others"] = [card for card in cards if is_saved and card["form"].section != section]
    context["sections"] = [other for other in context["sections"] if other["name"] == section]
    return render(request, "dashboard/settings/_piece.html", context, status=status)
