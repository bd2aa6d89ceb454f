"""The card of what electricity costs: a table of tariffs, each valid from a day on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django import forms
from django.utils.datastructures import MultiValueDict
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.devices import clock
from apps.devices.home_options import HomeOptions, home_option
from apps.metrics.tariff import fee_per_day, fee_per_month, known_tariffs, tariff_on
from apps.metrics.windows import local_date

from .. import formatting
from . import drafts
from .cards import Card
from .fields import DayField, NumberField, number_between

HIGHEST_FEE_PER_MONTH = 3000
# The columns of a tariff; a field is named by column and the day from which the tariff is valid.
COLUMNS = ("from", "price", "fee", "remove")


@dataclass(frozen=True, slots=True, kw_only=True)
class TariffRow:
    """One line of the table. ``valid_from`` and ``remove`` None: the price before all dated ones."""

    valid_from: forms.BoundField | None
    price: forms.BoundField
    fee: forms.BoundField
    remove: forms.BoundField | None
    is_in_force: bool


def price_of_energy(label: str | Promise, help_text: str | Promise = "") -> NumberField:
    read = home_option("electricity_price").read
    return NumberField(read, label=label, help_text=help_text, example="0.3049")


def monthly_fee(label: str | Promise) -> NumberField:
    return NumberField(number_between(0, HIGHEST_FEE_PER_MONTH), label=label, example="10.95")


def price_unit(options: HomeOptions) -> str:
    return f"{options.currency}/kWh"


def fee_unit(options: HomeOptions) -> str:
    return _("%(currency)s/month") % {"currency": options.currency}


def shown_fee(per_day: float | None) -> float | None:
    """Return a base fee per month, to the cent."""
    return None if per_day is None else round(fee_per_month(per_day), 2)


def saved_fee(per_month: float | None) -> float | None:
    """Return a base fee as it is saved, per day."""
    return None if per_month is None else fee_per_day(per_month)


class PriceCard(Card):
    """The plain price, and tariffs from a day on: rows are added, corrected and removed."""

    section = "price"
    title = gettext_lazy("Tariffs")
    template = "dashboard/settings/_tariffs.html"

    electricity_price = price_of_energy(gettext_lazy("Price of electricity"))
    base_fee_per_month = monthly_fee(gettext_lazy("Base fee"))
    new_from = DayField(label=gettext_lazy("New tariff valid from"))
    new_price = price_of_energy(gettext_lazy("New price"))
    new_fee = monthly_fee(gettext_lazy("New base fee"))

    def __init__(self, data: Mapping[str, Any] | None = None, **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        self.removed_elsewhere = ""
        for tariff in self.options.tariffs:
            self._add_row(tariff)
        for name, field in self.fields.items():
            if not isinstance(field, DayField | forms.BooleanField):
                field.widget.attrs["aria-label"] = f"{field.label}, {self._unit(name)}"

    def _add_row(self, tariff: Mapping[str, Any]) -> None:
        key = tariff["from"]
        valid_from = date.fromisoformat(key)
        day = {"day": formatting.local_date(valid_from)}
        fee, fee_of_the_home = tariff.get("base_fee_per_day"), shown_fee(self.options.base_fee_per_day)
        fee_field = monthly_fee(_("Base fee from %(day)s") % day)
        # Left empty, the fee of the home applies.
        fee_field.widget.attrs["placeholder"] = fee_field.prepare_value(fee_of_the_home)
        removal = forms.BooleanField(label=_("Remove the tariff of %(day)s") % day, required=False)
        fields: dict[str, tuple[forms.Field, Any]] = {
            "from": (DayField(label=_("Tariff of %(day)s: valid from") % day), valid_from),
            "price": (price_of_energy(_("Price from %(day)s") % day), tariff["price"]),
            "fee": (fee_field, shown_fee(fee)),
            "remove": (removal, None),
        }
        for column, (field, value) in fields.items():
            name = f"{column}_{key}"
            self.fields[name], self.initial[name] = field, value
            field.widget.attrs["aria-label"] = field.label

    def _unit(self, name: str) -> str:
        return self.fee_unit if "fee" in name else self.price_unit

    @property
    def price_unit(self) -> str:
        return price_unit(self.options)

    @property
    def fee_unit(self) -> str:
        return fee_unit(self.options)

    @property
    def rows(self) -> Iterator[TariffRow]:
        """The lines of the table, the newest first."""
        options = self.options
        in_force = tariff_on(known_tariffs(options), local_date(clock.now(), options.zone))
        today = in_force.valid_from if in_force else None
        for tariff in sorted(options.tariffs, key=lambda one: str(one["from"]), reverse=True):
            key = tariff["from"]
            bound = {column: self[f"{column}_{key}"] for column in COLUMNS}
            yield TariffRow(
                valid_from=bound["from"],
                price=bound["price"],
                fee=bound["fee"],
                remove=bound["remove"],
                is_in_force=today == date.fromisoformat(key),
            )
        yield TariffRow(
            valid_from=None,
            price=self["electricity_price"],
            fee=self["base_fee_per_month"],
            remove=None,
            is_in_force=today == date.min,
        )

    def initial_values(self) -> dict[str, Any]:
        fee = self.options.base_fee_per_day or None
        return {**super().initial_values(), "base_fee_per_month": shown_fee(fee)}

    def full_clean(self) -> None:
        if isinstance(self.data, MultiValueDict):
            self.data = self._completed(self.data)
        super().full_clean()

    def _completed(self, data: MultiValueDict[str, Any]) -> MultiValueDict[str, Any]:
        """Return the data with rows that came elsewhere; what was typed into one that has gone is offered as
        a new row."""
        data, base = data.copy(), drafts.made_from(data) or {}
        days = {tariff["from"] for tariff in self.options.tariffs}
        for day in days:
            if f"price_{day}" not in data:
                for name in (f"{column}_{day}" for column in COLUMNS[:3]):
                    drafts.put(data, name, drafts.as_sent(self.fields[name], self.initial[name]))
        gone = {name.partition("_")[2] for name in base if name.startswith("price_")} - days
        for day in sorted(gone):
            names = [f"{column}_{day}" for column in COLUMNS[:3]]
            if f"remove_{day}" in data or all(data.getlist(name) == base.get(name) for name in names):
                continue
            self.removed_elsewhere = day
            for name, new in zip(names, ("new_from", "new_price", "new_fee"), strict=True):
                drafts.put(data, new, data.getlist(name))
        return data

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if self.removed_elsewhere:
            self.conflicts |= {"new_from"}
            told = _("This tariff was removed elsewhere since this page was opened. Save again to add it.")
            self.add_error("new_from", told)
        self._check_new_day(cleaned)
        self._check_row("new_from", "new_price", cleaned, given=self._is_new(cleaned))
        kept = [one["from"] for one in self.options.tariffs if not cleaned.get(f"remove_{one['from']}")]
        days = [cleaned.get(name) for name in ("new_from", *(f"from_{key}" for key in kept))]
        for key in kept:
            self._check_row(f"from_{key}", f"price_{key}", cleaned, given=True)
            day = cleaned.get(f"from_{key}")
            if day and day.isoformat() != key and days.count(day) > 1:
                self.add_error(f"from_{key}", _("Another tariff is valid from this day."))
        return cleaned

    def _check_new_day(self, cleaned: Mapping[str, Any]) -> None:
        """Tell of another tariff from the same day that came elsewhere, after the page was made."""
        day, base = cleaned.get("new_from"), drafts.made_from(self.data)
        if base is None or day is None or cleaned.get("new_price") is None or f"price_{day}" in base:
            return
        there = [dict(tariff) for tariff in self.options.tariffs if tariff["from"] == day.isoformat()]
        if there and there != [self._row("new_from", "new_price", "new_fee", {})]:
            self.conflicts |= {"new_from"}
            told = _("Another tariff from this day was added elsewhere meanwhile. Save again to replace it.")
            self.add_error("new_from", told)

    def _is_new(self, cleaned: Mapping[str, Any]) -> bool:
        return any(cleaned.get(name) is not None for name in ("new_from", "new_price", "new_fee"))

    def _check_row(self, day: str, price: str, cleaned: Mapping[str, Any], *, given: bool) -> None:
        """Ask for what a row lacks; a field with an error has none left to ask for."""
        if not given:
            return
        if day in cleaned and cleaned[day] is None:
            self.add_error(day, _("Enter the day from which it applies."))
        elif price in cleaned and cleaned[price] is None:
            self.add_error(price, _("Enter the price that applies from this day."))

    def values(self) -> dict[str, Any]:
        values: dict[str, Any] = {}
        if "electricity_price" in self.changed_data:
            values["electricity_price"] = self.cleaned_data["electricity_price"]
        if "base_fee_per_month" in self.changed_data:
            values["base_fee_per_day"] = saved_fee(self.cleaned_data["base_fee_per_month"])
        if set(self.changed_data) - {"electricity_price", "base_fee_per_month"}:
            values["tariffs"] = self._tariffs() or None
        return values

    def _tariffs(self) -> list[dict[str, Any]]:
        kept: dict[str, dict[str, Any]] = {}
        for tariff in self.options.tariffs:
            key = tariff["from"]
            if not self.cleaned_data[f"remove_{key}"]:
                found = self._row(f"from_{key}", f"price_{key}", f"fee_{key}", tariff)
                kept[found["from"]] = found
        if self.cleaned_data["new_from"]:
            added = self._row("new_from", "new_price", "new_fee", {})
            kept[added["from"]] = added  # a second tariff from the same day replaces the first
        return [kept[day] for day in sorted(kept)]

    def _row(self, day: str, price: str, fee: str, before: Mapping[str, Any]) -> dict[str, Any]:
        """Return a tariff as it is saved; what was not typed anew is kept to the digit."""
        row = {**before, "from": self.cleaned_data[day].isoformat(), "price": self.cleaned_data[price]}
        if fee in self.changed_data:
            row.pop("base_fee_per_day", None)
            if self.cleaned_data[fee] is not None:
                row["base_fee_per_day"] = fee_per_day(self.cleaned_data[fee])
        return row
