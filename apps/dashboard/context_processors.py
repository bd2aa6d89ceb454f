"""What every page knows."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import get_script_prefix
from django.utils.functional import SimpleLazyObject
from django.utils.safestring import SafeString
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from apps.accounts.roles import may_write_notes
from apps.changelog.hiding import notes_hidden
from apps.devices import storage
from apps.devices.demo import history_percent
from apps.devices.options import default_site, zone_of
from apps.metrics import apps as metrics_apps

from .settings.look import theme

PART_OF = {"normal": "energy", "compare": "energy", "report": "efficiency", "hot-water": ""}
"""Pages without a link of their own in the top bar, and where they belong."""


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
    user = getattr(request, "user", None)
    visit = getattr(request, "visit", None)
    owner = settings.DEMO or user is None or user.is_superuser or not (user.is_authenticated or visit)
    return {
        "demo": settings.DEMO,
        "history_percent": history_percent(),
        "store_refusal": metrics_apps.refusal(),
        "store_bucket": settings.HEATMON.influxdb_bucket if settings.HEATMON.store == "influxdb" else None,
        "storage_fault": storage.sentence(storage.fault() or storage.warning()),
        "series_set_aside": storage.set_aside(),
        "version": version(),
        "theme": theme(request),
        "house_zone": getattr(request, "house_zone", None) or SimpleLazyObject(_zone),
        "root": prefix,
        "is_owner": owner,
        "visit": visit,
        "notes_hidden": notes_hidden(),
        "may_write_notes": settings.DEMO or SimpleLazyObject(lambda: may_write_notes(request.user)),
        "navigation": _navigation(
            "visitor" if visit else "owner" if owner else "reader",
            request.path_info.strip("/").partition("/")[0],
            prefix,
            get_language(),
        ),
    }


@lru_cache(maxsize=1)
def version() -> str:
    """Return heatmon's version, as pyproject.toml has it."""
    with open(settings.BASE_DIR / "pyproject.toml", "rb") as file:
        return str(tomllib.load(file)["project"]["version"])


@lru_cache(maxsize=64)
def _navigation(role: str, shown: str, prefix: str, language: str | None) -> dict[str, SafeString]:
    """Return the links of the top bar as HTML, drawn once for each page: ``pages`` and ``tools``."""

    def drawn(template: str, *items: tuple[str, str, str]) -> SafeString:
        links = [
            NavigationItem(label, icon, prefix + path, current=path == PART_OF.get(shown, shown))
            for label, icon, path in items
        ]
        return render_to_string(template, {"links": links})

    return {
        "pages": drawn(
            "_pages.html",
            (_("Overview"), "overview", ""),
            (_("History"), "history", "history"),
            (_("Energy"), "energy", "energy"),
            (_("Efficiency"), "efficiency", "efficiency"),
            (_("Changes"), "changes", "changes"),
        ),
        "tools": drawn(
            "_tools.html",
            *([(_("System"), "system", "health")] if role != "visitor" else []),
            *([(_("Settings"), "settings", "settings")] if role == "owner" else []),
        ),
    }


def _zone() -> ZoneInfo:
    return zone_of(default_site())
