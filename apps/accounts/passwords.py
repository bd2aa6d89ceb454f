"""What Django's password checks let through."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

OWN_SIGNS = 6
DIFFERENT_SIGNS = 5


class NotTheNameRepeated:
    """Refuses a password that is little more than the user name, once or many times."""

    def validate(self, password: str, user: Any = None) -> None:
        """Raise ValidationError if without the name fewer than ``OWN_SIGNS`` signs are left."""
        name = user.get_username().lower() if user is not None else ""
        if len(name) > 1 and name in (typed := password.lower()) and len(typed.replace(name, "")) < OWN_SIGNS:
            raise ValidationError(_("The password is too similar to the user name."), code="name_repeated")

    def get_help_text(self) -> str:
        return _("The password must not be the user name repeated.")


class FewSignsRepeated:
    """Refuses a password that is long only because it says the same again and again."""

    def validate(self, password: str, user: Any = None) -> None:
        """Raise ValidationError if the password has fewer than ``DIFFERENT_SIGNS`` different signs."""
        if len(set(password)) < DIFFERENT_SIGNS:
            raise ValidationError(_("The password repeats too few different characters."), code="repeated")

    def get_help_text(self) -> str:
        return _("The password must not repeat a few characters.")
