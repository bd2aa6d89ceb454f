"""The table of what only the environment or the command line sets."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

SECTION = "server"


def rows() -> list[dict[str, Any]]:
    """Return the options of the server as they are in force, and where each is from; of secrets only whether
    they are set."""
    options = settings.HEATMON
    in_force = {**options.values, "bind": settings.BIND}
    return [
        {
            "name": option.variable,
            "value": _shown(in_force[option.name], option.secret),
            "source": _source(
                is_overridden=in_force[option.name] != options.values[option.name],
                is_given=option.name in options.given,
            ),
        }
        for option in options.of_the_server
    ]


def _source(*, is_overridden: bool, is_given: bool) -> str:
    if is_overridden:
        return _("command line")
    return _("environment") if is_given else _("default")


def _shown(value: Any, secret: bool) -> str:
    if isinstance(value, bool):
        return _("on") if value else _("off")
    if value is None or value == "" or value == ():
        return "–"
    if secret:
        return _("set, not shown")
    return ", ".join(str(part) for part in value) if isinstance(value, tuple) else str(value)
