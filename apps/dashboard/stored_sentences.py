"""Sentences that a job stored, in the reader's language.

Jobs have no reader: what went wrong is stored in the house's language, English unless HEATMON_LANGUAGE says
otherwise, with names and numbers filled in. The catalogue of the reader's language is searched for the
sentence it was made from.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from django.utils.translation import get_language, gettext
from django.utils.translation.trans_real import translation

_PLACE = re.compile(r"%\((\w+)\)[sd]")


def in_readers_language(text: str) -> str:
    """The stored text in the language in force; unchanged where no catalogue knows it."""
    if not text:
        return text
    whole = _sentence(text)
    if whole is not None:
        return whole
    parts = re.split(r"(?<=\.) ", text)
    return " ".join(_sentence(part) or part for part in parts)


def _sentence(text: str) -> str | None:
    said = gettext(text)
    if said != text:
        return said
    for pattern, template in _templates(get_language() or "en"):
        found = pattern.fullmatch(text)
        if found:
            return template % found.groupdict()
    return None


@lru_cache(maxsize=4)
def _templates(language: str) -> tuple[tuple[re.Pattern[str], str], ...]:
    """Sentences with places to fill: (what the English one looks like, the template in ``language``); those
    with the most words of their own first."""
    catalogue: Any = translation(language)
    found = [
        (len(_PLACE.sub("", source)), _pattern(source), said)
        for source, said in catalogue._catalog.items()  # as Django's JavaScriptCatalog reads it
        if isinstance(source, str) and source.endswith(".") and len(set(_PLACE.findall(source))) > 0
    ]
    ranked = sorted(found, key=lambda each: -each[0])
    return tuple((pattern, said) for _length, pattern, said in ranked)


def _pattern(source: str) -> re.Pattern[str]:
    parts: list[str] = []
    seen: set[str] = set()
    end = 0
    for place in _PLACE.finditer(source):
        parts.append(re.escape(source[end : place.start()].replace("%%", "%")))
        name = place[1]
        parts.append(f"(?P={name})" if name in seen else f"(?P<{name}>.+?)")
        seen.add(name)
        end = place.end()
    parts.append(re.escape(source[end:].replace("%%", "%")))
    return re.compile("".join(parts))
