"""The house's step: the town by name, what electricity costs, and how much water flows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.functional import cached_property
from django.utils.translation import get_language, gettext_lazy, pgettext
from django.utils.translation import gettext as _

from apps.dashboard import formatting
from apps.devices.home_options import HomeOptions
from apps.metrics.places import Place, place_at, places_named

from .cards import PlaceCard
from .fields import TextField, number_option
from .price_cards import fee_unit, monthly_fee, price_of_energy, price_unit, saved_fee, shown_fee
from .setup_steps import FLOW_RATE


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """A town to choose: ``value`` as it is sent back, ``where`` its coordinates for people."""

    name: str
    value: str
    where: str


class HouseStepCard(PlaceCard):
    """The place, price and flow rate. ``place`` is what was typed, ``placed`` the town that the coordinates
    belong to, so that it shows whether a town was typed and not chosen yet."""

    place = TextField(label=gettext_lazy("Town"), max_length=120)
    placed = forms.CharField(required=False, max_length=120, widget=forms.HiddenInput)
    electricity_price = price_of_energy(gettext_lazy("Price of electricity"))
    base_fee_per_month = monthly_fee(gettext_lazy("Base fee"))
    estimated_flow_rate = number_option(
        "estimated_flow_rate", label=gettext_lazy("Heating water flow rate"), example="1.40"
    )
    flow_unknown = forms.BooleanField(label=gettext_lazy("I don't know"), required=False)

    def __init__(self, data: Mapping[str, Any] | None = None, **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        units = {
            "electricity_price": price_unit(self.options),
            "base_fee_per_month": fee_unit(self.options),
        }
        for name, unit in units.items():
            self.fields[name].unit = unit  # type: ignore[attr-defined]

    def initial_values(self) -> dict[str, Any]:
        town = town_of(self.options)
        return {
            **super().initial_values(),
            "place": town,
            "placed": town,
            "base_fee_per_month": shown_fee(self.options.base_fee_per_day or None),
            "flow_unknown": FLOW_RATE in self.options.setup_later,
        }

    @cached_property
    def matches(self) -> Sequence[Match]:
        """Towns to choose from; none where the typed one was chosen."""
        typed = self["place"].value() or ""
        if typed == (self["placed"].value() or ""):
            return ()
        return [_match(place) for place in places_named(typed)]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        typed = cleaned.get("place")
        if typed and typed != cleaned.get("placed"):
            choose = _("Choose the town from the list.")
            unknown = _("No such town is listed: take the next larger one, or enter degrees.")
            self.add_error("place", choose if self.matches else unknown)
        return cleaned

    def values(self) -> dict[str, Any]:
        values = super().values()
        for name in ("place", "placed", "flow_unknown"):
            values.pop(name, None)
        if "base_fee_per_month" in values:
            values["base_fee_per_day"] = saved_fee(values.pop("base_fee_per_month"))
        if "flow_unknown" in self.changed_data:
            later = set(self.options.setup_later) ^ {FLOW_RATE}
            values["setup_later"] = sorted(later) or None
        return values


def _match(place: Place) -> Match:
    name = place.called(get_language() or "en")
    north = pgettext("compass", "N") if place.latitude >= 0 else pgettext("compass", "S")
    east = pgettext("compass", "E") if place.longitude >= 0 else pgettext("compass", "W")
    degrees = [formatting.number(abs(value), 2) for value in (place.latitude, place.longitude)]
    return Match(
        name=name,
        value=f"{place.latitude:.2f};{place.longitude:.2f};{name}",
        where=f"{degrees[0]}° {north}, {degrees[1]}° {east}",
    )


def town_of(options: HomeOptions) -> str:
    """Return the listed town at the house's coordinates; empty where there is none."""
    if options.latitude is None or options.longitude is None:
        return ""
    place = place_at(options.latitude, options.longitude)
    return place.called(get_language() or "en") if place else ""


def with_town(data: Mapping[str, Any], chosen: str) -> dict[str, Any]:
    """Return what was sent, with the town that was picked: ``latitude;longitude;name``."""
    latitude, _semicolon, rest = chosen.partition(";")
    longitude, _semicolon, name = rest.partition(";")
    town = {"latitude": latitude, "longitude": longitude, "altitude": "", "place": name, "placed": name}
    return {**data, **town}
