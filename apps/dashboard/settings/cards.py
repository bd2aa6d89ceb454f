"""The cards of the settings page and the first start: what a form saves, and those of the house.

Only what a person changed is saved; an emptied field brings the environment's value (or the default)
back.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cache
from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.conf import settings
from django.utils.datastructures import MultiValueDict
from django.utils.dates import MONTHS
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.devices.connection import ConnectionReport
from apps.devices.home_options import SECRETS, HomeOptions
from apps.devices.models import Site
from apps.devices.options import readable_options, save_home_options, saved_names
from apps.metrics.normals import normals_of

from . import drafts
from .fields import KEEP_SECRET, NumberField, TextField, number_between, number_option, text_option

METERED = {
    "compressor": gettext_lazy("Compressor"),
    "source_pump": gettext_lazy("Brine pump or fan"),
    "heating_rod": gettext_lazy("Heating rod"),
    "heating_pumps": gettext_lazy("Heating pumps"),
}


class Card(forms.Form):
    """A form over some of the home's options; field names are option names.

    ``device``: it can be tried out with ``test``, and is closed in the demo.
    """

    section = ""
    title: str | Promise = ""
    hint: str | Promise = ""
    """Said once above all fields."""
    device = False
    template = "dashboard/settings/_card.html"

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        *,
        site: Site,
        options: HomeOptions,
        saved: Iterable[str],
    ) -> None:
        self.site = site
        self.options = options
        self.saved = frozenset(saved)
        self.closed = self.device and settings.DEMO
        self.conflicts: frozenset[str] = frozenset()
        super().__init__(data, initial=self.initial_values(), auto_id=f"{self.section}-%s")
        for name, field in self.fields.items():
            field.disabled = self.closed
            if name in SECRETS and name in self.saved:
                field.help_text = KEEP_SECRET
            self._explain_environment(name, field)

    def initial_values(self) -> dict[str, Any]:
        return {
            name: getattr(self.options, name)
            for name in self.base_fields
            if name in HomeOptions.__dataclass_fields__ and name not in SECRETS
        }

    @property
    def made_from(self) -> str:
        """The values in force, for the page to carry along: see ``drafts``."""
        return json.dumps(drafts.values_as_sent(self))

    def full_clean(self) -> None:
        if isinstance(self.data, MultiValueDict) and (base := drafts.made_from(self.data)) is not None:
            self.data, self.conflicts = drafts.merged(self.data, base, drafts.values_as_sent(self))
        super().full_clean()

    def clean(self) -> dict[str, Any]:
        for name in sorted(self.conflicts):
            told = _(
                "Changed elsewhere since this page was opened; it is now %(value)s. Save again to replace it."
            )
            self.add_error(name, told % {"value": self._in_words(name)})
        return super().clean() or {}

    def _in_words(self, name: str) -> str:
        """Return the value in force as its field shows it."""
        field = self.fields[name]
        sent = drafts.as_sent(field, self.get_initial_for_field(field, name))
        if isinstance(field, forms.BooleanField):
            return _("on") if sent else _("off")
        choices = dict(field.widget.choices) if isinstance(field, forms.ChoiceField) else {}
        return ", ".join(str(choices.get(one, one)) for one in sent if one) or "–"

    def values(self) -> dict[str, Any]:
        """Return option → value to save (None takes the saved one back); only what was changed."""
        changed = {name: self.cleaned_data[name] for name in self.changed_data}
        return {name: None if value == "" else value for name, value in changed.items()}

    def save(self) -> list[str]:
        """Save, and return which options changed."""
        values = self.values()
        save_home_options(self.site, values)
        return sorted(values)

    def test(self) -> ConnectionReport:
        """Try out what the valid form says, without saving it."""
        raise NotImplementedError

    def overridden(self, name: str) -> Any:
        """Return the environment's value that a saved one overrides; None where there is none."""
        both = name in settings.HEATMON.given and name in self.saved
        return settings.HEATMON.values[name] if both else None

    def _explain_environment(self, name: str, field: forms.Field) -> None:
        value = self.overridden(name)
        if value is None:
            return
        if name in SECRETS:
            hint = _("The environment sets one too; the one saved here takes precedence.")
        else:
            hint = _("The environment says %(value)s; the value saved here takes precedence.") % {
                "value": value
            }
        field.help_text = f"{field.help_text} {hint}" if field.help_text else hint


def cards_of(site: Site, kinds: Iterable[type[Card]]) -> list[Card]:
    """Return the cards with what is in force."""
    options, _unreadable = readable_options(site)
    saved = saved_names(site)
    return [kind(site=site, options=options, saved=saved) for kind in kinds]


def filled_card(site: Site, kind: type[Card], data: Mapping[str, Any]) -> Card:
    """Return a card as a person sent it."""
    options, _unreadable = readable_options(site)
    return kind(data, site=site, options=options, saved=saved_names(site))


