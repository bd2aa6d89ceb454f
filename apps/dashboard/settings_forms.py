"""The forms of the settings page and the first start: one a card. Each knows which options it saves.

Only what a person changed is saved; an emptied field gives the environment's value (or the default)
its place back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cache
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from django import forms
from django.conf import settings
from django.utils.dates import MONTHS
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.devices.errors import DeviceError
from apps.devices.models import Site
from apps.devices.options import CHANNEL_ROLES, HEAT_PUMP, SECRETS, HomeOptions, save_home_options
from apps.devices.shelly.address import checked_address
from apps.metrics.normals import normals_of_house

from .settings_fields import KEEP_SECRET, NumberField, SecretField, SelectField, TextField

METERED = {
    "compressor": gettext_lazy("Compressor"),
    "source_pump": gettext_lazy("Brine pump or fan"),
    "heating_rod": gettext_lazy("Heating rod"),
    "heating_pumps": gettext_lazy("Heating pumps"),
}
ROLE_NAMES = {
    "heat_pump": gettext_lazy("Heat pump"),
    "heating_rod": gettext_lazy("Heating rod"),
    "house": gettext_lazy("House"),
    "unused": gettext_lazy("Not connected"),
}


class OptionsForm(forms.Form):
    """A card's form over some of the house's options; field names are option names.

    ``closed``: nothing can be saved (device credentials in the demo). ``environment``: what the
    environment gives, for the hint beside a saved value that overrides it.
    """

    section = ""
    title: str | Promise = ""
    hint: str = ""
    """Said once above all fields."""

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        *,
        site: Site,
        house: HomeOptions,
        saved: Iterable[str] = (),
        closed: bool = False,
    ) -> None:
        self.site = site
        self.house = house
        self.saved = frozenset(saved)
        self.closed = closed
        super().__init__(data, initial=self.initial_values(), auto_id=f"{self.section}-%s")
        for name, field in self.fields.items():
            field.disabled = closed
            if name in SECRETS and name in self.saved:
                field.help_text = KEEP_SECRET
            self._explain_environment(name, field)

    def initial_values(self) -> dict[str, Any]:
        return {
            name: getattr(self.house, name)
            for name in self.base_fields
            if name in HomeOptions.__dataclass_fields__ and name not in SECRETS
        }

    def values(self) -> dict[str, Any]:
        """Option → value to save (None takes the saved one back); only what was changed."""
        changed = {name: self.cleaned_data[name] for name in self.changed_data}
        return {name: None if value == "" else value for name, value in changed.items()}

    def save(self) -> list[str]:
        """Save and tell which options changed."""
        values = self.values()
        save_home_options(self.site, values)
        return sorted(values)

    def _explain_environment(self, name: str, field: forms.Field) -> None:
        if name not in settings.HEATMON.given or name not in self.saved:
            return
        if name in SECRETS:
            hint = _("The environment has one too; what you saved here wins.")
        else:
            hint = _("The environment says %(value)s; what you saved here wins.") % {
                "value": getattr(settings.HEATMON, name)
            }
        field.help_text = f"{field.help_text} {hint}" if field.help_text else hint


class ZoneForm(OptionsForm):
    """The time zone alone, for the first start."""

    section = "zone"

    time_zone = TextField(
        label=gettext_lazy("Time zone"),
        max_length=60,
        required=True,
        help_text=gettext_lazy("A name like Europe/Berlin. Days, weeks and months begin at its midnight."),
    )

    def __init__(self, data: Mapping[str, Any] | None = None, **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        self.fields["time_zone"].widget.attrs["list"] = "zones"

    def clean_time_zone(self) -> str:
        name = str(self.cleaned_data["time_zone"]).strip()
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise forms.ValidationError(_("Enter the name of a time zone, like Europe/Berlin.")) from None
        return name


class HouseForm(ZoneForm):
    section = "house"
    title = gettext_lazy("House")
    field_order = ("name", "time_zone")

    name = TextField(label=gettext_lazy("Name"), max_length=100, required=True)
    latitude = NumberField(label=gettext_lazy("Latitude"), low=-90, high=90, example="50.55", unit="°")
    longitude = NumberField(label=gettext_lazy("Longitude"), low=-180, high=180, example="9.68", unit="°")
    altitude = NumberField(label=gettext_lazy("Altitude"), low=-430, high=5000, example="260", unit="m")
    currency = TextField(
        label=gettext_lazy("Currency"),
        max_length=3,
        required=True,
        error_messages={"max_length": gettext_lazy("Enter a code of three letters, like EUR.")},
    )

    def initial_values(self) -> dict[str, Any]:
        return {**super().initial_values(), "name": self.site.name}

    def clean_currency(self) -> str:
        code = str(self.cleaned_data["currency"]).upper()
        if len(code) != 3 or not code.isascii() or not code.isalpha():
            raise forms.ValidationError(_("Enter a code of three letters, like EUR."))
        return code

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        for name, other in (("latitude", "longitude"), ("longitude", "latitude")):
            if name in cleaned and other in cleaned and cleaned[name] is None and cleaned[other] is not None:
                self.add_error(name, _("Latitude and longitude go together."))
        return cleaned

    def save(self) -> list[str]:
        values = self.values()
        name = values.pop("name", None)
        if name:
            self.site.name = name
            self.site.save(update_fields=["name"])
        save_home_options(self.site, values)
        return sorted([*values, *(["name"] if name else [])])


@cache
def zone_names() -> tuple[str, ...]:
    """Suggestions for the time zone; reading them from the system takes a moment."""
    names = available_timezones()
    return tuple(sorted(name for name in names if "/" in name and not name.startswith("Etc/")))


class MeterForm(OptionsForm):
    section = "meter"
    title = gettext_lazy("Meter")

    shelly_url = TextField(
        label=gettext_lazy("Address"),
        help_text=gettext_lazy("Of a Shelly Pro 3EM in your network, like 192.168.1.50."),
    )
    shelly_password = SecretField(label=gettext_lazy("Password"))
    forget_password = forms.BooleanField(label=gettext_lazy("The meter has no password"), required=False)
    role_a = SelectField(label=gettext_lazy("Channel A"), choices=list(ROLE_NAMES.items()), required=False)
    role_b = SelectField(label=gettext_lazy("Channel B"), choices=list(ROLE_NAMES.items()), required=False)
    role_c = SelectField(label=gettext_lazy("Channel C"), choices=list(ROLE_NAMES.items()), required=False)

    def initial_values(self) -> dict[str, Any]:
        roles = {f"role_{channel}": self.house.channel_roles.get(channel, HEAT_PUMP) for channel in "abc"}
        return {**super().initial_values(), **roles}

    def clean_shelly_url(self) -> str:
        typed = str(self.cleaned_data["shelly_url"]).strip()
        if not typed or typed == self.house.shelly_url:
            return typed  # what is in force already may be the operator's, from the environment
        try:
            return checked_address(
                typed, settings.HEATMON.allow_loopback_devices or settings.DEMO, own_services=own_services()
            ).url
        except DeviceError as error:
            raise forms.ValidationError(f"{error.message} {error.hint}") from error

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        roles = [cleaned.get(f"role_{channel}") for channel in "abc"]
        if not self.errors and HEAT_PUMP not in roles:
            self.add_error("role_a", _("At least one channel must be the heat pump's."))
        return cleaned

    def values(self) -> dict[str, Any]:
        values = super().values()
        roles = {channel: self.cleaned_data[f"role_{channel}"] or HEAT_PUMP for channel in "abc"}
        kept = {name: value for name, value in values.items() if name in {"shelly_url", "shelly_password"}}
        if self.cleaned_data["forget_password"] or not kept.get("shelly_password", "-"):
            kept["shelly_password"] = None
        if any(values.get(f"role_{channel}") for channel in "abc"):
            kept["channel_roles"] = roles
        return kept

    def password_to_test(self, house: HomeOptions) -> str | None:
        """The typed password; else the saved one, but only for the address it was saved for."""
        typed = self.cleaned_data.get("shelly_password")
        if typed or self.cleaned_data.get("forget_password"):
            return typed or None
        return house.shelly_password if self.cleaned_data.get("shelly_url") == house.shelly_url else None


class HeatPumpForm(OptionsForm):
    section = "heat_pump"
    title = gettext_lazy("Heat pump")

    viessmann_client_id = TextField(
        label=gettext_lazy("Client id"),
        help_text=gettext_lazy(
            "From the Viessmann developer portal: add a client there, with the redirect address"
            " vicare://oauth-callback/everest and without reCAPTCHA."
        ),
    )
    viessmann_user = TextField(
        label=gettext_lazy("User"), help_text=gettext_lazy("Your ViCare account, an e-mail address.")
    )
    viessmann_password = SecretField(label=gettext_lazy("Password"))
    heat_pump_device = TextField(
        label=gettext_lazy("Serial of the gateway"),
        max_length=64,
        help_text=gettext_lazy("Only needed with several heat pumps in one account."),
    )

    def values(self) -> dict[str, Any]:
        values = super().values()
        if not values.get("viessmann_password", "-"):
            del values["viessmann_password"]  # left empty: the saved one stays
        return values

    def password_to_test(self, house: HomeOptions) -> str | None:
        """The typed password; else the saved one, but only for the user it was saved for."""
        typed = self.cleaned_data.get("viessmann_password")
        if typed:
            return str(typed)
        return (
            house.viessmann_password if self.cleaned_data["viessmann_user"] == house.viessmann_user else None
        )


class MeasuringForm(OptionsForm):
    section = "measuring"
    title = gettext_lazy("What is measured")

    estimated_flow_rate = NumberField(
        label=gettext_lazy("Flow rate of the heating water"),
        low=0.05,
        high=20,
        unit="m³/h",
        help_text=gettext_lazy("For the second estimate of heat (delta T); from the pump's display."),
    )
    heating_rod_kw = NumberField(
        label=gettext_lazy("Heating rod"),
        low=0.1,
        high=50,
        example="6",
        unit="kW",
        help_text=gettext_lazy("Leave it empty if it is not on this meter."),
    )
    compressor_on_w = NumberField(
        label=gettext_lazy("Compressor runs from"),
        low=10,
        high=20_000,
        example="400",
        unit="W",
        required=True,
    )
    compressor_off_w = NumberField(
        label=gettext_lazy("Compressor stands below"),
        low=5,
        high=20_000,
        example="250",
        unit="W",
        required=True,
    )
    metered = forms.MultipleChoiceField(
        label=gettext_lazy("On this meter"),
        choices=list(METERED.items()),
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("What is ticked decides which boundary (H1 to H4) the numbers are called by."),
    )

    def initial_values(self) -> dict[str, Any]:
        return {**super().initial_values(), "metered": list(self.house.metered)}

    def clean_metered(self) -> list[str]:
        chosen = list(self.cleaned_data["metered"])
        if "compressor" not in chosen:
            raise forms.ValidationError(_("The compressor must be on the meter."))
        return chosen

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        on_w, off_w = cleaned.get("compressor_on_w"), cleaned.get("compressor_off_w")
        if on_w is not None and off_w is not None and off_w >= on_w:
            self.add_error("compressor_off_w", _("This must be less than the power from which it runs."))
        return cleaned


class NormalsForm(OptionsForm):
    """Twelve monthly means of the outside temperature, where no source knows the place."""

    section = "normals"
    title = gettext_lazy("Usual weather")

    def __init__(self, data: Mapping[str, Any] | None = None, **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        normals = self.house.monthly_normals_c
        self.hint = self._need()
        for month, label in MONTHS.items():
            self.fields[f"month_{month}"] = NumberField(
                label=label, low=-40, high=45, example="4.5", unit="°C", disabled=self.closed
            )
            self.initial[f"month_{month}"] = normals[month - 1] if len(normals) == 12 else None

    def _need(self) -> str:
        """Whether the year's forecast needs these twelve means."""
        if self.house.latitude is None or self.house.longitude is None:
            return _("The year's forecast needs the place of the house (see House) or these twelve means.")
        place = replace(self.house, monthly_normals_c=())
        if normals_of_house(place) is None:
            return _("heatmon does not know the usual weather of this place: the forecast needs these means.")
        return _("Not needed: heatmon knows the usual weather of this place. What you enter here wins.")

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


class LanguageForm(forms.Form):
    section = "language"
    title = gettext_lazy("Language")

    language = SelectField(
        label=gettext_lazy("Language"),
        choices=[("", gettext_lazy("As the browser")), ("en", "English"), ("de", "Deutsch")],
        required=False,
    )


class TokenForm(forms.Form):
    """A new API token."""

    section = "tokens"

    name = TextField(label=gettext_lazy("What is it for?"), max_length=100, required=True)
    write = forms.BooleanField(label=gettext_lazy("It may also write notes"), required=False)
    expires = NumberField(
        label=gettext_lazy("Valid for"), low=1, high=3650, example="365", unit=gettext_lazy("days")
    )


def own_services() -> list[str]:
    """host:port of what belongs to heatmon itself: no meter's address."""
    options = settings.HEATMON
    found = [options.bind]
    for url, port in ((options.redis_url, 6379), (options.influxdb_url, 8086), (options.database_url, 5432)):
        if url:
            parts = urlsplit(url)
            found.append(f"{parts.hostname}:{parts.port or port}")
    return found


assert set(ROLE_NAMES) == set(CHANNEL_ROLES)
