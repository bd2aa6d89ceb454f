"""What a form was made from, so that a page left open sets nothing back.

A card carries the values that it was made from, as the browser sends them. A field that still has that value
was not touched: it takes what is in force now. One that was changed here and elsewhere is a conflict.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.utils.datastructures import MultiValueDict

MADE_FROM = "made_from"

Sent = Mapping[str, list[str]]
"""Values of a form's fields as a browser sends them; a box that is not ticked sends none."""


def as_sent(field: forms.Field, value: Any) -> list[str]:
    """Return what a browser sends for a field that shows ``value``."""
    if isinstance(field.widget, forms.CheckboxInput):
        return ["on"] if value else []
    shown = field.widget.format_value(field.prepare_value(value))
    if isinstance(shown, list | tuple):
        return [str(one) for one in shown]
    return ["" if shown is None else str(shown)]


def values_as_sent(form: forms.Form) -> Sent:
    """Return what a browser sends for a form that nobody touched."""
    return {
        name: as_sent(field, form.get_initial_for_field(field, name)) for name, field in form.fields.items()
    }


def made_from(data: Mapping[str, Any]) -> Sent | None:
    """Return the values that a form was made from; None if it does not say so."""
    try:
        said = json.loads(data.get(MADE_FROM, ""))
    except (ValueError, RecursionError):
        return None
    if not isinstance(said, dict):
        return None
    return {name: [str(one) for one in values] for name, values in said.items() if isinstance(values, list)}


def merged(
    data: MultiValueDict[str, Any], base: Sent, now: Sent
) -> tuple[MultiValueDict[str, Any], frozenset[str]]:
    """Return the data with what is in force ``now`` in all fields that were not touched, and the names of
    those that were changed here and elsewhere."""
    filled, conflicts = data.copy(), set()
    for name, in_force in now.items():
        typed, before = data.getlist(name), base.get(name, [])
        if typed == before:
            put(filled, name, in_force)
        elif before != in_force and typed != in_force:
            conflicts.add(name)
    return filled, frozenset(conflicts)


def put(data: MultiValueDict[str, Any], name: str, values: Iterable[str]) -> None:
    """Set what was sent for a field; nothing for a box that is not ticked."""
    if values := list(values):
        data.setlist(name, values)
    else:
        data.pop(name, None)
