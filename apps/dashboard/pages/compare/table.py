"""Two periods side by side, as measured."""

from __future__ import annotations

from collections.abc import Callable

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from apps.dashboard import formatting
from apps.dashboard.contexts import Table, TableRow
from apps.dashboard.pages.uses import part_label
from apps.effects.comparing import PeriodComparison
from apps.effects.fortnights import Window
from apps.metrics.home import Home
from apps.metrics.periods import EnergyRow

Text = Callable[[float | None], str]
USES = ("electrical_energy_heating_kwh", "electrical_energy_dhw_kwh", "standby_energy_kwh")


def periods_table(home: Home, names: tuple[str, str], found: PeriodComparison) -> Table:
    """Return what was measured in both periods, called ``names``, and the difference of what can be taken
    from each other."""
    rows, currency = (found.a, found.b), home.options.currency

    def line(name: str, value: Callable[[EnergyRow], float | None], text: Text, apart: Text) -> TableRow:
        first, second = (value(row) for row in rows)
        return TableRow(head=name, cells=(text(first), text(second), _signed(first, second, apart)))

    def unit(kind: str) -> Text:
        return lambda value: formatting.with_unit(value, kind)

    def plain(name: str, *cells: str) -> TableRow:
        return TableRow(head=name, cells=(*cells, ""))

    def same(name: str, value: Callable[[EnergyRow], float | None], text: Text) -> TableRow:
        return line(name, value, text, text)

    def use(name: str) -> TableRow:
        return same(part_label(name), lambda row: getattr(row, name), kwh)

    first, second = _each_day(found)
    kwh, kelvin = unit("energy_kwh"), unit("temperature_difference_k")
    a_day = TableRow(
        head=_("Electricity a day"), cells=(kwh(first), kwh(second), _signed(first, second, kwh))
    )
    return Table(
        name=_("Both periods"),
        columns=[pgettext("column of values", "Value"), *names, _("Difference")],
        rows=[
            same(_("Electricity"), lambda row: row.electrical_energy_kwh, kwh),
            a_day,
            *(use(name) for name in USES),
            same(_("Cost"), lambda row: row.cost, lambda value: formatting.money(value, currency)),
            line(
                _("Outdoor, mean"),
                lambda row: row.mean_outside_temperature_c,
                unit("temperature_c"),
                kelvin,
            ),
            same(_("Heating degree days"), lambda row: row.heating_degree_days, formatting.number),
            same(
                _("Heat, estimated"), lambda row: row.thermal_energy_modulation_kwh, unit("energy_whole_kwh")
            ),
            same(_("COP"), lambda row: row.cop, lambda value: formatting.number(value, 2)),
            plain(_("Measured"), *(formatting.coverage(row.electrical_coverage) for row in rows)),
            plain(_("Valid days"), *(formatting.number(days) for days in found.valid_days)),
        ],
    )


def raw_words(found: PeriodComparison) -> str:
    """Return how much a day each period used; empty where that is not known."""
    first, second = _each_day(found)
    if first is None or second is None:
        return ""
    return _("%(second)s instead of %(first)s a day, the weather included") % {
        "first": formatting.number(first, 1),
        "second": formatting.with_unit(second, "energy_kwh"),
    }


def span_words(period: Window) -> str:
    return f"{formatting.local_date(period.first)} – {formatting.local_date(period.last)}"


def _signed(first: float | None, second: float | None, text: Text) -> str:
    """Return the second minus the first with its sign; "–" where one is missing."""
    if first is None or second is None:
        return formatting.MISSING
    said = text(second - first)
    return f"+{said}" if second > first and said != text(0.0) else said


def _each_day(found: PeriodComparison) -> tuple[float | None, float | None]:
    """Return what either period used a day, missing time scaled up [kWh]."""
    (first, second), (days, more_days) = (found.a, found.b), found.elapsed_days
    return _a_day(first.scaled_energy_kwh, days), _a_day(second.scaled_energy_kwh, more_days)


def _a_day(energy_kwh: float | None, days: float) -> float | None:
    return energy_kwh / days if energy_kwh is not None and days else None
