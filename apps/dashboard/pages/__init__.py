"""What all pages share: how a view answers, which piece htmx asks for, whose page it is."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_safe

from apps.devices import clock
from apps.devices.options import default_site
from apps.metrics.home import Home
from apps.metrics.store.base import StoreUnavailable
from apps.metrics.store_words import advice

View = Callable[..., HttpResponseBase]


def page(view: View) -> View:
    """Make a view a page of the home: read only, never kept by a cache, and a sentence where the store is
    away."""

    @require_safe
    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            response = view(request, *args, **kwargs)
        except StoreUnavailable as error:
            context = {"advice": advice(error.code)}
            response = render(request, "dashboard/store_unavailable.html", context, status=503)
        patch_vary_headers(response, ["HX-Request", "HX-Target", "Cookie"])
        response["Cache-Control"] = "no-store"
        return response

    return answer


def this_home(request: HttpRequest) -> Home:
    """Return the only home, now, and let the page's frame know it. Raises StoreUnavailable."""
    home = Home.of(default_site(), clock.now())
    request.house_zone = home.options.zone  # type: ignore[attr-defined]
    return home


def piece(request: HttpRequest) -> str:
    """Return the id of the only element that htmx asks for; empty for the whole page."""
    htmx = getattr(request, "htmx", None)
    return (htmx.target or "") if htmx else ""


__all__ = ["HttpResponse", "page", "piece", "this_home"]
