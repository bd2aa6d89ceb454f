"""The steps of the first start, in order: the account here, the others on pages of the dashboard."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

LABELS: dict[str, Promise] = {
    "account": _("Code, password"),
    "language": _("Language, time zone"),
    "meter": _("Meter"),
    "heat-pump": _("Heat pump"),
    "house": _("House"),
}
STEPS = tuple(LABELS)


@dataclass(frozen=True, slots=True)
class StepView:
    """One step of the bar at the top."""

    name: str
    label: Promise
    done: bool
    current: bool


def step_bar(current: str) -> list[StepView]:
    """Return all steps; those before ``current`` count as done."""
    here = STEPS.index(current)
    return [
        StepView(name, label, done=number < here, current=number == here)
        for number, (name, label) in enumerate(LABELS.items())
    ]


def step_after(current: str) -> str | None:
    """Return the following step, None after the last."""
    following = STEPS.index(current) + 1
    return STEPS[following] if following < len(STEPS) else None
