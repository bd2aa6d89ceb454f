"""Two more cards of the settings page: what electricity costs, and one external reading of heat."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from django import forms
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.devices import clock
from apps.metrics import apps as metrics_apps
from apps.metrics.jaz import jaz
from apps.metrics.models import StaleRange
from apps.metrics.store.base import StoreUnavailable
from apps.metrics.windows import local_date

from . import formatting
from .settings_fields import NumberField
from .settings_forms import OptionsForm

LEAST_COVERAGE = 0.9
PLAUSIBLE_FACTOR = (0.5, 2.0)


class DayField(forms.DateField):
    """A calendar day, with the browser's own picker."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("required", False)
        widget = forms.DateInput(format="%Y-%m-%d", attrs={"type": "date", "class": "input"})
        super().__init__(input_formats=["%Y-%m-%d"], widget=widget, **kwargs)

    def to_python(self, value: Any) -> date | None:
        found = super().to_python(value)
        if found is not None and not 2000 <= found.year < 2100:
            raise forms.ValidationError(_("Enter a day between 2000 and 2099."))
        return found


def _price(label: Promise, help_text: str | Promise = "") -> NumberField:
    return NumberField(label=label, help_text=help_text, low=0, high=10, example="0.3049")


def _fee(label: Promise) -> NumberField:
    return NumberField(label=label, low=0, high=100, example="0.36")


