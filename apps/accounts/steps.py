"""The steps of the first start, in order: the account here, the others on pages of the dashboard."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from django.urls import reverse
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
    """One step of the bar at the top. ``href`` leads back to one that was passed."""

    name: str
    label: Promise
    done: bool
    current: bool
    skipped: bool
    href: str


def step_bar(current: str, skipped: Collection[str] = ()) -> list[StepView]:
    """Return all steps; those before ``current`` count as done, but for the ``skipped``."""
    here = STEPS.index(current)
    return [
        StepView(
            name,
            label,
            done=number < here and name not in skipped,
            current=number == here,
            skipped=number < here and name in skipped,
            href=reverse("dashboard:setup_step", args=[name]) if 0 < number < here else "",
        )
        for number, (name, label) in enumerate(LABELS.items())
    ]


def steps_after(current: str) -> tuple[str, ...]:
    return STEPS[STEPS.index(current) + 1 :]
