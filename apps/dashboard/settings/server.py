"""The table of what only the environment or the command line sets."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

SECTION = "server"


def rows() -> list[dict[str, Any]]:
    """Return the options of the server; of secrets only whether they are set."""
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
