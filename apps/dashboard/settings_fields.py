"""Form fields of the settings page: numbers as people type them, and the looks of all widgets."""

from __future__ import annotations

import math
import re
from typing import Any

from django import forms
from django.utils.formats import number_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

_NUMBER = re.compile(r"[+-]?\d+([.,]\d+)?")
_GROUPING = re.compile(r"[\s\u00a0\u202f']")


class NumberField(forms.Field):
    """A number with decimal point or comma, whatever the language. Empty is None.

    ``low`` and ``high`` bound it; ``example`` is shown when it cannot be read.
    """

    widget = forms.TextInput

    def __init__(
        self, *, low: float, high: float, example: str = "1.40", unit: str | Promise = "", **kwargs: Any
    ) -> None:
        kwargs.setdefault("required", False)
        super().__init__(**kwargs)
        self.low = low
        self.high = high
        self.example = example
        self.unit = unit
        self.widget.attrs.update({"inputmode": "decimal", "class": "input input--num", "autocomplete": "off"})

    def to_python(self, value: Any) -> float | None:
        text = _GROUPING.sub("", str(value)) if value is not None else ""
        if not text:
            return None
        if not _NUMBER.fullmatch(text.replace("−", "-")):
            raise forms.ValidationError(_("Enter a number like %(example)s.") % {"example": self.example})
        number = float(text.replace("−", "-").replace(",", "."))
        if not math.isfinite(number) or not self.low <= number <= self.high:
            raise forms.ValidationError(
                _("Enter a number between %(low)s and %(high)s.")
                % {"low": _shown(self.low), "high": _shown(self.high)}
            )
        return number

    def prepare_value(self, value: Any) -> Any:
        return _shown(value) if isinstance(value, float | int) and not isinstance(value, bool) else value

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return bool(self.to_python(data) != initial)
        except forms.ValidationError:
            return True


def _shown(value: float) -> str:
    """In the language's decimals, without grouping and without needless zeros."""
    return str(number_format(f"{value:.6f}".rstrip("0").rstrip("."), use_l10n=True, force_grouping=False))


class TextField(forms.CharField):
    """One line of text."""

    def __init__(self, *, max_length: int = 200, **kwargs: Any) -> None:
        kwargs.setdefault("required", False)
        super().__init__(max_length=max_length, **kwargs)
        self.widget.attrs.update({"class": "input", "autocomplete": "off", "spellcheck": "false"})


class SecretField(forms.CharField):
    """A password that is never shown again: left empty, the saved one stays."""

    widget = forms.PasswordInput(render_value=False)

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("required", False)
        kwargs.setdefault("max_length", 1000)
        super().__init__(strip=False, **kwargs)
        self.widget.attrs.update({"class": "input", "autocomplete": "new-password"})


class SelectField(forms.ChoiceField):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.widget.attrs["class"] = "input"


KEEP_SECRET = gettext_lazy("Leave it empty to keep the saved one.")
