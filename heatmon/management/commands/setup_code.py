"""Print the one-time code while there is no account."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand

from apps.accounts.setup_code import current_code


class Command(BaseCommand):
    help = "Print the one-time code for /setup, while there is no account."

    def handle(self, *args: Any, **options: Any) -> None:
        if get_user_model().objects.exists():
            return
        self.stdout.write(f"one-time code for /setup : {current_code(settings.HOME_DATA_DIR)}")
