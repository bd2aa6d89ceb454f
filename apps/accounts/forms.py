"""Forms of login and first account."""

from __future__ import annotations

from django import forms
from django.contrib.auth import get_user_model
from django.contrib.auth.password_validation import validate_password
from django.utils.translation import gettext_lazy as _


class FirstAccountForm(forms.Form):
    """The one-time code and the owner's name and password."""

    code = forms.CharField(
        label=_("One-time code"),
        max_length=40,
        help_text=_("It was printed when heatmon started."),
        widget=forms.TextInput(
            attrs={"class": "input", "autocomplete": "off", "autocapitalize": "characters"}
        ),
    )
    username = forms.CharField(
        label=_("User name"),
        max_length=150,
        widget=forms.TextInput(
            attrs={"class": "input", "autocomplete": "username", "autocapitalize": "none"}
        ),
    )
    password = forms.CharField(
        label=_("Password"),
        max_length=1000,
        strip=False,
        help_text=_("At least 12 characters; a sentence is easiest."),
        widget=forms.PasswordInput(attrs={"class": "input", "autocomplete": "new-password"}),
    )
    password_again = forms.CharField(
        label=_("Repeat the password"),
        max_length=1000,
        strip=False,
        widget=forms.PasswordInput(attrs={"class": "input", "autocomplete": "new-password"}),
    )

    def clean_username(self) -> str:
        username = str(self.cleaned_data["username"])
        get_user_model()._meta.get_field("username").run_validators(username)
        return username

    def clean_password(self) -> str:
        password = str(self.cleaned_data["password"])
        validate_password(password, get_user_model()(username=self.cleaned_data.get("username", "")))
        return password

    def clean_password_again(self) -> str:
        again = str(self.cleaned_data["password_again"])
        if again != self.data.get("password"):
            raise forms.ValidationError(_("The two passwords do not match."))
        return again