class ZoneCard(Card):
    """The time zone alone, for the first start."""

    section = "zone"

    time_zone = text_option(
        "time_zone",
        label=gettext_lazy("Time zone"),
        max_length=60,
        required=True,
        help_text=gettext_lazy(
            "A name like Europe/Berlin. Days, weeks and months start at midnight in this time zone."
        ),
    )

    def __init__(self, data: Mapping[str, Any] | None = None, **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        self.fields["time_zone"].widget.attrs["list"] = "zones"


@cache
def zone_names() -> tuple[str, ...]:
    """Return suggestions for the time zone; reading them from the system takes a moment."""
    names = available_timezones()
    return tuple(sorted(name for name in names if "/" in name and not name.startswith("Etc/")))


class PlaceCard(Card):
    """The house without its time zone, which the first start asks for earlier."""

    section = "house"
    title = gettext_lazy("House")

    name = TextField(label=gettext_lazy("Name"), max_length=100, required=True)
    latitude = number_option("latitude", label=gettext_lazy("Latitude"), example="50.55")
    longitude = number_option("longitude", label=gettext_lazy("Longitude"), example="9.68")
    altitude = number_option("altitude", label=gettext_lazy("Altitude"), example="260")
    currency = text_option("currency", label=gettext_lazy("Currency"), max_length=3, required=True)

    def initial_values(self) -> dict[str, Any]:
        return {**super().initial_values(), "name": self.site.name}

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        for name, other in (("latitude", "longitude"), ("longitude", "latitude")):
            if name in cleaned and other in cleaned and cleaned[name] is None and cleaned[other] is not None:
                self.add_error(name, _("Enter both latitude and longitude."))
        return cleaned

    def save(self) -> list[str]:
        values = self.values()
        name = values.pop("name", None)
        if name:
            self.site.name = name
            self.site.save(update_fields=["name"])
        save_home_options(self.site, values)
        return sorted([*values, *(["name"] if name else [])])


class HouseCard(PlaceCard, ZoneCard):
    field_order = ("name", "time_zone")


class MeasuringCard(Card):
    section = "measuring"
    title = gettext_lazy("What is measured")

    estimated_flow_rate = number_option(
        "estimated_flow_rate",
        label=gettext_lazy("Heating water flow rate"),
        help_text=gettext_lazy(
            "For the second heat estimate (delta T). The circulation pump's display shows it."
        ),
    )
    heating_rod_kw = number_option(
        "heating_rod_kw",
        label=gettext_lazy("Heating rod"),
        example="6",
        help_text=gettext_lazy("Leave it empty if the heating rod is not on this meter."),
    )
    compressor_on_w = number_option(
        "compressor_on_w",
        label=gettext_lazy("Compressor counts as running above"),
        example="400",
        required=True,
    )
    compressor_off_w = number_option(
        "compressor_off_w",
        label=gettext_lazy("Compressor counts as stopped below"),
        example="250",
        required=True,
    )
    metered = forms.MultipleChoiceField(
        label=gettext_lazy("On this meter"),
        choices=list(METERED.items()),
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy(
            "Your selection determines the SEPEMO boundary (H1–H4) used to label the figures."
        ),
    )

    def initial_values(self) -> dict[str, Any]:
        return {**super().initial_values(), "metered": list(self.options.metered)}

    def clean_metered(self) -> list[str]:
        chosen = list(self.cleaned_data["metered"])
        if "compressor" not in chosen:
            raise forms.ValidationError(_("The compressor must be on the meter."))
        return chosen

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        on_w, off_w = cleaned.get("compressor_on_w"), cleaned.get("compressor_off_w")
        if on_w is not None and off_w is not None and off_w >= on_w:
            self.add_error("compressor_off_w", _("Enter less than the power it counts as running above."))
        return cleaned


class NormalsCard(Card):
    """Twelve monthly means of the outside temperature, where no source knows the place."""

    section = "normals"
    title = gettext_lazy("Climate")

    def __init__(self, data: Mapping[str, Any] | None = None, **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        normals = self.options.monthly_normals_c
        self.hint = self._need()
        for month, label in MONTHS.items():
            self.fields[f"month_{month}"] = NumberField(
                number_between(-40, 45), label=label, example="4.5", unit="°C", disabled=self.closed
            )
            self.initial[f"month_{month}"] = normals[month - 1] if len(normals) == 12 else None

    def _need(self) -> str:
        """Say whether the year's forecast needs these twelve means."""
        if self.options.latitude is None or self.options.longitude is None:
            return _(
                "The year's forecast needs either the location of the house (see House) or these twelve"
                " monthly mean outdoor temperatures."
            )
        place = replace(self.options, monthly_normals_c=())
        if normals_of(place) is None:
            return _(
                "heatmon has no climate data for this location: the year's forecast needs these twelve"
                " monthly mean outdoor temperatures."
            )
        return _("Not required: climate data for this location is built in. Your own values take precedence.")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        missing = [name for name in self.fields if name in cleaned and cleaned[name] is None]
        if missing and len(missing) < 12:
            self.add_error(missing[0], _("Enter all twelve months, or none."))
        return cleaned

    def values(self) -> dict[str, Any]:
        normals = [self.cleaned_data[f"month_{month}"] for month in range(1, 13)]
        if not self.changed_data:
            return {}
        return {"monthly_normals_c": None if None in normals else normals}
