"""The card of one external reading of heat, by which heatmon's own is calibrated."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.devices import clock
from apps.metrics.cop import calibration_factor
from apps.metrics.home import Home
from apps.metrics.jaz import jaz
from apps.metrics.models import StaleRange
from apps.metrics.store.base import StoreUnavailable
from apps.metrics.windows import local_date

from .. import formatting
from .cards import Card
from .fields import DayField, NumberField, number_between

LEAST_COVERAGE = 0.9
PLAUSIBLE_FACTOR = (0.5, 2.0)


class CalibrationCard(Card):
    """k = heat by an external reading / heat by modulation, over the same days."""

    section = "calibration"
    title = gettext_lazy("Calibration")

    first = DayField(label=gettext_lazy("First day"))
    last = DayField(label=gettext_lazy("Last day"))
    heat_kwh = NumberField(
        number_between(1, 1_000_000),
        label=gettext_lazy("Heat according to a heat meter or service report"),
        example="1250",
        unit="kWh",
        help_text=gettext_lazy("A single reading over known days makes all heat figures more certain."),
    )
    reset = forms.BooleanField(label=gettext_lazy("Remove the calibration"), required=False)

    def __init__(self, data: Mapping[str, Any] | None = None, **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        factor = self.options.heat_reference_factor
        if factor is None:
            del self.fields["reset"]
        else:
            self.fields["reset"].help_text = _("Now: heat by modulation × %(factor)s") % {
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
                self.add_error(name, _("Enter the first day, the last day and the heat together."))
                return cleaned
        self._check_days(cleaned["first"], cleaned["last"])
        if not self.errors:
            cleaned["factor"] = self._factor(cleaned["first"], cleaned["last"], cleaned["heat_kwh"])
        return cleaned

    def values(self) -> dict[str, Any]:
        if self.cleaned_data.get("reset"):
            return {"heat_reference_factor": None}
        factor = self.cleaned_data.get("factor")
        return {} if factor is None else {"heat_reference_factor": round(factor, 6)}

    def _check_days(self, first: date, last: date) -> None:
        if last < first:
            self.add_error("last", _("The last day is before the first."))
        elif last >= local_date(clock.now(), self.options.zone):
            self.add_error("last", _("These days are not over yet."))

    def _factor(self, first: date, last: date, heat_kwh: float) -> float | None:
        counted_kwh = self._counted_kwh(first, last)
        if counted_kwh is None:
            return None
        # The stored heat carries the factor in force already.
        factor = calibration_factor(heat_kwh, counted_kwh / (self.options.heat_reference_factor or 1.0))
        low, high = PLAUSIBLE_FACTOR
        if low <= factor <= high:
            return factor
        self.add_error(
            "heat_kwh",
            _("heatmon counted %(heat)s over these days; a factor of %(factor)s cannot be right.")
            % {
                "heat": formatting.with_unit(counted_kwh, "energy_kwh"),
                "factor": formatting.number(factor, 2),
            },
        )
        return None

    def _counted_kwh(self, first: date, last: date) -> float | None:
        """Return the heat by modulation of these days [kWh]; None with an error where too little is known."""
        if StaleRange.objects.filter(site=self.site).exists():
            self.add_error(
                "heat_kwh", _("The figures are being recalculated. Try again when that is finished.")
            )
            return None
        try:
            known = jaz(Home.of(self.site, clock.now()), first, last)
        except StoreUnavailable:
            self.add_error("heat_kwh", _("The store of measured values is not responding."))
            return None
        if known.heat_kwh and (known.coverage or 0.0) >= LEAST_COVERAGE:
            return known.heat_kwh
        self.add_error(
            "first",
            _("Heat is known for %(coverage)s of the electricity of these days; 90 %% are needed.")
            % {"coverage": formatting.coverage(known.coverage or 0.0)},
        )
        return None
