"""The forms of the settings that are no options of the home: language and theme, a new API token."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy

from .fields import NumberField, SelectField, TextField, number_between


class LanguageForm(forms.Form):
    section = "language"

    language = SelectField(
        label=gettext_lazy("Language"),
        choices=[("", gettext_lazy("Same as the browser")), ("en", "English"), ("de", "Deutsch")],
        required=False,
    )


THEMES = [
    ("", gettext_lazy("Same as the system")),
    ("light", gettext_lazy("Light")),
    ("dark", gettext_lazy("Dark")),
]


class LookForm(LanguageForm):
    theme = forms.ChoiceField(
        label=gettext_lazy("Theme"), choices=THEMES, widget=forms.RadioSelect, required=False
    )


class TokenForm(forms.Form):
    section = "tokens"

    name = TextField(label=gettext_lazy("What is it for?"), max_length=100, required=True)
    write = forms.BooleanField(label=gettext_lazy("Allow writing notes"), required=False)
    expires = NumberField(
        number_between(1, 3650),
        label=gettext_lazy("Valid for"),
        example="365",
        unit=gettext_lazy("days"),
        help_text=gettext_lazy("If left empty, the token never expires."),
    )
