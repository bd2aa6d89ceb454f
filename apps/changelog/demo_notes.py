"""The notes of the demo's owner, told in each reader's language."""

from __future__ import annotations

from django.conf import settings
from django.utils.translation import gettext, gettext_noop

NOTES = (
    (212, gettext_noop("Bled the radiators on the first floor.")),
    (96, gettext_noop("Service: filter cleaned, brine pressure 1.8 bar.")),
    (32, gettext_noop("The old circulation pump in the cellar was still running. Unplugged it.")),
    (4, gettext_noop("New shower head, 6 litres a minute.")),
)
"""How many days ago each was written, and what it says."""

CURVE_NOTE = gettext_noop("Lowered the heating curve. The bathroom should stay warm enough.")
_TEXTS = frozenset({*(text for _days, text in NOTES), CURVE_NOTE})


def in_readers_language(text: str) -> str:
    """Return a note of the demo's owner in the language in force; any other text as it is."""
    return gettext(text) if settings.DEMO and text in _TEXTS else text
