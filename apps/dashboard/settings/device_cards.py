"""The cards of the two devices: where they are, how to log in, and whether they answer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.devices import clock, connection
from apps.devices.budget import CallBudget
from apps.devices.connection import ConnectionReport
from apps.devices.errors import DeviceError
from apps.devices.home_options import CHANNEL_ROLES, CHANNELS, HEAT_PUMP, HEATING_ROD
from apps.devices.typed_address import checked_typed_address, permitted_typed_ip
from apps.devices.viessmann.client import ViessmannAccount
from apps.devices.viessmann.oauth import TokenStore
from apps.devices.wording import words_of

from .cards import Card
from .fields import SecretField, SelectField, TextField, text_option

ROLE_NAMES = {
    "heat_pump": gettext_lazy("Heat pump"),
    "heating_rod": gettext_lazy("Heating rod"),
    "house": gettext_lazy("House"),
    "unused": gettext_lazy("Not connected"),
}
ROLES = [(role, ROLE_NAMES[role]) for role in CHANNEL_ROLES]


class MeterCard(Card):
    section = "meter"
    title = gettext_lazy("Meter")
    device = True

    shelly_url = TextField(
        label=gettext_lazy("Address"),
        help_text=gettext_lazy("Of the Shelly energy meter on your network, like 192.168.1.50."),
    )
    shelly_password = SecretField(
        label=gettext_lazy("Password"), help_text=gettext_lazy("Only if the meter has one.")
    )
    forget_password = forms.BooleanField(label=gettext_lazy("The meter has no password"), required=False)
    role_a = SelectField(label=gettext_lazy("Channel A"), choices=ROLES, required=False)
    role_b = SelectField(label=gettext_lazy("Channel B"), choices=ROLES, required=False)
    role_c = SelectField(label=gettext_lazy("Channel C"), choices=ROLES, required=False)

    def initial_values(self) -> dict[str, Any]:
        roles = {
            f"role_{channel}": self.options.channel_roles.get(channel, HEAT_PUMP) for channel in CHANNELS
        }
        return {**super().initial_values(), **roles}

    def overridden(self, name: str) -> Any:
        if not name.startswith("role_"):
            return super().overridden(name)
        roles = super().overridden("channel_roles")
        return None if roles is None else ROLE_NAMES[roles[name[-1]]]

    def clean_shelly_url(self) -> str:
        typed = str(self.cleaned_data["shelly_url"]).strip()
        if not typed or typed == self.options.shelly_url:
            return typed  # what is in force already may be the operator's, from the environment
        try:
            return checked_typed_address(typed).url
        except DeviceError as error:
            raise forms.ValidationError(str(words_of(error))) from error

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        roles = [cleaned.get(f"role_{channel}") for channel in CHANNELS]
        if not self.errors and HEAT_PUMP not in roles:
            self.add_error("role_a", _("Assign at least one channel to the heat pump."))
        return cleaned

    def values(self) -> dict[str, Any]:
        values = super().values()
        roles = {channel: self.cleaned_data[f"role_{channel}"] or HEAT_PUMP for channel in CHANNELS}
        kept = {name: value for name, value in values.items() if name in {"shelly_url", "shelly_password"}}
        if self.cleaned_data["forget_password"] or not kept.get("shelly_password", "-"):
            kept["shelly_password"] = None
        if any(values.get(f"role_{channel}") for channel in CHANNELS):
            kept["channel_roles"] = roles
        return kept

    def test(self) -> ConnectionReport:
        url = self.cleaned_data["shelly_url"]
        if not url:
            return ConnectionReport(ok=False, title=_("Enter the meter's address first."))
        from_operator = url == settings.HEATMON.shelly_url
        return connection.test_meter(
            url,
            self._password_to_test(),
            clock.now,
            permitted_ip=None if from_operator else permitted_typed_ip,
            channels=self.heat_pump_channels(),
            running_w=self.options.compressor_on_w,
        )

    def heat_pump_channels(self) -> list[str]:
        """Return the channels that the form gives to the heat pump; one without a role is the heat pump's."""
        roles = {channel: self[f"role_{channel}"].value() or HEAT_PUMP for channel in CHANNELS}
        return [channel for channel, role in roles.items() if role in {HEAT_PUMP, HEATING_ROD}]

    def _password_to_test(self) -> str | None:
        """Return the typed password; else the saved one, but only for the address it was saved for."""
        typed = self.cleaned_data["shelly_password"]
        if typed or self.cleaned_data["forget_password"]:
            return typed or None
        return (
            self.options.shelly_password
            if self.cleaned_data["shelly_url"] == self.options.shelly_url
            else None
        )


class HeatPumpCard(Card):
    section = "heat_pump"
    title = gettext_lazy("Heat pump")
    device = True

    viessmann_client_id = text_option(
        "viessmann_client_id",
        label=gettext_lazy("Client ID"),
        help_text=gettext_lazy(
            "Create a client in the Viessmann developer portal with the redirect URI"
            " vicare://oauth-callback/everest and reCAPTCHA turned off."
        ),
    )
    viessmann_user = text_option(
        "viessmann_user",
        label=gettext_lazy("User name"),
        help_text=gettext_lazy("The e-mail address of your ViCare account."),
    )
    viessmann_password = SecretField(label=gettext_lazy("Password"))
    heat_pump_device = text_option(
        "heat_pump_device",
        label=gettext_lazy("Serial number of the gateway"),
        max_length=64,
        help_text=gettext_lazy(
            "Only needed if the account has several heat pumps: the serial, or serial/device."
        ),
    )

    def values(self) -> dict[str, Any]:
        values = super().values()
        if not values.get("viessmann_password", "-"):
            del values["viessmann_password"]  # left empty: the saved one stays
        return values

    def test(self) -> ConnectionReport:
        client_id = self.cleaned_data["viessmann_client_id"]
        if not client_id:
            return ConnectionReport(ok=False, title=_("Enter the client ID first."))
        password = self._password_to_test()
        server = settings.HEATMON
        account = ViessmannAccount(
            user=self.cleaned_data["viessmann_user"] or None,
            password=password,
            client_id=client_id,
            api_url=server.viessmann_api_url,
            iam_url=server.viessmann_iam_url,
        )
        return connection.test_heat_pump(
            account,
            CallBudget(client_id, limit=server.viessmann_daily_limit, clock=clock.now),
            clock.now,
            token_store=TokenStore(Path(settings.TOKEN_PATH)),
            # With a password the login itself is to be tried; without one there is only the stored login.
            afresh=bool(password),
            device_serial=self.cleaned_data["heat_pump_device"] or None,
        )

    def _password_to_test(self) -> str | None:
        """Return the typed password; else the saved one, but only for the user it was saved for."""
        typed = self.cleaned_data["viessmann_password"]
        if typed:
            return str(typed)
        same_user = self.cleaned_data["viessmann_user"] == self.options.viessmann_user
        return self.options.viessmann_password if same_user else None
