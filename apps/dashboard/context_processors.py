"""What every page knows."""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.http import HttpRequest
from django.urls import get_script_prefix
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext as _

from apps.devices.options import default_site, zone_of
from apps.metrics import apps as metrics_apps


@dataclass(frozen=True, slots=True)
class NavigationItem:
    """One page in the top bar. ``current`` marks the page shown."""

    label: str
    icon: str
    href: str
    current: bool


def site(request: HttpRequest) -> dict[str, Any]:
    """Return what base.html needs: demo flag, version, the house's zone (looked up only when shown),
    navigation."""
    prefix = get_script_prefix()
    return {
        "demo": settings.DEMO,
        "history_percent": _history_percent() if settings.DEMO else None,
        "store_refusal": metrics_apps.refusal(),
        "version": version(),
        "house_zone": getattr(request, "house_zone", None) or SimpleLazyObject(_zone),
        "root": prefix,
        "pages": [
            _item(request, _("Overview"), "overview", ""),
            _item(request, _("History"), "history", "history"),
            _item(request, _("Energy"), "energy", "energy"),
            _item(request, _("Efficiency"), "efficiency", "efficiency"),
            _item(request, _("Changes"), "changes", "changes"),
        ],
        "tools": [
            _item(request, _("System"), "system", "health"),
            _item(request, _("Settings"), "settings", "settings"),
        ],
    }


def _history_percent() -> int | None:
    """Return how far the demo's history is written; None once it is complete."""
    try:
        state = json.loads((settings.DATA_DIR / "demo.json").read_text())
        start, end, oldest = (int(state[name]) for name in ("start", "end", "oldest"))
    except (OSError, ValueError, KeyError):
        return 0
    return None if oldest <= start else min(99, 100 * (end - oldest) // max(1, end - start))


@lru_cache(maxsize=1)
def version() -> str:
    """Return heatmon's version, as pyproject.toml has it."""
    with open(settings.BASE_DIR / "pyproject.toml", "rb") as file:
        return str(tomllib.load(file)["project"]["version"])


def _item(request: HttpRequest, label: str, icon: str, path: str) -> NavigationItem:
    shown = request.path_info.lstrip("/")
    current = shown == path or (bool(path) and shown.startswith(f"{path}/"))
    return NavigationItem(label, icon, get_script_prefix() + path, current)


def _zone() -> ZoneInfo:
    return zone_of(default_site())
