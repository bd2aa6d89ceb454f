"""What is still missing of the setup: the list on the overview, which can put each off."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.devices.home_options import HomeOptions

METER, HEAT_PUMP, PLACE, PRICE, FLOW_RATE = "meter", "heat_pump", "place", "price", "flow_rate"


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenStep:
    """Something to enter: what it is for, and where."""

    name: str
    title: Promise
    reason: Promise
    action: Promise
    href: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Checklist:
    """``open``: what is missing and not put off; ``done``: the names of what is there."""

    open: Sequence[OpenStep]
    done: Sequence[Promise]

    @property
    def count(self) -> int:
        return len(_STEPS)


_STEPS: dict[str, tuple[str, str, Promise, Promise, Promise]] = {
    METER: (
        "meter", "", _("Meter"), _("It measures the electricity, and remembers up to 60 days."),
        _("Connect meter"),
    ),
    HEAT_PUMP: (
        "heat-pump", "", _("Heat pump"), _("Temperatures, heat and COP come once it is connected."),
        _("Connect heat pump"),
    ),
    PLACE: (
        "house", "where-it-is", _("Where the house stands"),
        _("For the usual weather behind the forecast. A town is enough and stays on this machine."),
        _("Choose town"),
    ),
    PRICE: ("house", "price-of", _("Electricity price"), _("Until then costs are “–”."), _("Enter price")),
    FLOW_RATE: (
        "house", "flow-of", _("Flow rate of the heating water"),
        _("Gives heat a second, independent estimate. It is on the commissioning sheet; unknown is fine."),
        _("Enter flow rate"),
    ),
}  # fmt: skip


def checklist(options: HomeOptions) -> Checklist | None:
    """Return what is missing; None once all is there or put off."""
    there = _there(options)
    missing = _missing(options)
    if not missing:
        return None
    return Checklist(
        open=[_open_step(name) for name in missing],
        done=[_STEPS[name][2] for name, is_there in there.items() if is_there],
    )


def _there(options: HomeOptions) -> dict[str, bool]:
    return {
        METER: options.meter_set_up,
        HEAT_PUMP: options.heat_pump_set_up,
        PLACE: options.latitude is not None and options.longitude is not None,
        PRICE: options.electricity_price is not None or bool(options.tariffs),
        FLOW_RATE: options.estimated_flow_rate is not None,
    }


def _missing(options: HomeOptions) -> list[str]:
    """Return what is neither there nor put off."""
    there = _there(options)
    return [name for name, is_there in there.items() if not is_there and name not in options.setup_later]


def steps_done(options: HomeOptions, *, knows_zone: bool) -> set[str]:
    """Return the pages of the setup that ask for nothing that is still missing; ``knows_zone``: the time zone
    was chosen. What was put off is not missing, but for the devices."""
    done = {
        "language": knows_zone,
        "meter": options.meter_set_up,
        "heat-pump": options.heat_pump_set_up,
        "house": not {PLACE, PRICE, FLOW_RATE} & set(_missing(options)),
    }
    return {name for name, is_done in done.items() if is_done}


def put_off(options: HomeOptions, name: str) -> list[str] | None:
    """Return the steps put off, with one more; None for a step that there is not."""
    return sorted({*options.setup_later, name}) if name in _STEPS else None


def _open_step(name: str) -> OpenStep:
    step, part, title, reason, action = _STEPS[name]
    address = reverse("dashboard:setup_step", args=[step])
    return OpenStep(
        name=name, title=title, reason=reason, action=action, href=f"{address}#{part}" if part else address
    )
