"""Form fields of the settings: values read as the environment reads them, and the styling of all widgets."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from typing import Any

from django import forms
from django.utils.formats import number_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.devices.home_options import home_option
from apps.devices.option_parsers import InvalidValue, bounded, number

Read = Callable[[str], Any]

SENTENCES: dict[str, Promise] = {
    "number": gettext_lazy("Enter a number like %(example)s."),
    "range": gettext_lazy("Enter a number between %(low)s and %(high)s."),
    "time_zone": gettext_lazy("Enter the name of a time zone, like Europe/Berlin."),
    "currency": gettext_lazy("Enter a code of three letters, like EUR."),
}
KEEP_SECRET = gettext_lazy("Leave it empty to keep the saved one.")
_GROUPING = re.compile(r"[\s\u00a0\u202f']")


def _read(read: Read, text: str, example: str = "") -> Any:
    """Return what ``read`` makes of ``text``, or raise its fault in the reader's language."""
    try:
        return read(text)
    except InvalidValue as fault:
        shown = {name: _shown(value) for name, value in fault.details.items()}
        raise forms.ValidationError(str(SENTENCES[fault.code]) % {"example": example, **shown}) from fault


class NumberField(forms.Field):
    """A number with decimal point or comma, whatever the language. Empty is None.

    ``example`` is shown when it cannot be read.
    """

    widget = forms.TextInput

    def __init__(self, read: Read, *, example: str = "1.40", unit: str | Promise = "", **kwargs: Any) -> None:
        kwargs.setdefault("required", False)
        super().__init__(**kwargs)
        self.read = read
        self.example = example
        self.unit = unit
        self.widget.attrs.update({"inputmode": "decimal", "class": "input input--num", "autocomplete": "off"})

    def to_python(self, value: Any) -> float | None:
        text = _GROUPING.sub("", str(value)) if value is not None else ""
        return float(_read(self.read, text, self.example)) if text else None

    def prepare_value(self, value: Any) -> Any:
        return _shown(value) if isinstance(value, float | int) and not isinstance(value, bool) else value

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return bool(self.to_python(data) != initial)
        except forms.ValidationError:
            return True


def number_option(name: str, **kwargs: Any) -> NumberField:
    """Return the field of one number of the home's options, with its unit and limits."""
    row = home_option(name)
    return NumberField(row.read, unit=row.unit, **kwargs)


def number_between(low: float, high: float) -> Read:
    """Return a reader of numbers from ``low`` to ``high``, both included."""
    return lambda text: bounded(number(text), low, high)


def _shown(value: float) -> str:
    """Format a number with the language's decimal sign, without grouping or trailing zeros."""
    return str(number_format(f"{value:.6f}".rstrip("0").rstrip("."), use_l10n=True, force_grouping=False))


class TextField(forms.CharField):
    """One line of text; ``read`` says what it has to be."""

    def __init__(self, *, max_length: int = 200, read: Read | None = None, **kwargs: Any) -> None:
        kwargs.setdefault("required", False)
        super().__init__(max_length=max_length, **kwargs)
        self.read = read
        self.widget.attrs.update({"class": "input", "autocomplete": "off", "spellcheck": "false"})

    def to_python(self, value: Any) -> str:
        text = super().to_python(value) or ""
        return str(_read(self.read, text)) if self.read is not None and text else text


def text_option(name: str, **kwargs: Any) -> TextField:
    """Return the field of one text of the home's options, read as in the environment."""
    return TextField(read=home_option(name).read, **kwargs)


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
