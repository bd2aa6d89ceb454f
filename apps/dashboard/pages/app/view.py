"""What makes heatmon an app on a phone. All of it is the same for everybody: nothing of the home is in it."""

from __future__ import annotations

import hashlib
import json
from functools import lru_cache
from pathlib import Path

from django.contrib.auth.decorators import login_not_required
from django.contrib.staticfiles import finders
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.urls import get_script_prefix, reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from apps.dashboard.context_processors import version

# All that a phone keeps beside the page without a connection.
SHELL = ("css/style.css", "js/offline.js", "favicon.svg")
LIGHT = "#FFFFFF"


@login_not_required
@require_safe
def manifest(request: HttpRequest) -> HttpResponse:
    """Say how heatmon is called and looks as an app, and which addresses belong to it."""
    root = get_script_prefix()
    icons = [
        {
            "src": static(f"icons/{name}.png"),
            "sizes": f"{size}x{size}",
            "type": "image/png",
            "purpose": purpose,
        }
        for name, size, purpose in (
            ("icon-192", 192, "any"),
            ("icon-512", 512, "any"),
            ("maskable-192", 192, "maskable"),
            ("maskable-512", 512, "maskable"),
        )
    ]
    said = {
        "id": root,
        "name": "heatmon",
        "short_name": "heatmon",
        "description": _("What the heat pump does, needs and costs"),
        "lang": get_language(),
        "start_url": root,
        "scope": root,
        "display": "standalone",
        "background_color": LIGHT,
        "theme_color": LIGHT,
        "icons": icons,
    }
    return JsonResponse(said, content_type="application/manifest+json")


@login_not_required
@require_safe
def service_worker(request: HttpRequest) -> HttpResponse:
    """Serve the script that shows the page without a connection. It is another one, and replaces the shell
    that a phone keeps, when a file of that shell, the version or the reader's language is."""
    page = reverse("dashboard:offline")
    family = f"heatmon {get_script_prefix()} "
    shell = {
        "family": family,
        "cache": f"{family}{version()} {_digest(_offline_page())}",
        "page": page,
        "files": [page, *map(static, SHELL)],
    }
    script = render_to_string("app/service_worker.js")
    return HttpResponse(
        f"const SHELL = {json.dumps(shell)};\n{script}", content_type="text/javascript; charset=utf-8"
    )


@login_not_required
@require_safe
def offline(request: HttpRequest) -> HttpResponse:
    """Serve the page that a phone shows while heatmon cannot be reached."""
    return HttpResponse(_offline_page())


def _offline_page() -> str:
    context = {"root": get_script_prefix(), "here": reverse("dashboard:offline")}
    return render_to_string("app/offline.html", context)


def _digest(page: str) -> str:
    return hashlib.sha256(page.encode() + _shell_files()).hexdigest()[:12]


@lru_cache(maxsize=1)
def _shell_files() -> bytes:
    paths = (finders.find(name) for name in SHELL)
    return b"".join(Path(path).read_bytes() for path in paths if path)
