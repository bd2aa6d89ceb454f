"""Forms of login, first account and the change of a password."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth import get_user_model
from django.contrib.auth.password_validation import validate_password
from django.utils.translation import gettext_lazy as _

LONGEST_PASSWORD = 1000


def new_password(label: Any) -> forms.CharField:
    """Return the field of a password that is being chosen."""
    return forms.CharField(
        label=label,
        max_length=LONGEST_PASSWORD,
        strip=False,
        help_text=_("At least 12 characters; a sentence is easiest."),
        widget=forms.PasswordInput(attrs={"class": "input", "autocomplete": "new-password"}),
    )


class NewPasswordForm(forms.Form):
    """A new password, typed twice."""

    password = new_password(_("Password"))
    password_again = forms.CharField(
        label=_("Repeat the password"),
        max_length=LONGEST_PASSWORD,
        strip=False,
        widget=forms.PasswordInput(attrs={"class": "input", "autocomplete": "new-password"}),
    )

    def account(self) -> Any:
        """Return the account that the password is for; it need not be saved."""
        raise NotImplementedError

    def clean_password(self) -> str:
        password = str(self.cleaned_data["password"])
        validate_password(password, self.account())
        return password

    def clean_password_again(self) -> str:
        again = str(self.cleaned_data["password_again"])
        if again != self.data.get("password"):
            raise forms.ValidationError(_("The two passwords do not match."))
        return again


class FirstAccountForm(NewPasswordForm):
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
    field_order = ("code", "username", "password", "password_again")

    def clean_username(self) -> str:
        username = str(self.cleaned_data["username"])
        get_user_model()._meta.get_field("username").run_validators(username)
        return username

    def account(self) -> Any:
        return get_user_model()(username=self.cleaned_data.get("username", ""))


class ChangePasswordForm(NewPasswordForm):
    """The present password, and a new one for the same account."""

    section = "password"

    present = forms.CharField(
        label=_("Present password"),
        max_length=LONGEST_PASSWORD,
        strip=False,
        widget=forms.PasswordInput(attrs={"class": "input", "autocomplete": "current-password"}),
    )
    password = new_password(_("New password"))
    field_order = ("present", "password", "password_again")

    def __init__(self, *args: Any, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user

    def account(self) -> Any:
        return self.user
