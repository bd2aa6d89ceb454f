"""Rows of energy as bars and columns show them: their values, whether they are hatched, and why."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext as _

from apps.dashboard import formatting
from apps.metrics.heat import ALL_KNOWN
from apps.metrics.home import Home
from apps.metrics.periods import EnergyRow


def values_of(rows: Sequence[EnergyRow], name: str) -> tuple[float | None, ...]:
    return rounded([getattr(row, name) for row in rows])


def rounded(values: Sequence[float | None]) -> tuple[float | None, ...]:
    """Leave more digits than anybody is shown: what is written equals other pages to the last one."""
    return tuple(None if value is None else round(value, 9) for value in values)


def is_partial(home: Home, row: EnergyRow) -> bool:
    """Return whether a bar is hatched: its period still runs, or some of its electricity is missing."""
    if row.electrical_energy_kwh is None:
        return False
    covered = (row.electrical_coverage or 0.0) >= ALL_KNOWN and not row.electrical_energy_at_least
    return row.end > home.at or not covered


def row_notes(home: Home, row: EnergyRow) -> list[str]:
    """Say what the electricity of a row leaves out."""
    notes = []
    if row.end <= home.at and is_partial(home, row):
        share = formatting.coverage(row.electrical_coverage)
        notes.append(_("partial, %(share)s measured") % {"share": share})
    if row.electrical_energy_at_least:
        notes.append(_("at least"))
    return notes