class PriceForm(OptionsForm):
    """The plain price, and tariffs from a day on: each can be removed, one added at a time."""

    section = "price"
    title = gettext_lazy("Tariffs")

    electricity_price = _price(
        gettext_lazy("Price of electricity"),
        gettext_lazy("In your currency; it holds until the first tariff below begins."),
    )
    base_fee_per_day = _fee(gettext_lazy("Base fee"))
    new_from = DayField(label=gettext_lazy("Another tariff from"))
    new_price = _price(gettext_lazy("Its price"))
    new_fee = _fee(gettext_lazy("Its base fee"))

    def __init__(self, data: Mapping[str, Any] | None = None, **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        currency = {"currency": self.house.currency}
        units = {"price": f"{self.house.currency}/kWh", "fee": _("%(currency)s/day") % currency}
        for name, unit in (
            ("electricity_price", "price"),
            ("base_fee_per_day", "fee"),
            ("new_price", "price"),
            ("new_fee", "fee"),
        ):
            self.fields[name].unit = units[unit]  # type: ignore[attr-defined]
        for number, tariff in enumerate(self.house.tariffs):
            day = date_format(date.fromisoformat(tariff["from"]), "DATE_FORMAT")
            price = formatting.money(tariff["price"], self.house.currency, 4)
            self.fields[f"remove_{number}"] = forms.BooleanField(
                label=_("Remove: %(price)s per kWh from %(day)s") % {"price": price, "day": day},
                required=False,
            )

    def initial_values(self) -> dict[str, Any]:
        return {**super().initial_values(), "base_fee_per_day": self.house.base_fee_per_day or None}

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if "new_from" not in cleaned or "new_price" not in cleaned:
            return cleaned
        if cleaned["new_from"] and cleaned["new_price"] is None:
            self.add_error("new_price", _("Enter the price that holds from this day on."))
        if not cleaned["new_from"] and (
            cleaned["new_price"] is not None or cleaned.get("new_fee") is not None
        ):
            self.add_error("new_from", _("Enter the day from which it holds."))
        return cleaned

    def values(self) -> dict[str, Any]:
        values = {
            name: value
            for name, value in super().values().items()
            if name in {"electricity_price", "base_fee_per_day"}
        }
        if any(name.startswith(("remove_", "new_")) for name in self.changed_data):
            values["tariffs"] = self._tariffs() or None
        return values

    def _tariffs(self) -> list[dict[str, Any]]:
        kept = {
            tariff["from"]: dict(tariff)
            for number, tariff in enumerate(self.house.tariffs)
            if not self.cleaned_data[f"remove_{number}"]
        }
        if self.cleaned_data["new_from"]:
            added = {
                "from": self.cleaned_data["new_from"].isoformat(),
                "price": self.cleaned_data["new_price"],
            }
            if self.cleaned_data["new_fee"] is not None:
                added["base_fee_per_day"] = self.cleaned_data["new_fee"]
            kept[added["from"]] = added  # a second tariff from the same day replaces the first
        return [kept[day] for day in sorted(kept)]


class CalibrationForm(OptionsForm):
    """k = heat by an external reading / heat by modulation, over the same days."""

    section = "calibration"
    title = gettext_lazy("Calibration")

    first = DayField(label=gettext_lazy("First day"))
    last = DayField(label=gettext_lazy("Last day"))
    heat_kwh = NumberField(
        label=gettext_lazy("Heat by a heat meter or a service report"),
        low=1,
        high=1_000_000,
        example="1250",
        unit="kWh",
        help_text=gettext_lazy("One reading over known days makes all heat numbers more certain."),
    )
    reset = forms.BooleanField(label=gettext_lazy("Use no calibration"), required=False)

    def __init__(self, data: Mapping[str, Any] | None = None, **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        factor = self.house.heat_reference_factor
        if factor is None:
            del self.fields["reset"]
        else:
            self.fields["reset"].help_text = _("In force: heat by modulation × %(factor)s") % {
                "factor": formatting.number(factor, 3)
            }

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if self.errors or cleaned.get("reset"):
            return cleaned
        given = {name: cleaned.get(name) for name in ("first", "last", "heat_kwh")}
        if not any(value is not None for value in given.values()):
            return cleaned
        for name, value in given.items():
            if value is None:
                self.add_error(name, _("First day, last day and heat go together."))
                return cleaned
        self._check_days(cleaned["first"], cleaned["last"])
        if not self.errors:
            cleaned["factor"] = self._factor(cleaned["first"], cleaned["last"], cleaned["heat_kwh"])
        return cleaned

    def _check_days(self, first: date, last: date) -> None:
        if last < first:
            self.add_error("last", _("The last day lies before the first."))
        elif last >= local_date(clock.now(), self.house.zone):
            self.add_error("last", _("These days are not over yet."))

    def _factor(self, first: date, last: date, heat_kwh: float) -> float | None:
        if StaleRange.objects.filter(site=self.site).exists():
            self.add_error(
                "heat_kwh", _("The numbers are being calculated anew; try again when that is done.")
            )
            return None
        try:
            known = jaz(metrics_apps.default_store(), self.site.pk, self.house, first, last, clock.now())
        except StoreUnavailable:
            self.add_error("heat_kwh", _("The store of the measured values does not answer."))
            return None
        if not known.heat_kwh or (known.coverage or 0.0) < LEAST_COVERAGE:
            self.add_error(
                "first",
                _("Heat is known for %(coverage)s of the electricity of these days; 90 %% are needed.")
                % {"coverage": formatting.coverage(known.coverage or 0.0)},
            )
            return None
        # The stored heat carries the factor in force already.
        factor = heat_kwh / known.heat_kwh * (self.house.heat_reference_factor or 1.0)
        low, high = PLAUSIBLE_FACTOR
        if not low <= factor <= high:
            self.add_error(
                "heat_kwh",
                _("heatmon counted %(heat)s in these days; a factor of %(factor)s cannot be right.")
                % {
                    "heat": formatting.with_unit(known.heat_kwh, "energy_kwh"),
                    "factor": formatting.number(factor, 2),
                },
            )
            return None
        return factor

    def values(self) -> dict[str, Any]:
        if self.cleaned_data.get("reset"):
            return {"heat_reference_factor": None}
        factor = self.cleaned_data.get("factor")
        return {} if factor is None else {"heat_reference_factor": round(factor, 6)}
