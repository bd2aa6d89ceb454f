"""The reader's language and theme, remembered in cookies of the browser."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from .forms import THEMES, LanguageForm, LookForm

THEME_COOKIE = "heatmon_theme"
YEAR_S = 365 * 24 * 3600


def language_form(request: HttpRequest, **kwargs: Any) -> LanguageForm:
    """Return the form with the language that the reader chose."""
    return LanguageForm(initial=_chosen(request), **kwargs)


def look_form(request: HttpRequest, **kwargs: Any) -> LookForm:
    """Return the form with the language and theme that the reader chose."""
    return LookForm(initial=_chosen(request), **kwargs)


def _chosen(request: HttpRequest) -> dict[str, str]:
    return {"language": request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, ""), "theme": theme(request)}


def theme(request: HttpRequest) -> str:
    """Return the theme that the reader chose; empty: that of the system."""
    chosen = request.COOKIES.get(THEME_COOKIE, "")
    return chosen if chosen in dict(THEMES) else ""


def set_language(response: HttpResponse, language: str) -> None:
    """Remember the reader's language in a cookie; empty: forget it."""
    _remember(response, settings.LANGUAGE_COOKIE_NAME, language, httponly=True)


def set_theme(response: HttpResponse, chosen: str) -> None:
    """Remember the theme in a cookie, which the button in the top bar writes too; empty: forget it."""
    _remember(response, THEME_COOKIE, chosen, httponly=False)


def set_look(request: HttpRequest, response: HttpResponse, form: LookForm) -> None:
    """Remember what a valid form says; a form without a theme leaves that as it is."""
    set_language(response, form.cleaned_data["language"])
    if "theme" in request.POST:
        set_theme(response, form.cleaned_data["theme"])


def _remember(response: HttpResponse, name: str, value: str, *, httponly: bool) -> None:
    if not value:
        response.delete_cookie(name, samesite="Lax")
        return
    response.set_cookie(
        name,
        value,
        max_age=YEAR_S,
        samesite="Lax",
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=httponly,
    )
